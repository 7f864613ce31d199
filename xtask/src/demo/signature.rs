//! Checks a webhook's signature as a customer would: Standard Webhooks 1.0, HMAC-SHA256.

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// Fails unless one of the signatures in `webhook-signature` is right for the body as received.
/// `headers` is an object with lower-case names; `secret` is the `whsec_…` of the webhook.
pub fn verify(headers: &Value, raw: &str, secret: &str) -> Result<()> {
    let header = |name: &str| {
        headers[name]
            .as_str()
            .with_context(|| format!("the delivery has no header `{name}`"))
    };
    let (id, timestamp, signatures) = (
        header("webhook-id")?,
        header("webhook-timestamp")?,
        header("webhook-signature")?,
    );
    let key = secret
        .strip_prefix("whsec_")
        .context("the signing secret does not begin with `whsec_`")?;
    let key = STANDARD
        .decode(key)
        .context("the signing secret is no base64")?;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&key).context("the signing secret has a bad length")?;
    mac.update(format!("{id}.{timestamp}.{raw}").as_bytes());
    for signature in signatures.split(' ').filter_map(|s| s.strip_prefix("v1,")) {
        let Ok(bytes) = STANDARD.decode(signature) else {
            continue;
        };
        if mac.clone().verify_slice(&bytes).is_ok() {
            return Ok(());
        }
    }
    bail!("the signature of delivery {id} does not hold: {signatures}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // The example of the Standard Webhooks specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"test": 2432232314}"#;

    fn headers(signature: &str) -> Value {
        json!({"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330", "webhook-signature": signature})
    }

    #[test]
    fn the_right_signature_holds_alone_and_among_others() {
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        verify(&headers(right), BODY, SECRET).expect("right");
        verify(&headers(&format!("v1,AAAA {right}")), BODY, SECRET).expect("right among others");
    }

    #[test]
    fn anything_else_does_not() {
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert!(verify(&headers("v1,AAAA"), BODY, SECRET).is_err());
        assert!(verify(&headers(right), "{}", SECRET).is_err());
        assert!(verify(&headers(right), BODY, "whsec_AAAA").is_err());
        assert!(verify(&json!({}), BODY, SECRET).is_err());
    }
}
