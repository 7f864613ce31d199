//! The ledgers of a run, and whether they agree: what callers were answered, what the phones show, what the
//! gateway's database says, and what the webhook's receiver got.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::kinds::Kind;

/// A message that the gateway answered with 200.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub id: String,
    /// Index of the chat.
    pub chat: usize,
    pub kind: Kind,
    pub round: u32,
    /// When the 200 was there, Unix milliseconds.
    pub at: i64,
}

/// One that a phone shows.
#[derive(Clone, Debug)]
pub struct Shown {
    pub id: String,
    pub arrivals: u64,
    /// Why its medium cannot be opened.
    pub fault: Option<String>,
}

/// The content of an event; two of equal content are one thing told twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    Message {
        id: String,
        from_me: bool,
    },
    Receipt {
        id: String,
        state: String,
        reader: String,
    },
}

/// An event as the receiver has it.
#[derive(Clone, Debug)]
pub struct Told {
    pub event: Event,
    /// Its time by its own account, Unix milliseconds.
    pub at: i64,
}

/// Everything that is known, over all rounds.
#[derive(Default)]
pub struct Books {
    /// In the order of acceptance within each chat.
    pub accepted: Vec<Accepted>,
    /// Per chat, in the phone's order.
    pub shown: BTreeMap<usize, Vec<Shown>>,
    /// Status of our messages by id, as the gateway's database has it.
    pub statuses: HashMap<String, String>,
    /// The messages that phones wrote to the instances, by the phones' own account.
    pub written: Vec<String>,
    /// Messages that phones wrote, as votes that the gateway could not read.
    pub unread: BTreeSet<String>,
    /// By `webhook-id`: deliveries may repeat, events may not.
    pub events: HashMap<String, Vec<Told>>,
}

/// Which ledger says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ledger {
    Phone,
    Database,
    Receiver,
}

/// One disagreement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// Accepted (or written by a phone), and missing there. The text says what is there instead.
    Lost(Ledger, String, String),
    /// There twice.
    Doubled(Ledger, String),
    /// Shown after one that was accepted later.
    Disorder(String),
}

impl Finding {
    /// The same without what may change from look to look.
    pub fn key(&self) -> Self {
        match self {
            Self::Lost(ledger, id, _) => Self::Lost(*ledger, id.clone(), String::new()),
            other => other.clone(),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(ledger, id, instead) => write!(f, "lost ({ledger:?}): {id}, {instead}"),
            Self::Doubled(ledger, what) => write!(f, "doubled ({ledger:?}): {what}"),
            Self::Disorder(id) => write!(f, "out of order (Phone): {id}"),
        }
    }
}

/// A message is on its way as the callers were promised.
pub fn has_arrived(status: &str) -> bool {
    matches!(status, "sent" | "delivered" | "read")
}

impl Books {
    /// Every disagreement between the ledgers.
    pub fn findings(&self) -> BTreeSet<Finding> {
        let mut found = BTreeSet::new();
        self.phones(&mut found);
        self.database(&mut found);
        self.receiver(&mut found);
        found
    }

    fn phones(&self, found: &mut BTreeSet<Finding>) {
        let mut times: HashMap<&str, u32> = HashMap::new();
        for shown in self.shown.values().flatten() {
            *times.entry(&shown.id).or_default() += 1;
        }
        for accepted in &self.accepted {
            match times.get(accepted.id.as_str()) {
                None => {
                    let instead = "no phone shows it".to_owned();
                    found.insert(Finding::Lost(Ledger::Phone, accepted.id.clone(), instead));
                }
                Some(1) => {}
                Some(_) => {
                    found.insert(Finding::Doubled(Ledger::Phone, accepted.id.clone()));
                }
            }
        }
        for shown in self.shown.values().flatten() {
            if let Some(fault) = &shown.fault {
                let instead = format!("its file cannot be opened: {fault}");
                found.insert(Finding::Lost(Ledger::Phone, shown.id.clone(), instead));
            }
        }
        // The place of each message among those of its chat.
        let place: HashMap<&str, usize> = self
            .accepted
            .iter()
            .enumerate()
            .map(|(place, accepted)| (accepted.id.as_str(), place))
            .collect();
        for chat in self.shown.values() {
            let mut last = None;
            for shown in chat {
                let here = place.get(shown.id.as_str()).copied();
                if here.is_some() && here < last {
                    found.insert(Finding::Disorder(shown.id.clone()));
                }
                last = last.max(here);
            }
        }
    }

