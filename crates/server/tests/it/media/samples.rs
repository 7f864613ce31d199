//! Small media of every form, made here.

use std::io::Cursor;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use image::{
    ExtendedColorType, ImageEncoder, RgbImage,
    codecs::{jpeg::JpegEncoder, webp::WebPEncoder},
};
use ogg::{PacketWriteEndInfo, PacketWriter};
use recado_sandbox::content::{Medium, Written};
use serde_json::{Value, json};

pub struct Form {
    pub name: &'static str,
    /// The route, and the field of its body.
    pub kind: &'static str,
    pub field: &'static str,
    /// The kind of the message.
    pub written: &'static str,
    pub bytes: Vec<u8>,
    pub mime: &'static str,
    pub said: Value,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub seconds: Option<u32>,
    pub has_thumbnail: bool,
}

impl Form {
    pub fn written_by_a_phone(&self) -> Written {
        let medium = Medium {
            data: BASE64_STANDARD.encode(&self.bytes),
            mime: self.mime.to_owned(),
            file_name: self.said["file_name"].as_str().map(str::to_owned),
            ptt: self.name == "voice",
            gif: self.name == "gif",
            ..Medium::default()
        };
        match self.written {
            "image" => Written::Image(medium),
            "video" => Written::Video(medium),
            "audio" => Written::Audio(medium),
            "sticker" => Written::Sticker(medium),
            _ => Written::Document(medium),
        }
    }
}

pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 5) as u8, (y * 7) as u8, 90])
    });
    let mut bytes = Vec::new();
    JpegEncoder::new(&mut bytes)
        .encode_image(&picture)
        .expect("a JPEG");
    bytes
}

pub fn webp() -> Vec<u8> {
    let pixels = vec![200; 64 * 64 * 4];
    let mut bytes = Cursor::new(Vec::new());
    WebPEncoder::new_lossless(&mut bytes)
        .write_image(&pixels, 64, 64, ExtendedColorType::Rgba8)
        .expect("a WebP");
    bytes.into_inner()
}

pub fn opus(seconds: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut to = PacketWriter::new(&mut bytes);
    let (page, end) = (PacketWriteEndInfo::EndPage, PacketWriteEndInfo::EndStream);
    let head = b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0".to_vec();
    to.write_packet(head, 1, page, 0).expect("writes");
    let tags = b"OpusTags\0\0\0\0\0\0\0\0".to_vec();
    to.write_packet(tags, 1, page, 0).expect("writes");
    to.write_packet(vec![0xf8, 0xff, 0xfe], 1, end, seconds * 48_000)
        .expect("writes");
    bytes
}

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let inside = parts.concat();
    let length = u32::try_from(inside.len() + 8).expect("small");
    [&length.to_be_bytes(), &kind[..], &inside].concat()
}

/// A film of `seconds` by its boxes; there is no picture in it.
pub fn mp4(width: u32, height: u32, seconds: u32) -> Vec<u8> {
    let be = |n: u32| n.to_be_bytes();
    let unity = [
        be(0x1_0000),
        be(0),
        be(0),
        be(0),
        be(0x1_0000),
        be(0),
        be(0),
        be(0),
        be(0x4000_0000),
    ]
    .concat();
    let mvhd = boxed(
        b"mvhd",
        &[&[0; 12], &be(1000), &be(seconds * 1000), &[0; 80]],
    );
    let tkhd = boxed(
        b"tkhd",
        &[
            &be(7),
            &[0; 8],
            &be(1),
            &[0; 4],
            &be(seconds * 1000),
            &[0; 16],
            &unity,
            &be(width << 16),
            &be(height << 16),
        ],
    );
    let mdhd = boxed(
        b"mdhd",
        &[
            &[0; 12],
            &be(1000),
            &be(seconds * 1000),
            &[0x55, 0xc4, 0, 0],
        ],
    );
    let hdlr = boxed(b"hdlr", &[&[0; 8], b"vide", &[0; 13]]);
    let mdia = boxed(b"mdia", &[&mdhd, &hdlr]);
    let trak = boxed(b"trak", &[&tkhd, &mdia]);
    let ftyp = boxed(b"ftyp", &[b"isom", &be(512), b"isommp42"]);
    let moov = boxed(b"moov", &[&mvhd, &trak]);
    let mdat = boxed(b"mdat", &[&[7; 5000]]);
    [ftyp, moov, mdat].concat()
}

pub fn pdf() -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.extend((0..70_000_u32).map(|n| n.wrapping_mul(n) as u8));
    bytes
}

pub fn all() -> Vec<Form> {
    let form = |name, kind, bytes, mime| Form {
        name,
        kind,
        field: kind,
        written: kind,
        bytes,
        mime,
        said: json!({}),
        width: None,
        height: None,
        seconds: None,
        has_thumbnail: false,
    };
    vec![
        Form {
            said: json!({"caption": "Olá <b>mundo</b>"}),
            width: Some(120),
            height: Some(80),
            has_thumbnail: true,
            ..form("image", "image", jpeg(120, 80), "image/jpeg")
        },
        Form {
            said: json!({"caption": "A film", "jpeg_thumbnail": BASE64_STANDARD.encode(jpeg(16, 16))}),
            width: Some(320),
            height: Some(240),
            seconds: Some(3),
            has_thumbnail: true,
            ..form("video", "video", mp4(320, 240, 3), "video/mp4")
        },
        Form {
            written: "video",
            width: Some(64),
            height: Some(64),
            seconds: Some(1),
            ..form("gif", "gif", mp4(64, 64, 1), "video/mp4")
        },
        Form {
            ..form(
                "audio",
                "audio",
                [b"ID3\x04\0\0\0\0\0\0".to_vec(), vec![1; 4000]].concat(),
                "audio/mpeg",
            )
        },
        Form {
            said: json!({"ptt": true}),
            seconds: Some(2),
            ..form("voice", "audio", opus(2), "audio/ogg; codecs=opus")
        },
        Form {
            said: json!({"file_name": "Relatório de março.pdf", "caption": "Read this"}),
            ..form("document", "document", pdf(), "application/pdf")
        },
        Form {
            width: Some(64),
            height: Some(64),
            ..form("sticker", "sticker", webp(), "image/webp")
        },
    ]
}

pub fn png() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(4, 4)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a PNG");
    bytes.into_inner()
}

/// The checksum of a PNG's part.
pub fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
