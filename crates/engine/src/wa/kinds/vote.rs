//! Votes: the options that somebody chooses of a poll, encrypted under the poll's secret.
//!
//! The key is made of the secret, the poll's id, and who made the poll and who votes, as they are addressed;
//! so one person's vote does not open as another's.

use recado_model::{
    Address, ContentKind, Error, MessageId, Result, Timestamp,
    change::{Change, Changed},
    content::{Ballot, Chosen, Vote, Voting},
};
use whatsapp_rust::{
    wacore::poll::{
        PollVoteCiphertext, compute_option_hash, decrypt_poll_vote_with_secret,
        encrypt_poll_vote_with_secret,
    },
    waproto::{
        buffa::{Message as _, MessageField},
        whatsapp as wa,
    },
};

use super::{Read, key, poll, some};

pub(super) fn make(vote: &Vote, at: Timestamp) -> wa::Message {
    wa::Message {
        poll_update_message: MessageField::some(wa::message::PollUpdateMessage {
            poll_creation_message_key: key::of(&vote.target),
            vote: MessageField::some(wa::message::PollEncValue {
                enc_payload: Some(vote.ballot.payload.clone()),
                enc_iv: Some(vote.ballot.iv.clone()),
            }),
            sender_timestamp_ms: Some(at.as_millis()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn cast(message: &wa::Message) -> Option<&wa::message::PollUpdateMessage> {
    let update = message.poll_update_message.as_option()?;
    update.vote.is_set().then_some(update)
}

/// Nobody can read it without its poll.
pub(super) fn read(message: &wa::Message) -> Option<Read> {
    cast(message)?;
    some(ContentKind::Vote, None)
}

pub(super) fn change(message: &wa::Message) -> Option<Change> {
    let update = cast(message)?;
    Some(Change {
        target: key::id(&update.poll_creation_message_key)?,
        at: update.sender_timestamp_ms.map(Timestamp),
        what: Changed::Voted,
    })
}

fn secret(poll: &wa::Message) -> Option<&[u8]> {
    let context = poll.message_context_info.as_option()?;
    context.message_secret.as_deref()
}

/// Encrypts a vote for this poll.
pub(super) fn seal(poll: &[u8], voting: &Voting<'_>) -> Result<Ballot> {
    let poll = wa::Message::decode_from_slice(poll).map_err(Error::internal)?;
    let secret = secret(&poll).ok_or_else(|| {
        let text =
            "message_id: this poll came without its secret, so nobody can vote in it from here";
        Error::field("message_id", text)
    })?;
    let hashes: Vec<Vec<u8>> = voting
        .options
        .iter()
        .map(|option| compute_option_hash(option).to_vec())
        .collect();
    let (payload, iv) = encrypt_poll_vote_with_secret(
        &hashes,
        secret,
        voting.id.as_str(),
        voting.creator.as_str(),
        voting.voter.as_str(),
    )
    .map_err(|error| Error::internal(error.to_string()))?;
    let iv = iv.to_vec();
    Ok(Ballot { payload, iv })
}

/// What a vote chooses of this poll. `pairs` are the addresses of who made the poll and who votes, of which any
/// may be the one that it was encrypted under: people are known by number and by id.
pub(super) fn open(
    poll: &[u8],
    vote: &[u8],
    id: &MessageId,
    pairs: &[(Address, Address)],
) -> Option<Chosen> {
    let poll = wa::Message::decode_from_slice(poll).ok()?;
    let vote = wa::Message::decode_from_slice(vote).ok()?;
    let (secret, sheet) = (secret(&poll)?, poll::sheet(&poll)?);
    let sealed = cast(&vote)?.vote.as_option()?;
    let hashes = pairs.iter().find_map(|(creator, voter)| {
        let ciphertext = PollVoteCiphertext {
            enc_payload: sealed.enc_payload.as_deref()?,
            enc_iv: sealed.enc_iv.as_deref()?,
        };
        let (creator, voter) = (creator.as_str(), voter.as_str());
        decrypt_poll_vote_with_secret(ciphertext, secret, id.as_str(), creator, voter).ok()
    })?;
    let is_chosen = |hash: &[u8]| hashes.iter().any(|chosen| chosen == hash);
    let options: Vec<String> = sheet
        .options
        .into_iter()
        .filter(|option| is_chosen(&compute_option_hash(option)))
        .collect();
    let mut each = hashes.clone();
    each.sort_unstable();
    each.dedup();
    let unknown = each.len().saturating_sub(options.len());
    Some(Chosen { options, unknown })
}
