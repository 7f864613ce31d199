//! A text with a link in it, and what phones show of the page behind: title, description, a small picture.

use serde::Serialize;

use super::Text;
use crate::{
    Error, Result,
    text::{is_blank, is_unseen},
};

/// In characters.
const URL_MOST: usize = 2_048;
const TITLE_MOST: usize = 300;
const DESCRIPTION_MOST: usize = 1_000;
/// In bytes: it is in the message itself.
const PICTURE_MOST: usize = 64 * 1024;
/// In pixels, of each side.
const SIDE_MOST: u16 = 1_024;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// With the link in it.
    pub text: Text,
    pub url: String,
    pub title: Option<String>,
    pub description: Option<String>,
    /// A small JPEG.
    pub picture: Option<Vec<u8>>,
}

impl Link {
    /// A text without the link gets it at its end. A blank title or description is none.
    ///
    /// # Errors
    /// For the field that does not fit: `message`, `link_url`, `title`, `link_description` or `jpeg_thumbnail`.
    pub fn new(
        message: String,
        url: &str,
        title: Option<String>,
        description: Option<String>,
        picture: Option<Vec<u8>>,
    ) -> Result<Self> {
        let url = checked_url(url.trim())?;
        // Judged before the link is put to it: that would hide that there is no text.
        Text::new(message.as_str())?;
        let text = match message.contains(url) {
            true => message,
            false => format!("{message}\n{url}"),
        };
        Ok(Self {
            text: Text::new(text)?,
            url: url.to_owned(),
            title: line("title", title, TITLE_MOST)?,
            description: line("link_description", description, DESCRIPTION_MOST)?,
            picture: picture.map(checked_picture).transpose()?,
        })
    }
}

fn checked_url(url: &str) -> Result<&str> {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| {
            url.get(..scheme.len())
                .filter(|head| head.eq_ignore_ascii_case(scheme))
        })
        .map(|head| &url[head.len()..]);
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let wrong = match host {
        _ if url.is_empty() => "link_url is required: the address of the page",
        None | Some("") => "link_url is an address that begins with http:// or https://",
        Some(_) if url.chars().count() > URL_MOST => "link_url has at most 2048 characters",
        Some(_) if url.contains(|c: char| c.is_whitespace() || is_unseen(c)) => {
            "link_url holds a blank, or a character that nobody sees"
        }
        Some(_) => return Ok(url),
    };
    Err(Error::field("link_url", wrong))
}

fn line(field: &'static str, text: Option<String>, most: usize) -> Result<Option<String>> {
    let text = text.map(|text| text.trim().to_owned());
    let text = text.filter(|text| !is_blank(text));
    match &text {
        Some(text) if text.chars().count() > most => {
            let text = format!("{field} has at most {most} characters");
            Err(Error::field(field, text))
        }
        _ => Ok(text),
    }
}

/// A small picture beside a message: a JPEG of at most 64 KiB, and 1024 pixels a side.
///
/// # Errors
/// For the field `jpeg_thumbnail`.
pub fn checked_picture(picture: Vec<u8>) -> Result<Vec<u8>> {
    let wrong = match jpeg_sides(&picture) {
        _ if picture.len() > PICTURE_MOST => "jpeg_thumbnail has at most 64 KiB",
        None => "jpeg_thumbnail is no JPEG: send a small one, as base64 or a data URL",
        Some((width, height)) if width.max(height) > SIDE_MOST || width.min(height) == 0 => {
            "jpeg_thumbnail has sides of 1 to 1024 pixels"
        }
        Some(_) => return Ok(picture),
    };
    Err(Error::field("jpeg_thumbnail", wrong))
}

/// Width and height of a JPEG, by its own markers. `None` of what is none from its first byte to its last.
fn jpeg_sides(bytes: &[u8]) -> Option<(u16, u16)> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    if !bytes.ends_with(&[0xff, 0xd9]) {
        return None;
    }
    loop {
        let (head, after) = rest.split_at_checked(4)?;
        let (marker, length) = (head[1], u16::from_be_bytes([head[2], head[3]]));
        let body = after.get(..usize::from(length).checked_sub(2)?)?;
        match (head[0], marker) {
            // The start of a frame; DHT, JPG and DAC share the range.
            (0xff, 0xc0..=0xcf) if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let sides = body.get(1..5)?;
                let height = u16::from_be_bytes([sides[0], sides[1]]);
                return Some((u16::from_be_bytes([sides[2], sides[3]]), height));
            }
            // The picture itself, before it was said how large it is.
            (0xff, 0xda) => return None,
            (0xff, _) => rest = &after[body.len()..],
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG as far as anybody looks at its markers.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 11, 8];
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend([1, 1, 0x11, 0, 0xff, 0xda, 0, 2, 9, 9, 0xff, 0xd9]);
        bytes
    }

    #[test]
    fn a_picture_is_judged_by_its_bytes() {
        assert_eq!(jpeg_sides(&jpeg(100, 80)), Some((100, 80)));
        let mut cut = jpeg(100, 80);
        cut.pop();
        for bad in [
            &b"\x89PNG\r\n"[..],
            b"<svg/>",
            b"",
            b"\xff\xd8\xff\xd9",
            &cut,
        ] {
            assert_eq!(jpeg_sides(bad), None, "{bad:?}");
        }
        assert!(checked_picture(jpeg(1_024, 1)).is_ok());
        for (width, height) in [(30_000, 30_000), (0, 10)] {
            assert!(checked_picture(jpeg(width, height)).is_err());
        }
        let mut long = jpeg(10, 10);
        long.splice(20..20, vec![0; PICTURE_MOST]);
        assert!(checked_picture(long).is_err());
    }

    #[test]
    fn a_text_has_its_link() {
        let link = |message: &str, url: &str| Link::new(message.into(), url, None, None, None);
        let made = link("See", "https://example.com/a").expect("a link");
        assert_eq!(made.text.as_str(), "See\nhttps://example.com/a");
        let made = link("See https://example.com", " https://example.com ").expect("a link");
        assert_eq!(made.text.as_str(), "See https://example.com");
        for (message, url, field) in [
            ("", "https://example.com", "message"),
            ("See", "", "link_url"),
            ("See", "example.com", "link_url"),
            ("See", "https://", "link_url"),
            ("See", "javascript:alert(1)", "link_url"),
            ("See", "https://exam ple.com", "link_url"),
            ("See", "https://a\u{202e}.example", "link_url"),
        ] {
            let error = link(message, url).expect_err("no link");
            assert_eq!(error.field, Some(field), "{message} {url}");
        }
    }
}