    fn database(&self, found: &mut BTreeSet<Finding>) {
        for accepted in &self.accepted {
            let status = self.statuses.get(&accepted.id).map(String::as_str);
            if !status.is_some_and(has_arrived) {
                let instead = format!("it reads {}", status.unwrap_or("nothing"));
                found.insert(Finding::Lost(
                    Ledger::Database,
                    accepted.id.clone(),
                    instead,
                ));
            }
        }
    }

    fn receiver(&self, found: &mut BTreeSet<Finding>) {
        let mut times: HashMap<&Event, u32> = HashMap::new();
        for told in self.events.values().flatten() {
            *times.entry(&told.event).or_default() += 1;
        }
        for (event, times) in &times {
            if *times > 1 {
                let what = match event {
                    Event::Message { id, .. } => id.clone(),
                    Event::Receipt { id, state, reader } => format!("{id} {state} by {reader}"),
                };
                found.insert(Finding::Doubled(Ledger::Receiver, what));
            }
        }
        for id in &self.unread {
            let instead = "this vote cannot be read".to_owned();
            found.insert(Finding::Lost(Ledger::Receiver, id.clone(), instead));
        }
        let ours = self.accepted.iter().map(|accepted| (&accepted.id, true));
        let theirs = self.written.iter().map(|id| (id, false));
        for (id, from_me) in ours.chain(theirs) {
            let event = Event::Message {
                id: id.clone(),
                from_me,
            };
            if !times.contains_key(&event) {
                let instead = "no event tells of it".to_owned();
                found.insert(Finding::Lost(Ledger::Receiver, id.clone(), instead));
            }
        }
    }

    /// How many were accepted before that moment, and acknowledged after it.
    pub fn unacknowledged_at(&self, moment: i64, round: u32) -> usize {
        let acknowledged: HashMap<&str, i64> = self
            .events
            .values()
            .flatten()
            .filter_map(|told| match &told.event {
                Event::Message { id, from_me: true } => Some((id.as_str(), told.at)),
                _ => None,
            })
            .collect();
        let open = |accepted: &&Accepted| {
            accepted.round == round
                && accepted.at < moment
                && acknowledged
                    .get(accepted.id.as_str())
                    .is_none_or(|at| *at > moment)
        };
        self.accepted.iter().filter(open).count()
    }

    /// How many of a round's messages came to a phone more than once.
    pub fn repeated(&self, round: u32) -> usize {
        let of_round: BTreeSet<&str> = self
            .of_round(round)
            .map(|accepted| accepted.id.as_str())
            .collect();
        let shown = self.shown.values().flatten();
        shown
            .filter(|shown| shown.arrivals > 1 && of_round.contains(shown.id.as_str()))
            .count()
    }

    /// How many of a round's messages read `sent` though a phone that is online shows them.
    pub fn without_receipt(&self, round: u32) -> usize {
        self.of_round(round)
            .filter(|accepted| {
                self.statuses
                    .get(&accepted.id)
                    .is_some_and(|status| status == "sent")
            })
            .count()
    }

