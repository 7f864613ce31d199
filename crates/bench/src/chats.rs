//! What lists cost in large accounts (`cargo xtask bench chats`): the first page of chats beside that of a small
//! account, the last page of a chat's messages likewise, and the bytes on disk that a message takes.
//!
//! Every figure is a ratio of processor time in one run, taken in turns; the milliseconds stand beside it.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    Account, Ready,
    auth::{self, under_load_with},
    client::{Connection, Request, get},
    report::{heading, machine, table, verdict, words, write},
    rounds::{self, Control, Figures, Versus},
};

/// The most that the large account may cost, of the small one.
const GOAL: f64 = 2.0;
/// Of a page.
const PAGE: usize = 50;

#[derive(clap::Args)]
pub struct Options {
    /// Rounds of each kind
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,
    /// Seconds of a round
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Chats of the small and the large account
    #[arg(long, num_args = 2, default_values_t = [200, 20_000])]
    chats: Vec<u32>,
    /// Messages of the small and the large account, in a hundred chats
    #[arg(long, num_args = 2, default_values_t = [10_000, 1_000_000])]
    messages: Vec<u32>,
    /// Put the figures into this document, between its two marks
    #[arg(long)]
    write: Option<PathBuf>,
}

/// In how many chats the messages of an account are whose last page is read.
const CHATS: u32 = 100;

struct Row {
    name: String,
    figures: Figures,
}

struct Outcome {
    rows: Vec<Row>,
    /// Bytes on disk for each message of the largest account.
    bytes: f64,
}

pub fn run(options: &Options) -> Result<()> {
    let machine = machine()?;
    let fills = [
        format!("{}x1", options.chats[0]),
        format!("{}x1", options.chats[1]),
        format!("{CHATS}x{}", options.messages[0] / CHATS),
        format!("{CHATS}x{}", options.messages[1] / CHATS),
    ];
    let mut args = Vec::new();
    for fill in &fills {
        args.extend(["--fill", fill.as_str()]);
    }
    let outcome = under_load_with(fills.len(), &args, async |ready| {
        measure(options, ready).await
    })?;
    let text = heading(&machine) + &outcome.markdown();
    println!("{}", text.replace("**", ""));
    match &options.write {
        Some(path) => write(path, "chats", &text),
        None => Ok(()),
    }
}

async fn measure(options: &Options, ready: &Ready) -> Result<Outcome> {
    let control = Control::open(ready).await?;
    let size = (options.rounds, Duration::from_secs_f64(options.seconds));
    let mut rows = Vec::new();
    let [few, many, short, long] = ready.accounts.as_slice() else {
        bail!("four accounts were asked for");
    };
    eprintln!("the first page of chats …");
    let pages = Versus {
        address: ready.gateway,
        small: first_page(ready, few).await?,
        large: first_page(ready, many).await?,
    };
    rows.push(Row {
        name: format!(
            "first page of {} chats, beside {}",
            options.chats[1], options.chats[0]
        ),
        figures: rounds::versus(&control, &pages, size).await?,
    });
    eprintln!("the last page of a chat's messages …");
    let pages = Versus {
        address: ready.gateway,
        small: last_page(ready, short).await?,
        large: last_page(ready, long).await?,
    };
    rows.push(Row {
        name: format!(
            "last page of a chat, {} messages in the account, beside {}",
            options.messages[1], options.messages[0]
        ),
        figures: rounds::versus(&control, &pages, size).await?,
    });
    let filled = long.filled.as_ref().context("it was filled")?;
    let bytes = filled.bytes as f64 / f64::from(options.messages[1]);
    Ok(Outcome { rows, bytes })
}

async fn bearer(ready: &Ready, account: &Account) -> Result<String> {
    let mut gateway = Connection::open(ready.gateway).await?;
    let jwt = auth::jwt_of(&mut gateway, account).await?;
    Ok(format!("Bearer {jwt}"))
}

async fn first_page(ready: &Ready, account: &Account) -> Result<Request> {
    let bearer = bearer(ready, account).await?;
    let instance = &account.filled.as_ref().context("it was filled")?.instance;
    let path = format!("/instances/{instance}/chats?page_size={PAGE}");
    let request = get(&path, &[("authorization", &bearer)]);
    let mut gateway = Connection::open(ready.gateway).await?;
    full(&gateway.json(&request).await?["content"])?;
    Ok(request)
}

/// Goes through all pages of one chat, as somebody does who reads it to its beginning.
async fn last_page(ready: &Ready, account: &Account) -> Result<Request> {
    let bearer = bearer(ready, account).await?;
    let filled = account.filled.as_ref().context("it was filled")?;
    let mut gateway = Connection::open(ready.gateway).await?;
    let mut after = String::new();
    loop {
        let path = format!(
            "/instances/{}/chats/{}/messages?limit={PAGE}{after}",
            filled.instance, filled.chat
        );
        let request = get(&path, &[("authorization", &bearer)]);
        let page = gateway.json(&request).await?;
        full(&page["messages"])?;
        match page["next"].as_str() {
            Some(next) => after = format!("&before={next}"),
            None => return Ok(request),
        }
    }
}

/// Both sides answer whole pages, or the comparison says nothing.
fn full(page: &Value) -> Result<()> {
    match page.as_array().map(Vec::len) {
        Some(PAGE) => Ok(()),
        other => bail!("a page of {other:?} where {PAGE} were asked for"),
    }
}

impl Outcome {
    fn markdown(&self) -> String {
        let mut rows = vec![words([
            "call",
            "goal",
            "CPU ratio",
            "verdict",
            "middle half",
            "CPU per request, small → large",
        ])];
        for Row { name, figures } in &self.rows {
            rows.push(vec![
                name.clone(),
                format!("≤ {GOAL:.1}"),
                format!("{:.2}", figures.cpu),
                verdict(figures.cpu <= GOAL).to_owned(),
                format!("{:.2} to {:.2}", figures.cpu_low, figures.cpu_high),
                format!("{:.0} → {:.0} µs", figures.bare_us, figures.row_us),
            ]);
        }
        format!(
            "{}\nOn disk a message of eighty letters takes {:.0} bytes, with its content, its indexes and its share of the chat.\n",
            table(&rows),
            self.bytes
        )
    }
}
