//! `recado look-at-media CLASS`: how the medium on standard input looks, as JSON on standard output.
//!
//! The gateway runs this for bytes that tenants send. Decoders have had bugs, so the process takes everything
//! from itself first: it can open no file and no socket, start nothing, and use only so much memory and time.
//! Status 1 says that the bytes are no such medium, or ask for too much.

mod confine;
mod films;
mod pictures;
mod sounds;
mod voice;

use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use recado_app::LookExit;
use recado_model::{MediaClass, MediaLooks};

/// What is decoded is read whole.
const READ_MOST: u64 = 64 * 1024 * 1024;

/// What could not be read; nobody is told more than that.
#[derive(Debug)]
pub struct Unreadable;

pub fn run(class: &str) -> ExitCode {
    let Some(class) = MediaClass::parse(class) else {
        return ExitCode::FAILURE;
    };
    if confine::confine().is_err() {
        return LookExit::NOT_CONFINED.into();
    }
    let looked = look(class, &mut io::stdin().lock());
    let written = looked.ok().and_then(|looks| {
        let text = serde_json::to_vec(&looks).ok()?;
        io::stdout().write_all(&text).ok()
    });
    match written {
        Some(()) => ExitCode::SUCCESS,
        None => LookExit::UNREADABLE.into(),
    }
}

/// How a medium of this class looks.
///
/// # Errors
/// When the bytes are no such medium, or ask for too much.
pub fn look(class: MediaClass, from: &mut dyn Read) -> Result<MediaLooks, Unreadable> {
    match class {
        MediaClass::Image => pictures::look(&whole(from)?),
        MediaClass::Sticker => pictures::sticker(&whole(from)?),
        MediaClass::Video => films::look(from),
        MediaClass::Audio => sounds::look(&whole(from)?),
        MediaClass::Document => Ok(MediaLooks::default()),
    }
}

fn whole(from: &mut dyn Read) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    from.take(READ_MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| Unreadable)?;
    match bytes.len() as u64 > READ_MOST {
        true => Err(Unreadable),
        false => Ok(bytes),
    }
}
