//! Calls: told to who wants to hear of them, and declined where the owner wants that.

use std::sync::atomic::Ordering;

use recado_model::{
    EventKind, Result,
    call::RejectCall,
    person::{CallStep, InboundCall},
};
use tokio::sync::oneshot;

use super::Ingest;
use crate::{events, inbox::Command, messages::replies, ringing::Ringing};

/// Somebody calls, or a call is over.
pub(super) async fn rings(ingest: &Ingest, call: &InboundCall) -> Result<()> {
    if ingest.discard.load(Ordering::Relaxed) {
        return Ok(());
    }
    match &call.step {
        CallStep::Offer => {}
        CallStep::Missed => {
            return ingest
                .emit(EventKind::MissedCall, events::missed(call))
                .await;
        }
        CallStep::End(reason) => return ended(ingest, call, reason.as_deref()).await,
    }
    let (core, account, id) = (ingest.core(), &ingest.held.account, &ingest.held.instance);
    let mut conn = core.store.read().await?;
    let instance = conn.account(account).instance(id).await?;
    drop(conn);
    let Some(instance) = instance else {
        return Ok(());
    };
    // A group's call rings for all of it: it is nobody's to decline.
    let declines = instance.reject_calls && call.group.is_none();
    if declines {
        decline(ingest, call);
    }
    let known = Ringing {
        call: call.clone(),
        declined: declines,
    };
    core.ringing.begin(id, known);
    let payload = events::call(call, declines);
    ingest.emit(EventKind::CallOffer, payload).await?;
    let text = instance.settings.reject_calls_message.as_deref();
    let now = core.clock.monotonic();
    match text.filter(|_| declines && core.answered.may(id, &call.who.shown, now)) {
        Some(text) => answer(ingest, &instance, call, text).await,
        None => Ok(()),
    }
}

/// WhatsApp names who hangs up by id alone, and says of nobody that a call was missed: both is known of its beginning.
async fn ended(ingest: &Ingest, call: &InboundCall, reason: Option<&str>) -> Result<()> {
    let begun = ingest.core().ringing.end(&ingest.held.instance, &call.id);
    let mut over = call.clone();
    if let Some(begun) = &begun {
        over.who = begun.call.who.clone();
        (over.video, over.group) = (begun.call.video, begun.call.group.clone());
    }
    let payload = events::call_ended(&over, reason);
    ingest.emit(EventKind::CallTerminate, payload).await?;
    let missed = matches!(reason, None | Some("" | "timeout"));
    if missed && begun.is_some_and(|begun| !begun.declined) {
        let payload = events::missed(&over);
        ingest.emit(EventKind::MissedCall, payload).await?;
    }
    Ok(())
}

/// Nobody waits for it: a call that is not declined rings on, on the phone.
fn decline(ingest: &Ingest, call: &InboundCall) {
    let (reply, _) = oneshot::channel();
    let call = RejectCall {
        id: call.id.clone(),
        from: call.from.clone(),
        creator: call.creator.clone(),
    };
    let call = call.into();
    drop(ingest.actor.send(Command::Call { call, reply }));
}

async fn answer(
    ingest: &Ingest,
    instance: &recado_model::Instance,
    call: &InboundCall,
    text: &str,
) -> Result<()> {
    let core = ingest.core();
    let id = replies::id_for(&call.id);
    let now = core.clock.now();
    let mut conn = ingest.held.write().await?;
    let mut store = conn.account(&ingest.held.account);
    store.lock_instance(&instance.id).await?;
    let message = (&call.who.shown, &id, text);
    if replies::queue_text(core, &mut store, instance, message, now).await? {
        conn.commit().await?;
        drop(ingest.actor.send(Command::Wake));
    }
    Ok(())
}
