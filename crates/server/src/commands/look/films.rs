//! Films: size and length, by the boxes of their MP4. No picture is decoded.

use std::io::Read;

use mp4parse::{MediaContext, Track, TrackType, read_mp4};
use recado_model::MediaLooks;

use super::Unreadable;

pub fn look(mut from: &mut dyn Read) -> Result<MediaLooks, Unreadable> {
    let film = read_mp4(&mut from).map_err(|_| Unreadable)?;
    let track = film
        .tracks
        .iter()
        .find(|track| track.track_type == TrackType::Video);
    let (width, height) = track.and_then(size).ok_or(Unreadable)?;
    Ok(MediaLooks {
        width: Some(width),
        height: Some(height),
        seconds: seconds(&film),
        ..MediaLooks::default()
    })
}

/// In pixels, as it is shown: phones film upright by a turned picture.
fn size(track: &Track) -> Option<(u32, u32)> {
    let head = track.tkhd.as_ref()?;
    let (width, height) = (head.width >> 16, head.height >> 16);
    let turned = head.matrix.a == 0 && head.matrix.d == 0 && head.matrix.b != 0;
    (width > 0 && height > 0).then_some(match turned {
        true => (height, width),
        false => (width, height),
    })
}

/// Of the longest track, at least one.
pub fn seconds(film: &MediaContext) -> Option<u32> {
    let lengths = film.tracks.iter().filter_map(|track| {
        let (length, scale) = (track.duration?.0, track.timescale?.0);
        length.checked_div(scale)
    });
    let longest = lengths.max()?;
    u32::try_from(longest.max(1)).ok()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let mut bytes = (inside.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(inside);
        bytes
    }

    #[test]
    fn a_box_that_claims_more_than_there_is() {
        let mut bytes = boxed(b"ftyp", b"isom\0\0\0\0isom");
        bytes.extend(0xffff_fff0_u32.to_be_bytes());
        bytes.extend(b"moov");
        bytes.extend([0; 64]);
        assert!(look(&mut bytes.as_slice()).is_err());
        assert!(look(&mut boxed(b"ftyp", b"isom\0\0\0\0").as_slice()).is_err());
        assert!(look(&mut [].as_slice()).is_err());
    }
}
