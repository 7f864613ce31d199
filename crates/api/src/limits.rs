//! Failed proofs beyond the limit: 429 instead of 401, and the headers that say where the count stands
//! (`RateLimit`, `RateLimit-Policy`: draft-ietf-httpapi-ratelimit-headers).
//!
//! [`limit`] looks at the refusals of guards; [`crate::layers::observe`] shows it every one that leaves
//! the program, so that no guard can forget to. A refusal that was looked at already passes: a guard
//! that knows which client was shown, or that writes its own answer, asks before. Requests whose proof
//! holds never come here.

use std::net::IpAddr;

use recado_identity::limits::LimitVerdict;
use recado_model::{Error, ErrorCode};

use crate::{ApiState, error::Fail, limited::Limited};

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
    fail.with_limit(Limited::new(allowances, wait))
}

/// Something was shown and it did not hold. A genuine one that names another account is no failed
/// proof, and who shows nothing tries nothing.
fn is_failed_proof(fail: &Fail) -> bool {
    match fail.cause().code {
        ErrorCode::InvalidClient => true,
        ErrorCode::InstanceNotYours => false,
        code => code.status() == 401 && fail.presented(),
    }
}
