//! The credentials that a request shows: collected from headers only, each at most once, none of another surface.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, RawPathParams};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderName, header, request::Parts};
use percent_encoding::percent_decode;
use recado_identity::{Calls, DirectClaim, DirectKey, Granted, Presented, ShopToken};
use recado_model::{Caller, Error, ErrorCode, Instance};

use crate::{edge::ClientIp, error::Fail, state::ApiState};

const CLIENT_TOKEN: HeaderName = HeaderName::from_static("x-client-token");
const INSTANCE_TOKEN: HeaderName = HeaderName::from_static("x-instance-token");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The headers that belong to a surface; the others' are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts {
    bearer: bool,
    instance_pair: bool,
    api_key: bool,
    /// A proxy's Basic alone is as nothing: nothing need be shown, or what is missing is no bearer.
    open: bool,
}

impl Accepts {
    pub const INSTANCE: Self = Self {
        bearer: true,
        instance_pair: true,
        api_key: false,
        open: false,
    };
    pub const MCP: Self = Self {
        bearer: true,
        instance_pair: false,
        api_key: false,
        open: false,
    };
    pub const DIRECT: Self = Self {
        bearer: false,
        instance_pair: false,
        api_key: true,
        open: true,
    };
    /// The dashboard's own API: its cookie, and nothing else.
    pub const NONE: Self = Self {
        bearer: false,
        instance_pair: false,
        api_key: false,
        open: true,
    };
    /// `POST /sessions` also takes the shop's `wz_`.
    pub const DIRECT_CREATE: Self = Self {
        bearer: true,
        instance_pair: false,
        api_key: true,
        open: true,
    };
}

/// The credentials of one request. Never printed: there is no `Debug`.
#[derive(Clone, Default)]
pub struct CredentialHeaders {
    bearer: Option<String>,
    client_token: Option<String>,
    instance_token: Option<String>,
    api_key: Option<String>,
    from: Option<IpAddr>,
}

impl CredentialHeaders {
    /// 400 for a header that is given twice or belongs to another surface, 401 for one that cannot
    /// be read.
    pub fn collect(parts: &Parts, accepts: Accepts) -> Result<Self, Fail> {
        let shown = Self::of_headers(&parts.headers, accepts)?;
        let from = parts.extensions.get::<ClientIp>().map(|ip| ip.0);
        Ok(Self { from, ..shown })
    }

    fn of_headers(headers: &HeaderMap, accepts: Accepts) -> Result<Self, Fail> {
        let proxys = is_of_a_proxy(headers);
        for (name, accepted) in [
            (&header::AUTHORIZATION, accepts.bearer),
            (&CLIENT_TOKEN, accepts.instance_pair),
            (&INSTANCE_TOKEN, accepts.instance_pair),
            (&API_KEY, accepts.api_key),
        ] {
            refuse_repeated(headers, name)?;
            let ignored = proxys && name == header::AUTHORIZATION;
            if !accepted && !ignored && headers.contains_key(name) {
                return Err(conflict(format!(
                    "The header {name} belongs to another API of this server; leave it out here."
                )));
            }
        }
        let shown = Self {
            bearer: match text(headers, &header::AUTHORIZATION)? {
                Some(value) if !proxys => Some(bearer(value).ok_or_else(malformed)?.to_owned()),
                _ => None,
            },
            client_token: text(headers, &CLIENT_TOKEN)?.map(str::to_owned),
            instance_token: text(headers, &INSTANCE_TOKEN)?.map(str::to_owned),
            api_key: text(headers, &API_KEY)?.map(str::to_owned),
            from: None,
        };
        match proxys && !accepts.open && !shown.any() {
            true => Err(malformed()),
            false => Ok(shown),
        }
    }

