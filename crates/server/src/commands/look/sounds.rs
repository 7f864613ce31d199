//! Sounds: how long they last, where the container says so.

use std::io::Cursor;

use mp4parse::read_mp4;
use ogg::PacketReader;
use recado_model::MediaLooks;

use super::{Unreadable, films};

/// Opus counts in these, whatever it was made from (RFC 7845, 4).
const SAMPLES_A_SECOND: u64 = 48_000;

pub fn look(bytes: &[u8]) -> Result<MediaLooks, Unreadable> {
    let seconds = if bytes.starts_with(b"OggS") {
        ogg_seconds(bytes)?
    } else if bytes.get(4..8) == Some(b"ftyp") {
        let sound = read_mp4(&mut Cursor::new(bytes)).map_err(|_| Unreadable)?;
        films::seconds(&sound)
    } else {
        None
    };
    Ok(MediaLooks {
        seconds,
        ..MediaLooks::default()
    })
}

/// Of Opus; other sounds in Ogg have no length here.
fn ogg_seconds(bytes: &[u8]) -> Result<Option<u32>, Unreadable> {
    let mut packets = PacketReader::new(Cursor::new(bytes));
    let head = packets.read_packet().map_err(|_| Unreadable)?;
    let head = head.ok_or(Unreadable)?;
    if !head.data.starts_with(b"OpusHead") {
        return Ok(None);
    }
    let skip = head.data.get(10..12).ok_or(Unreadable)?;
    let skip = u64::from(u16::from_le_bytes([skip[0], skip[1]]));
    let mut last = 0;
    while let Some(packet) = packets.read_packet().map_err(|_| Unreadable)? {
        // -1 where no packet ends on the page.
        if packet.absgp_page() != u64::MAX {
            last = packet.absgp_page().max(last);
        }
    }
    let samples = last.saturating_sub(skip);
    let seconds = samples.div_ceil(SAMPLES_A_SECOND).max(1);
    Ok(u32::try_from(seconds).ok())
}

#[cfg(test)]
mod tests {
    use ogg::{PacketWriteEndInfo, PacketWriter};

    use super::*;

    fn opus(samples: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut to = PacketWriter::new(&mut bytes);
        let head = b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0".to_vec();
        let (page, end) = (PacketWriteEndInfo::EndPage, PacketWriteEndInfo::EndStream);
        to.write_packet(head, 1, page, 0).expect("writes");
        let tags = b"OpusTags\0\0\0\0\0\0\0\0".to_vec();
        to.write_packet(tags, 1, page, 0).expect("writes");
        to.write_packet(vec![0xf8, 0xff, 0xfe], 1, end, samples)
            .expect("writes");
        bytes
    }

    #[test]
    fn opus_says_how_long_it_is() {
        for (samples, seconds) in [(312, 1), (48_000 + 312, 1), (3 * 48_000, 3)] {
            let looks = look(&opus(samples)).expect("looks");
            assert_eq!(looks.seconds, Some(seconds), "{samples}");
        }
        let whole = opus(48_000);
        assert!(look(&whole[..20]).is_err());
        assert_eq!(look(b"ID3\x04").expect("a sound").seconds, None);
    }
}
