//! The cookie of a session: finding it in a request, setting it, ending it.

use http::{HeaderMap, HeaderValue, header};
use recado_model::{Error, ErrorCode, Secret};

use crate::error::Fail;

/// The name of the cookie. The prefix makes browsers insist on HTTPS (or loopback) and on this host.
pub const COOKIE: &str = "__Host-recado";
/// 30 days, as long as the longest session.
const MAX_AGE_SECS: i64 = recado_identity::access::person::LONGEST_MS / 1000;

/// Our cookie's value; 400 when it is there twice, because which one counts would be anybody's guess.
pub(super) fn cookie(headers: &HeaderMap) -> Result<Option<&str>, Fail> {
    let mut found = cookies(headers);
    let first = found.next();
    if found.next().is_some() {
        let text = format!("The cookie {COOKIE} is there twice. Delete it and sign in again.");
        return Err(Error::new(ErrorCode::ConflictingCredentials, text).into());
    }
    Ok(first)
}

/// The values of all cookies of that name, `""` for one that is no ASCII. Whatever bytes stand in those
/// beside it are their owners' business.
pub(super) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|b| *b == b';'));
    pairs.filter_map(|pair| {
        let value = trimmed(pair).strip_prefix(COOKIE.as_bytes())?;
        let value = value.strip_prefix(b"=")?;
        let text = std::str::from_utf8(value)
            .ok()
            .filter(|text| text.is_ascii());
        Some(text.unwrap_or_default())
    })
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// `Set-Cookie` of a session.
pub fn set_cookie(cookie: &Secret) -> Option<HeaderValue> {
    let text = format!(
        "{COOKIE}={}; Path=/; Max-Age={MAX_AGE_SECS}; Secure; HttpOnly; SameSite=Strict",
        cookie.expose()
    );
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `Set-Cookie` that ends it.
pub fn clear_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-recado=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_once() {
        let of = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            cookie(&headers).map(|found| found.map(str::to_owned))
        };
        let one = of(&["a=b; __Host-recado=abc;c=d"]);
        assert_eq!(one.ok().flatten().as_deref(), Some("abc"));
        assert_eq!(of(&["__host-recado=abc", "x"]).ok().flatten(), None);
        assert!(of(&["__Host-recado=a; __Host-recado=b"]).is_err());
        assert!(of(&["__Host-recado=a", "__Host-recado=a"]).is_err());
    }

    #[test]
    fn it_is_found_among_whatever_others_wrote() {
        let of = |line: &[u8]| {
            let mut headers = HeaderMap::new();
            let line = HeaderValue::from_bytes(line).expect("a line");
            headers.append(header::COOKIE, line);
            cookie(&headers).map(|found| found.map(str::to_owned))
        };
        for (line, found) in [
            (&b"name=Jos\xe9; __Host-recado=abc"[..], Some("abc")),
            (b"\xff=\xff;\t __Host-recado=abc \t; a", Some("abc")),
            (b"__Host-recado=a=b", Some("a=b")),
            // Ours, and nobody's.
            (b"__Host-recado=\xe9", Some("")),
            (b"__Host-recado=", Some("")),
            (b"__Host-recado", None),
            (b"__host-recado=abc", None),
            (b"__Host-recado2=abc; x__Host-recado=abc", None),
            (b"\xe9__Host-recado=abc; __Host-recado\xe9=abc", None),
            (b"a=\"__Host-recado=abc\"", None),
        ] {
            let got = of(line).ok().flatten();
            assert_eq!(got.as_deref(), found, "{}", line.escape_ascii());
        }
        assert!(of(b"__Host-recado=abc; x=\xe9; __Host-recado=\xe9").is_err());
    }
}
