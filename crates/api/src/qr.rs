//! The pairing QR as a picture: PNG, SVG, or blocks for a terminal.

use base64::{Engine, prelude::BASE64_STANDARD};
use qrcode::{Color, EcLevel, QrCode, render::svg};
use recado_model::{Error, Result};

/// Pixels per module, and modules of white around the code: scanners ask for four.
const SCALE: usize = 8;
const QUIET: usize = 4;

/// A form in which the QR itself is asked for, by `?format=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Png,
    Svg,
    /// The text inside the QR, which is what a virtual phone scans.
    Text,
    /// Half blocks, for terminals.
    Terminal,
}

impl Format {
    pub fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "png" => Self::Png,
            "svg" => Self::Svg,
            "text" => Self::Text,
            "terminal" => Self::Terminal,
            _ => {
                let text = "format is png, svg, text or terminal";
                return Err(Error::field("format", text));
            }
        })
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
            Self::Text | Self::Terminal => "text/plain; charset=utf-8",
        }
    }

    pub fn draw(self, code: &str) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Png => png(code)?,
            Self::Svg => svg(code)?.into_bytes(),
            Self::Text => code.as_bytes().to_vec(),
            Self::Terminal => terminal(code)?.into_bytes(),
        })
    }
}

fn encode(code: &str) -> Result<QrCode> {
    QrCode::with_error_correction_level(code, EcLevel::L).map_err(Error::internal)
}

/// `data:image/png;base64,…`, what the contract's `qr_code` is.
pub fn data_url(code: &str) -> Result<String> {
    Ok(format!("data:image/png;base64,{}", png_base64(code)?))
}

pub fn png_base64(code: &str) -> Result<String> {
    Ok(BASE64_STANDARD.encode(png(code)?))
}

/// One bit per pixel: about a kilobyte.
pub fn png(code: &str) -> Result<Vec<u8>> {
    let qr = encode(code)?;
    let (width, modules) = (qr.width(), qr.to_colors());
    let side = (width + 2 * QUIET) * SCALE;
    let stride = side.div_ceil(8);
    let mut pixels = vec![0xFFu8; stride * side];
    for (at, _) in modules
        .iter()
        .enumerate()
        .filter(|(_, color)| **color == Color::Dark)
    {
        let (left, top) = ((at % width + QUIET) * SCALE, (at / width + QUIET) * SCALE);
        for y in top..top + SCALE {
            for x in left..left + SCALE {
                pixels[y * stride + x / 8] &= !(0x80 >> (x % 8));
            }
        }
    }
    let mut out = Vec::with_capacity(2048);
    let mut encoder = png::Encoder::new(&mut out, side as u32, side as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().map_err(Error::internal)?;
    writer.write_image_data(&pixels).map_err(Error::internal)?;
    writer.finish().map_err(Error::internal)?;
    Ok(out)
}

pub fn svg(code: &str) -> Result<String> {
    let drawn = encode(code)?
        .render::<svg::Color<'_>>()
        .min_dimensions(256, 256)
        .build();
    Ok(drawn)
}

/// Two modules per character; light on dark as terminals are, so the light ones are drawn.
pub fn terminal(code: &str) -> Result<String> {
    let qr = encode(code)?;
    let (width, modules) = (qr.width() as isize, qr.to_colors());
    let quiet = QUIET as isize / 2;
    let light = |x: isize, y: isize| {
        let inside = (0..width).contains(&x) && (0..width).contains(&y);
        !inside || modules[(y * width + x) as usize] == Color::Light
    };
    let mut out = String::new();
    let mut y = -quiet;
    while y < width + quiet {
        for x in -quiet..width + quiet {
            out.push(match (light(x, y), light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        out.push('\n');
        y += 2;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "2@AbCdEfGh0123456789,abc/def+ghi==,jkl,mno,1";

    #[test]
    fn the_picture_holds_the_modules() {
        let qr = encode(CODE).expect("qr");
        let bytes = png(CODE).expect("png");
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .expect("info");
        let mut buffer = vec![0; decoder.output_buffer_size().expect("size")];
        let info = decoder.next_frame(&mut buffer).expect("frame");
        assert_eq!(info.width as usize, (qr.width() + 2 * QUIET) * SCALE);
        for (at, color) in qr.to_colors().into_iter().enumerate() {
            let x = (at % qr.width() + QUIET) * SCALE + SCALE / 2;
            let y = (at / qr.width() + QUIET) * SCALE + SCALE / 2;
            let white = buffer[y * info.line_size + x / 8] & (0x80 >> (x % 8)) != 0;
            assert_eq!(white, color == Color::Light, "module {at}");
        }
        assert_eq!(buffer[0], 0xFF);
    }

    #[test]
    fn the_other_forms() {
        assert!(
            data_url(CODE)
                .expect("url")
                .starts_with("data:image/png;base64,iVBOR")
        );
        assert!(svg(CODE).expect("svg").contains("<svg"));
        let drawn = terminal(CODE).expect("drawn");
        let lines: Vec<_> = drawn.lines().collect();
        assert!(
            lines
                .iter()
                .all(|line| line.chars().count() == lines[0].chars().count())
        );
        assert!(lines[0].chars().all(|c| c == '█'));
        assert_eq!(Format::Text.draw(CODE).expect("text"), CODE.as_bytes());
        assert!(Format::parse("gif").is_err());
    }
}
