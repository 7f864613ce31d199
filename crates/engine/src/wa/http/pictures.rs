//! Pictures of people, from the address that WhatsApp's server tells.

use std::time::Duration;

use recado_model::{Error, ErrorCode, Result};
use url::Url;
use whatsapp_rust::anyhow;

use super::Http;

/// WhatsApp makes them of some hundred kilobytes at most.
const MOST: usize = 4 * 1024 * 1024;
const WITHIN: Duration = Duration::from_secs(20);
/// Where they lie.
const HOSTS: [&str; 2] = [".whatsapp.net", ".fbcdn.net"];

impl Http {
    /// # Errors
    /// [`ErrorCode::NotFound`] where it is there no more, else [`ErrorCode::EngineUnavailable`].
    pub(in crate::wa) async fn picture(&self, url: &str) -> Result<Vec<u8>> {
        let failed = |error: anyhow::Error| {
            let text = "WhatsApp's hosts did not give the picture. Try again.";
            Error::new(ErrorCode::EngineUnavailable, text).with_source(error)
        };
        if self.loopback.is_none() && !is_theirs(url) {
            return Err(failed(anyhow::anyhow!(
                "a picture elsewhere than at WhatsApp"
            )));
        }
        let fetched = async {
            let target = self.target(url)?;
            let response = self.client.get(target).timeout(WITHIN).send().await;
            // The address carries a token: it does not go to the log.
            let response = response.map_err(reqwest::Error::without_url)?;
            self.collect_most(response, MOST).await
        };
        let answer = fetched.await.map_err(failed)?;
        match answer.status_code {
            200 => Ok(answer.body),
            404 | 410 => Err(Error::new(
                ErrorCode::NotFound,
                "The picture is not there any more. Ask again.",
            )),
            status => Err(failed(anyhow::anyhow!("status {status}"))),
        }
    }
}

fn is_theirs(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && HOSTS.iter().any(|theirs| host.ends_with(theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_lie_at_whatsapp() {
        assert!(is_theirs("https://pps.whatsapp.net/v/t61/1.jpg?oe=1"));
        for elsewhere in [
            "http://pps.whatsapp.net/1.jpg",
            "https://whatsapp.net.example/1.jpg",
            "https://127.0.0.1/1.jpg",
            "nothing",
        ] {
            assert!(!is_theirs(elsewhere), "{elsewhere}");
        }
    }
}
