//! Faults from the field: webhook receivers (`docs/field-faults.md`, 24 and 25).

mod certificates;
mod connections;

use recado_model::{
    Event, EventId, EventKind,
    clock::{Clock as _, OsRng},
};
use recado_store::deliveries::DeliveryRow;
use serde_json::json;

use crate::gateway::{Bed, Made, until};

/// An event of shop A's instance, with its deliveries; the row of its delivery once it was tried.
async fn delivered(bed: &Bed, made: &Made) -> DeliveryRow {
    let event = Event {
        id: EventId::random(&OsRng),
        account: bed.a.id.clone(),
        instance: made.instance(),
        kind: EventKind::Message,
        payload: json!({"type": "Message", "instance_id": made.id, "event": {}}),
        created_at: bed.clock.now(),
    };
    let mut conn = bed.write().await;
    let appended = conn.account(&bed.a.id).append(&event).await;
    appended.expect("appended");
    conn.commit().await.expect("commit");
    // Nobody rang the worker's bell: over its nap.
    bed.clock.jump_ms(5_001);
    until("the first try", async || {
        let mut conn = bed.read().await;
        let page = conn
            .account(&bed.a.id)
            .deliveries(&made.instance(), None, 1, 100)
            .await;
        let rows = page.expect("deliveries").items;
        let row = rows.into_iter().find(|row| row.event == event.id)?;
        (row.attempts > 0).then_some(row)
    })
    .await
}
