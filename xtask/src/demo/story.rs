//! The main job, step by step, with real results: nothing here is printed that a program did not answer.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::info::{CUSTOMER, DirectInstance, Info, Memory, Played, SALES, SHOP};
use super::print;
use crate::http::{Http, Reply};
use crate::process::{Stop, wait_for};

const PATIENCE: Duration = Duration::from_secs(45);

/// Plays the story. Each thing that it makes is remembered at once, so that a later run finds it.
pub fn play(info: &Info, memory: &mut Memory, file: &Path, stop: &Stop) -> Result<()> {
    // Distinct in each run: what the phones and the receiver show must be of this run.
    let stamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() % 100_000_000;
    let http = Http::new(Duration::from_secs(40));
    let mut story = Story {
        info,
        memory,
        file,
        stop,
        http,
        stamp,
        number: 0,
    };
    println!("\nThe story\n");
    let begun = Instant::now();
    let jwt = story.token()?;
    let mine = story.instance(&jwt)?;
    let secret = story.webhook(&mine)?;
    story.pair(&mine)?;
    let sent = story.send(&mine)?;
    story.answer(&sent)?;
    story.events(&sent, &secret)?;
    story.mcp()?;
    story.direct()?;
    println!(
        "\nThe story came to its end in {}.",
        print::took(begun.elapsed())
    );
    Ok(())
}

/// The instance and how its owner shows who he is.
struct Mine {
    id: String,
    bearer: String,
}

struct Sent {
    message_id: String,
    text: String,
    answer: String,
}

struct Story<'a> {
    info: &'a Info,
    memory: &'a mut Memory,
    file: &'a Path,
    stop: &'a Stop,
    http: Http,
    stamp: u128,
    number: u32,
}

