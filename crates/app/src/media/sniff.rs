//! What bytes are, judged by themselves: what a caller or a server says of them does not count.

use recado_model::{Error, MediaClass, Result, content::MediaForm};

/// So much of the beginning is looked at.
pub(crate) const HEAD: usize = 8 * 1024;

const OCTETS: &str = "application/octet-stream";
const OPUS: &str = "audio/ogg; codecs=opus";

/// What was found at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sniffed {
    /// Without parameters, but for Opus in Ogg.
    mime: Option<&'static str>,
}

impl Sniffed {
    pub fn of(head: &[u8]) -> Self {
        Self {
            mime: mime_of(head),
        }
    }

    /// Whose kind it is when nobody says: what is no picture, film or sound that WhatsApp shows is a document.
    pub fn class(self) -> MediaClass {
        match self.mime {
            Some("image/jpeg" | "image/png" | "image/webp") => MediaClass::Image,
            Some("video/mp4" | "video/3gpp") => MediaClass::Video,
            Some(mime) if mime.starts_with("audio/") => MediaClass::Audio,
            _ => MediaClass::Document,
        }
    }

    /// The type under which it is sent in this form. `file_name` helps with documents alone.
    ///
    /// # Errors
    /// Names the form's field, and says what to send.
    pub fn fit(self, form: MediaForm, file_name: Option<&str>) -> Result<String> {
        let wrong = |text: String| Err(Error::field(form.field(), text));
        let field = form.field();
        let found = self.mime.unwrap_or("of no type that is known");
        match (form, self.mime) {
            (MediaForm::Document, mime) => Ok(document(mime, file_name)),
            (MediaForm::Image | MediaForm::Gif, Some("image/gif")) => wrong(format!(
                "{field}: a GIF picture does not move on WhatsApp; send it as MP4 to send/gif"
            )),
            (MediaForm::Image, Some(mime @ ("image/jpeg" | "image/png" | "image/webp")))
            | (MediaForm::Sticker, Some(mime @ "image/webp"))
            | (MediaForm::Video | MediaForm::Gif, Some(mime @ ("video/mp4" | "video/3gpp")))
            | (MediaForm::Voice, Some(mime @ OPUS)) => Ok(mime.to_owned()),
            (MediaForm::Audio, Some(mime)) if mime.starts_with("audio/") => Ok(mime.to_owned()),
            (MediaForm::Audio, Some("video/mp4")) => Ok("audio/mp4".to_owned()),
            (MediaForm::Image, _) => wrong(format!(
                "{field} is a JPEG, PNG or WebP picture; these bytes are {found}"
            )),
            (MediaForm::Sticker, _) => wrong(format!(
                "{field} is a WebP picture, best of 512 x 512 pixels; these bytes are {found}"
            )),
            (MediaForm::Video | MediaForm::Gif, _) => wrong(format!(
                "{field} is an MP4 or 3GP film (H.264 and AAC); these bytes are {found}"
            )),
            (MediaForm::Voice, _) => wrong(format!(
                "{field}: a voice note (ptt) is Opus in Ogg; these bytes are {found}. Send them without ptt, or convert them: ffmpeg -i IN -c:a libopus -ac 1 OUT.ogg"
            )),
            (MediaForm::Audio, _) => wrong(format!(
                "{field} is MP3, M4A, AAC, AMR, WAV or Ogg; these bytes are {found}"
            )),
        }
    }

    /// The type of what came in, told by its bytes; what its sender says counts only for documents.
    pub fn received(self, class: MediaClass, said: &str) -> String {
        match (class, self.mime) {
            (MediaClass::Audio, Some("video/mp4")) => "audio/mp4".to_owned(),
            (_, Some(mime)) => mime.to_owned(),
            (MediaClass::Document, None) if is_plain_type(said) => said.to_owned(),
            _ => OCTETS.to_owned(),
        }
    }
}

fn document(mime: Option<&'static str>, file_name: Option<&str>) -> String {
    let by_name = || {
        let guess = mime_guess::from_path(file_name?).first_raw()?;
        // What a browser would run is not told by a name.
        let runs = matches!(
            guess,
            "text/html" | "image/svg+xml" | "application/xhtml+xml"
        ) || guess.contains("javascript");
        (!runs && !guess.starts_with("image/")).then_some(guess)
    };
    match mime {
        // Many formats are archives inside; their name tells which.
        Some("application/zip") => by_name().unwrap_or("application/zip").to_owned(),
        Some(mime) => mime.to_owned(),
        None => by_name().unwrap_or(OCTETS).to_owned(),
    }
}

/// A type and a subtype, and nothing that could break out of a header.
fn is_plain_type(text: &str) -> bool {
    let fine = |part: &str| {
        !part.is_empty()
            && part.len() < 80
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-.+_".contains(&b))
    };
    text.split_once('/')
        .is_some_and(|(kind, sub)| fine(kind) && fine(sub))
}

