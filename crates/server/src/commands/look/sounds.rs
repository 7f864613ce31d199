//! Sounds: how long they last. Of Opus also how loud it is where (`voice`).

use std::{io::Cursor, panic, time::Duration};

use lofty::{
    config::ParseOptions,
    file::{AudioFile, FileType},
    probe::Probe,
};
use mp4parse::{TrackType, read_mp4};
use recado_model::MediaLooks;

use super::{Unreadable, films, voice};

pub fn look(bytes: &[u8]) -> Result<MediaLooks, Unreadable> {
    if bytes.starts_with(b"OggS")
        && let Some(looks) = voice::look(bytes)?
    {
        return Ok(looks);
    }
    let seconds = if bytes.get(4..8) == Some(b"ftyp") {
        let sound = read_mp4(&mut Cursor::new(bytes)).map_err(|_| Unreadable)?;
        let mut tracks = sound.tracks.iter();
        if !tracks.any(|track| track.track_type == TrackType::Audio) {
            return Err(Unreadable);
        }
        films::seconds(&sound)
    } else {
        amr_seconds(bytes)
            .or_else(|| aac_seconds(bytes))
            .or_else(|| seconds(bytes))
    };
    Ok(MediaLooks {
        seconds,
        ..MediaLooks::default()
    })
}

/// Of MP3, WAV and Vorbis. What cannot be told is no reason to refuse a sound.
fn seconds(bytes: &[u8]) -> Option<u32> {
    // Not guessed: among junk the library finds AAC whose frames have no length, and never ends.
    let kind = match bytes {
        [b'R', b'I', b'F', b'F', ..] => FileType::Wav,
        [b'O', b'g', b'g', b'S', ..] => FileType::Vorbis,
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => FileType::Mpeg,
        _ => return None,
    };
    let lasts = panic::catch_unwind(|| {
        let options = ParseOptions::new().read_tags(false).read_cover_art(false);
        let probe = Probe::new(Cursor::new(bytes)).options(options);
        let file = probe.set_file_type(kind).read().ok()?;
        Some(file.properties().duration())
    });
    let lasts = lasts.ok()?.filter(|lasts| !lasts.is_zero())?;
    whole(lasts)
}

/// Rounded up: a sound never lasts for none.
fn whole(lasts: Duration) -> Option<u32> {
    let seconds = lasts.as_millis().div_ceil(1_000).max(1);
    u32::try_from(seconds).ok()
}

/// The samples in a second by the index in an ADTS head (ISO 14496-3, table 1.18).
const RATES: [u64; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];
const SAMPLES_A_FRAME: u64 = 1_024;

/// Of AAC with ADTS heads.
fn aac_seconds(bytes: &[u8]) -> Option<u32> {
    let (mut rest, mut micros) = (bytes, 0);
    while let [0xff, kind, rate, high, middle, low, _, ..] = rest {
        let length =
            usize::from(high & 3) << 11 | usize::from(*middle) << 3 | usize::from(low >> 5);
        let per_second = *RATES.get(usize::from(rate >> 2 & 0xf))?;
        if kind & 0xf6 != 0xf0 || length < 7 {
            break;
        }
        micros += SAMPLES_A_FRAME * 1_000_000 / per_second;
        rest = rest.get(length..).unwrap_or_default();
    }
    whole(Duration::from_micros(micros)).filter(|_| micros > 0)
}

/// The length of a frame's body by the type in its head (RFC 4867, 5.3); each lasts 20 ms.
const NARROW: [usize; 16] = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];
const WIDE: [usize; 16] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];

fn amr_seconds(bytes: &[u8]) -> Option<u32> {
    let (bodies, mut rest) = match bytes.strip_prefix(b"#!AMR-WB\n") {
        Some(rest) => (WIDE, rest),
        None => (NARROW, bytes.strip_prefix(b"#!AMR\n")?),
    };
    let mut frames = 0;
    while let [head, after @ ..] = rest {
        let body = bodies[usize::from(head >> 3 & 0xf)];
        let Some(next) = after.get(body..) else {
            break;
        };
        (rest, frames) = (next, frames + 1);
    }
    whole(Duration::from_millis(frames * 20)).filter(|_| frames > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasts(bytes: &[u8]) -> Option<u32> {
        look(bytes).expect("a sound").seconds
    }

    /// MPEG 1, layer 3, 128 kbit/s at 44.1 kHz: 417 bytes and 26 ms a frame.
    fn mp3(frames: usize) -> Vec<u8> {
        let mut frame = vec![0xff, 0xfb, 0x90, 0x64];
        frame.resize(417, 0);
        frame.repeat(frames)
    }

    /// AAC at 44.1 kHz with ADTS heads: 1024 samples a frame.
    fn aac(frames: usize) -> Vec<u8> {
        let mut frame = vec![0xff, 0xf1, 0x50, 0x80, 0x0c, 0x9f, 0xfc];
        frame.resize(100, 0);
        frame.repeat(frames)
    }

    #[test]
    fn sounds_say_how_long_they_are() {
        assert_eq!(lasts(&mp3(100)), Some(3));
        let tagged = [b"ID3\x04\0\0\0\0\0\x0a".as_slice(), &[0; 10], &mp3(40)].concat();
        assert_eq!(lasts(&tagged), Some(2));
        assert_eq!(lasts(&aac(100)), Some(3));
        let narrow = [
            b"#!AMR\n".to_vec(),
            [vec![0x3c], vec![0; 31]].concat().repeat(120),
        ]
        .concat();
        assert_eq!(lasts(&narrow), Some(3));
        assert_eq!(lasts(&narrow[..narrow.len() - 1]), Some(3), "broken off");
        let wide = [
            b"#!AMR-WB\n".to_vec(),
            [vec![0x04], vec![0; 17]].concat().repeat(51),
        ]
        .concat();
        assert_eq!(lasts(&wide), Some(2));
    }

    #[test]
    fn what_cannot_be_told_is_left_out() {
        for bytes in [
            b"ID3\x04".as_slice(),
            b"#!AMR\n",
            b"",
            b"RIFF\xff\xff\xff\xffWAVEfmt ",
            // A frame without a length.
            &[0xff, 0xf1, 0x50, 0, 0, 0, 0, 0xff, 0xf1, 0x50, 0, 0, 0, 0],
            &[0xff; 64],
        ] {
            assert_eq!(lasts(bytes), None, "{bytes:?}");
        }
    }
}
