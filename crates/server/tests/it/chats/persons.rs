//! One person, one chat, in whatever order their addresses turn up: by HTTP, with phones that write.
//!
//! `RECADO_PERSON_STORIES` says how many orders are tried; each is made of its number alone. (Of the store alone:
//! `contract`, `persons`.)

use std::collections::BTreeSet;

use recado_sandbox::NamedBy;
use serde_json::{Value, json};

use super::{ask, get};
use crate::gateway::{Bed, Made, SHOP, until};

on_both! {
    in_whatever_order_a_person_is_one_chat,
}

const STORIES: u64 = 2;
const PERSONS: u64 = 2;
const STEPS: u64 = 14;

/// Numbers by chance, the same for the same story.
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
    number: String,
    told: BTreeSet<String>,
}

impl Person {
    fn new(bed: &Bed, story: u64, n: u64) -> Self {
        let number = format!("551199{:07}", story * 10 + n);
        let network = bed.sandbox.network();
        network.add_phone(&number, "Somebody").expect("a phone");
        Self {
            number,
            told: BTreeSet::new(),
        }
    }

    fn writes(&mut self, bed: &Bed, named_by: NamedBy, text: String) {
        let network = bed.sandbox.network();
        network.name_by(&self.number, named_by).expect("a phone");
        let sent = network.send_text(&self.number, SHOP, &text);
        sent.expect("it writes");
        self.told.insert(text);
    }

    /// The person of the shop answers on the phone.
    fn is_answered(&mut self, bed: &Bed, named_by: NamedBy, text: String) {
        let network = bed.sandbox.network();
        network.name_by(&self.number, named_by).expect("a phone");
        let sent = network.send_text(SHOP, &self.number, &text);
        sent.expect("it writes");
        self.told.insert(text);
    }
}

fn form(chance: &mut Chance) -> NamedBy {
    match chance.below(4) {
        0 => NamedBy::Number,
        1 => NamedBy::Lid,
        2 => NamedBy::NumberAlone,
        _ => NamedBy::LidAlone,
    }
}

/// One thing that happens, to one of them.
async fn step(
    bed: &mut Bed,
    made: &Made,
    person: &mut Person,
    (chance, what): (&mut Chance, String),
) {
    match chance.below(12) {
        0..=4 => person.writes(bed, form(chance), format!("in {what}")),
        5..=6 => person.is_answered(bed, form(chance), format!("phone {what}")),
        7..=8 => {
            let text = format!("out {what}");
            let body = json!({"phone": person.number, "message": text});
            bed.send(&bed.a, made, body).await.ok();
            person.told.insert(text);
        }
        // WhatsApp says who is who: to whoever asks, and in the address book. Or nothing, between two connections.
        9 => {
            let body = json!({"phone": person.number});
            drop(ask(bed, made, ("POST", "/user/check"), body).await);
        }
        10 => {
            let body = json!({"phone": person.number, "full_name": "Somebody"});
            drop(ask(bed, made, ("POST", "/contact/add"), body).await);
        }
        _ => {
            let again = made.path("/restart");
            bed.post(&again).bearer(&bed.a.jwt).send().await.ok();
            bed.wait_state(&bed.a, made, "connected").await;
        }
    }
}

async fn texts(bed: &Bed, made: &Made, who: &str) -> Option<Vec<String>> {
    let path = made.path(&format!("/chats/{who}/messages?limit=100"));
    let answer = bed.get(&path).bearer(&bed.a.jwt).send().await;
    let page = (answer.status == 200).then(|| answer.json())?;
    let messages = page["messages"].as_array()?.iter();
    let texts = messages.map(|one| one["text"].as_str().map(str::to_owned));
    texts.collect()
}

async fn is_one_chat(bed: &Bed, made: &Made, person: &Person, story: u64) {
    let expected: Vec<&String> = person.told.iter().collect();
    until(&format!("all of story {story}"), async || {
        let mut seen = texts(bed, made, &person.number).await?;
        seen.sort();
        (seen.iter().collect::<Vec<_>>() == expected).then_some(())
    })
    .await;
    let chat = get(bed, made, &format!("/chats/{}", person.number)).await;
    let lid = chat["lid"].as_str().expect("an id").to_owned();
    assert_eq!(chat["phone"], json!(person.number), "story {story}");
    assert_eq!(get(bed, made, &format!("/chats/{lid}")).await, chat);
    let by_lid = texts(bed, made, &lid).await.expect("messages");
    assert_eq!(by_lid.len(), expected.len(), "story {story}");
    // In the list once.
    let page = get(bed, made, "/chats?page_size=200").await;
    let listed = page["content"].as_array().expect("a list").iter();
    let same = |one: &&Value| one["lid"] == chat["lid"] || one["phone"] == chat["phone"];
    assert_eq!(listed.filter(same).count(), 1, "story {story}");
}

async fn in_whatever_order_a_person_is_one_chat(bed: &mut Bed) {
    let stories = std::env::var("RECADO_PERSON_STORIES").ok();
    let stories = stories
        .and_then(|text| text.parse().ok())
        .unwrap_or(STORIES);
    let made = bed.paired(&bed.a, SHOP).await;
    for story in 1..=stories {
        let mut chance = Chance(story.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut persons: Vec<Person> = (0..PERSONS).map(|n| Person::new(bed, story, n)).collect();
        for n in 0..STEPS {
            let person = &mut persons[chance.below(PERSONS) as usize];
            step(bed, &made, person, (&mut chance, format!("{story}.{n}"))).await;
        }
        // Once, in the end, a stanza has both.
        for person in &mut persons {
            person.writes(bed, NamedBy::Lid, format!("last {story}"));
            is_one_chat(bed, &made, person, story).await;
        }
        bed.log_in().await;
    }
}
