//! Trouble on purpose: what the network does wrong, for whom, how often and for how long.
//!
//! This file knows the list and the input; what each kind does is where the healthy path is:
//! `conn` (swallow, freeze), `messages` (refuse, acks, repeats), `streams` (stream errors),
//! `phone/incoming` (retry receipts), `phone/past` (frames of a phone's past) and `iq/usync` (look-ups).

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::refusal::{Refusal, digits};

/// What goes wrong. The names are those of the control API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What clients send is read and thrown away.
    Swallow,
    /// Client sockets are neither read nor written.
    Freeze,
    /// Messages are acknowledged with an error and not relayed.
    Refuse,
    /// Acknowledgements come late.
    DelayAcks,
    /// Messages are relayed and never acknowledged.
    DropAcks,
    /// The acknowledgement comes after the delivery receipt.
    ReceiptsFirst,
    /// A message id that was taken before is relayed to nobody.
    DropRepeats,
    /// Clients get a stream error.
    StreamError,
    /// Phones ask for messages that they got.
    RetryReceipt,
    /// A frame of a phone's past ends in the middle.
    HistoryTruncated,
    /// One says to have more than it has.
    HistoryLies,
    /// The media host has forgotten one before it is fetched.
    HistoryLost,
    /// The media host cannot give one at first.
    HistoryLate,
    /// One is told of twice.
    HistoryTwice,
    /// Whether numbers are on WhatsApp is not answered.
    RefuseLookUps,
}

const KINDS: [(&str, Kind); 15] = [
    ("swallow", Kind::Swallow),
    ("freeze", Kind::Freeze),
    ("refuse", Kind::Refuse),
    ("delay_acks", Kind::DelayAcks),
    ("drop_acks", Kind::DropAcks),
    ("receipts_first", Kind::ReceiptsFirst),
    ("drop_repeats", Kind::DropRepeats),
    ("stream_error", Kind::StreamError),
    ("retry_receipt", Kind::RetryReceipt),
    ("history_truncated", Kind::HistoryTruncated),
    ("history_lies", Kind::HistoryLies),
    ("history_lost", Kind::HistoryLost),
    ("history_late", Kind::HistoryLate),
    ("history_twice", Kind::HistoryTwice),
    ("refuse_look_ups", Kind::RefuseLookUps),
];

/// How long after the receipt the acknowledgement comes, unless the caller says it: a client may
/// handle what comes in one packet in any order.
const BEHIND_RECEIPT: u64 = 100;

/// A trouble, as the control API takes and lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What goes wrong.
    pub kind: Kind,
    /// The account that it is limited to, digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// How many messages (stream errors: how many errors) are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Delay, or (swallow, freeze) what is left of its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The error; what it may be depends on the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// When it ends by itself.
    #[serde(skip)]
    until: Option<Instant>,
}

fn bad(field: &str, text: &str) -> Refusal {
    Refusal::Bad(format!("`{field}` {text}"))
}

