//! What media are, by their bytes: each form takes its own types alone, and the type that goes out is one line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recado_app::media::sniffed;
use recado_model::content::MediaForm;

// Input: a file name of so many bytes, and the beginning of the file.
fuzz_target!(|data: &[u8]| {
    let [length, rest @ ..] = data else {
        return;
    };
    let (name, head) = rest.split_at(usize::from(*length).min(rest.len()));
    let name = String::from_utf8_lossy(name);
    let fit = |form| sniffed(head, form, Some(&name));
    for form in MediaForm::ALL {
        let Ok(mime) = fit(form) else {
            assert_ne!(form, MediaForm::Document, "anything is a document");
            continue;
        };
        let fits = match form {
            MediaForm::Image => matches!(&*mime, "image/jpeg" | "image/png" | "image/webp"),
            MediaForm::Sticker => mime == "image/webp",
            MediaForm::Video | MediaForm::Gif => mime.starts_with("video/"),
            MediaForm::Audio => mime.starts_with("audio/"),
            MediaForm::Voice => mime == "audio/ogg; codecs=opus",
            MediaForm::Document => mime.contains('/'),
        };
        assert!(fits, "{form:?} as {mime}");
        let is_line = mime.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        assert!(is_line && mime.len() < 256, "{mime:?} is no header");
    }
    let shown = [MediaForm::Image, MediaForm::Video].map(|form| fit(form).is_ok());
    assert_ne!(shown, [true; 2], "a picture that is a film");
});
