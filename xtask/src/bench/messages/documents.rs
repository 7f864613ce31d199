//! Large documents out and back: equal to the byte, and how much the gateway's memory grows meanwhile.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::bed::Bed;
use super::host::{Document, Host, hex};
use crate::http::Http;
use crate::process::{Stop, wait_for};

const LENGTH: usize = 64 * 1024 * 1024;
const AT_ONCE: usize = 10;
/// How much memory may grow by one, and by ten at once.
const GOAL_KIB: u64 = 24 * 1024;
const GOAL_AT_ONCE_KIB: u64 = 96 * 1024;
/// One way of one document, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// How a document goes.
#[derive(Clone, Copy)]
enum Way {
    /// From an address to a phone.
    Url,
    /// From a form to a phone.
    Form,
    /// From a phone to whoever asks for the medium of its message.
    Back,
}

impl Way {
    const ALL: [Self; 3] = [Self::Url, Self::Form, Self::Back];

    fn name(self) -> &'static str {
        match self {
            Self::Url => "out, by URL",
            Self::Form => "out, by form",
            Self::Back => "back, from a phone",
        }
    }
}

/// What came of one way.
pub struct Growth {
    pub what: &'static str,
    pub at_once: usize,
    /// Of the gateway's resident memory: the most it was above what it was when it was idle.
    pub grown_kib: u64,
    pub goal_kib: u64,
    /// What of it was left when all was quiet again.
    pub left_kib: u64,
    /// From the first call to the last byte.
    pub took: Duration,
}

/// An instance, and somebody who writes with it.
struct Line {
    instance: String,
    shop: String,
    customer: String,
}

/// What the idle gateway has, and what came of each way: alone, and `at_once`.
pub fn run(program: &Path, at_once: bool, stop: &Stop) -> Result<(u64, Vec<Growth>)> {
    let count = if at_once { AT_ONCE } else { 1 };
    let documents = (0..count as u64).map(|seed| Document::random(seed, LENGTH));
    let documents: Arc<Vec<_>> = Arc::new(documents.collect());
    let host = Host::start(Arc::clone(&documents))?;
    let bed = Bed::start(program, 0, stop)?;
    let lines = lines(&bed, count)?;
    let gauge = bed.gauge();
    let idle = gauge.settle(Duration::from_secs(60), stop)?;
    let mut found = Vec::new();
    for (count, goal_kib) in [(1, GOAL_KIB), (AT_ONCE, GOAL_AT_ONCE_KIB)] {
        for way in Way::ALL.into_iter().filter(|_| count <= documents.len()) {
            gauge.forget_peak()?;
            let begun = Instant::now();
            let round = Round {
                bed: &bed,
                host: &host,
                way,
                count,
            };
            round.play(&lines[..count], &documents)?;
            let took = begun.elapsed();
            let grown_kib = gauge.peak_kib()?.saturating_sub(idle);
            let left = gauge.settle(Duration::from_secs(20), stop)?;
            eprintln!("{count} {}: {} MiB more", way.name(), grown_kib >> 10);
            found.push(Growth {
                what: way.name(),
                at_once: count,
                grown_kib,
                goal_kib,
                left_kib: left.saturating_sub(idle),
                took,
            });
        }
    }
    Ok((idle, found))
}

/// Each has exchanged a text both ways, so that what every chat costs is there before anything is measured.
fn lines(bed: &Bed, count: usize) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for number in 0..count {
        let [shop, customer] =
            ["551199810", "551199820"].map(|start| format!("{start}{number:04}"));
        bed.phone(&customer)?;
        let instance = bed.pair(&shop)?;
        lines.push(Line {
            instance,
            shop,
            customer,
        });
    }
    bed.all_online(count)?;
    for line in &lines {
        let text = json!({"phone": line.customer, "message": "First", "id": "FIRST-0001"});
        let path = format!("/instances/{}/chat/send/text", line.instance);
        bed.owner("POST", &path, Some(&text))?.ok()?;
        line.shown(bed, "FIRST-0001")?;
        let id = line.write(bed, &json!({"to": line.shop, "text": "Second"}))?;
        line.known(bed, &id)?;
    }
    Ok(lines)
}

impl Line {
    /// Waits until the customer's phone shows this message, and gives it.
    fn shown(&self, bed: &Bed, id: &str) -> Result<Value> {
        let what = format!("message {id} to be shown");
        wait_for(&what, PATIENCE, &bed.stop, || {
            let shown = bed.shown(&self.customer)?;
            Ok(shown.into_iter().find(|message| message["id"] == id))
        })
    }

