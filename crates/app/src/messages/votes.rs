//! Votes in polls, ours and others': opened with the secret of the stored poll, and counted.

use recado_model::{
    Address, ContentKind, Direction, InstanceId, MessageId, Result, Timestamp, content::Poll,
};
use recado_store::{AccountStore, MessageRow, StoreError};

use super::by::{By, at_of};
use crate::{
    Core,
    events::{ReadVote, Totals, UnreadVote, VoteTold},
};

/// Counts a vote for the poll with this id in its chat. `at` is when it was cast.
pub(crate) async fn count(
    core: &Core,
    store: &mut AccountStore<'_>,
    by: &By<'_>,
    poll: &MessageId,
    (vote, at): (&[u8], Timestamp),
) -> Result<VoteTold> {
    let rows = store
        .messages_with_id(by.instance, Some(by.chat), poll)
        .await?;
    let mut unread = UnreadVote::UnknownPoll;
    for row in rows.iter().filter(|row| row.kind == ContentKind::Poll) {
        match count_in(core, store, by, row, (vote, at)).await? {
            Ok(read) => {
                return Ok(VoteTold {
                    poll: poll.clone(),
                    read: Ok(read),
                });
            }
            Err(why) => unread = why,
        }
    }
    Ok(VoteTold {
        poll: poll.clone(),
        read: Err(unread),
    })
}

/// The votes that came before their poll count with it. The totals, where there are any.
pub(crate) async fn count_early(
    core: &Core,
    store: &mut AccountStore<'_>,
    (instance, poll): (&InstanceId, &MessageRow),
) -> Result<Option<Totals>> {
    let waiting = store.votes_about(instance, &poll.chat_id, &poll.id).await?;
    let mut totals = None;
    for row in waiting {
        let Some(vote) = kept(store, &row).await? else {
            continue;
        };
        let by = By {
            instance,
            chat: &row.chat_id,
            sender: &row.sender_id,
            id: &row.id,
            at: row.at,
        };
        let Some(change) = core.engine.change(&vote) else {
            continue;
        };
        let vote = (vote.as_slice(), at_of(&change, by.at));
        if let Ok(read) = count_in(core, store, &by, poll, vote).await? {
            totals = Some(read.totals);
        }
    }
    Ok(totals)
}

async fn count_in(
    core: &Core,
    store: &mut AccountStore<'_>,
    by: &By<'_>,
    poll: &MessageRow,
    (vote, at): (&[u8], Timestamp),
) -> Result<std::result::Result<ReadVote, UnreadVote>> {
    if poll.deleted_at.is_some() {
        return Ok(Err(UnreadVote::Deleted));
    }
    let Some(proto) = kept(store, poll).await? else {
        return Ok(Err(UnreadVote::NotOpened));
    };
    let Some(sheet) = core.engine.poll(&proto) else {
        return Ok(Err(UnreadVote::NotOpened));
    };
    let pairs = pairs(store, by, poll).await?;
    let Some(chosen) = core.engine.open_vote(&proto, vote, &poll.id, &pairs) else {
        return Ok(Err(UnreadVote::NotOpened));
    };
    if let Some(row) = store
        .message_by(by.instance, by.chat, by.sender, by.id)
        .await?
    {
        store.note_choice(&row, &chosen.options.join(", ")).await?;
    }
    let open = sheet.end_time.is_none_or(|end| at <= end);
    let counted = open
        && sheet.allows(chosen.options.len() + chosen.unknown)
        && store.put_vote(poll, by.sender, &chosen.options, at).await?;
    let totals = totals(store, poll, &sheet).await?;
    Ok(Ok(ReadVote {
        chosen,
        counted,
        totals,
    }))
}

pub(super) async fn totals(
    store: &mut AccountStore<'_>,
    poll: &MessageRow,
    sheet: &Poll,
) -> Result<Totals> {
    let votes = store.votes(poll).await?;
    let of = |option: &String| votes.iter().filter(|vote| vote.contains(option)).count() as u64;
    let options = sheet.options.iter();
    Ok(options.map(|option| (option.clone(), of(option))).collect())
}

/// The addresses of who made a poll and who votes: the number of both or the id of both where they have them, else
/// whatever they are known by.
async fn pairs(
    store: &mut AccountStore<'_>,
    by: &By<'_>,
    poll: &MessageRow,
) -> Result<Vec<(Address, Address)>> {
    let mut creators = store.addresses_of(by.instance, &poll.sender_id).await?;
    let mut voters = store.addresses_of(by.instance, by.sender).await?;
    let instance = store.instance(by.instance).await?;
    let own: Vec<Address> = instance
        .into_iter()
        .flat_map(|instance| [instance.jid, instance.lid])
        .flatten()
        .collect();
    for known in [&mut creators, &mut voters] {
        if own.iter().any(|own| known.contains(own)) {
            known.extend(
                own.iter()
                    .filter(|own| !known.contains(own))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
    }
    let mut all = Vec::with_capacity(creators.len() * voters.len());
    for creator in &creators {
        for voter in &voters {
            all.push((creator.clone(), voter.clone()));
        }
    }
    all.sort_by_key(|(creator, voter)| creator.kind() != voter.kind());
    Ok(all)
}

/// The address of ours under which to vote: in the namespace of who made the poll.
pub(super) fn namespace(
    poll: &MessageRow,
    own: (&Address, Option<&Address>),
) -> (Address, Address) {
    let (number, lid) = own;
    let ours = poll.direction == Direction::Out;
    let by_lid = match ours {
        true => poll.wire_chat.is_lid() || poll.wire_sender.is_lid(),
        false => poll.wire_sender.is_lid(),
    };
    let voter = lid.filter(|_| by_lid).unwrap_or(number).clone();
    let creator = match ours {
        true => voter.clone(),
        false => poll.wire_sender.clone(),
    };
    (creator, voter)
}

/// The content of a message. One that cannot be opened must not hold up what came, which WhatsApp would give
/// again for ever.
async fn kept(store: &mut AccountStore<'_>, row: &MessageRow) -> Result<Option<Vec<u8>>> {
    match store.proto(&row.key).await {
        Err(StoreError::Sealed(error)) => {
            tracing::error!(instance.id = %row.instance, message.id = %row.id, %error, "a poll or a vote cannot be read any more; it does not count");
            Ok(None)
        }
        proto => Ok(proto?),
    }
}
