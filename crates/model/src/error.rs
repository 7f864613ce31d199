//! The one error catalogue: a code, a text for the caller, a source for the log.
//!
//! Surfaces render it in their own shape (`api::error`); a test renders every code on every surface.
//! To add an error: a variant here with its name and status, nothing else.

use std::borrow::Cow;

pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)*) => {
        /// Stable names; part of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $text,)* } }
            /// The HTTP status where the surface has no other rule.
            pub fn status(self) -> u16 { match self { $(Self::$name => $status,)* } }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request", 400;
    InvalidJson = "invalid_json", 400;
    InvalidField = "invalid_field", 400;
    InvalidPhone = "invalid_phone", 400;
    InvalidEvents = "invalid_events", 400;
    InvalidUrl = "invalid_url", 400;
    /// Two credentials of one kind, or credentials of two surfaces, in one request.
    ConflictingCredentials = "conflicting_credentials", 400;
    /// A call of the dashboard that does not say which account and person it means.
    AccountNotNamed = "account_not_named", 400;
    Unauthorized = "unauthorized", 401;
    /// Whatever is wrong with e-mail and password: one answer for all of it.
    LoginFailed = "login_failed", 401;
    /// The password is right and a second factor is needed, or the one that was sent is wrong.
    OtpRequired = "otp_required", 401;
    OtpInvalid = "otp_invalid", 401;
    /// `/token`: RFC 6749 names.
    InvalidClient = "invalid_client", 401;
    UnsupportedGrantType = "unsupported_grant_type", 400;
    InvalidScope = "invalid_scope", 400;
    /// `/revoke`: RFC 7009, 2.2.1.
    UnsupportedTokenType = "unsupported_token_type", 400;
    InstanceNotYours = "session_not_yours", 401;
    ApiKeyRequired = "api_key_required", 401;
    ApiKeyInvalid = "api_key_invalid", 401;
    PaymentRequired = "payment_required", 402;
    Forbidden = "forbidden", 403;
    GuestsOff = "guests_off", 403;
    /// Signed in, but this needs the password again: `POST /dashboard/api/confirm`.
    ProofRequired = "proof_required", 403;
    /// The role does not allow it.
    RoleTooLow = "role_too_low", 403;
    /// WhatsApp leaves it to the admins of a group.
    NotGroupAdmin = "not_group_admin", 403;
    /// Another site's page sent it.
    ForeignOrigin = "foreign_origin", 403;
    /// Turnstile did not take the caller for a person.
    HumanCheckFailed = "human_check_failed", 403;
    SignupClosed = "signup_closed", 403;
    /// Cookies need HTTPS, or loopback.
    HttpsRequired = "https_required", 403;
    NotFound = "not_found", 404;
    RouteNotFound = "route_not_found", 404;
    MethodNotAllowed = "method_not_allowed", 405;
    /// A body comes slower than its caller may take.
    TooSlow = "too_slow", 408;
    InstanceNotConnected = "instance_not_connected", 409;
    InstanceNotPaired = "instance_not_paired", 409;
    AlreadyConnected = "already_connected", 409;
    Conflict = "conflict", 409;
    /// A call of the dashboard means another account or person than the session is of: a stale page.
    AccountChanged = "account_changed", 409;
    /// Used, expired, withdrawn or never made.
    LinkInvalid = "link_invalid", 410;
    /// The bytes of a medium are no more, here or at WhatsApp.
    MediaGone = "media_gone", 410;
    PayloadTooLarge = "payload_too_large", 413;
    RangeNotSatisfiable = "range_not_satisfiable", 416;
    UnsupportedMediaType = "unsupported_media_type", 415;
    NotOnWhatsapp = "not_on_whatsapp", 400;
    HeadersTooLarge = "headers_too_large", 431;
    RateLimited = "rate_limited", 429;
    Internal = "internal", 500;
    EngineUnavailable = "engine_unavailable", 502;
    Unavailable = "unavailable", 503;
    Timeout = "timeout", 504;
}

/// A fault: for the caller (`message`) and, apart, for the log (`source`).
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct Error {
    pub code: ErrorCode,
    /// Says what to do. Never holds a secret or an internal detail.
    pub message: Cow<'static, str>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    pub retry_after_secs: Option<u64>,
    /// The field of the body that is at fault, where there is one.
    pub field: Option<&'static str>,
    /// How many bytes there are, where a range named none of them.
    pub length: Option<u64>,
    /// Nobody's fault: the log has no line of it, whatever its status.
    expected: bool,
}

impl Error {
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            source: None,
            retry_after_secs: None,
            field: None,
            length: None,
            expected: false,
        }
    }

    /// A fault of ours: the caller hears nothing of `source`, the log all.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(
            ErrorCode::Internal,
            "Something went wrong on our side. Try again; if it stays so, give the operator the request id.",
        )
        .with_source(source)
    }

    pub fn field(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: Some(field),
            ..Self::new(ErrorCode::InvalidField, message)
        }
    }

    /// The presented credential does not hold.
    pub fn unauthorized() -> Self {
        Self::new(
            ErrorCode::Unauthorized,
            "Unauthorized: send a valid owner JWT, or X-Client-Token with X-Instance-Token.",
        )
    }

    /// Genuine credentials that do not name this account and instance: foreign and missing alike.
    pub fn forbidden() -> Self {
        Self::new(
            ErrorCode::Forbidden,
            "Forbidden: the instance does not belong to the account of the credentials you sent.",
        )
    }

    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Names the field of the body that is at fault.
    pub fn with_field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// The same about a field that the caller knows as `to`: the text, which begins with `from`, too.
    pub fn renamed(mut self, from: &str, to: &'static str) -> Self {
        if let Some(rest) = self.message.strip_prefix(from) {
            self.message = format!("{to}{rest}").into();
        }
        self.with_field(to)
    }

    pub fn with_retry_after(mut self, secs: u64) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }

    /// A range of a thing of so many bytes that has none of them.
    pub fn out_of_range(length: u64) -> Self {
        let text = format!("The medium has {length} bytes: nothing of it is in that range.");
        Self {
            length: Some(length),
            ..Self::new(ErrorCode::RangeNotSatisfiable, text)
        }
    }

    /// Says that it is in the nature of things: a medium that is not here yet, for example.
    pub fn expected(mut self) -> Self {
        self.expected = true;
        self
    }

    pub fn is_expected(&self) -> bool {
        self.expected
    }

    /// Whether the caller (and not we) is at fault.
    pub fn is_callers_fault(&self) -> bool {
        self.code.status() < 500
    }
}
