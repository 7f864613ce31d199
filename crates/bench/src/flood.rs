//! The cost of a flood of log-ins for callers with credentials: `cargo xtask bench login-flood`.
//!
//! Callers ask in rounds, in turns with and without a flood beside them. The flood is a thread of its own,
//! whose connections send the next wrong log-in as soon as the last is answered.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Result, anyhow, ensure};
use futures_util::future::try_join_all;

use crate::{
    Ready,
    auth::{Customer, status_by_pair, under_load, under_load_with},
    client::Connection,
    login::{self, attempt, unknown_email, wrong_password},
    report::{self, heading, table, verdict, words},
    rounds::{Control, Supply, connections, measure, probe, quantile, sorted},
    timing::{self, address},
};

/// The least that callers keep of their throughput.
const KEPT: f64 = 0.80;
/// The most memory that a flood may take, in KiB.
const MEMORY_KIB: u64 = 64 * 1024;
const ACCOUNTS: usize = 100;

#[derive(clap::Args)]
pub struct Options {
    /// Rounds with a flood, one without before each
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,
    /// Seconds of a round
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Connections of the flood
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Pairs of refused log-ins whose times are compared
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(20..))]
    pairs: u32,
    /// Put the figures into this document, between its two marks
    #[arg(long)]
    write: Option<PathBuf>,
}

/// Where a flood comes from.
#[derive(Clone, Copy)]
enum Source {
    /// The limits answer most of it.
    OneAddress,
    /// No limit on networks helps: the passwords must be hashed, or refused for want of room.
    Everywhere,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::OneAddress => "from one address",
            Self::Everywhere => "each from another address",
        }
    }
}

struct Figures {
    source: Source,
    kept: f64,
    low: f64,
    high: f64,
    calm: f64,
    flooded: f64,
    grown_kib: u64,
    answers: [u64; 3],
}

pub fn run(options: &Options) -> Result<()> {
    let machine = report::machine()?;
    let mut rows = Vec::new();
    for source in [Source::OneAddress, Source::Everywhere] {
        eprintln!("a flood {} …", source.name());
        // A fresh process each: the most memory that it ever used does not shrink.
        rows.push(under_load(ACCOUNTS, async |ready| {
            flooded(options, ready, source).await
        })?);
    }
    eprintln!("times of refused log-ins …");
    let times = under_load_with(ACCOUNTS, &["--no-hold"], async |ready| {
        login::run(ready, options.pairs).await
    })?;
    let text = markdown(&machine, options, &rows, &times);
    println!("{}", text.replace("**", ""));
    if let Some(path) = &options.write {
        report::write(path, "login-flood", &text)?;
    }
    report::must_see(&times)
}

async fn flooded(options: &Options, ready: &Ready, source: Source) -> Result<Figures> {
    let customer = Customer::make(ready).await?;
    let control = Control::open(ready).await?;
    let request = status_by_pair(&customer);
    let answer = probe(ready.gateway, &request, |_| true).await?;
    let supply = Supply::Same(request);
    let mut callers = connections(ready.gateway).await?;
    let length = Duration::from_secs_f64(options.seconds);
    let flood = Flood::start(ready, source, options.connections)?;

    // The first round warms what every process warms, and is not counted.
    measure(&control, &mut callers, &supply, length, answer).await?;
    let before = control.usage().await?.peak_kib;
    let mut pairs = Vec::new();
    for _ in 0..options.rounds {
        let calm = measure(&control, &mut callers, &supply, length, answer).await?;
        flood.flow(true);
        // Until its queues are full.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let loud = measure(&control, &mut callers, &supply, length, answer).await?;
        flood.flow(false);
        tokio::time::sleep(Duration::from_millis(500)).await;
        pairs.push((calm.per_second(), loud.per_second()));
    }
    let after = control.usage().await?.peak_kib;
    let answers = flood.end()?;
    ensure!(
        answers.iter().sum::<u64>() >= u64::from(options.rounds),
        "the flood was a trickle: {answers:?}"
    );
    let of = |pick: &dyn Fn(&(f64, f64)) -> f64| sorted(pairs.iter().map(pick));
    let kept = of(&|(calm, loud)| loud / calm);
    Ok(Figures {
        source,
        kept: quantile(&kept, 0.5),
        low: quantile(&kept, 0.25),
        high: quantile(&kept, 0.75),
        calm: quantile(&of(&|(calm, _)| *calm), 0.5),
        flooded: quantile(&of(&|(_, loud)| *loud), 0.5),
        grown_kib: after.saturating_sub(before),
        answers,
    })
}