impl Story<'_> {
    /// Prints a step's title, does it, prints how long it took and what came of it.
    fn step<T>(
        &mut self,
        title: &str,
        act: impl FnOnce(&mut Self) -> Result<(T, String)>,
    ) -> Result<T> {
        self.stop.check()?;
        self.number += 1;
        print!("{:>3}  {title:<58}", self.number);
        // So that a slow step is seen while it runs.
        std::io::stdout().flush()?;
        let begun = Instant::now();
        match act(self) {
            Ok((value, result)) => {
                println!("{:>8}", print::took(begun.elapsed()));
                for line in result.lines() {
                    println!("     {line}");
                }
                Ok(value)
            }
            Err(error) => {
                println!("{:>8}", "FAILED");
                let number = self.number;
                Err(error.context(format!("step {number}, {title}")))
            }
        }
    }

    fn token(&mut self) -> Result<String> {
        self.step("POST /token", |s| {
            let body =
                json!({"client_token": s.info.client_token, "client_secret": s.info.client_secret});
            let reply = s
                .http
                .post(&format!("{}/token", s.info.base_url), &body)?
                .ok()?
                .json()?;
            let jwt = text(&reply, "/access_token")?;
            Ok((
                format!("Bearer {jwt}"),
                format!("an owner JWT, good for {} s", reply["expires_in"]),
            ))
        })
    }

    /// The connected instance of an earlier run, or a new one.
    fn instance(&mut self, bearer: &str) -> Result<Mine> {
        if let Some(played) = self.memory.played.clone() {
            let mine = Mine {
                id: played.instance_id,
                bearer: bearer.to_owned(),
            };
            let known = self
                .status(&mine)
                .is_ok_and(|reply| reply["data"]["connected"] == true);
            if known {
                return self.step("GET  /instances/{id}/session/status", |_| {
                    let said = format!("{} is still paired: this run uses it again", mine.id);
                    Ok((mine, said))
                });
            }
        }
        self.step("PUT  /instances/create", |s| {
            let body = json!({"name": "Demo", "webhook": s.info.receiver_url, "events_subscribe": ["All"]});
            let url = format!("{}/instances/create", s.info.base_url);
            let made = s.http.call("PUT", &url, &[("authorization", bearer)], Some(&body))?.ok()?.json()?;
            let (id, token) = (text(&made, "/id")?, text(&made, "/token")?);
            s.memory.played = Some(Played { instance_id: id.clone(), instance_token: token.clone(), direct: None });
            s.memory.save(s.file)?;
            let said = format!("{id} with its own token {token}");
            Ok((Mine { id, bearer: bearer.to_owned() }, said))
        })
    }

    fn webhook(&mut self, mine: &Mine) -> Result<String> {
        self.step("POST /instances/{id}/webhook", |s| {
            let body = json!({"webhookURL": s.info.receiver_url, "events": "All"});
            let set = s
                .owner("POST", mine, "webhook", Some(&body))?
                .ok()?
                .json()?;
            let secret = text(&set, "/data/signing_secret")?;
            Ok((
                secret,
                format!("all events go to {}, signed", s.info.receiver_url),
            ))
        })
    }

    /// QR, scan, connected. Nothing to do for an instance that is paired.
    fn pair(&mut self, mine: &Mine) -> Result<()> {
        for (number, name) in [(SHOP, "Demo shop"), (CUSTOMER, "Ana, a customer")] {
            self.phone(number, name)?;
        }
        if self.status(mine)?["data"]["connected"] != true {
            self.step("GET  /instances/{id}/session/qr", |s| {
                let code = s.qr(|s| s.owner("GET", mine, "session/qr?format=text", None))?;
                Ok(((), print::qr(&code)?))
            })?;
            self.step(&format!("the phone {SHOP} scans it"), |s| {
                // The code on the screen may have run out by now: a person scans the one that is shown.
                let code = s.qr(|s| s.owner("GET", mine, "session/qr?format=text", None))?;
                s.scan(SHOP, &code)?;
                Ok(((), "pairing completed on the phone".to_owned()))
            })?;
        }
        self.step("GET  /instances/{id}/session/status", |s| {
            let data = wait_for("the instance to be connected", PATIENCE, s.stop, || {
                let status = s.status(mine)?;
                Ok((status["data"]["connected"] == true).then(|| status["data"].clone()))
            })?;
            if data["phone"] != SHOP {
                bail!(
                    "the instance says it is {}, the phone is {SHOP}",
                    data["phone"]
                );
            }
            Ok(((), format!("connected: {}", data)))
        })
    }

    fn send(&mut self, mine: &Mine) -> Result<Sent> {
        let stamp = self.stamp;
        let message = format!("Olá Ana! Your order {stamp} is ready.");
        let message_id = self.step("POST /instances/{id}/chat/send/text", |s| {
            let body = json!({"phone": CUSTOMER, "message": message});
            let sent = s
                .owner("POST", mine, "chat/send/text", Some(&body))?
                .ok()?
                .json()?;
            let id = text(&sent, "/data/message_id")?;
            Ok((id.clone(), format!("message {id} is on its way")))
        })?;
        self.step(&format!("the phone {CUSTOMER} shows it"), |s| {
            let shown = s.shown_on(CUSTOMER, &message)?;
            Ok(((), format!("decrypted: “{message}” from {}", shown["from"])))
        })?;
        Ok(Sent {
            message_id,
            text: message,
            answer: format!("Obrigada! I will fetch order {stamp} at six."),
        })
    }

    fn answer(&mut self, sent: &Sent) -> Result<()> {
        self.step(&format!("the phone {CUSTOMER} answers"), |s| {
            let url = format!("{}/phones/{CUSTOMER}/messages", s.info.sandbox_url);
            let reply = s
                .http
                .post(&url, &json!({"to": SHOP, "text": sent.answer}))?
                .ok()?
                .json()?;
            Ok((
                (),
                format!(
                    "“{}” ({})",
                    sent.answer,
                    reply["id"].as_str().unwrap_or("no id")
                ),
            ))
        })
    }

    /// Both events at the receiver, each with a signature that holds.
    fn events(&mut self, sent: &Sent, secret: &str) -> Result<()> {
        self.step("the webhook receiver has the Message event", |s| {
            let found = s.delivery(|body, raw| {
                body["type"] == "Message" && raw.contains(&sent.answer) && !raw.contains(&sent.text)
            })?;
            Ok(((), proof(&found, secret)?))
        })?;
        self.step("the webhook receiver has the ReadReceipt event", |s| {
            let found = s.delivery(|body, raw| {
                let read = body["state"] == "Read" || body["event"]["state"] == "Read";
                body["type"] == "ReadReceipt" && read && raw.contains(&sent.message_id)
            })?;
            Ok(((), proof(&found, secret)?))
        })
    }

    fn mcp(&mut self) -> Result<()> {
        self.step("MCP  tools/call get_shop_status", |s| {
            let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": {"name": "get_shop_status", "arguments": {}}});
            let bearer = format!("Bearer {}", s.info.api_token);
            let headers = [
                ("authorization", bearer.as_str()),
                ("accept", "application/json, text/event-stream"),
            ];
            let reply = s
                .http
                .call("POST", &s.info.mcp_url, &headers, Some(&call))?
                .ok()?
                .json()?;
            if reply["result"]["isError"] == true || !reply["error"].is_null() {
                bail!("the tool answered {reply}");
            }
            Ok(((), text(&reply, "/result/content/0/text")?))
        })
    }

    fn direct(&mut self) -> Result<()> {
        self.step("GET  /health (Direct API)", |s| {
            let reply = s.http.get(&format!("{}/health", s.info.direct_url))?.ok()?;
            Ok(((), reply.text))
        })?;
        let session = self.direct_session()?;
        self.step("POST /sessions/{key}/messages", |s| {
            let message = format!("Order {} again, from the Direct API.", s.stamp);
            let url = format!("{}/sessions/{}/messages", s.info.direct_url, session.key);
            let headers = [("x-api-key", session.api_key.as_str())];
            let body = json!({"to": CUSTOMER, "text": message});
            let reply = s
                .http
                .call("POST", &url, &headers, Some(&body))?
                .ok()?
                .json()?;
            let id = text(&reply, "/messageId")?;
            s.shown_on(CUSTOMER, &message)?;
            Ok(((), format!("message {id}, shown on the phone {CUSTOMER}")))
        })
    }

    fn direct_session(&mut self) -> Result<DirectInstance> {
        let known = self
            .memory
            .played
            .as_ref()
            .and_then(|played| played.direct.clone());
        if let Some(session) = known
            && self
                .direct_status(&session)
                .is_ok_and(|reply| reply["status"] == "connected")
        {
            return self.step("GET  /sessions/{key}", |_| {
                Ok((
                    session,
                    "the session of the last run is still connected".to_owned(),
                ))
            });
        }
        self.phone(SALES, "Sales")?;
        let session = self.step("POST /sessions", |s| {
            let bearer = format!("Bearer {}", s.info.api_token);
            let url = format!("{}/sessions", s.info.direct_url);
            let body = json!({"label": "Sales"});
            let made = s
                .http
                .call("POST", &url, &[("authorization", &bearer)], Some(&body))?
                .ok()?
                .json()?;
            let session = DirectInstance {
                key: text(&made, "/key")?,
                api_key: text(&made, "/apiKey")?,
            };
            if let Some(played) = &mut s.memory.played {
                played.direct = Some(session.clone());
            }
            s.memory.save(s.file)?;
            let said = format!("session {} with its key {}", session.key, session.api_key);
            Ok((session, said))
        })?;
        self.step("GET  /sessions/{key}/qr, scanned by another phone", |s| {
            let url = format!(
                "{}/sessions/{}/qr?format=text",
                s.info.direct_url, session.key
            );
            let code = s.qr(|s| s.http.get(&url))?;
            s.scan(SALES, &code)?;
            Ok(((), format!("{SALES} completed the pairing")))
        })?;
        self.step("GET  /sessions/{key}", |s| {
            let reply = wait_for("the session to be connected", PATIENCE, s.stop, || {
                let reply = s.direct_status(&session)?;
                Ok((reply["status"] == "connected").then_some(reply))
            })?;
            Ok(((), reply.to_string()))
        })?;
        Ok(session)
    }

    fn direct_status(&self, session: &DirectInstance) -> Result<Value> {
        let url = format!("{}/sessions/{}", self.info.direct_url, session.key);
        self.http
            .call("GET", &url, &[("x-api-key", &session.api_key)], None)?
            .ok()?
            .json()
    }

    fn owner(&self, method: &str, mine: &Mine, path: &str, body: Option<&Value>) -> Result<Reply> {
        let url = format!("{}/instances/{}/{path}", self.info.base_url, mine.id);
        self.http
            .call(method, &url, &[("authorization", &mine.bearer)], body)
    }

    fn status(&self, mine: &Mine) -> Result<Value> {
        self.owner("GET", mine, "session/status", None)?
            .ok()?
            .json()
    }

    /// The text of the QR that is shown now. The first call starts the connection, so the code may take a
    /// moment; until then the gateway says that there is none yet.
    fn qr(&self, get: impl Fn(&Self) -> Result<Reply>) -> Result<String> {
        wait_for("a QR code", PATIENCE, self.stop, || {
            let reply = get(self)?;
            match reply.status {
                200 if !reply.text.trim().is_empty() => Ok(Some(reply.text.trim().to_owned())),
                200 | 202 | 204 | 425 | 503 => Ok(None),
                _ => reply.ok().map(|_| None),
            }
        })
    }

    fn phone(&self, number: &str, name: &str) -> Result<()> {
        let url = format!("{}/phones", self.info.sandbox_url);
        self.http
            .post(&url, &json!({"number": number, "name": name}))?
            .ok()?;
        // One that was switched off in an earlier run would answer nothing.
        self.http
            .post(&format!("{url}/{number}/online"), &json!({}))?
            .ok()?;
        Ok(())
    }

    fn scan(&self, number: &str, code: &str) -> Result<()> {
        let url = format!("{}/phones/{number}/scan", self.info.sandbox_url);
        self.http.post(&url, &json!({"qr": code}))?.ok()?;
        Ok(())
    }

    /// Waits until a phone shows this text, and gives the message as the phone has it.
    fn shown_on(&self, number: &str, message: &str) -> Result<Value> {
        let url = format!("{}/phones/{number}/messages", self.info.sandbox_url);
        wait_for("the phone to show the message", PATIENCE, self.stop, || {
            let messages = self.http.get(&url)?.ok()?.json()?;
            let list = messages
                .as_array()
                .context("the phone's messages are no list")?;
            Ok(list
                .iter()
                .find(|m| m["text"] == message && m["to"] == number)
                .cloned())
        })
    }

    /// Waits for a delivery of this run whose parsed and raw body are `wanted`.
    fn delivery(&self, wanted: impl Fn(&Value, &str) -> bool) -> Result<Value> {
        let url = format!("{}/deliveries", self.info.receiver_origin());
        wait_for(
            "the event at the webhook receiver",
            PATIENCE,
            self.stop,
            || {
                let deliveries = self.http.get(&url)?.ok()?.json()?;
                let list = deliveries
                    .as_array()
                    .context("the deliveries are no list")?;
                let found = list
                    .iter()
                    .find(|d| wanted(&d["body"], d["raw"].as_str().unwrap_or_default()));
                Ok(found.cloned())
            },
        )
    }
}

/// A delivery in words, with its signature checked as a customer would.
fn proof(delivery: &Value, secret: &str) -> Result<String> {
    super::signature::verify(&delivery["headers"], &text(delivery, "/raw")?, secret)?;
    let mut body = delivery["body"].to_string();
    if let Some((cut, _)) = body.char_indices().nth(400) {
        body.truncate(cut);
        body.push('…');
    }
    Ok(format!(
        "signature verified, webhook-id {}\n{body}",
        text(&delivery["headers"], "/webhook-id")?
    ))
}

fn text(json: &Value, pointer: &str) -> Result<String> {
    let found = json.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("the answer has no text at {pointer}: {json}"))
}
