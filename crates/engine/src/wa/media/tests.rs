//! Sealed, opened, read from the middle: the same bytes. And what was tampered with is not opened.

use std::io::Cursor;

use super::*;

const KEY: MediaKey = MediaKey([7; 32]);

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

fn sealed(class: MediaClass, plain: &[u8]) -> (Vec<u8>, MediaDigest) {
    let mut sealed = Vec::new();
    let digest = seal(class, &KEY, &mut Cursor::new(plain), &mut sealed).expect("sealed");
    (sealed, digest)
}

/// Around the borders of blocks, of the reader's buffer and of the library's.
fn lengths() -> impl Iterator<Item = usize> {
    let borders = [0, 16, 32, 8 * 1024, BUFFER - 32, BUFFER, 2 * BUFFER];
    borders
        .into_iter()
        .flat_map(|border| border.saturating_sub(17)..=border + 17)
}

#[test]
fn what_is_sealed_opens_to_the_same() {
    for length in lengths() {
        let plain = bytes(length);
        let (sealed, digest) = sealed(MediaClass::Document, &plain);
        assert_eq!(sealed.len(), (length / BLOCK + 1) * BLOCK + MAC);
        let mut opened = Vec::new();
        let mut from = Cursor::new(&sealed);
        let found = open(MediaClass::Document, &KEY, &mut from, &mut opened).expect("opened");
        assert!(opened == plain, "{length}");
        assert_eq!(found, digest, "{length}");
        assert_eq!(digest.length, length as u64);
        assert_eq!(digest.sha256, <[u8; 32]>::from(Sha256::digest(&plain)));
        let whole = Sha256::digest(&sealed);
        assert_eq!(digest.sealed_sha256, <[u8; 32]>::from(whole));
    }
}

#[test]
fn only_films_and_sounds_have_a_sidecar() {
    for class in MediaClass::ALL {
        let (_, digest) = sealed(class, &bytes(200_000));
        let expected = matches!(class, MediaClass::Video | MediaClass::Audio);
        // Ten bytes for each 64 KiB that were begun.
        assert_eq!(
            digest.sidecar.map(|sidecar| sidecar.len()),
            expected.then_some(40)
        );
    }
}

#[test]
fn tampering_is_found() {
    let plain = bytes(100);
    let (sealed, _) = sealed(MediaClass::Image, &plain);
    for at in 0..sealed.len() {
        let mut other = sealed.clone();
        other[at] ^= 1;
        let found = open(
            MediaClass::Image,
            &KEY,
            &mut Cursor::new(other),
            &mut io::sink(),
        );
        let error = found.expect_err("tampered with");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{at}");
    }
    for length in 0..sealed.len() {
        let cut = &sealed[..length];
        let found = open(
            MediaClass::Image,
            &KEY,
            &mut Cursor::new(cut),
            &mut io::sink(),
        );
        assert!(found.is_err(), "cut at {length}");
    }
    let other = open(
        MediaClass::Video,
        &KEY,
        &mut Cursor::new(&sealed),
        &mut io::sink(),
    );
    assert!(other.is_err(), "each class has keys of its own");
}

/// Gives what it has in bits of `step` bytes, as a network does.
struct Bits {
    rest: Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Bits {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let most = to.len().min(self.step);
        self.rest.read(&mut to[..most])
    }
}

fn read_from(sealed: &[u8], from: usize, step: usize) -> io::Result<Vec<u8>> {
    let begin = from.saturating_sub(BLOCK);
    let rest = Bits {
        rest: Cursor::new(sealed[begin..].to_vec()),
        step,
    };
    let mut opened = Vec::new();
    reader(MediaClass::Video, &KEY, from as u64, Box::new(rest))?.read_to_end(&mut opened)?;
    Ok(opened)
}

#[test]
fn a_part_is_what_it_is_of_the_whole() {
    for length in lengths() {
        let plain = bytes(length);
        let (sealed, _) = sealed(MediaClass::Video, &plain);
        let last = length / BLOCK * BLOCK;
        for from in [0, BLOCK, last / 2 / BLOCK * BLOCK, last] {
            if from > length {
                continue;
            }
            let step = if length < 1_000 { 1 } else { 10_007 };
            let part = read_from(&sealed, from, step).expect("opened");
            assert!(part == plain[from..], "{length} from {from}");
        }
    }
}

#[test]
fn a_part_begins_with_a_block_and_has_an_end() {
    let (sealed, _) = sealed(MediaClass::Video, &bytes(100));
    let odd = reader(MediaClass::Video, &KEY, 7, Box::new(io::empty()));
    assert_eq!(
        odd.err().map(|e| e.kind()),
        Some(io::ErrorKind::InvalidInput)
    );
    let cut = read_from(&sealed[..sealed.len() - 1], 0, 64).expect_err("cut");
    assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
}
