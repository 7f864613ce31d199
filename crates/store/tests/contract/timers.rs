//! The timers of chats.

use recado_model::{
    Address, Timestamp,
    message::{Party, Timer},
};

use crate::bed::{Bed, NOW};

fn timer(seconds: u32, since: i64) -> Timer {
    Timer {
        seconds,
        since: NOW.plus_millis(since),
    }
}

pub async fn the_later_word_counts_for_a_chat(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    for address in ["2@s.whatsapp.net", "120363@g.us"] {
        let address = Address::from_wire(address);
        assert_eq!(store.chat_timer(&id, &address).await.expect("reads"), None);
        let party = Party::only(address.clone());
        let chat = store.chat(&id, &party, NOW).await.expect("a chat");
        let later: Timestamp = NOW.plus_millis(1_000);
        for (set, expected) in [
            (timer(60, -100), Some(60)),
            (timer(70, -200), Some(60)),
            (timer(0, -50), None),
            (timer(80, -40), Some(80)),
            // Of the future: of now.
            (timer(90, 999_999), Some(90)),
            (timer(100, 500), Some(100)),
            (timer(110, 1_000), Some(110)),
        ] {
            let now = match set.seconds {
                110 => later,
                _ => NOW,
            };
            let set = store.set_chat_timer(&chat, set, now).await;
            set.expect("sets");
            let told = store.chat_timer(&id, &address).await.expect("reads");
            assert_eq!(told, expected, "{address}");
        }
    }
}

pub async fn two_chats_that_are_one_have_one_timer(bed: &Bed) {
    let a = bed.account("a").await;
    for (i, (number, lid, expected)) in [
        (timer(60, -100), timer(70, -50), 70),
        (timer(60, -50), timer(70, -100), 60),
    ]
    .into_iter()
    .enumerate()
    {
        let id = bed.instance(&a, &format!("{i}")).await.id;
        let mut conn = bed.store.write().await.expect("write");
        let mut store = conn.account(&a);
        let [by_number, by_lid] = ["2@s.whatsapp.net", "222@lid"].map(Address::from_wire);
        for (address, timer) in [(&by_number, number), (&by_lid, lid)] {
            let party = Party::only(address.clone());
            let chat = store.chat(&id, &party, NOW).await.expect("a chat");
            store.set_chat_timer(&chat, timer, NOW).await.expect("sets");
        }
        let both = Party {
            shown: by_number.clone(),
            alt: Some(by_lid.clone()),
            wire: by_lid.clone(),
        };
        store.chat(&id, &both, NOW).await.expect("merges");
        for address in [by_number, by_lid] {
            let told = store.chat_timer(&id, &address).await.expect("reads");
            assert_eq!(told, Some(expected));
        }
        conn.commit().await.expect("commits");
    }
}