    pub fn of_round(&self, round: u32) -> impl Iterator<Item = &Accepted> {
        self.accepted
            .iter()
            .filter(move |accepted| accepted.round == round)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three messages of one chat and one that came in, on which all ledgers agree.
    fn books() -> Books {
        let mut books = Books::default();
        for id in ["a", "b", "c"] {
            books.accepted.push(Accepted {
                id: id.to_owned(),
                chat: 0,
                kind: Kind::Text,
                round: 1,
                at: 100,
            });
            let shown = Shown {
                id: id.to_owned(),
                arrivals: 1,
                fault: None,
            };
            books.shown.entry(0).or_default().push(shown);
            books.statuses.insert(id.to_owned(), "delivered".to_owned());
            books.events.insert(format!("evt-{id}"), vec![sent(id)]);
        }
        books.written.push("in".to_owned());
        let came = Event::Message {
            id: "in".to_owned(),
            from_me: false,
        };
        books.events.insert(
            "evt-in".to_owned(),
            vec![Told {
                event: came,
                at: 150,
            }],
        );
        books
    }

    fn sent(id: &str) -> Told {
        let event = Event::Message {
            id: id.to_owned(),
            from_me: true,
        };
        Told { event, at: 150 }
    }

    fn read(id: &str) -> Told {
        let (id, state, reader) = (id.to_owned(), "Read".to_owned(), "ana".to_owned());
        Told {
            event: Event::Receipt { id, state, reader },
            at: 150,
        }
    }

    fn said(books: &Books) -> Vec<String> {
        books.findings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ledgers_that_agree_have_no_findings() {
        assert_eq!(said(&books()), Vec::<String>::new());
    }

    #[test]
    fn a_lost_one_is_found_in_each_ledger() {
        let mut lost = books();
        lost.shown.get_mut(&0).expect("chat").remove(1);
        assert_eq!(said(&lost), ["lost (Phone): b, no phone shows it"]);

        let mut lost = books();
        lost.statuses
            .insert("c".to_owned(), "unconfirmed".to_owned());
        assert_eq!(said(&lost), ["lost (Database): c, it reads unconfirmed"]);

        let mut lost = books();
        lost.events.remove("evt-a");
        lost.events.remove("evt-in");
        let expected = [
            "lost (Receiver): a, no event tells of it",
            "lost (Receiver): in, no event tells of it",
        ];
        assert_eq!(said(&lost), expected);
    }

    #[test]
    fn a_doubled_one_is_found_and_a_repeated_delivery_is_none() {
        let mut doubled = books();
        let again = doubled.shown[&0][2].clone();
        doubled.shown.get_mut(&0).expect("chat").push(again);
        doubled
            .events
            .insert("evt-other".to_owned(), vec![sent("a")]);
        let expected = ["doubled (Phone): c", "doubled (Receiver): a"];
        assert_eq!(said(&doubled), expected);

        let mut receipts = books();
        receipts.events.insert("evt-1".to_owned(), vec![read("a")]);
        receipts.events.insert("evt-1".to_owned(), vec![read("a")]);
        assert_eq!(said(&receipts), Vec::<String>::new());
        receipts.events.insert("evt-2".to_owned(), vec![read("a")]);
        assert_eq!(said(&receipts), ["doubled (Receiver): a Read by ana"]);
    }

    #[test]
    fn a_file_that_does_not_open_and_a_vote_that_cannot_be_read_are_lost() {
        let mut broken = books();
        broken.shown.get_mut(&0).expect("chat")[0].fault = Some("its MAC".to_owned());
        broken.unread.insert("in".to_owned());
        let expected = [
            "lost (Phone): a, its file cannot be opened: its MAC",
            "lost (Receiver): in, this vote cannot be read",
        ];
        assert_eq!(said(&broken), expected);
    }

    #[test]
    fn a_disorder_is_found() {
        let mut mixed = books();
        mixed.shown.get_mut(&0).expect("chat").swap(0, 2);
        let expected = ["out of order (Phone): a", "out of order (Phone): b"];
        assert_eq!(said(&mixed), expected);
    }

    #[test]
    fn what_the_fault_hit_is_counted_by_the_time_of_the_sent_event() {
        let mut books = books();
        assert_eq!(books.unacknowledged_at(120, 1), 3);
        assert_eq!(books.unacknowledged_at(200, 1), 0);
        assert_eq!(books.unacknowledged_at(50, 1), 0);
        assert_eq!(books.unacknowledged_at(120, 2), 0);
        books.shown.get_mut(&0).expect("chat")[0].arrivals = 2;
        assert_eq!((books.repeated(1), books.repeated(2)), (1, 0));
    }
}
