//! The memory that tokens nobody has leave in the gateway: each well-formed, so that no checksum refuses it,
//! and each from another address.

use std::cell::Cell;

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use recado_model::{Token, TokenKind, clock::OsRng};

use crate::{
    Ready,
    client::get,
    rounds::{Control, connections},
    timing::address,
};

/// The memory that a million of them may leave behind, in KiB: the caches are bounded, and this is their bound.
pub const GOAL_KIB: u64 = 64 * 1024;

pub struct Outcome {
    pub tokens: u64,
    pub before_kib: u64,
    pub half_kib: u64,
    pub after_kib: u64,
    /// Refused as unknown, and by the limits.
    pub unknown: u64,
    pub limited: u64,
}

pub async fn run(ready: &Ready, tokens: u64) -> Result<Outcome> {
    eprintln!("{tokens} random tokens …");
    let control = Control::open(ready).await?;
    let mut connections = connections(ready.gateway).await?;
    let (unknown, limited) = (Cell::new(0u64), Cell::new(0u64));
    let mut levels = vec![control.usage().await?.rss_kib];
    for part in [tokens / 2, tokens - tokens / 2] {
        let left = Cell::new(part);
        let each = connections.iter_mut().map(|connection| async {
            while left.get() > 0 {
                left.set(left.get() - 1);
                let key = Token::random(TokenKind::DirectKey, &OsRng);
                let headers = [("x-api-key", key.expose()), ("x-forwarded-for", &address())];
                let answer = connection.call(&get("/sessions/any", &headers)).await?;
                match answer.status {
                    401 => unknown.set(unknown.get() + 1),
                    429 => limited.set(limited.get() + 1),
                    status => ensure!(false, "a token of nobody was answered {status}"),
                }
            }
            anyhow::Ok(())
        });
        try_join_all(each).await?;
        levels.push(control.usage().await?.rss_kib);
    }
    Ok(Outcome {
        tokens,
        before_kib: levels[0],
        half_kib: levels[1],
        after_kib: levels[2],
        unknown: unknown.get(),
        limited: limited.get(),
    })
}
