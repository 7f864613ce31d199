//! Standard Webhooks 1.0.0 signatures: `v1,` + base64 of HMAC-SHA-256 over `id.timestamp.body`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use recado_model::{Error, Result, Secret, webhook::SigningSecret};
use sha2::Sha256;

pub fn signature(secret: &Secret, id: &str, timestamp: i64, body: &str) -> Result<String> {
    let encoded = secret
        .expose()
        .strip_prefix(SigningSecret::PREFIX)
        .unwrap_or(secret.expose());
    let key = STANDARD
        .decode(encoded)
        .map_err(|_| Error::internal("a signing secret is not base64"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(Error::internal)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body.as_bytes());
    Ok(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_standard_webhooks() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let made = signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            made.expect("signs"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
