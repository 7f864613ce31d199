//! Media: sealed and opened, brought to WhatsApp's hosts and fetched from them.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use recado_model::{
    Address, MediaClass, MediaDigest, MediaKey, MediaRef, MessageId, Result,
    media::{FilledMedia, Uploaded},
};

use super::{EngineParts, core::LinkCore};
use crate::FetchFault;

pub(super) fn named(_proto: &[u8]) -> Option<MediaRef> {
    todo!()
}
pub(super) fn fill(_proto: &[u8], _medium: &FilledMedia) -> Result<Vec<u8>> {
    todo!()
}
pub(super) fn seal(
    _class: MediaClass,
    _key: &MediaKey,
    _plain: &mut dyn Read,
    _sealed: &mut dyn Write,
) -> io::Result<MediaDigest> {
    todo!()
}
pub(super) fn open(
    _class: MediaClass,
    _key: &MediaKey,
    _sealed: &mut dyn Read,
    _plain: &mut dyn Write,
) -> io::Result<MediaDigest> {
    todo!()
}
pub(super) fn reader(
    _class: MediaClass,
    _key: &MediaKey,
    _from: u64,
    _sealed: Box<dyn Read + Send>,
) -> io::Result<Box<dyn Read + Send>> {
    todo!()
}
pub(super) async fn fetch(
    _parts: &EngineParts,
    _medium: &MediaRef,
    _most: u64,
    _to: &Path,
) -> std::result::Result<MediaDigest, FetchFault> {
    todo!()
}
impl LinkCore {
    pub(super) async fn upload(
        &self,
        _class: MediaClass,
        _key: &MediaKey,
        _digest: &MediaDigest,
        _sealed: &Path,
    ) -> Result<Uploaded> {
        todo!()
    }
    pub(super) async fn reupload(
        &self,
        _chat: &Address,
        _sender: Option<&Address>,
        _from_me: bool,
        _id: &MessageId,
        _key: &MediaKey,
    ) -> Result<Option<String>> {
        todo!()
    }
}
