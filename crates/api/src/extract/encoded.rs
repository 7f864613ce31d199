//! Bytes inside of JSON: base64, or a data URL.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use recado_model::{Error, Result};

/// Type and code of a data URL with base64; `None` of what is none.
pub fn data_url(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let scheme = text.get(..5)?;
    let rest = scheme
        .eq_ignore_ascii_case("data:")
        .then(|| text.get(5..))??;
    let (head, code) = rest.split_once(',')?;
    let (kind, form) = head.rsplit_once(';')?;
    let kind = kind.split(';').next().unwrap_or_default();
    form.trim()
        .eq_ignore_ascii_case("base64")
        .then_some((kind.trim(), code))
}

/// The bytes of base64, or of a data URL. Line breaks are tolerated, and so is padding that is left out.
///
/// # Errors
/// Names `field`. A space is a `+` that a form has taken away: what came would be other bytes.
pub fn bytes_of(field: &'static str, text: &str) -> Result<Vec<u8>> {
    let wrong = |text: &str| Error::field(field, format!("{field}{text}"));
    let code = match data_url(text) {
        Some((_, code)) => code,
        None if text
            .trim_start()
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case("data:")) =>
        {
            return Err(wrong(": a data URL is data:TYPE;base64,CODE"));
        }
        None => text,
    };
    let code = code.trim();
    if code.contains(' ') {
        return Err(wrong(
            " holds spaces: the + of its base64 became one on the way; encode it as a form wants it, or send JSON",
        ));
    }
    let broken = code.contains(['\r', '\n', '\t']);
    let joined: String;
    let code = match broken {
        true => {
            joined = code.split(['\r', '\n', '\t']).collect();
            &joined
        }
        false => code,
    };
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, lenient)
        .decode(code)
        .map_err(|_| wrong(" is neither base64 nor a data URL"))
}

/// The last part of a URL's path, as a file's name.
pub fn name_in_url(url: &str) -> Option<String> {
    let url = url::Url::parse(url.trim()).ok()?;
    let last = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(last).decode_utf8();
    let name = name.ok()?.into_owned();
    (!name.trim().is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_file() {
        let name = |url| name_in_url(url);
        let caf = "https://example.com/a/caf%C3%A9%201.pdf?x=1";
        assert_eq!(name(caf).as_deref(), Some("café 1.pdf"));
        assert_eq!(name("https://example.com/a/"), None);
        assert_eq!(name("https://example.com"), None);
    }

    #[test]
    fn base64_as_clients_write_it() {
        for text in [
            "aGVsbG8=",
            "aGVsbG8",
            " aGVs\r\nbG8=\n",
            "data:image/png;base64,aGVsbG8=",
            "DATA:text/plain;charset=utf-8;base64,aGVsbG8",
        ] {
            assert_eq!(bytes_of("image", text).expect(text), b"hello");
        }
        for text in [
            "aGVs bG8=",
            "aGV*",
            "data:image/png,hello",
            "data:;base64",
            "data:é",
        ] {
            let refused = bytes_of("image", text).expect_err(text);
            assert_eq!(refused.field, Some("image"));
        }
    }
}