    /// The customer writes.
    fn write(&self, bed: &Bed, message: &Value) -> Result<String> {
        let url = format!("{}/phones/{}/messages", bed.at.network, self.customer);
        let written = Http::new(PATIENCE).post(&url, message)?.ok()?.json()?;
        let id = written["id"].as_str().context("a message has no id")?;
        Ok(id.to_owned())
    }

    /// Waits until the gateway has this message.
    fn known(&self, bed: &Bed, id: &str) -> Result<()> {
        let path = format!("/instances/{}/chat/messages/{id}", self.instance);
        let what = format!("message {id} to come in");
        wait_for(&what, PATIENCE, &bed.stop, || {
            Ok((bed.owner("GET", &path, None)?.status == 200).then_some(()))
        })
    }
}

/// So many documents, all one way, all at once.
struct Round<'a> {
    bed: &'a Bed,
    host: &'a Host,
    way: Way,
    count: usize,
}

impl Round<'_> {
    fn play(&self, lines: &[Line], documents: &[Document]) -> Result<()> {
        std::thread::scope(|scope| {
            let each = lines.iter().zip(documents).enumerate();
            let threads: Vec<_> = each
                .map(|(number, (line, document))| {
                    scope.spawn(move || match self.way {
                        Way::Back => self.back(line, document),
                        Way::Url | Way::Form => self.out(line, number, document),
                    })
                })
                .collect();
            for thread in threads {
                let done = thread.join();
                done.map_err(|_| anyhow::anyhow!("a caller has failed"))??;
            }
            Ok(())
        })
    }

    fn out(&self, line: &Line, number: usize, document: &Document) -> Result<()> {
        let id = format!("DOCUMENT-{}-{}", self.count, self.way as u8);
        let url = format!(
            "{}/instances/{}/chat/send/document",
            self.bed.at.gateway, line.instance
        );
        let http = Http::new(PATIENCE);
        let bearer = [("authorization", self.bed.at.bearer.as_str())];
        match self.way {
            Way::Url => {
                let from = self.host.url(number);
                let body = json!({"phone": line.customer, "document": from, "file_name": "large.bin", "id": id});
                http.call("POST", &url, &bearer, Some(&body))?.ok()?;
            }
            Way::Form | Way::Back => {
                let texts = [("phone", line.customer.as_str()), ("id", &id)];
                let file = ("large.bin", document.bytes.as_slice());
                http.upload(&url, &bearer, &texts, file)?.ok()?;
            }
        }
        let shown = line.shown(self.bed, &id)?;
        let media = &shown["media"];
        ensure!(
            media["sha256"] == document.sha256.as_str()
                && media["length"] == document.bytes.len() as u64,
            "the phone has another document than was sent: {media}"
        );
        Ok(())
    }

    fn back(&self, line: &Line, document: &Document) -> Result<()> {
        let data = BASE64_STANDARD.encode(&document.bytes);
        let file =
            json!({"data": data, "mime": "application/octet-stream", "file_name": "large.bin"});
        drop(data);
        let id = line.write(self.bed, &json!({"to": line.shop, "document": file}))?;
        line.known(self.bed, &id)?;
        let url = format!(
            "{}/instances/{}/chat/messages/{id}/media",
            self.bed.at.gateway, line.instance
        );
        let (length, sha256) = self.read(&url)?;
        ensure!(
            sha256 == document.sha256 && length == document.bytes.len() as u64,
            "the gateway gives another document than the phone sent: {length} bytes, {sha256}"
        );
        Ok(())
    }

    /// The gateway fetches it when it is first asked for, and says so where that takes long: asked again then.
    fn read(&self, url: &str) -> Result<(u64, String)> {
        let bearer = [("authorization", self.bed.at.bearer.as_str())];
        let begun = Instant::now();
        loop {
            let mut hash = Hashing(Sha256::new());
            match Http::new(PATIENCE).download(url, &bearer, &mut hash) {
                Ok(length) => return Ok((length, hex(&hash.0.finalize()))),
                Err(error) if begun.elapsed() > PATIENCE => return Err(error),
                Err(error) if !format!("{error:#}").contains("answered 503") => bail!(error),
                Err(_) => self.bed.stop.check()?,
            }
        }
    }
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
