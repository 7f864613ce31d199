//! Opus in Ogg, which voice notes are: how long it lasts, and how loud it is where.

use std::{io::Cursor, panic};

use ogg::{Packet, PacketReader};
use opus_decoder::OpusDecoder;
use recado_model::MediaLooks;

use super::Unreadable;

/// Opus counts in these, whatever it was made from (RFC 7845, 4).
const SAMPLES_A_SECOND: u64 = 48_000;
/// Enough to see how loud it is.
const DECODED_AT: u32 = 8_000;
/// Ten minutes of what phones record: of longer ones only each second, third, … packet is decoded.
const DECODED_MOST: usize = 30_000;
/// The bars that a chat shows of a voice note, each of 0 to 100.
const BARS: usize = 64;

/// `None` of other sounds in Ogg.
pub fn look(bytes: &[u8]) -> Result<Option<MediaLooks>, Unreadable> {
    let mut packets = PacketReader::new(Cursor::new(bytes));
    let head = packets.read_packet().map_err(|_| Unreadable)?;
    let head = head.ok_or(Unreadable)?;
    if !head.data.starts_with(b"OpusHead") {
        return Ok(None);
    }
    let skip = head.data.get(10..12).ok_or(Unreadable)?;
    let skip = u64::from(u16::from_le_bytes([skip[0], skip[1]]));
    let (mut last, mut sound) = (0, Vec::new());
    while let Some(packet) = packets.read_packet().map_err(|_| Unreadable)? {
        // -1 where no packet ends on the page.
        if packet.absgp_page() != u64::MAX {
            last = packet.absgp_page().max(last);
        }
        sound.push(packet);
    }
    let samples = last.saturating_sub(skip);
    let seconds = samples.div_ceil(SAMPLES_A_SECOND).max(1);
    // The first says who made it.
    let sound = sound.get(1..).unwrap_or_default();
    if sound.is_empty() {
        return Err(Unreadable);
    }
    Ok(Some(MediaLooks {
        seconds: u32::try_from(seconds).ok(),
        // What cannot be decoded is no reason to refuse it: phones may do better.
        waveform: panic::catch_unwind(|| waveform(sound)).ok().flatten(),
        ..MediaLooks::default()
    }))
}

fn waveform(sound: &[Packet]) -> Option<Vec<u8>> {
    let mut decoder = OpusDecoder::new(DECODED_AT, 1).ok()?;
    let mut room = vec![0_i16; decoder.max_frame_size_per_channel()];
    let step = sound.len().div_ceil(DECODED_MOST).max(1);
    let loud: Vec<f64> = sound
        .iter()
        .step_by(step)
        .map(|packet| {
            let heard = decoder.decode(&packet.data, &mut room, false);
            let heard = heard.ok().and_then(|samples| room.get(..samples));
            heard.map_or(0.0, mean)
        })
        .collect();
    bars(&loud)
}

fn mean(samples: &[i16]) -> f64 {
    let sum: f64 = samples
        .iter()
        .map(|one| f64::from(one.unsigned_abs()))
        .sum();
    sum / samples.len().max(1) as f64
}

/// Beside the loudest of them. `None` of silence, which has nothing to show.
fn bars(loud: &[f64]) -> Option<Vec<u8>> {
    let bars: Vec<f64> = (0..BARS)
        .map(|bar| {
            let (from, to) = (bar * loud.len() / BARS, (bar + 1) * loud.len() / BARS);
            // A short note has fewer packets than bars.
            let part = loud.get(from..to.max(from + 1)).unwrap_or_default();
            part.iter().sum::<f64>() / part.len().max(1) as f64
        })
        .collect();
    let most = bars.iter().copied().fold(0.0, f64::max);
    // `as` saturates; nothing is above 100.
    (most >= 1.0).then(|| bars.iter().map(|bar| (bar / most * 100.0) as u8).collect())
}

#[cfg(test)]
mod tests {
    use ogg::{PacketWriteEndInfo, PacketWriter};

    use super::*;

    fn opus(sound: &[Vec<u8>], samples: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut to = PacketWriter::new(&mut bytes);
        let page = PacketWriteEndInfo::EndPage;
        let head = b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0".to_vec();
        to.write_packet(head, 1, page, 0).expect("writes");
        let tags = b"OpusTags\0\0\0\0\0\0\0\0".to_vec();
        to.write_packet(tags, 1, page, 0).expect("writes");
        for (i, packet) in sound.iter().enumerate() {
            let end = match i + 1 == sound.len() {
                true => PacketWriteEndInfo::EndStream,
                false => PacketWriteEndInfo::NormalPacket,
            };
            to.write_packet(packet.clone(), 1, end, samples)
                .expect("writes");
        }
        bytes
    }

    fn looked(bytes: &[u8]) -> MediaLooks {
        look(bytes).expect("looks").expect("Opus")
    }

    fn silence() -> Vec<u8> {
        vec![0xf8, 0xff, 0xfe]
    }

    #[test]
    fn opus_says_how_long_it_is() {
        for (samples, seconds) in [(312, 1), (48_000 + 312, 1), (3 * 48_000, 3)] {
            let looks = looked(&opus(&[silence()], samples));
            assert_eq!(looks.seconds, Some(seconds), "{samples}");
            assert_eq!(looks.waveform, None, "nothing is heard");
        }
        let whole = opus(&[silence()], 48_000);
        assert!(look(&whole[..20]).is_err());
        assert!(look(&opus(&[], 0)).is_err(), "nothing to hear");
    }

    #[test]
    fn loud_parts_have_high_bars() {
        // 20 ms of wide-band CELT each; the bytes are noise, and noise is heard.
        let noise = |seed: u8| {
            let mut state = u32::from(seed) + 1;
            let mut packet = vec![0xf8];
            packet.extend((0..80).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            }));
            packet
        };
        let mut sound: Vec<_> = (0..100).map(|_| silence()).collect();
        sound.extend((0..100).map(noise));
        let bars = looked(&opus(&sound, 4 * 48_000)).waveform.expect("heard");
        assert_eq!(bars.len(), BARS);
        let sum = |half: &[u8]| half.iter().copied().map(u32::from).sum::<u32>();
        assert!(sum(&bars[..30]) * 10 < sum(&bars[34..]), "{bars:?}");
        assert_eq!(bars.iter().max(), Some(&100));
    }

    #[test]
    fn short_and_broken_notes() {
        assert!(bars(&[]).is_none());
        assert_eq!(bars(&[5.0]).map(|bars| bars.len()), Some(BARS));
        for junk in [
            vec![],
            vec![0xff],
            vec![0xff; 1_000],
            vec![0x03, 0xff, 0xff],
        ] {
            let _ = looked(&opus(&[junk.clone(), silence()], 1_920));
        }
    }
}
