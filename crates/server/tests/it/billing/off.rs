//! The default: nothing is charged for, and clients made for a paid service run unchanged.

use serde_json::json;

use super::{DAY, ask, standing};
use crate::gateway::Bed;

on_both! { instances_simply_work }

async fn instances_simply_work(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Free"})).await;
    let active = ("ACTIVE".to_owned(), None, None);
    assert_eq!(standing(bed, &made).await, active);
    let subscribe = bed.post(&made.path("/subscribe")).bearer(&bed.a.jwt);
    let urls = json!({"success_url": "https://x.example/ok", "cancel_url": "https://x.example/no"});
    let first = subscribe.json(urls).send().await.ok();
    let id = first["subscription_id"].as_str().expect("an id");
    assert_eq!(
        first,
        json!({"url": "", "session_id": "", "mode": "direct", "subscription_id": id})
    );
    assert_eq!(ask(bed, "POST", &made, "/subscribe").await.ok(), first);
    let other = bed.create(&bed.a, json!({"name": "Other"})).await;
    let other = ask(bed, "POST", &other, "/subscribe").await.ok();
    assert_ne!(other["subscription_id"], id);
    let resumed = ask(bed, "POST", &made, "/resume-subscription").await.ok();
    assert_eq!(resumed, json!({"status": "ok"}));
    for method in ["PUT", "DELETE"] {
        let canceled = ask(bed, method, &made, "/cancel").await.ok();
        let keys: Vec<_> = canceled.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["message"]);
        let message = canceled["message"].as_str().expect("text");
        assert!(
            message.contains("off") && message.contains("keeps working"),
            "{message}"
        );
    }
    bed.clock.jump_secs(400 * DAY);
    bed.log_in().await;
    assert_eq!(standing(bed, &made).await, active);
    ask(bed, "GET", &made, "/session/status").await.expect(200);
    assert_eq!(
        ask(bed, "POST", &made, "/subscribe").await.ok(),
        first,
        "still the same"
    );
}
