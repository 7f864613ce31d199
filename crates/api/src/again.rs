//! The guard of a request once more. Guards judge before the body is read, and a body may take its time:
//! who lost a right meanwhile must not act on it. [`crate::extract`] asks when the body has come.

use std::pin::Pin;

use axum::extract::FromRequestParts;
use http::request::Parts;
use recado_model::{AccountId, Error, Monotonic};

use crate::{ApiState, error::Fail};

/// The note that a guard leaves when it has let somebody pass.
#[derive(Clone, Copy)]
pub(crate) struct Again {
    /// The state of the caches and the time at the first look.
    seen: u64,
    at: Monotonic,
    look: Look,
}

/// The account that a guard of an instance has let pass: whoever sends a long body has a share of the places for
/// them.
#[derive(Clone)]
pub(crate) struct Whose(pub AccountId);

impl Whose {
    /// # Errors
    /// A route with such a body and another guard, which is a bug.
    pub(crate) fn of(parts: &Parts) -> Result<&Self, Error> {
        let whose = parts.extensions.get::<Self>();
        whose.ok_or_else(|| Error::internal("a body that streams in, and no guard of an instance"))
    }
}

type Look = for<'a> fn(&'a mut Parts, &'a ApiState) -> Looking<'a>;
type Looking<'a> = Pin<Box<dyn Future<Output = Result<(), Fail>> + Send + 'a>>;

impl Again {
    pub(crate) fn note<G>(parts: &mut Parts, state: &ApiState)
    where
        G: FromRequestParts<ApiState, Rejection = Fail>,
    {
        fn look<'a, G>(parts: &'a mut Parts, state: &'a ApiState) -> Looking<'a>
        where
            G: FromRequestParts<ApiState, Rejection = Fail>,
        {
            Box::pin(async move { G::from_request_parts(parts, state).await.map(|_| ()) })
        }
        let again = Self {
            seen: state.app.access().seen(),
            at: state.app.clock().monotonic(),
            look: look::<G>,
        };
        parts.extensions.insert(again);
    }

    /// Nothing when nothing can have changed: no credential, session or role did, and no time went by in
    /// which one may have ended.
    pub(crate) async fn look(parts: &mut Parts, state: &ApiState) -> Result<(), Fail> {
        let Some(again) = parts.extensions.get::<Self>().copied() else {
            return Ok(());
        };
        let went_by = state.app.clock().monotonic().since(again.at);
        if again.seen == state.app.access().seen() && went_by < STILL_MS {
            return Ok(());
        }
        (again.look)(parts, state).await
    }
}

/// The time that a body may take before the guard looks again in any case.
const STILL_MS: i64 = 250;
