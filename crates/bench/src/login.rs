//! Whether time tells at `POST /login` which people there are: the same rank test as for clients, over
//! an unknown e-mail and a wrong password, before and while the limits answer.

use anyhow::{Result, ensure};
use recado_model::{Token, TokenKind, clock::OsRng};
use serde_json::json;

use crate::{
    Ready,
    client::{Connection, Request, request},
    timing::{Outcome, address, compare, comparison, one_pair},
};

/// So many requests are compared each time that two e-mails have used up what they may fail.
const WHILE_CLOSED: u32 = 5;
/// More failures than any limit lets pass from one network.
const UNTIL_CLOSED: usize = 60;

/// The e-mail of the owner of that account; those with other numbers belong to nobody.
pub fn email(number: usize) -> String {
    format!("bench{number}@example.com")
}

/// An e-mail as long as the others, of nobody.
pub fn unknown_email() -> String {
    let token = Token::random(TokenKind::DirectKey, &OsRng);
    let some: String = token.expose().chars().skip(4).take(7).collect();
    format!("{}@example.com", some.to_lowercase())
}

/// One attempt to sign in, from that address.
pub fn attempt(email: &str, password: &str, from: &str) -> Request {
    let body = json!({"email": email, "password": password}).to_string();
    request("POST", "/login", &[("x-forwarded-for", from)], &body)
}

/// A wrong password, as long as the right ones.
pub fn wrong_password() -> String {
    Token::random(TokenKind::DirectKey, &OsRng)
        .expose()
        .to_owned()
}

pub async fn run(ready: &Ready, pairs: u32) -> Result<Outcome> {
    for gateway in [ready.gateway, ready.leaky] {
        // People whose existence somebody might guess are people who sign in.
        let mut connection = Connection::open(gateway).await?;
        for account in &ready.accounts {
            let right = attempt(&account.email, &account.password, &address());
            connection.json(&right).await?;
        }
    }
    let pick = |which: usize, pair: usize| {
        let email = match which {
            0 => unknown_email(),
            _ => ready.accounts[pair % ready.accounts.len()].email.clone(),
        };
        attempt(&email, &wrong_password(), &address())
    };
    let refused = compare(ready.gateway, pairs, pick).await?;
    let closed = while_closed(ready, pairs).await?;
    let planted = compare(ready.leaky, pairs, pick).await?;
    Ok(Outcome {
        real: vec![
            comparison("unknown user and wrong password", refused),
            comparison("the same, when too many have failed (429)", closed),
        ],
        control: comparison("planted leak: unknown user and wrong password", planted),
    })
}

/// Uses up what two e-mails may fail from one network each, and compares what is answered then.
async fn while_closed(ready: &Ready, pairs: u32) -> Result<[Vec<f64>; 2]> {
    let mut connection = Connection::open(ready.gateway).await?;
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..pairs.div_ceil(WHILE_CLOSED) as usize {
        let account = &ready.accounts[turn % ready.accounts.len()];
        let who = [
            (unknown_email(), address()),
            (account.email.clone(), address()),
        ];
        for (email, from) in &who {
            close(&mut connection, email, from).await?;
        }
        for _ in 0..WHILE_CLOSED {
            let pick = |which: usize| {
                let (email, from) = &who[which];
                attempt(email, &wrong_password(), from)
            };
            let [first, second] = one_pair(&mut connection, 429, pick).await?;
            times[0].push(first);
            times[1].push(second);
        }
    }
    Ok(times)
}

/// Fails until the answer is 429. It stays so for a second, which is enough to look at it.
async fn close(connection: &mut Connection, email: &str, from: &str) -> Result<()> {
    for _ in 0..UNTIL_CLOSED {
        let request = attempt(email, &wrong_password(), from);
        let answer = connection.call(&request).await?;
        if answer.status == 429 {
            return Ok(());
        }
        ensure!(answer.status == 401, "refused with {}", answer.status);
    }
    anyhow::bail!("{UNTIL_CLOSED} failures of one e-mail from one address, and no limit")
}
