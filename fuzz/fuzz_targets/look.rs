//! How media look: whatever bytes come, the answer is a refusal or fits the message that it goes into.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recado::commands::look::look;
use recado_model::MediaClass;

// Input: the class, and the bytes.
fuzz_target!(|data: &[u8]| {
    let Some((class, mut bytes)) = data.split_first() else {
        return;
    };
    let classes = [
        MediaClass::Image,
        MediaClass::Video,
        MediaClass::Audio,
        MediaClass::Document,
        MediaClass::Sticker,
    ];
    let class = classes[usize::from(*class) % classes.len()];
    let Ok(looks) = look(class, &mut bytes) else {
        return;
    };
    let size = [looks.width, looks.height];
    assert!(size.into_iter().flatten().all(|side| side > 0), "{size:?}");
    if matches!(class, MediaClass::Image | MediaClass::Video | MediaClass::Sticker) {
        assert!(size.iter().all(Option::is_some), "{class:?} without a size");
    }
    assert_ne!(looks.seconds, Some(0));
    assert!(looks.thumbnail.is_none_or(|jpeg| jpeg.len() < 64 * 1024));
    let bars = looks.waveform.unwrap_or(vec![0; 64]);
    assert!(bars.len() == 64 && bars.iter().all(|bar| *bar <= 100), "{bars:?}");
});
