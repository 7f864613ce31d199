//! Whether time tells refused proofs apart: a rank test (Mann-Whitney) over interleaved requests on one
//! connection, and a planted leak that the same test must find.

use std::{net::SocketAddr, time::Instant};

use anyhow::{Result, ensure};
use recado_model::{Rng, Token, TokenKind, clock::OsRng};
use serde_json::json;

use crate::{
    Account, Ready,
    client::{Connection, Request, request},
    rounds::{quantile, sorted},
};

/// Above it, two kinds of refusal can be told apart: once in a thousand runs it is chance.
pub const LIMIT: f64 = 3.3;
/// The least that the planted leak must show, or the test is blind.
pub const FOUND: f64 = 8.0;

pub struct Comparison {
    pub name: &'static str,
    pub z: f64,
    /// Medians, in microseconds.
    pub first_us: f64,
    pub second_us: f64,
}

/// A way to be refused at `POST /token`.
#[derive(Clone, Copy)]
enum Kind {
    /// A well-formed client token that nobody has.
    Unknown,
    /// A client that exists and is in use, with a well-formed secret that is not its own.
    WrongSecret,
    /// In place of the client token, a well-formed token of another kind.
    Misplaced,
}

pub struct Outcome {
    pub real: Vec<Comparison>,
    pub control: Comparison,
}

pub async fn run(ready: &Ready, pairs: u32) -> Result<Outcome> {
    use Kind::{Misplaced, Unknown, WrongSecret};
    warm(ready).await?;
    let mut real = Vec::new();
    for (name, first, second) in [
        ("unknown client and wrong secret", Unknown, WrongSecret),
        ("malformed client and wrong secret", Misplaced, WrongSecret),
        ("malformed and unknown client", Misplaced, Unknown),
    ] {
        let pick = attempts(ready, [first, second]);
        real.push(comparison(name, compare(ready.gateway, pairs, pick).await?));
    }
    let pick = attempts(ready, [Unknown, WrongSecret]);
    let times = compare(ready.leaky, pairs, pick).await?;
    let control = comparison("planted leak: unknown client and wrong secret", times);
    Ok(Outcome { real, control })
}

pub fn comparison(name: &'static str, [first, second]: [Vec<f64>; 2]) -> Comparison {
    let z = rank_test(&first, &second);
    let median = |times: Vec<f64>| quantile(&sorted(times.into_iter()), 0.5);
    Comparison {
        name,
        z,
        first_us: median(first),
        second_us: median(second),
    }
}

/// Clients whose existence somebody might guess are clients in use: known to every cache.
async fn warm(ready: &Ready) -> Result<()> {
    for address in [ready.gateway, ready.leaky] {
        let mut connection = Connection::open(address).await?;
        for account in &ready.accounts {
            let body = json!({
                "client_token": account.client_token,
                "client_secret": account.client_secret,
            });
            connection.json(&post(&body.to_string())).await?;
        }
    }
    Ok(())
}

/// The times, in microseconds, of pairs of requests that are all refused with 401. `attempt` gives the
/// first or the second (0 or 1) of a pair.
pub async fn compare(
    address: SocketAddr,
    pairs: u32,
    attempt: impl Fn(usize, usize) -> Request,
) -> Result<[Vec<f64>; 2]> {
    let mut connection = Connection::open(address).await?;
    let mut times = [Vec::new(), Vec::new()];
    const WARM_UP: usize = 20;
    for pair in 0..pairs as usize + WARM_UP {
        let [first, second] = one_pair(&mut connection, 401, |which| attempt(which, pair)).await?;
        if pair >= WARM_UP {
            times[0].push(first);
            times[1].push(second);
        }
    }
    Ok(times)
}

/// The times of two requests, in microseconds. Which goes first is drawn, so that neither profits from
/// its place.
pub async fn one_pair(
    connection: &mut Connection,
    status: u16,
    attempt: impl Fn(usize) -> Request,
) -> Result<[f64; 2]> {
    let mut times = [0.0; 2];
    let turn = OsRng.below(2) as usize;
    for which in [turn, 1 - turn] {
        let request = attempt(which);
        let begun = Instant::now();
        let answer = connection.call(&request).await?;
        let took = begun.elapsed();
        ensure!(
            answer.status == status,
            "refused with {} instead of {status}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
        times[which] = took.as_secs_f64() * 1e6;
    }
    Ok(times)
}

fn attempts(ready: &Ready, kinds: [Kind; 2]) -> impl Fn(usize, usize) -> Request {
    move |which, pair| {
        let account = &ready.accounts[pair % ready.accounts.len()];
        attempt(kinds[which], account)
    }
}

fn attempt(kind: Kind, account: &Account) -> Request {
    let random = |kind| Token::random(kind, &OsRng).expose().to_owned();
    let client = match kind {
        Kind::Unknown => random(TokenKind::Client),
        Kind::WrongSecret => account.client_token.clone(),
        Kind::Misplaced => random(TokenKind::DirectKey),
    };
    let secret = random(TokenKind::ClientSecret);
    post(&json!({"client_token": client, "client_secret": secret}).to_string())
}

fn post(body: &str) -> Request {
    // Each from an address of its own, as an attacker with many would; else the limits on failed proofs
    // of one network answer in place of the proof.
    request("POST", "/token", &[("x-forwarded-for", &address())], body)
}

/// A random public address.
pub fn address() -> String {
    let mut bytes = [0u8; 3];
    OsRng.fill(&mut bytes);
    format!("93.{}.{}.{}", bytes[0], bytes[1], bytes[2])
}

/// How far the ranks of `a` lie from those of `b`, in standard deviations; ties share their rank.
fn rank_test(a: &[f64], b: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = a.iter().map(|time| (*time, true)).collect();
    all.extend(b.iter().map(|time| (*time, false)));
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (n, m) = (a.len() as f64, b.len() as f64);
    let total = n + m;
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    while at < all.len() {
        let same = all[at..]
            .iter()
            .take_while(|one| one.0 == all[at].0)
            .count();
        let rank = at as f64 + (same as f64 + 1.0) / 2.0;
        let ours = all[at..at + same].iter().filter(|one| one.1).count();
        ranks += rank * ours as f64;
        ties += (same as f64).powi(3) - same as f64;
        at += same;
    }
    let mean = n * (total + 1.0) / 2.0;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    match variance > 0.0 {
        true => (ranks - mean) / variance.sqrt(),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_test_agrees_with_the_textbook() {
        // By hand: ranks of the first are 1, 2 and 4 of six; U = 1, mean 4.5, deviation sqrt(5.25).
        let z = rank_test(&[1.0, 2.0, 4.0], &[3.0, 5.0, 6.0]);
        assert!((z - (1.0 - 4.5) / 5.25f64.sqrt()).abs() < 1e-9, "{z}");
        assert_eq!(rank_test(&[1.0; 5], &[1.0; 5]), 0.0);
        let low: Vec<f64> = (0..300).map(f64::from).collect();
        let high: Vec<f64> = (300..600).map(f64::from).collect();
        assert!(rank_test(&low, &high) < -FOUND);
        assert!(rank_test(&low, &low).abs() < LIMIT);
    }
}
