//! What a message of each kind costs, from its call to its phone, beside a text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use super::bed::Bed;
use super::samples::{FILE, FILM, PICTURE, SOUND, STICKER, VOICE};
use crate::http::Http;
use crate::process::{Stop, wait_for};

const SHOP: &str = "5511998300001";
const CUSTOMERS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest wait for the gateway to be quiet.
const CALM: Duration = Duration::from_secs(5);

/// What is sent, or done to the message of the same place that was sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Text,
    Reply,
    Mention,
    Link,
    Buttons,
    List,
    Location,
    Contact,
    Contacts,
    Poll,
    Vote,
    Image,
    Video,
    Gif,
    Audio,
    Voice,
    Document,
    Sticker,
    Reaction,
    Edit,
    Forward,
    Delete,
}

impl Kind {
    /// In the order of a round: what is done to a message follows it, and its end is the last.
    const ALL: [Self; 22] = [
        Self::Text,
        Self::Reply,
        Self::Mention,
        Self::Link,
        Self::Buttons,
        Self::List,
        Self::Location,
        Self::Contact,
        Self::Contacts,
        Self::Poll,
        Self::Vote,
        Self::Image,
        Self::Video,
        Self::Gif,
        Self::Audio,
        Self::Voice,
        Self::Document,
        Self::Sticker,
        Self::Reaction,
        Self::Edit,
        Self::Forward,
        Self::Delete,
    ];

    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Method, path below the instance, and body of one call. `earlier` gives the id of another kind at this place.
    fn call(
        self,
        place: &Place,
        earlier: impl Fn(Self) -> String,
    ) -> (&'static str, String, Value) {
        let send = |kind: &str, fields: Value| ("POST", format!("/chat/send/{kind}"), fields);
        let text = earlier(Self::Text);
        let (method, path, mut body) = match self {
            Self::Text => send("text", json!({"message": "Your order is on its way."})),
            Self::Reply => send(
                "text",
                json!({"message": "It is here.", "reply_to_message_id": text}),
            ),
            Self::Mention => send(
                "text",
                json!({"message": "Ask @5511998400001", "mentioned_ids": ["5511998400001"]}),
            ),
            Self::Link => send(
                "link",
                json!({"message": "Have a look", "link_url": "https://example.com/a", "title": "A page"}),
            ),
            Self::Buttons => send(
                "buttons",
                json!({"message": "When?", "buttons": [{"text": "Today"}, {"text": "Tomorrow"}]}),
            ),
            Self::List => send(
                "list",
                json!({"title": "Menu", "description": "Choose", "button_text": "Open",
                    "sections": [{"title": "Food", "rows": [{"title": "Soup"}, {"title": "Bread"}]}]}),
            ),
            Self::Location => send(
                "location",
                json!({"latitude": -23.55, "longitude": -46.63, "name": "The square"}),
            ),
            Self::Contact => send(
                "contact",
                json!({"contact_name": "Ana", "contact_phone": "5511998400001"}),
            ),
            Self::Contacts => send(
                "contact",
                json!({"contacts": [{"contact_name": "Ana", "contact_phone": "5511998400001"},
                    {"contact_name": "Rui", "contact_phone": "5511998400002"}]}),
            ),
            Self::Poll => send("poll", json!({"name": "Which?", "options": ["One", "Two"]})),
            Self::Vote => (
                "POST",
                "/chat/poll/vote".to_owned(),
                json!({"message_id": earlier(Self::Poll), "from_me": true, "selected_options": ["Two"]}),
            ),
            Self::Image => send("image", json!({"image": PICTURE, "caption": "A picture"})),
            Self::Video => send("video", json!({"video": FILM})),
            Self::Gif => send("gif", json!({"gif": FILM})),
            Self::Audio => send("audio", json!({"audio": SOUND})),
            Self::Voice => send("audio", json!({"audio": VOICE, "ptt": true})),
            Self::Document => send("document", json!({"document": FILE, "file_name": "a.pdf"})),
            Self::Sticker => send("sticker", json!({"sticker": STICKER})),
            Self::Reaction => (
                "POST",
                "/chat/react".to_owned(),
                json!({"message_id": format!("me:{text}"), "reaction": "\u{1f44d}"}),
            ),
            Self::Edit => (
                "PATCH",
                format!("/chat/messages/{text}"),
                json!({"message": "Your order is late."}),
            ),
            Self::Forward => ("POST", format!("/chat/messages/{text}/forward"), json!({})),
            Self::Delete => ("DELETE", format!("/chat/messages/{text}"), json!({})),
        };
        body["phone"] = json!(place.customer);
        (method, path, body)
    }
}

/// One of the messages of a kind in a round: always to the same customer, so that what is done to earlier ones finds
/// them.
struct Place {
    number: usize,
    customer: String,
}

/// Processor time of one kind.
pub struct Cost {
    pub name: String,
    /// Of one message, the median of the rounds.
    pub per_message: Duration,
    /// Beside a text of the same round: the median, and where half of the rounds lie.
    pub ratio: f64,
    pub low: f64,
    pub high: f64,
}

/// What is measured.
pub struct Plan {
    pub rounds: usize,
    /// Messages of each kind in a round.
    pub messages: usize,
}

