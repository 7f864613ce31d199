//! Pictures and stickers: their size, and a small JPEG of them.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage,
    codecs::{jpeg::JpegEncoder, webp::WebPDecoder},
};
use recado_model::MediaLooks;

use super::Unreadable;

/// A photograph of the largest cameras in phones.
const PIXELS_MOST: u64 = 64_000_000;
const MEMORY_MOST: u64 = 512 * 1024 * 1024;
/// On its longer side, as WhatsApp's own programs make them.
const THUMBNAIL_SIDE: u32 = 100;
const QUALITY: u8 = 60;

pub fn look(bytes: &[u8]) -> Result<MediaLooks, Unreadable> {
    let picture = decoded(bytes)?;
    Ok(MediaLooks {
        width: Some(picture.width()),
        height: Some(picture.height()),
        thumbnail: Some(thumbnail(&picture)?),
        ..MediaLooks::default()
    })
}

/// WebP; those that move are looked at by their head.
pub fn sticker(bytes: &[u8]) -> Result<MediaLooks, Unreadable> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|_| Unreadable)?;
    let (width, height) = decoder.dimensions();
    let animated = decoder.has_animation();
    if !animated {
        decoded(bytes)?;
    }
    Ok(MediaLooks {
        width: Some(width),
        height: Some(height),
        animated,
        ..MediaLooks::default()
    })
}

fn decoded(bytes: &[u8]) -> Result<DynamicImage, Unreadable> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| Unreadable)?;
    let format = reader.format().ok_or(Unreadable)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY_MOST);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| Unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MOST {
        return Err(Unreadable);
    }
    if format == ImageFormat::Jpeg && !has_an_end(bytes) {
        return Err(Unreadable);
    }
    let turned = decoder.orientation();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| Unreadable)?;
    if let Ok(turned) = turned {
        picture.apply_orientation(turned);
    }
    Ok(picture)
}

/// Whether a JPEG ends: its decoder fills up what is missing of one that broke off.
fn has_an_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    // Segments before the picture itself; one of them may hold a small JPEG with an end of its own.
    while let Some([0xff, marker, high, low]) = bytes.get(at..at + 4) {
        at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
        if *marker == 0xda {
            let rest = bytes.get(at..).unwrap_or_default();
            return rest.windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
    }
    false
}

fn thumbnail(picture: &DynamicImage) -> Result<Vec<u8>, Unreadable> {
    let small = picture.thumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE).to_rgba8();
    // What is see-through is white on a phone.
    let flat = RgbImage::from_fn(small.width(), small.height(), |x, y| {
        let [r, g, b, a] = small.get_pixel(x, y).0;
        let over = |part: u8| {
            let (part, a) = (u16::from(part), u16::from(a));
            u8::try_from((part * a + 255 * (255 - a)) / 255).unwrap_or(u8::MAX)
        };
        Rgb([over(r), over(g), over(b)])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&flat)
        .map_err(|_| Unreadable)?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::new_rgba8(width, height);
        picture
            .write_to(&mut bytes, ImageFormat::Png)
            .expect("writes");
        bytes.into_inner()
    }

    /// A PNG that says to be so large, and has no more than its head.
    fn boast(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = png(1, 1);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    fn crc(bytes: &[u8]) -> u32 {
        let mut crc = u32::MAX;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            }
        }
        !crc
    }

    #[test]
    fn a_picture_has_a_size_and_a_small_one_of_itself() {
        let looks = look(&png(300, 150)).expect("looks");
        assert_eq!((looks.width, looks.height), (Some(300), Some(150)));
        let small = looks.thumbnail.expect("a thumbnail");
        let small = image::load_from_memory_with_format(&small, ImageFormat::Jpeg);
        let small = small.expect("a JPEG").to_rgb8();
        assert_eq!(small.dimensions(), (100, 50));
        let [r, g, b] = small.get_pixel(50, 25).0;
        assert!(r > 250 && g > 250 && b > 250, "see-through is white");
    }

    #[test]
    fn what_boasts_or_is_broken_is_refused() {
        assert!(look(&boast(30_000, 30_000)).is_err());
        assert!(look(&boast(2, 2)).is_err(), "there is less than it says");
        let whole = png(64, 64);
        assert!(look(&whole[..whole.len() / 2]).is_err());
        let mut jpeg = Vec::new();
        JpegEncoder::new(&mut jpeg)
            .encode_image(&RgbImage::new(64, 64))
            .expect("encodes");
        assert!(look(&jpeg).is_ok());
        assert!(look(&jpeg[..jpeg.len() - 3]).is_err());
        assert!(look(b"<svg/>").is_err());
        assert!(look(b"").is_err());
        assert!(sticker(&whole).is_err());
    }
}
