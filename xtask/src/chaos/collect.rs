//! Reads the ledgers where they are kept.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::bed::{Bed, CHATS};
use super::ledger::{Books, Event, Shown, Told, has_arrived};
use crate::http::Http;
use crate::program::Addresses;

/// Reads what is new into the books.
pub struct Collector {
    http: Http,
    addresses: Addresses,
    instances: Vec<String>,
    /// The receiver's last delivery that we have.
    seen: u64,
}

impl Collector {
    pub fn new(bed: &Bed) -> Self {
        Self {
            http: Http::new(Duration::from_secs(10)),
            addresses: bed.addresses.clone(),
            instances: bed.instances.iter().map(|i| i.id.clone()).collect(),
            seen: 0,
        }
    }

    pub fn all(&mut self, books: &mut Books) -> Result<()> {
        self.receiver(books)?;
        self.phones(books)?;
        self.database(books)
    }

    fn receiver(&mut self, books: &mut Books) -> Result<()> {
        let url = format!("{}/deliveries?after={}", self.addresses.receiver, self.seen);
        let deliveries = self.http.get(&url)?.ok()?.json()?;
        for delivery in deliveries.as_array().into_iter().flatten() {
            let number = delivery["id"].as_u64().context("a delivery has no id")?;
            self.seen = self.seen.max(number);
            let key = delivery["headers"]["webhook-id"]
                .as_str()
                .context("a delivery has no webhook-id")?;
            let body = &delivery["body"];
            let vote = &body["event"]["poll_vote"];
            if vote["decrypted"] == false
                && let Some(id) = body["event"]["info"]["id"].as_str()
            {
                books.unread.insert(id.to_owned());
            }
            books.events.insert(key.to_owned(), events(body));
        }
        Ok(())
    }

    fn phones(&self, books: &mut Books) -> Result<()> {
        books.written.clear();
        for (index, chat) in CHATS.iter().enumerate() {
            let url = format!(
                "{}/phones/{}/messages",
                self.addresses.network, chat.customer
            );
            let history = self.http.get(&url)?.ok()?.json()?;
            let mut shown = Vec::new();
            for message in history.as_array().into_iter().flatten() {
                let id = message["id"].as_str().context("a message has no id")?;
                if message["from"] == chat.customer {
                    books.written.push(id.to_owned());
                } else {
                    let arrivals = message["arrivals"].as_u64().unwrap_or(1);
                    shown.push(Shown {
                        id: id.to_owned(),
                        arrivals,
                        fault: message["media"]["fault"].as_str().map(str::to_owned),
                    });
                }
            }
            books.shown.insert(index, shown);
        }
        Ok(())
    }

    /// Only of those whose status can still move; `read` is the end.
    fn database(&self, books: &mut Books) -> Result<()> {
        let bearer = [("authorization", self.addresses.bearer.as_str())];
        for accepted in &books.accepted {
            let known = books.statuses.get(&accepted.id).map(String::as_str);
            if known.is_some_and(|status| has_arrived(status) && status != "sent") {
                continue;
            }
            let url = format!(
                "{}/instances/{}/chat/messages/{}",
                self.addresses.gateway, self.instances[CHATS[accepted.chat].instance], accepted.id
            );
            let reply = self.http.call("GET", &url, &bearer, None)?;
            let status = match reply.status {
                200 => status(&reply.json()?["data"]),
                code => format!("HTTP {code}"),
            };
            books.statuses.insert(accepted.id.clone(), status);
        }
        Ok(())
    }
}

/// The status, and why it failed.
fn status(message: &Value) -> String {
    let mut status = message["status"].as_str().unwrap_or("nothing").to_owned();
    if let Some(code) = message["code"].as_str() {
        status = format!("{status} ({code})");
    }
    status
}

/// The messages that a webhook's body tells of. Other events tell nothing.
fn events(body: &Value) -> Vec<Told> {
    let event = &body["event"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = |what: Event, at: &Value| Told {
        event: what,
        at: at.as_str().and_then(unix_ms).unwrap_or(0),
    };
    match body["type"].as_str() {
        Some("Message") => {
            let info = &event["info"];
            let what = Event::Message {
                id: text(&info["id"]),
                from_me: info["is_from_me"] == true,
            };
            vec![told(what, &info["timestamp"])]
        }
        Some("ReadReceipt") => {
            let receipt = |id: &Value| Event::Receipt {
                id: text(id),
                state: text(&body["state"]),
                reader: text(&event["sender"]),
            };
            let ids = event["message_ids"].as_array();
            ids.into_iter()
                .flatten()
                .map(|id| told(receipt(id), &event["timestamp"]))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// `2026-01-01T00:00:00.000Z` as Unix milliseconds.
fn unix_ms(text: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let (hour, minute, second) = (part(11..13)?, part(14..16)?, part(17..19)?);
    let millis = part(20..23).unwrap_or(0);
    // Days since 1970: years begin in March, so that the leap day is their last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_of_events_are_read() {
        assert_eq!(unix_ms("1970-01-01T00:00:00.000Z"), Some(0));
        assert_eq!(unix_ms("2026-01-01T00:00:00.000Z"), Some(1_767_225_600_000));
        assert_eq!(unix_ms("2024-02-29T23:59:59.001Z"), Some(1_709_251_199_001));
        assert_eq!(unix_ms("yesterday"), None);
    }

    #[test]
    fn a_receipt_tells_of_each_of_its_messages() {
        let body = json!({"type": "ReadReceipt", "state": "Read", "event": {
            "message_ids": ["a", "b"], "sender": "ana", "timestamp": "1970-01-01T00:00:01.000Z"}});
        let told = events(&body);
        assert_eq!(told.len(), 2);
        assert_eq!(told[1].at, 1000);
        let expected = Event::Receipt {
            id: "b".to_owned(),
            state: "Read".to_owned(),
            reader: "ana".to_owned(),
        };
        assert_eq!(told[1].event, expected);
        assert!(events(&json!({"type": "Connected", "event": {}})).is_empty());
    }
}
