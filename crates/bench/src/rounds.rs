//! Processor time per request, in turns with the bare handler: ABAB, so that what else happens on the
//! machine falls on both.

use std::{
    cell::RefCell,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;

use crate::{
    Ready, Usage,
    client::{Connection, Request, get},
};

/// Connections that are kept busy at once.
pub const CONNECTIONS: usize = 32;

/// Where requests come from.
pub enum Supply {
    /// The same again and again.
    Same(Request),
    /// Each once; a round ends with the last.
    Each(Vec<Request>),
}

/// Something to compare with the bare handler.
pub struct Contender {
    pub name: &'static str,
    /// The least that its processor time may be of the bare handler's, as a ratio.
    pub goal: f64,
    pub address: SocketAddr,
}

/// Medians over the rounds.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Bare's processor time per request through the row's: 1 is as cheap as bare.
    pub cpu: f64,
    /// The middle half of the rounds.
    pub cpu_low: f64,
    pub cpu_high: f64,
    /// The row's requests per second through bare's.
    pub throughput: f64,
    pub bare_us: f64,
    pub row_us: f64,
}

/// The connection on which the process tells what it has used.
pub struct Control(RefCell<Option<Connection>>, Request);

impl Control {
    pub async fn open(ready: &Ready) -> Result<Self> {
        let connection = Connection::open(ready.control).await?;
        Ok(Self(RefCell::new(Some(connection)), get("/usage", &[])))
    }

    pub async fn usage(&self) -> Result<Usage> {
        let mut connection = self.0.take().context("two look at the usage at once")?;
        let told = connection.json(&self.1).await;
        self.0.replace(Some(connection));
        Ok(serde_json::from_value(told?)?)
    }
}

pub async fn connections(address: SocketAddr) -> Result<Vec<Connection>> {
    try_join_all((0..CONNECTIONS).map(|_| Connection::open(address))).await
}

/// Asks once and gives the length of the right answer; `check` judges it.
pub async fn probe(
    address: SocketAddr,
    request: &[u8],
    check: impl Fn(&[u8]) -> bool,
) -> Result<usize> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.call(request).await?;
    let shown = String::from_utf8_lossy(answer.body);
    ensure!(
        answer.status == 200 && check(answer.body),
        "a wrong answer: {} {shown}",
        answer.status
    );
    Ok(answer.body.len())
}

/// Compares one row with bare. `supply` gives the requests of each round of the row.
pub async fn compare<F: Future<Output = Result<Supply>>>(
    ready: &Ready,
    control: &Control,
    row: &Contender,
    (rounds, length): (u32, Duration),
    answer: usize,
    supply: impl Fn() -> F,
) -> Result<Figures> {
    let plain = Supply::Same(get(&format!("/bare/{answer}"), &[]));
    let mut bare = connections(ready.bare).await?;
    let mut mine = connections(row.address).await?;
    let mut pairs = Vec::new();
    // The first pair of rounds warms caches and branches and is not counted.
    for round in 0..=rounds {
        let a = measure(control, &mut bare, &plain, length, answer).await?;
        let requests = supply().await?;
        let b = measure(control, &mut mine, &requests, length, answer)
            .await
            .with_context(|| row.name.to_owned())?;
        if round > 0 {
            pairs.push((a, b));
        }
    }
    Ok(figures(&pairs, |bare, mine| bare / mine))
}

/// The same call in a small and in a large account.
pub struct Versus {
    pub address: SocketAddr,
    pub small: Request,
    pub large: Request,
}

/// Compares the two, in turns: `cpu` is how many times as dear the large one is, `throughput` likewise its share
/// of the small one's; `bare_us` is the small one's time.
pub async fn versus(
    control: &Control,
    pair: &Versus,
    (rounds, length): (u32, Duration),
) -> Result<Figures> {
    let mut mine = connections(pair.address).await?;
    let mut sides = Vec::new();
    for request in [&pair.small, &pair.large] {
        let answer = probe(pair.address, request, |_| true).await?;
        sides.push((Supply::Same(request.clone()), answer));
    }
    let mut pairs = Vec::new();
    // The first pair of rounds warms caches and branches and is not counted.
    for round in 0..=rounds {
        let a = measure(control, &mut mine, &sides[0].0, length, sides[0].1).await?;
        let b = measure(control, &mut mine, &sides[1].0, length, sides[1].1).await?;
        if round > 0 {
            pairs.push((a, b));
        }
    }
    Ok(figures(&pairs, |small, large| large / small))
}

/// Medians of rounds in turns; `ratio` says which of two processor times is divided by which.
fn figures(pairs: &[(Round, Round)], ratio: impl Fn(f64, f64) -> f64) -> Figures {
    let of = |pick: &dyn Fn(&(Round, Round)) -> f64| sorted(pairs.iter().map(pick));
    let cpu = of(&|(a, b)| ratio(a.cpu_us(), b.cpu_us()));
    Figures {
        cpu: quantile(&cpu, 0.5),
        cpu_low: quantile(&cpu, 0.25),
        cpu_high: quantile(&cpu, 0.75),
        throughput: quantile(&of(&|(a, b)| b.per_second() / a.per_second()), 0.5),
        bare_us: quantile(&of(&|(a, _)| a.cpu_us()), 0.5),
        row_us: quantile(&of(&|(_, b)| b.cpu_us()), 0.5),
    }
}

pub struct Round {
    pub requests: u64,
    cpu: Duration,
    elapsed: Duration,
}

impl Round {
    fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.requests as f64
    }
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// One round: every connection asks again as soon as it is answered.
pub async fn measure(
    control: &Control,
    connections: &mut [Connection],
    supply: &Supply,
    length: Duration,
    answer: usize,
) -> Result<Round> {
    let before = control.usage().await?;
    let begun = Instant::now();
    let next = RefCell::new(0usize);
    let each = connections.iter_mut().map(|connection| async {
        let mut requests = 0u64;
        while begun.elapsed() < length {
            let request = match supply {
                Supply::Same(request) => request,
                Supply::Each(all) => {
                    let at = next.replace_with(|at| *at + 1);
                    let Some(request) = all.get(at) else {
                        break;
                    };
                    request
                }
            };
            let told = connection.call(request).await?;
            ensure!(
                told.status == 200 && told.body.len() == answer,
                "a wrong answer under load: {} {}",
                told.status,
                String::from_utf8_lossy(told.body)
            );
            requests += 1;
        }
        Ok(requests)
    });
    let requests: u64 = try_join_all(each).await?.iter().sum();
    let elapsed = begun.elapsed();
    let after = control.usage().await?;
    ensure!(
        requests > 100,
        "a round of {requests} requests says nothing"
    );
    Ok(Round {
        requests,
        cpu: Duration::from_nanos(after.cpu_ns.saturating_sub(before.cpu_ns)),
        elapsed,
    })
}

pub fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Of sorted values, by the nearest rank; 0 of none.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (part * last as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}
