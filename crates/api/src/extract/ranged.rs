//! Which part of an answer's bytes is asked for (RFC 9110, 14).

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};
use recado_app::Span;

use crate::{ApiState, describe::Describe, error::Fail};

/// The `Range` of a request, and what it is asked under.
pub struct Ranged {
    pub span: Span,
    /// It holds only for these bytes.
    pub if_range: Option<String>,
    /// Whoever asks has these already.
    pub if_none_match: Option<String>,
}

impl Describe for Ranged {}

impl FromRequestParts<ApiState> for Ranged {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Fail> {
        let text = |name| of(&parts.headers, name).map(str::to_owned);
        Ok(Self {
            span: of(&parts.headers, header::RANGE).map_or(Span::All, span),
            if_range: text(header::IF_RANGE),
            if_none_match: text(header::IF_NONE_MATCH),
        })
    }
}

impl Ranged {
    /// Whether whoever asks has the bytes of this tag already (RFC 9110, 13.1.2: the weak comparison).
    pub fn has(&self, tag: &str) -> bool {
        let known = self.if_none_match.as_deref().unwrap_or_default();
        known.split(',').any(|one| {
            let one = one.trim();
            one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
        })
    }
}

fn of(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// What is not understood, and more than one range, asks for all.
fn span(text: &str) -> Span {
    let read = || {
        let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| digits)
        };
        match (first.trim(), last.trim()) {
            ("", last) => Some(Span::Last(number(last)?)),
            (first, "") => Some(Span::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Span::From(first, Some(last)))
            }
        }
    };
    read().unwrap_or(Span::All)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        for (text, expected) in [
            ("bytes=0-0", Span::From(0, Some(0))),
            ("bytes=5-", Span::From(5, None)),
            ("bytes=-5", Span::Last(5)),
            ("bytes=5-4", Span::All),
            ("bytes=1-2,4-5", Span::All),
            ("lines=1-2", Span::All),
            ("bytes=+1-2", Span::All),
            ("bytes=-", Span::All),
        ] {
            assert_eq!(span(text), expected, "{text}");
        }
    }
}