impl Trouble {
    /// Reads a request. Every defect names its field.
    pub(crate) fn parse(body: &Value) -> Result<Self, Refusal> {
        let body = body
            .as_object()
            .ok_or_else(|| Refusal::Bad("expected an object with `kind`".to_owned()))?;
        let kind = kind(body)?;
        for (name, value) in body {
            let known = match name.as_str() {
                "kind" | "number" => true,
                "count" => kind != Kind::Freeze,
                "ms" => matches!(
                    kind,
                    Kind::Swallow
                        | Kind::Freeze
                        | Kind::DelayAcks
                        | Kind::ReceiptsFirst
                        | Kind::HistoryLate
                ),
                "code" => matches!(
                    kind,
                    Kind::Refuse | Kind::DropRepeats | Kind::StreamError | Kind::RefuseLookUps
                ),
                _ => false,
            };
            if !known && !value.is_null() {
                return Err(bad(name, "means nothing for this kind of trouble"));
            }
        }
        let number = match body.get("number") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(digits)) => Some(digits.to_string()),
            Some(_) => return Err(bad("number", "is not a phone number")),
        };
        let number = number
            .map(|text| {
                digits(&text).map_err(|_| bad("number", "is not a phone number: use its digits"))
            })
            .transpose()?;
        let count = whole(body, "count")?;
        if count == Some(0) {
            return Err(bad("count", "must be 1 or more"));
        }
        let mut ms = whole(body, "ms")?;
        let mut until = None;
        match kind {
            Kind::Swallow | Kind::Freeze => {
                until = ms
                    .map(|ms| {
                        Instant::now()
                            .checked_add(Duration::from_millis(ms))
                            .filter(|_| ms > 0)
                            .ok_or_else(|| bad("ms", "must be 1 or more, and not for ages"))
                    })
                    .transpose()?;
            }
            Kind::HistoryLate if ms.is_none() => {
                return Err(bad("ms", "is missing: how long the host cannot give it"));
            }
            Kind::DelayAcks if ms.is_none() => {
                return Err(bad("ms", "is missing: how late the acks come"));
            }
            Kind::ReceiptsFirst => ms = ms.or(Some(BEHIND_RECEIPT)),
            _ => {}
        }
        Ok(Self {
            kind,
            number,
            count,
            ms,
            code: code(body, kind)?,
            until,
        })
    }

    fn hits(&self, kind: Kind, number: &str) -> bool {
        self.kind == kind
            && self.number.as_deref().is_none_or(|only| only == number)
            && self.is_on()
    }

    fn is_on(&self) -> bool {
        self.count != Some(0) && self.until.is_none_or(|until| until > Instant::now())
    }
}

fn kind(body: &Map<String, Value>) -> Result<Kind, Refusal> {
    let name = body.get("kind").and_then(Value::as_str).unwrap_or_default();
    KINDS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, kind)| *kind)
        .ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
            bad("kind", &format!("is one of {}", names.join(", ")))
        })
}

fn whole(body: &Map<String, Value>, field: &str) -> Result<Option<u64>, Refusal> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_u64()
            .map(Some)
            .ok_or_else(|| bad(field, "is not a whole number")),
    }
}

fn code(body: &Map<String, Value>, kind: Kind) -> Result<Option<u16>, Refusal> {
    let code = whole(body, "code")?;
    let fits = |range: std::ops::RangeInclusive<u64>| {
        code.filter(|code| range.contains(code))
            .and_then(|code| u16::try_from(code).ok())
    };
    match kind {
        Kind::Refuse => fits(1..=999)
            .map(Some)
            .ok_or_else(|| bad("code", "is the error of the ack, 1 to 999")),
        Kind::RefuseLookUps => fits(1..=999)
            .map(Some)
            .ok_or_else(|| bad("code", "is the error of the answer, 1 to 999")),
        Kind::StreamError => fits(0..=0).or(fits(400..=599)).map(Some).ok_or_else(|| {
            bad(
                "code",
                "is 400 to 599, or 0 for an error shaped like an ack",
            )
        }),
        Kind::DropRepeats if code.is_some_and(|code| code != 0) => Err(bad(
            "code",
            "is 0 (repeats are acknowledged) or absent (they are not)",
        )),
        _ => Ok(fits(0..=0)),
    }
}

/// When and whether a message is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AckWay {
    pub(crate) never: bool,
    pub(crate) after_receipt: bool,
    pub(crate) delay: Duration,
}

/// All troubles that are on, oldest first. Of two that fit, the older one acts.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Vec<Trouble>);