    pub fn presented(&self) -> Presented<'_> {
        Presented {
            bearer: self.bearer.as_deref(),
            client_token: self.client_token.as_deref(),
            instance_token: self.instance_token.as_deref(),
            api_key: self.api_key.as_deref(),
            from: self.from,
        }
    }

    /// The bearer without the rest, for a surface that judges its credentials one by one.
    pub fn bearer_only(&self) -> Option<Presented<'_>> {
        let bearer = Some(self.bearer.as_deref()?);
        Some(Presented {
            bearer,
            from: self.from,
            ..Presented::default()
        })
    }

    pub fn api_key_only(&self) -> Option<Presented<'_>> {
        let api_key = Some(self.api_key.as_deref()?);
        Some(Presented {
            api_key,
            from: self.from,
            ..Presented::default()
        })
    }

    pub fn any(&self) -> bool {
        self.bearer.is_some()
            || self.client_token.is_some()
            || self.instance_token.is_some()
            || self.api_key.is_some()
    }

    /// Turns the answer of `Access` into the guard's, and notes on the span who it is.
    pub fn judge<T: Identified>(&self, proof: recado_model::Result<T>) -> Result<T, Fail> {
        match proof {
            Ok(proven) => {
                let (caller, instance) = proven.who();
                note(caller, instance);
                Ok(proven)
            }
            Err(error) => Err(Fail::of_proof(error, self.any())),
        }
    }
}

/// The result of `Access`: the caller, and the instance where there is one.
pub trait Identified {
    fn who(&self) -> (&Caller, Option<&Instance>);
}

macro_rules! without_instance {
    ($($kind:ty),*) => {$(
        impl Identified for $kind {
            fn who(&self) -> (&Caller, Option<&Instance>) {
                (self.caller(), None)
            }
        }
    )*};
}
without_instance!(Caller, ShopToken, DirectKey);

impl<C: Calls> Identified for Granted<C> {
    fn who(&self) -> (&Caller, Option<&Instance>) {
        (self.caller(), Some(self.instance()))
    }
}

impl Identified for DirectClaim {
    fn who(&self) -> (&Caller, Option<&Instance>) {
        (self.shop().caller(), Some(self.held().instance()))
    }
}

/// Refuses a header that is given more than once: which one counts would be anybody's guess.
pub(super) fn refuse_repeated(headers: &HeaderMap, name: &HeaderName) -> Result<(), Fail> {
    if headers.get_all(name).iter().nth(1).is_some() {
        return Err(conflict(format!(
            "The header {name} is given twice; send it once."
        )));
    }
    Ok(())
}

pub(super) fn conflict(message: String) -> Fail {
    Fail::of_proof(Error::new(ErrorCode::ConflictingCredentials, message), true)
}

/// The visible text of a header that is known to be there at most once.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Fail> {
    match headers.get(name).map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text.trim())),
        Some(Err(_)) if name == API_KEY => Err(Fail::of_proof(
            Error::new(ErrorCode::ApiKeyInvalid, "The key is not readable text."),
            true,
        )),
        Some(Err(_)) => Err(malformed()),
    }
}

fn malformed() -> Fail {
    Fail::of_proof(Error::unauthorized(), true)
}

/// `Bearer <token>`, the scheme in any case (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let fits = scheme.eq_ignore_ascii_case("bearer")
        && !token.is_empty()
        && !token.contains([' ', '\t', ',']);
    fits.then_some(token)
}

/// Whether `Authorization` belongs to a proxy in front: HTTP Basic whose user name is not of a client
/// token's form. Browsers send it with every call, so it counts for nothing here. What cannot be read is
/// not taken for that.
pub(crate) fn is_of_a_proxy(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION);
    let user = value.and_then(|value| basic_user(value.as_bytes()));
    user.is_some_and(|user| !is_a_clients(&user))
}

/// Padded or not, so that nothing of ours passes for a proxy's by how it is written.
const ANY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn basic_user(value: &[u8]) -> Option<Vec<u8>> {
    let value = value.trim_ascii();
    let (scheme, encoded) = value.split_at(value.iter().position(|b| *b == b' ')?);
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let mut pair = ANY_BASE64.decode(encoded.trim_ascii()).ok()?;
    // Passwords, and names, may be in any encoding.
    pair.truncate(pair.iter().position(|b| *b == b':')?);
    Some(pair)
}

