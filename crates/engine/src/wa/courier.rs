//! Hands the journal to the sink: one entry at a time (of news of chats and people
//! some hundred), in order, each again until it is taken. A task
//! of its own, so that a database that is away for an hour holds up no news of the link's state.

use std::{sync::Arc, time::Duration};

use recado_model::{Error, ErrorCode, Result};

use super::{core::LinkCore, inbound, journal::Entry, notice, pauses::grown};

const AGAIN_FIRST: Duration = Duration::from_millis(250);
const AGAIN_MOST: Duration = Duration::from_secs(5);
/// How often a number is looked up only by a client; after that its id will do.
const LOOK_UPS: u32 = 5;

pub(super) async fn run(link: Arc<LinkCore>) {
    let closed = link.closed.clone();
    // Cancelled at any await: what was not taken is in the journal.
    let _ = closed
        .run_until_cancelled(async {
            loop {
                let (number, entries) = link.parts.journal.next_together().await;
                hand_over(&link, &entries).await;
                link.parts.journal.taken(number, entries.len());
            }
        })
        .await;
}

async fn hand_over(link: &LinkCore, entries: &[Entry]) {
    let mut tries = 0;
    while let Err(error) = offer(link, entries, tries).await {
        tries += 1;
        if tries == 1 {
            tracing::warn!(
                instance.id = %link.parts.spec.instance,
                error = &error as &dyn std::error::Error,
                "a receipt was not taken; it is offered again until it is"
            );
        }
        metrics::counter!("recado_engine_receipts_offered_again_total").increment(1);
        let pause = link.parts.jittered(grown(AGAIN_FIRST, AGAIN_MOST, tries));
        tokio::time::sleep(pause).await;
    }
}

async fn offer(link: &LinkCore, entries: &[Entry], tries: u32) -> Result<()> {
    let connection = link.connection();
    if connection.is_none() && tries < LOOK_UPS {
        return Err(Error::new(
            ErrorCode::Unavailable,
            "the link is between two connections",
        ));
    }
    if let Some(spool) = &link.parts.spool
        && entries.iter().any(Entry::is_frame)
    {
        // Whoever takes it opens it with that.
        spool.keep_key().await?;
    }
    let client = connection.as_ref().map(|connection| &*connection.client);
    let Some(notice) = notice::of(entries, client).await? else {
        return Ok(());
    };
    tokio::time::timeout(link.parts.commit_within(), link.parts.sink.notice(notice))
        .await
        .map_err(|_| inbound::too_slow())?
}
