//! One person, one chat, in whatever order their addresses turn up.
//!
//! `RECADO_PERSON_SEEDS` says how many orders are tried; each is made of its number alone.

use std::collections::{BTreeMap, BTreeSet};

use recado_model::{
    Address, InstanceId, Timestamp,
    message::{InboundMessage, Party},
};
use recado_store::{AccountStore, ChatQuery};

use crate::{
    bed::{Bed, NOW},
    messages::{OWN, inbound, party},
};

const SEEDS: u64 = 20;
const PERSONS: u64 = 3;
const STEPS: u64 = 30;

/// Numbers by chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

struct Person {
    number: Address,
    lid: Address,
    /// Their messages, and ours to them, with whether they count as unread.
    told: BTreeMap<String, bool>,
}

impl Person {
    fn new(n: u64) -> Self {
        Self {
            number: Address::from_wire(format!("55119999900{n:02}@s.whatsapp.net")),
            lid: Address::from_wire(format!("2222222222222{n:02}@lid")),
            told: BTreeMap::new(),
        }
    }

    /// As a stanza names them: by number, by id, or by both.
    fn party(&self, chance: &mut Chance) -> Party {
        match chance.below(3) {
            0 => Party::only(self.number.clone()),
            1 => Party::only(self.lid.clone()),
            _ => self.both(),
        }
    }

    fn both(&self) -> Party {
        Party {
            shown: self.number.clone(),
            alt: Some(self.lid.clone()),
            wire: self.lid.clone(),
        }
    }
}

fn message(
    instance: &InstanceId,
    id: &str,
    (who, from_me): (Party, bool),
    at: Timestamp,
) -> InboundMessage {
    InboundMessage {
        sender: if from_me { party(OWN) } else { who.clone() },
        chat: who,
        from_me,
        at,
        ..inbound(instance, id, OWN)
    }
}

/// One thing that happens, to one of them.
async fn step(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    person: &mut Person,
    (chance, n): (&mut Chance, u64),
) {
    let who = person.party(chance);
    let at = NOW.plus_millis(i64::try_from(n).expect("small") * 1_000);
    match chance.below(6) {
        0..=2 => {
            let id = format!("IN{n}");
            let new = message(instance, &id, (who, false), at);
            store.record_inbound(&new, at).await.expect("writes");
            person.told.insert(id, true);
        }
        3 => {
            let id = format!("OUT{n}");
            let new = message(instance, &id, (who, true), at);
            store.record_inbound(&new, at).await.expect("writes");
            person.told.insert(id, false);
        }
        // One comes again, perhaps under another address.
        4 => {
            let all: Vec<_> = person.told.iter().collect();
            let Some((id, unread)) = all.get(chance.below(all.len().max(1) as u64) as usize) else {
                return;
            };
            let again = message(instance, id, (who, !**unread), at_of(id));
            store.record_inbound(&again, at).await.expect("writes");
        }
        _ => {
            let known = store.contact(instance, &person.both(), at).await;
            known.expect("learns");
        }
    }
}

fn at_of(id: &str) -> Timestamp {
    let n = id.trim_start_matches(|c: char| !c.is_ascii_digit());
    NOW.plus_millis(n.parse::<i64>().expect("a number") * 1_000)
}

async fn is_one_chat(store: &mut AccountStore<'_>, instance: &InstanceId, person: &Person) {
    for address in [&person.number, &person.lid] {
        let chat = store.known_chat(instance, address).await.expect("reads");
        let chat = chat.expect("a chat");
        let rows = store.messages_of_chat(instance, &chat, None, 100).await;
        let rows = rows.expect("reads");
        let found: BTreeSet<_> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(found.len(), rows.len(), "each once");
        let expected: BTreeSet<_> = person.told.keys().map(String::as_str).collect();
        assert_eq!(found, expected);
        let row = store.listed_chat(instance, &chat).await.expect("reads");
        let row = row.expect("in the list");
        assert_eq!(
            (&row.address, row.lid.as_ref()),
            (&person.number, Some(&person.lid))
        );
        let unread = person.told.values().filter(|unread| **unread).count();
        assert_eq!(row.unread, i64::try_from(unread).expect("small"));
        let last = row.last.expect("a last one").id;
        assert_eq!(
            at_of(last.as_str()),
            rows[0].at,
            "{last} is not {}",
            rows[0].id
        );
    }
}

pub async fn in_whatever_order_a_person_is_one_chat(bed: &Bed) {
    let seeds = std::env::var("RECADO_PERSON_SEEDS").ok();
    let seeds = seeds.and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    let a = bed.account("a").await;
    for seed in 1..=seeds {
        let id = bed.instance(&a, &format!("seed {seed}")).await.id;
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut persons: Vec<_> = (0..PERSONS).map(Person::new).collect();
        let mut conn = bed.store.write().await.expect("write");
        for n in 0..STEPS {
            let which = chance.below(PERSONS) as usize;
            let mut store = conn.account(&a);
            step(&mut store, &id, &mut persons[which], (&mut chance, n)).await;
            // A restart: what is not in the rows is not known.
            if chance.below(4) == 0 {
                conn.commit().await.expect("commits");
                conn = bed.store.write().await.expect("write");
            }
        }
        let mut store = conn.account(&a);
        let mut chats = 0;
        for person in &persons {
            store
                .contact(&id, &person.both(), NOW)
                .await
                .expect("learns");
            if !person.told.is_empty() {
                is_one_chat(&mut store, &id, person).await;
                chats += 1;
            }
        }
        let query = ChatQuery {
            limit: 100,
            ..ChatQuery::default()
        };
        let listed = store.chats(&id, &query).await.expect("reads");
        assert_eq!(listed.len(), chats, "seed {seed}");
        conn.commit().await.expect("commits");
    }
}
