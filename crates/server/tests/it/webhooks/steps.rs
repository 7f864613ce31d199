//! Somebody sets the wall clock while deliveries wait.

use super::*;

on_both! {
    a_clock_set_back_makes_nothing_late,
    a_clock_set_forth_loses_nothing,
    a_start_after_a_clock_was_set_back,
}

const HOUR_MS: i64 = 3_600_000;

/// A delivery whose first attempt has failed.
async fn failing(bed: &Bed) -> Made {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    bed.sandbox.receiver().set_mode(recado_sandbox::Mode {
        status: 500,
        delay_ms: 0,
    });
    bed.subscribe(&bed.a, &made, json!("All")).await;
    happen(bed, &bed.a, &made, EventKind::Message).await;
    after(bed, &made, 1).await;
    bed.sandbox
        .receiver()
        .set_mode(recado_sandbox::Mode::default());
    made
}

async fn all_delivered(bed: &Bed, made: &Made, count: usize) {
    until("all deliveries", async || {
        let rows = rows(bed, &bed.a, made).await;
        let done = rows
            .iter()
            .filter(|row| row.state.as_str() == "delivered")
            .count();
        (done == count).then_some(())
    })
    .await;
}

async fn a_clock_set_back_makes_nothing_late(bed: &mut Bed) {
    let made = failing(bed).await;
    bed.clock.step_wall_ms(-HOUR_MS);
    // What happens from now on, and what waited: over the worker's nap and the first pause of 5 to 6 s.
    happen(bed, &bed.a, &made, EventKind::Message).await;
    bed.clock.jump_ms(6_001);
    all_delivered(bed, &made, 2).await;
}

async fn a_clock_set_forth_loses_nothing(bed: &mut Bed) {
    let made = failing(bed).await;
    bed.clock.step_wall_ms(HOUR_MS);
    // Due by the wall; only the nap is to be waited for.
    bed.clock.jump_ms(5_001);
    all_delivered(bed, &made, 1).await;
    bed.clock.step_wall_ms(-HOUR_MS);
    happen(bed, &bed.a, &made, EventKind::Message).await;
    all_delivered(bed, &made, 2).await;
}

async fn a_start_after_a_clock_was_set_back(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    let event = event(bed, &bed.a, &made, EventKind::Message);
    let store = bed.gateway().store.clone();
    let mut conn = store.write().await.expect("a connection");
    conn.account(&bed.a.id)
        .append(&Event {
            created_at: event.created_at.plus_millis(HOUR_MS),
            ..event.clone()
        })
        .await
        .expect("appended");
    conn.commit().await.expect("commit");
    drop(store);
    bed.restart().await;
    all_delivered(bed, &made, 1).await;
}