/// Connections that try to sign in, in a thread of their own, so that they do not wait for the callers.
struct Flood {
    shared: Arc<FloodState>,
    thread: JoinHandle<Result<()>>,
}

#[derive(Default)]
struct FloodState {
    flows: AtomicBool,
    ends: AtomicBool,
    /// Answered 401, 429 and 503.
    answers: [AtomicU64; 3],
}

impl Flood {
    fn start(ready: &Ready, source: Source, connections: u16) -> Result<Self> {
        let shared = Arc::new(FloodState::default());
        let known: Vec<String> = ready.accounts.iter().map(|one| one.email.clone()).collect();
        let (gateway, ours) = (ready.gateway, Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("flood".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                let each = (0..usize::from(connections))
                    .map(|number| one_connection(gateway, source, &known, number, &ours));
                runtime.block_on(try_join_all(each))?;
                Ok(())
            })?;
        Ok(Self { shared, thread })
    }

    fn flow(&self, flows: bool) {
        self.shared.flows.store(flows, Ordering::Relaxed);
    }

    /// How many log-ins were answered 401, 429 and 503.
    fn end(self) -> Result<[u64; 3]> {
        self.shared.ends.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| anyhow!("the flood's thread panicked"))??;
        Ok([0, 1, 2].map(|at| self.shared.answers[at].load(Ordering::Relaxed)))
    }
}

async fn one_connection(
    gateway: SocketAddr,
    source: Source,
    known: &[String],
    number: usize,
    shared: &FloodState,
) -> Result<()> {
    let mut connection = Connection::open(gateway).await?;
    let mut turn = number;
    while !shared.ends.load(Ordering::Relaxed) {
        if !shared.flows.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        }
        turn += 1;
        // Half of them aim at people who exist.
        let email = match turn % 2 {
            0 => unknown_email(),
            _ => known[turn / 2 % known.len()].clone(),
        };
        let from = match source {
            Source::OneAddress => "93.184.215.14".to_owned(),
            Source::Everywhere => address(),
        };
        let answer = connection
            .call(&attempt(&email, &wrong_password(), &from))
            .await?;
        let at = match answer.status {
            401 => 0,
            429 => 1,
            503 => 2,
            status => {
                let said = String::from_utf8_lossy(answer.body);
                anyhow::bail!("a wrong log-in was answered {status}: {said}")
            }
        };
        shared.answers[at].fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn markdown(machine: &str, options: &Options, rows: &[Figures], times: &timing::Outcome) -> String {
    let mut cost = vec![words([
        "flood",
        "goal",
        "throughput kept",
        "verdict",
        "middle half",
        "callers per second, calm → flooded",
        "log-ins answered",
    ])];
    let mut memory = vec![words(["flood", "goal", "peak memory grown by", "verdict"])];
    for row in rows {
        let name = format!("{} connections, {}", options.connections, row.source.name());
        let [refused, limited, full] = row.answers;
        cost.push(vec![
            name.clone(),
            format!("≥ {KEPT:.2}"),
            format!("{:.2}", row.kept),
            verdict(row.kept >= KEPT).to_owned(),
            format!("{:.2} to {:.2}", row.low, row.high),
            format!("{:.0} → {:.0}", row.calm, row.flooded),
            format!("{refused} × 401, {limited} × 429, {full} × 503"),
        ]);
        let mib = |kib: u64| format!("{:.1} MiB", kib as f64 / 1024.0);
        memory.push(vec![
            name,
            format!("≤ {}", mib(MEMORY_KIB)),
            mib(row.grown_kib),
            verdict(row.grown_kib <= MEMORY_KIB).to_owned(),
        ]);
    }
    [
        heading(machine) + &table(&cost),
        table(&memory),
        report::times(times),
    ]
    .join("\n")
}
