//! A picture, a film, a sound, a file or a sticker, with what is said of it.

use serde::Serialize;

use super::ContentKind;
use crate::{
    error::Error,
    media::MediaClass,
    text::{is_blank, is_unseen},
};

/// In what form a medium is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaForm {
    Image,
    Video,
    /// A film without sound that plays by itself, again and again.
    Gif,
    Audio,
    Voice,
    Document,
    Sticker,
}

impl MediaForm {
    pub const ALL: [Self; 7] = [
        Self::Image,
        Self::Video,
        Self::Gif,
        Self::Audio,
        Self::Voice,
        Self::Document,
        Self::Sticker,
    ];

    pub fn class(self) -> MediaClass {
        match self {
            Self::Image => MediaClass::Image,
            Self::Video | Self::Gif => MediaClass::Video,
            Self::Audio | Self::Voice => MediaClass::Audio,
            Self::Document => MediaClass::Document,
            Self::Sticker => MediaClass::Sticker,
        }
    }

    pub fn kind(self) -> ContentKind {
        match self.class() {
            MediaClass::Image => ContentKind::Image,
            MediaClass::Video => ContentKind::Video,
            MediaClass::Audio => ContentKind::Audio,
            MediaClass::Document => ContentKind::Document,
            MediaClass::Sticker => ContentKind::Sticker,
        }
    }

    /// The field of a body that holds it.
    pub fn field(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Gif => "gif",
            Self::Audio | Self::Voice => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

/// A medium of ours as a caller gives it; the bytes are apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Media {
    pub form: MediaForm,
    pub mime: String,
    pub caption: Option<String>,
    /// Of documents.
    pub file_name: Option<String>,
    /// Shown once on the phone, then gone there.
    pub view_once: bool,
}

/// In characters.
const CAPTION_MOST: usize = 65_536;
/// In bytes.
const NAME_MOST: usize = 255;

impl Media {
    /// # Errors
    /// What the kind does not have, and a caption that is too long; each names its field.
    pub fn new(
        form: MediaForm,
        mime: String,
        caption: Option<String>,
        file_name: Option<String>,
        view_once: bool,
    ) -> Result<Self, Error> {
        let caption = caption.filter(|text| !text.trim().is_empty());
        if let Some(caption) = &caption {
            if matches!(
                form,
                MediaForm::Audio | MediaForm::Voice | MediaForm::Sticker
            ) {
                let text = "caption: WhatsApp shows none with sounds and stickers; send it as a text of its own";
                return Err(Error::field("caption", text));
            }
            if caption.chars().count() > CAPTION_MOST {
                let text = "caption has at most 65536 characters";
                return Err(Error::field("caption", text));
            }
        }
        if view_once && matches!(form, MediaForm::Document | MediaForm::Sticker) {
            let text = "view_once is for images, videos and sounds";
            return Err(Error::field("view_once", text));
        }
        // Only a document shows its name.
        let named = file_name.filter(|name| form == MediaForm::Document && !name.is_empty());
        let file_name = named.map(|name| media_name(&name)).transpose()?;
        Ok(Self {
            form,
            mime,
            caption,
            file_name,
            view_once,
        })
    }
}

/// A name of a file that is safe to show and to keep under: without the folders before it, and without
/// characters that nobody sees (of control, of direction). Accents and spaces stay.
///
/// # Errors
/// Where nothing is left of it, and where it is longer than 255 bytes.
pub fn media_name(text: &str) -> Result<String, Error> {
    let wrong = |text| Error::field("file_name", text);
    let name = seen_name(text).ok_or_else(|| wrong("file_name: nothing of it names a file"))?;
    match name.len() > NAME_MOST {
        true => Err(wrong("file_name has at most 255 bytes")),
        false => Ok(name),
    }
}

/// The same of a name that nobody chose for us: of a URL, of a form's part, of a stranger's message. What is too long
/// loses its middle, so that the end still says what it is; `None` where nothing names a file.
pub fn found_name(text: &str) -> Option<String> {
    let name = seen_name(text)?;
    if name.len() <= NAME_MOST {
        return Some(name);
    }
    let (mut first, mut last) = (NAME_MOST - END, name.len() - END);
    while !name.is_char_boundary(first) {
        first -= 1;
    }
    while !name.is_char_boundary(last) {
        last += 1;
    }
    Some(format!("{}{}", &name[..first], &name[last..]))
}

/// Of a name that is cut, so much of the end stays.
const END: usize = 16;

fn seen_name(text: &str) -> Option<String> {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !is_unseen(*c)).collect();
    let name = name.trim();
    let names = !is_blank(name) && !name.chars().all(|c| c == '.');
    names.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_what_people_read() {
        for (given, kept) in [
            ("Relatório de março.pdf", "Relatório de março.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\plan.xlsx", "plan.xlsx"),
            ("a\u{202e}gpj.exe\r\n", "agpj.exe"),
            ("  x.txt ", "x.txt"),
        ] {
            assert_eq!(media_name(given).expect("a name"), kept);
        }
        for given in ["", "/", "..", "\u{200b}", &"x".repeat(256)] {
            let error = media_name(given).expect_err("no name");
            assert_eq!(error.field, Some("file_name"));
        }
        let long = format!("../{}.pdf", "é".repeat(200));
        let found = found_name(&long).expect("a name");
        assert!(found.len() <= 255 && found.ends_with("é.pdf"), "{found}");
        for (given, found) in [("a.pdf", Some("a.pdf")), ("/", None), ("...", None)] {
            assert_eq!(found_name(given).as_deref(), found);
        }
    }

    #[test]
    fn a_kind_has_what_whatsapp_shows_of_it() {
        let with = |form, caption: &str, view_once| {
            let mime = "image/jpeg".to_owned();
            Media::new(form, mime, Some(caption.to_owned()), None, view_once)
        };
        assert!(with(MediaForm::Image, "Hello", true).is_ok());
        let refused = with(MediaForm::Voice, "Hello", false).expect_err("no caption");
        assert_eq!(refused.field, Some("caption"));
        let refused = with(MediaForm::Document, "", true).expect_err("is kept");
        assert_eq!(refused.field, Some("view_once"));
        assert_eq!(
            with(MediaForm::Sticker, " ", false)
                .expect("is empty")
                .caption,
            None
        );
    }
}
