//! Where the count of failed proofs stands, as a refusal tells it.

use http::{HeaderMap, HeaderName, HeaderValue};
use recado_identity::limits::Allowance;
use recado_model::Error;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The verdict of the count of failed proofs on one of them.
#[derive(Debug)]
pub struct Limited {
    allowances: Vec<Allowance>,
    /// The 429, for one that is told to wait.
    pub(crate) wait: Option<Error>,
}

impl Limited {
    pub(crate) fn new(allowances: Vec<Allowance>, wait: Option<Error>) -> Self {
        Self { allowances, wait }
    }

    /// Lists of structured fields (RFC 9651).
    pub(crate) fn sign(&self, headers: &mut HeaderMap) {
        let mut policy = String::new();
        let mut limit = String::new();
        for allowance in &self.allowances {
            let Allowance {
                policy: name,
                quota,
                window_secs,
                remaining,
                reset_secs,
            } = allowance;
            if !policy.is_empty() {
                policy.push_str(", ");
                limit.push_str(", ");
            }
            policy.push_str(&format!("\"{name}\";q={quota};w={window_secs}"));
            limit.push_str(&format!("\"{name}\";r={remaining};t={reset_secs}"));
        }
        for (name, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}
