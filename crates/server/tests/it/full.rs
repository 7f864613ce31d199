//! A disk without space: nothing is taken that cannot be stored, and all is well again by itself.

use serde_json::json;

use crate::gateway::Bed;

async fn write(bed: &Bed) -> crate::call::Answer {
    let call = bed.call("PUT", "/instances/create").bearer(&bed.a.jwt);
    call.json(json!({"name": "Another"})).send().await
}

/// SQLite alone: of PostgreSQL's disk its operator takes care.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_wait_for_space_and_go_on() {
    let bed = Bed::sqlite("").await;
    let ready = async || bed.get("/readyz").send().await;
    ready().await.expect(200);
    let store = &bed.gateway().store;
    for round in 0..2 {
        store.limit_pages(Some(1)).await.expect("a limit");
        let mut refused = 0;
        for n in 0..2_000 {
            let answer = write(&bed).await;
            if answer.status == 200 {
                assert!(n < 1_900, "round {round}: the file does not fill");
                continue;
            }
            assert_eq!(answer.header("retry-after"), "5", "{answer:?}");
            answer.refused(503, "unavailable");
            refused += 1;
            if refused == 20 {
                break;
            }
        }
        assert_eq!(refused, 20);
        bed.get("/account/credentials")
            .bearer(&bed.a.jwt)
            .send()
            .await
            .expect(200);
        bed.clock.jump_ms(1_000);
        ready().await.refused(503, "unavailable");
        store.limit_pages(None).await.expect("no limit");
        // Believed for a second.
        ready().await.refused(503, "unavailable");
        bed.clock.jump_ms(1_000);
        ready().await.expect(200);
        let answer = write(&bed).await;
        assert!(answer.status < 300, "{answer:?}");
    }
    bed.close().await;
}

/// However many probes ask: one write a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_cost_one_write_a_second() {
    let bed = Bed::sqlite("").await;
    bed.get("/readyz").send().await.expect(200);
    let before = bed.gateway().store.statements();
    for _ in 0..50 {
        bed.get("/readyz").send().await.expect(200);
    }
    // The workers' own are a few.
    let asked = bed.gateway().store.statements() - before;
    assert!(asked < 50, "{asked} statements");
    bed.close().await;
}