impl Troubles {
    pub(crate) fn add(&mut self, trouble: Trouble) {
        self.tidy();
        self.0.push(trouble);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn tidy(&mut self) {
        self.0.retain(Trouble::is_on);
    }

    /// What remains.
    pub(crate) fn list(&self) -> Vec<Trouble> {
        let now = Instant::now();
        self.0
            .iter()
            .filter(|trouble| trouble.is_on())
            .map(|trouble| Trouble {
                ms: match trouble.until {
                    Some(until) => {
                        u64::try_from(until.saturating_duration_since(now).as_millis()).ok()
                    }
                    None => trouble.ms,
                },
                ..trouble.clone()
            })
            .collect()
    }

    fn first(&self, kind: Kind, number: &str) -> Option<&Trouble> {
        self.0.iter().find(|trouble| trouble.hits(kind, number))
    }

    /// The trouble that meets a message (or a stream) of this account; one of its count is used.
    pub(crate) fn meet(&mut self, kind: Kind, number: &str) -> Option<Trouble> {
        let at = self
            .0
            .iter()
            .position(|trouble| trouble.hits(kind, number))?;
        let trouble = self.0.get_mut(at)?;
        if let Some(count) = &mut trouble.count {
            *count -= 1;
        }
        let met = trouble.clone();
        self.tidy();
        Some(met)
    }

    /// Whether what this account sends is thrown away; `counts` for a message.
    pub(crate) fn swallows(&mut self, number: &str, counts: bool) -> bool {
        if counts {
            self.meet(Kind::Swallow, number).is_some()
        } else {
            self.first(Kind::Swallow, number).is_some()
        }
    }

    /// Whether everything of this account is swallowed at this moment.
    pub(crate) fn is_deaf(&self, number: &str) -> bool {
        self.first(Kind::Swallow, number).is_some()
    }

    /// Whether this account's sockets stand still, and until when; `None` inside for no end.
    pub(crate) fn frozen(&self, number: &str) -> Option<Option<Instant>> {
        self.first(Kind::Freeze, number)
            .map(|trouble| trouble.until)
    }

    /// How a message of this account is acknowledged.
    pub(crate) fn ack_way(&mut self, number: &str) -> AckWay {
        let mut way = AckWay::default();
        if self.meet(Kind::DropAcks, number).is_some() {
            way.never = true;
            return way;
        }
        for kind in [Kind::ReceiptsFirst, Kind::DelayAcks] {
            if let Some(trouble) = self.meet(kind, number) {
                way.after_receipt |= kind == Kind::ReceiptsFirst;
                way.delay += Duration::from_millis(trouble.ms.unwrap_or_default());
            }
        }
        way
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bad_input_names_its_field() {
        for (body, field) in [
            (json!({}), "kind"),
            (json!({"kind": "explode"}), "kind"),
            (json!({"kind": "swallow", "number": "x"}), "number"),
            (json!({"kind": "swallow", "count": 0}), "count"),
            (json!({"kind": "swallow", "count": -1}), "count"),
            (json!({"kind": "swallow", "code": 5}), "code"),
            (json!({"kind": "swallow", "ms": 0}), "ms"),
            (json!({"kind": "freeze", "count": 1}), "count"),
            (json!({"kind": "refuse"}), "code"),
            (json!({"kind": "refuse", "code": 1000}), "code"),
            (json!({"kind": "delay_acks"}), "ms"),
            (json!({"kind": "drop_acks", "ms": 5}), "ms"),
            (json!({"kind": "drop_repeats", "code": 1}), "code"),
            (json!({"kind": "stream_error"}), "code"),
            (json!({"kind": "stream_error", "code": 200}), "code"),
            (json!({"kind": "retry_receipt", "colour": 1}), "colour"),
        ] {
            let refused = Trouble::parse(&body).expect_err("it is bad").to_string();
            assert!(refused.contains(&format!("`{field}`")), "{body}: {refused}");
        }
    }

    #[test]
    fn a_count_is_used_up_and_a_number_limits() {
        let mut troubles = Troubles::default();
        let parse = |body| Trouble::parse(&body).expect("good");
        troubles.add(parse(
            json!({"kind": "refuse", "code": 503, "count": 2, "number": "+5511999990001"}),
        ));
        troubles.add(parse(json!({"kind": "refuse", "code": 429, "count": 1})));
        assert_eq!(
            troubles.meet(Kind::Refuse, "5511999990002").unwrap().code,
            Some(429)
        );
        for _ in 0..2 {
            assert_eq!(
                troubles.meet(Kind::Refuse, "5511999990001").unwrap().code,
                Some(503)
            );
        }
        assert!(troubles.list().is_empty());
        assert!(troubles.meet(Kind::Refuse, "5511999990001").is_none());
    }
}