fn mime_of(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"OggS") {
        // The first page holds the head of the first stream.
        let page = &head[..head.len().min(128)];
        let opus = page.windows(8).any(|window| window == b"OpusHead");
        let film = page.windows(7).any(|window| window == b"\x80theora");
        return match (opus, film) {
            (true, _) => Some(OPUS),
            (_, true) => Some("video/ogg"),
            _ => Some("audio/ogg"),
        };
    }
    if head.get(4..8) == Some(b"ftyp") {
        return Some(match head.get(8..12) {
            Some(b"M4A " | b"M4B " | b"F4A ") => "audio/mp4",
            Some(b"qt  ") => "video/quicktime",
            Some([b'3', b'g', ..]) => "video/3gpp",
            Some(b"avif" | b"avis") => "image/avif",
            Some(b"heic" | b"heix" | b"mif1" | b"msf1") => "image/heic",
            _ => "video/mp4",
        });
    }
    // It begins like a script.
    if head.starts_with(b"#!AMR") {
        return Some("audio/amr");
    }
    let found = infer::get(head)?.mime_type();
    Some(match found {
        "audio/m4a" => "audio/mp4",
        "audio/x-wav" => "audio/wav",
        found => found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR";
    const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00";
    const WEBP: &[u8] = b"RIFF\x24\x00\x00\x00WEBPVP8 ";
    const MP4: &[u8] = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00";
    const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>";
    const PDF: &[u8] = b"%PDF-1.7\n";

    fn opus() -> Vec<u8> {
        let mut page = b"OggS\x00\x02".to_vec();
        page.extend([0; 20]);
        page.extend(b"\x01\x13OpusHead\x01\x01");
        page
    }

    fn fit(form: MediaForm, bytes: &[u8]) -> Result<String> {
        Sniffed::of(bytes).fit(form, None)
    }

    #[test]
    fn the_bytes_decide() {
        for (form, bytes, mime) in [
            (MediaForm::Image, JPEG, "image/jpeg"),
            (MediaForm::Image, PNG, "image/png"),
            (MediaForm::Image, WEBP, "image/webp"),
            (MediaForm::Sticker, WEBP, "image/webp"),
            (MediaForm::Video, MP4, "video/mp4"),
            (MediaForm::Gif, MP4, "video/mp4"),
            (MediaForm::Audio, b"ID3\x04\x00\x00\x00", "audio/mpeg"),
            (MediaForm::Audio, b"#!AMR\n", "audio/amr"),
            (MediaForm::Voice, &opus(), OPUS),
            (MediaForm::Audio, &opus(), OPUS),
            (MediaForm::Document, PDF, "application/pdf"),
            (MediaForm::Document, SVG, OCTETS),
        ] {
            assert_eq!(fit(form, bytes).expect("fits"), mime, "{form:?}");
        }
        for (form, bytes) in [
            (MediaForm::Image, SVG),
            (MediaForm::Image, GIF),
            (MediaForm::Image, PDF),
            (MediaForm::Image, b"".as_slice()),
            (MediaForm::Gif, GIF),
            (MediaForm::Video, PNG),
            (MediaForm::Sticker, PNG),
            (MediaForm::Voice, b"ID3\x04\x00\x00\x00"),
            (MediaForm::Audio, JPEG),
        ] {
            let refused = fit(form, bytes).expect_err("does not fit");
            assert_eq!(refused.field, Some(form.field()), "{form:?}");
        }
    }

    #[test]
    fn a_name_helps_where_bytes_do_not_tell() {
        let fit = |bytes, name| {
            let sniffed = Sniffed::of(bytes);
            sniffed.fit(MediaForm::Document, Some(name)).expect("fits")
        };
        assert_eq!(fit(b"a,b\n1,2\n", "list.csv"), "text/csv");
        assert_eq!(fit(PDF, "list.csv"), "application/pdf");
        assert_eq!(fit(SVG, "picture.svg"), OCTETS);
        assert_eq!(fit(SVG, "picture.png"), OCTETS);
        assert_eq!(fit(b"alert(1)", "x.js"), OCTETS);
    }

    #[test]
    fn what_a_sender_says_counts_little() {
        let received = |bytes, said| Sniffed::of(bytes).received(MediaClass::Document, said);
        assert_eq!(received(PDF, "text/html"), "application/pdf");
        assert_eq!(received(b"x", "text/csv"), "text/csv");
        assert_eq!(received(b"x", "text/csv\r\nX: y"), OCTETS);
        let picture = Sniffed::of(SVG).received(MediaClass::Image, "image/svg+xml");
        assert_eq!(picture, OCTETS);
    }
}