/// Form-encoded as in RFC 6749, 2.3.1, or plain.
fn is_a_clients(user: &[u8]) -> bool {
    let spaced: Vec<u8> = user
        .iter()
        .map(|b| if *b == b'+' { b' ' } else { *b })
        .collect();
    let plain: Vec<u8> = percent_decode(&spaced).collect();
    plain.trim_ascii_start().starts_with(b"ct_")
}

/// Puts the proven account and instance on the request's span.
pub(super) fn note(caller: &Caller, instance: Option<&Instance>) {
    let span = tracing::Span::current();
    span.record("account.id", caller.account.as_str());
    if let Some(instance) = instance {
        span.record("instance.id", instance.id.as_str());
    }
}

/// A path parameter, `""` when it is absent or not UTF-8: that names nothing, and the guard says so
/// in the words for a missing thing, after the proof.
pub(super) async fn path_param(parts: &mut Parts, state: &ApiState, name: &str) -> String {
    match RawPathParams::from_request_parts(parts, state).await {
        Ok(params) => params
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn code(result: Result<CredentialHeaders, Fail>) -> ErrorCode {
        result.err().map(|fail| fail.error().code).expect("refused")
    }

    #[test]
    fn the_three_headers_of_the_clients_are_taken_together() {
        let three = headers(&[
            ("authorization", "bEARER  abc"),
            ("x-client-token", "ct"),
            ("x-instance-token", "inst"),
        ]);
        let Ok(shown) = CredentialHeaders::of_headers(&three, Accepts::INSTANCE) else {
            panic!("refused");
        };
        let presented = shown.presented();
        assert_eq!(presented.bearer, Some("abc"));
        assert_eq!(presented.client_token, Some("ct"));
        assert_eq!(presented.instance_token, Some("inst"));
    }

    #[test]
    fn repeated_and_foreign_headers_are_400() {
        for pairs in [
            vec![("authorization", "Bearer a"), ("authorization", "Bearer a")],
            vec![("x-client-token", "a"), ("x-client-token", "b")],
            vec![("authorization", "Bearer a"), ("x-api-key", "sk_a")],
            vec![("x-api-key", "")],
        ] {
            let refused = code(CredentialHeaders::of_headers(
                &headers(&pairs),
                Accepts::INSTANCE,
            ));
            assert_eq!(refused, ErrorCode::ConflictingCredentials, "{pairs:?}");
        }
        let both = headers(&[("authorization", "Bearer a"), ("x-client-token", "b")]);
        assert_eq!(
            code(CredentialHeaders::of_headers(&both, Accepts::MCP)),
            ErrorCode::ConflictingCredentials
        );
        let bearer = headers(&[("authorization", "Bearer wz_a")]);
        assert!(CredentialHeaders::of_headers(&bearer, Accepts::DIRECT).is_err());
        assert!(CredentialHeaders::of_headers(&bearer, Accepts::DIRECT_CREATE).is_ok());
    }

    #[test]
    fn malformed_authorization_is_401() {
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            "a b c",
            "Bearer a b",
            "Bearera",
        ] {
            let mut map = HeaderMap::new();
            map.insert("authorization", HeaderValue::from_static(value));
            let refused = code(CredentialHeaders::of_headers(&map, Accepts::INSTANCE));
            assert_eq!(refused, ErrorCode::Unauthorized, "{value:?}");
        }
        let mut map = HeaderMap::new();
        map.insert(
            "x-client-token",
            HeaderValue::from_bytes(b"ct_\xff").expect("opaque"),
        );
        assert_eq!(
            code(CredentialHeaders::of_headers(&map, Accepts::INSTANCE)),
            ErrorCode::Unauthorized
        );
    }
}