pub fn run(program: &Path, plan: &Plan, stop: &Stop) -> Result<Vec<Cost>> {
    let bed = Bed::start(program, 0, stop)?;
    let customers: Vec<_> = (0..CUSTOMERS)
        .map(|number| format!("551199831{number:04}"))
        .collect();
    for customer in &customers {
        bed.phone(customer)?;
    }
    let instance = bed.pair(SHOP)?;
    bed.all_online(1)?;
    let run = Run {
        bed: &bed,
        instance,
        customers,
    };
    // Chats and caches are there before anything counts.
    run.round(0, plan.messages.min(CUSTOMERS))?;
    let mut measured: BTreeMap<Kind, Vec<(Duration, f64)>> = BTreeMap::new();
    for round in 1..=plan.rounds {
        eprintln!("every kind, round {round} of {} …", plan.rounds);
        let costs = run.round(round, plan.messages)?;
        let text = costs[&Kind::Text].as_secs_f64();
        for (kind, cost) in costs {
            let ratio = cost.as_secs_f64() / text;
            let each = cost / plan.messages as u32;
            measured.entry(kind).or_default().push((each, ratio));
        }
    }
    Ok(measured
        .into_iter()
        .map(|(kind, rounds)| cost(kind, &rounds))
        .collect())
}

fn cost(kind: Kind, rounds: &[(Duration, f64)]) -> Cost {
    let mut times: Vec<_> = rounds.iter().map(|(time, _)| *time).collect();
    times.sort();
    let mut ratios: Vec<_> = rounds.iter().map(|(_, ratio)| *ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |quarter: usize| ratios[(ratios.len() - 1) * quarter / 4];
    Cost {
        name: kind.name(),
        per_message: times[(times.len() - 1) / 2],
        ratio: at(2),
        low: at(1),
        high: at(3),
    }
}

struct Run<'a> {
    bed: &'a Bed,
    instance: String,
    customers: Vec<String>,
}

impl Run<'_> {
    /// The processor time of all messages of each kind.
    fn round(&self, round: usize, messages: usize) -> Result<BTreeMap<Kind, Duration>> {
        let gauge = self.bed.gauge();
        let mut costs = BTreeMap::new();
        gauge.settle(CALM, &self.bed.stop)?;
        for kind in Kind::ALL {
            let before = gauge.cpu()?;
            self.send_all(round, kind, messages)?;
            self.wait_shown(round, kind, messages)?;
            // What follows is part of it: receipts, events, deliveries.
            gauge.settle(CALM, &self.bed.stop)?;
            costs.insert(kind, gauge.cpu()?.saturating_sub(before));
        }
        Ok(costs)
    }

    fn places(&self, messages: usize) -> impl Iterator<Item = Place> {
        (0..messages).map(|number| Place {
            number,
            customer: self.customers[number % CUSTOMERS].clone(),
        })
    }

    /// One caller for each customer.
    fn send_all(&self, round: usize, kind: Kind, messages: usize) -> Result<()> {
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for customer in 0..CUSTOMERS {
                let all = self.places(messages).collect::<Vec<_>>();
                threads.push(scope.spawn(move || {
                    let mut own = all
                        .iter()
                        .filter(|place| place.number % CUSTOMERS == customer);
                    own.try_for_each(|place| self.send(round, kind, place))
                }));
            }
            for thread in threads {
                let sent: Result<()> = thread.join().map_err(|_| anyhow!("a caller has failed"))?;
                sent?;
            }
            Ok(())
        })
    }

    fn send(&self, round: usize, kind: Kind, place: &Place) -> Result<()> {
        let (method, path, mut body) = kind.call(place, |other| id(round, other, place.number));
        body["id"] = json!(id(round, kind, place.number));
        let url = format!("{}/instances/{}{path}", self.bed.at.gateway, self.instance);
        let bearer = [("authorization", self.bed.at.bearer.as_str())];
        let http = Http::new(Duration::from_secs(30));
        http.call(method, &url, &bearer, Some(&body))?.ok()?;
        Ok(())
    }

    fn wait_shown(&self, round: usize, kind: Kind, messages: usize) -> Result<()> {
        let mut missing: BTreeSet<_> = (0..messages)
            .map(|number| id(round, kind, number))
            .collect();
        let what = format!("the phones to show every {}", kind.name());
        wait_for(&what, PATIENCE, &self.bed.stop, || {
            for customer in &self.customers {
                for message in self.bed.shown(customer)? {
                    missing.remove(message["id"].as_str().unwrap_or_default());
                }
            }
            Ok(missing.is_empty().then_some(()))
        })
    }
}

fn id(round: usize, kind: Kind, number: usize) -> String {
    format!("BENCH-{round:02}-{:02}-{number:04}", kind as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_place_once() {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at, "{kind:?}");
        }
        assert_eq!(Kind::Delete as usize + 1, Kind::ALL.len());
    }

    #[test]
    fn the_middle_is_the_middle() {
        let rounds: Vec<_> = [5, 1, 3, 2, 4]
            .map(|n| (Duration::from_millis(n), n as f64))
            .to_vec();
        let cost = cost(Kind::Poll, &rounds);
        assert_eq!(cost.per_message, Duration::from_millis(3));
        assert_eq!((cost.low, cost.ratio, cost.high), (2.0, 3.0, 4.0));
        assert_eq!(cost.name, "poll");
    }
}
