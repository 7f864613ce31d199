//! Stanzas that a companion has not acknowledged, as a list and as the lines of its file.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::blob::Blob;

/// A stanza that a companion has not acknowledged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Queued {
    /// The stanza's tag: `message`, `receipt` or `notification`.
    pub(crate) class: String,
    pub(crate) id: String,
    /// The account it comes from, digits; empty when the server itself speaks.
    pub(crate) from: String,
    /// The `type` of a receipt: one message has several.
    pub(crate) kind: Option<String>,
    /// The stanza in WhatsApp's binary form.
    pub(crate) stanza: Blob,
    /// The connection it was last written to. Sending again on that one would be a duplicate.
    #[serde(skip)]
    pub(crate) sent_on: Option<u64>,
}

/// A line of the file: a stanza came, or one was acknowledged.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Came { at: u64, stanza: Queued },
    Taken { taken: u64 },
}

#[derive(Serialize)]
struct Came<'a> {
    at: u64,
    stanza: &'a Queued,
}

#[derive(Serialize)]
struct Taken {
    taken: u64,
}

/// The queue of one companion, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    stanzas: VecDeque<(u64, Queued)>,
    next: u64,
    /// Lines that were not saved.
    lines: Vec<u8>,
}

impl Queue {
    pub(crate) fn push(&mut self, stanza: Queued) {
        let at = self.next;
        self.next += 1;
        note(
            &mut self.lines,
            &Came {
                at,
                stanza: &stanza,
            },
        );
        self.stanzas.push_back((at, stanza));
    }

    /// Takes out what was acknowledged. Returns whether there was anything.
    pub(crate) fn take(&mut self, is_it: impl Fn(&Queued) -> bool) -> bool {
        let lines = &mut self.lines;
        let before = self.stanzas.len();
        self.stanzas.retain(|(at, stanza)| {
            let taken = is_it(stanza);
            if taken {
                note(lines, &Taken { taken: *at });
            }
            !taken
        });
        self.stanzas.len() != before
    }

    pub(crate) fn len(&self) -> usize {
        self.stanzas.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Queued> {
        self.stanzas.iter().map(|(_, stanza)| stanza)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Queued> {
        self.stanzas.iter_mut().map(|(_, stanza)| stanza)
    }

    /// Reads a line of the file. Lines may come twice.
    pub(crate) fn restore(&mut self, line: &str) -> serde_json::Result<()> {
        match serde_json::from_str(line)? {
            Line::Came { at, stanza } => {
                if at >= self.next {
                    self.next = at + 1;
                    self.stanzas.push_back((at, stanza));
                }
            }
            Line::Taken { taken } => self.stanzas.retain(|(at, _)| *at != taken),
        }
        Ok(())
    }

    /// Changes since the last call.
    pub(crate) fn take_lines(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.lines)
    }

    /// The lines of what waits now.
    pub(crate) fn all_lines(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        for (at, stanza) in &self.stanzas {
            note(&mut lines, &Came { at: *at, stanza });
        }
        lines
    }
}

fn note(lines: &mut Vec<u8>, line: &impl Serialize) {
    // Texts and numbers into memory: neither can fail.
    if serde_json::to_writer(&mut *lines, line).is_ok() {
        lines.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_restore_what_waits() {
        let stanza = |id: &str| Queued {
            class: "message".to_owned(),
            id: id.to_owned(),
            from: "1".to_owned(),
            kind: None,
            stanza: Blob(vec![1, 2]),
            sent_on: None,
        };
        let mut queue = Queue::default();
        for id in ["a", "b", "c"] {
            queue.push(stanza(id));
        }
        let mut lines = queue.take_lines();
        assert!(queue.take(|queued| queued.id == "b"));
        assert!(!queue.take(|queued| queued.id == "b"));
        lines.extend(queue.take_lines());
        let mut again = Queue::default();
        let text = String::from_utf8(lines).expect("text");
        // A kill may write the last batch twice.
        for line in text.lines().chain(text.lines()) {
            again.restore(line).expect("a line");
        }
        let ids: Vec<&str> = again.iter().map(|queued| queued.id.as_str()).collect();
        assert_eq!(ids, ["a", "c"]);
        assert_eq!(again.all_lines(), queue.all_lines());
    }
}
