//! Failed proofs beyond the limit: 429 instead of 401, and the headers that say where the count stands
//! (`RateLimit`, `RateLimit-Policy`: draft-ietf-httpapi-ratelimit-headers).
//!
//! [`limit`] looks at the refusals of guards; [`crate::layers::observe`] shows it every one that leaves
//! the program, so that no guard can forget to. A refusal that was looked at already passes: a guard
//! that knows which client was shown, or that writes its own answer, asks before. Requests whose proof
//! holds never come here.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use recado_identity::limits::{Allowance, LimitVerdict};
use recado_model::{Error, ErrorCode};

use crate::{ApiState, Surface, error::Fail};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What the count of failed proofs says to one of them.
#[derive(Debug)]
pub struct Limited {
    allowances: Vec<Allowance>,
    /// The 429, for one that is told to wait.
    pub(crate) wait: Option<Error>,
}

/// Counts `fail` when it is a failed proof, and turns it into 429 while too many have failed from
/// `from`, or with `public_id`: what was shown as a client token (or as an e-mail, at a log-in).
pub fn limit(
    state: &ApiState,
    from: impl Into<Option<IpAddr>>,
    public_id: Option<&str>,
    fail: Fail,
) -> Fail {
    if !is_failed_proof(&fail) || fail.limited().is_some() {
        return fail;
    }
    let LimitVerdict {
        allowances,
        wait_secs,
    } = state.app.limits().failed(from.into(), public_id);
    let wait = wait_secs.map(|secs| {
        let text = format!(
            "Too many credentials that do not hold were sent. Wait {secs} s before you try another; one that holds is taken at once."
        );
        Error::new(ErrorCode::RateLimited, text).with_retry_after(secs)
    });
    fail.with_limit(Limited { allowances, wait })
}

/// Something was shown and it did not hold. What is genuine but names another account is no failed
/// proof, and who shows nothing tries nothing.
fn is_failed_proof(fail: &Fail) -> bool {
    match fail.cause().code {
        ErrorCode::InvalidClient => true,
        ErrorCode::InstanceNotYours => false,
        code => code.status() == 401 && fail.presented(),
    }
}

impl Limited {
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

/// Counts a failed proof by surface, by what was wrong, and by whether it was told to wait.
pub(crate) fn measure(fail: &Fail, surface: Surface) {
    let limited = fail.limited().is_some_and(|limited| limited.wait.is_some());
    metrics::counter!(
        "recado_failed_proofs_total",
        "surface" => surface.as_str(),
        "reason" => fail.cause().code.as_str(),
        "limited" => if limited { "yes" } else { "no" },
    )
    .increment(1);
}
