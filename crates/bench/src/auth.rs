//! The whole measurement: starts the process under load, gets credentials as a customer would, compares,
//! and writes down what came out.

use std::{
    cell::Cell,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::{
    Account, Options, Ready,
    client::{Connection, Request, get, request},
    memory,
    report::{self, Report},
    rounds::{self, Contender, Control, Supply},
    timing,
};

/// Accounts for the comparison of times: enough that no client is tried often, because repeated
/// failures are limited per client.
const ACCOUNTS: usize = 100;
/// Fresh JWTs for each second of a round; when they are used up, the round ends early.
const FRESH_PER_SECOND: f64 = 20_000.0;

pub fn run(options: &Options) -> Result<()> {
    let machine = report::machine()?;
    let mut report = under_load(ACCOUNTS, async |ready| measure(options, ready).await)?;
    report.machine = machine;
    if options.tokens > 0 {
        // A fresh process: in one that has worked hard, freed memory would hide what is kept.
        let memory = under_load(1, async |ready| memory::run(ready, options.tokens).await)?;
        report.memory = Some(memory);
    }
    report.print();
    if let Some(path) = &options.write {
        report.write(path)?;
    }
    report.must_be_sound()
}

/// Starts a process under load with that many accounts, and ends it after `measure`.
pub fn under_load<T>(accounts: usize, measure: impl AsyncFnOnce(&Ready) -> Result<T>) -> Result<T> {
    under_load_with(accounts, &[], measure)
}

/// The same, with more words for that process.
pub fn under_load_with<T>(
    accounts: usize,
    words: &[&str],
    measure: impl AsyncFnOnce(&Ready) -> Result<T>,
) -> Result<T> {
    let (child, ready) = start(accounts, words)?;
    // One thread, so that the gateway has the rest of the machine.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let measured = runtime.block_on(measure(&ready));
    stop(child)?;
    measured
}

fn start(accounts: usize, words: &[&str]) -> Result<(Child, Ready)> {
    eprintln!("starting a gateway with {accounts} accounts …");
    let mut child = Command::new(std::env::current_exe()?)
        .args(["serve", "--accounts", &accounts.to_string()])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the process under load")?;
    let told = child.stdout.take().map(read_ready);
    match told.context("the process under load has no output")? {
        Ok(ready) => Ok((child, ready)),
        Err(error) => {
            stop(child)?;
            Err(error)
        }
    }
}

fn read_ready(from: ChildStdout) -> Result<Ready> {
    let mut line = String::new();
    BufReader::new(from).read_line(&mut line)?;
    serde_json::from_str(&line).context("the process under load did not come up")
}

fn stop(mut child: Child) -> Result<()> {
    drop(child.stdin.take());
    let status = child.wait()?;
    ensure!(
        status.success(),
        "the process under load ended with {status}"
    );
    Ok(())
}

/// The credentials of a customer.
pub struct Customer {
    jwt: String,
    client_token: String,
    instance: String,
    instance_token: String,
    session: String,
    session_key: String,
}

async fn measure(options: &Options, ready: &Ready) -> Result<Report> {
    let customer = Customer::make(ready).await?;
    let control = Control::open(ready).await?;
    let length = Duration::from_secs_f64(options.seconds);
    let mut report = Report::default();
    for Line { row, kind } in lines(ready) {
        eprintln!("{} …", row.name);
        let first = kind.request(&customer, &customer.jwt);
        let right =
            |body: &[u8]| serde_json::from_slice::<Value>(body).is_ok_and(|it| it.is_object());
        let answer = rounds::probe(row.address, &first, right)
            .await
            .with_context(|| row.name.to_owned())?;
        let supply = async || match kind {
            Kind::FreshJwt => {
                let count = (FRESH_PER_SECOND * options.seconds) as usize;
                let fresh = fresh_jwts(ready, count).await?;
                let requests = fresh.iter().map(|jwt| kind.request(&customer, jwt));
                anyhow::Ok(Supply::Each(requests.collect()))
            }
            _ => Ok(Supply::Same(first.clone())),
        };
        let size = (options.rounds, length);
        let figures = rounds::compare(ready, &control, &row, size, answer, supply).await?;
        report.rows.push((row.name, row.goal, figures));
    }
    eprintln!("times of refusals …");
    report.timing = Some(timing::run(ready, options.pairs).await?);
    Ok(report)
}

struct Line {
    row: Contender,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    SessionKey,
    Pair,
    Jwt,
    /// Each request another token, which the gateway has never seen.
    FreshJwt,
    Three,
    Status(&'static Kind),
}

fn lines(ready: &Ready) -> Vec<Line> {
    let guard = |name, goal, kind| Line {
        row: Contender {
            name,
            goal,
            address: ready.guards,
        },
        kind,
    };
    let whole = |name, kind| Line {
        row: Contender {
            name,
            goal: 0.70,
            address: ready.gateway,
        },
        kind,
    };
    vec![
        guard("guard: session key", 0.85, Kind::SessionKey),
        guard("guard: client + instance token", 0.85, Kind::Pair),
        guard("guard: JWT, verified before", 0.85, Kind::Jwt),
        guard("guard: JWT, never seen", 0.65, Kind::FreshJwt),
        guard("guard: all three headers", 0.75, Kind::Three),
        whole("program: GET /sessions/{key}", Kind::SessionKey),
        whole("program: status by pair", Kind::Status(&Kind::Pair)),
        whole("program: status by JWT", Kind::Status(&Kind::Jwt)),
    ]
}

impl Kind {
    fn request(self, customer: &Customer, jwt: &str) -> Request {
        let bearer = format!("Bearer {jwt}");
        let bearer = ("authorization", bearer.as_str());
        let client = ("x-client-token", customer.client_token.as_str());
        let instance = ("x-instance-token", customer.instance_token.as_str());
        let headers = match self {
            Self::SessionKey => vec![("x-api-key", customer.session_key.as_str())],
            Self::Pair | Self::Status(Self::Pair) => vec![client, instance],
            Self::Three => vec![bearer, client, instance],
            Self::Jwt | Self::FreshJwt | Self::Status(_) => vec![bearer],
        };
        let path = match self {
            Self::SessionKey => format!("/sessions/{}", customer.session),
            Self::Status(_) => format!("/instances/{}/session/status", customer.instance),
            _ => format!("/instances/{}", customer.instance),
        };
        get(&path, &headers)
    }
}

impl Customer {
    pub async fn make(ready: &Ready) -> Result<Self> {
        let account = ready.accounts.first().context("no account")?;
        let mut gateway = Connection::open(ready.gateway).await?;
        let jwt = jwt(&mut gateway, &token_request(ready)?).await?;
        let bearer = format!("Bearer {jwt}");
        let body = json!({"name": "Bench"}).to_string();
        let create = request(
            "PUT",
            "/instances/create",
            &[("authorization", &bearer)],
            &body,
        );
        let instance = gateway
            .json(&create)
            .await
            .context("PUT /instances/create")?;
        let bearer = format!("Bearer {}", account.api_token);
        let create = request(
            "POST",
            "/sessions",
            &[("authorization", &bearer)],
            &json!({"label": "Bench"}).to_string(),
        );
        let session = gateway.json(&create).await.context("POST /sessions")?;
        Ok(Self {
            jwt,
            client_token: account.client_token.clone(),
            instance: text(&instance, "id")?,
            instance_token: text(&instance, "token")?,
            session: text(&session, "key")?,
            session_key: text(&session, "apiKey")?,
        })
    }
}

/// Asks for an instance's state with a client token and its own: what an integrator does all day.
pub fn status_by_pair(customer: &Customer) -> Request {
    Kind::Status(&Kind::Pair).request(customer, "")
}

fn text(of: &Value, name: &str) -> Result<String> {
    match of[name].as_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!("no {name} in {of}"),
    }
}

fn token_request(ready: &Ready) -> Result<Request> {
    let account = ready.accounts.first().context("no account")?;
    Ok(token_request_of(account))
}

fn token_request_of(account: &Account) -> Request {
    let body = json!({
        "client_token": account.client_token,
        "client_secret": account.client_secret,
    });
    request("POST", "/token", &[], &body.to_string())
}

/// An owner's JWT of this account.
pub async fn jwt_of(connection: &mut Connection, account: &Account) -> Result<String> {
    jwt(connection, &token_request_of(account)).await
}

async fn jwt(connection: &mut Connection, request: &[u8]) -> Result<String> {
    let issued = connection.json(request).await.context("POST /token")?;
    text(&issued, "access_token")
}

/// Tokens by the way that everybody gets them.
async fn fresh_jwts(ready: &Ready, count: usize) -> Result<Vec<String>> {
    let request = token_request(ready)?;
    let left = Cell::new(count);
    let mut connections = rounds::connections(ready.gateway).await?;
    let each = connections.iter_mut().map(|connection| async {
        let mut got = Vec::new();
        while left.get() > 0 {
            left.set(left.get() - 1);
            got.push(jwt(connection, &request).await?);
        }
        anyhow::Ok(got)
    });
    Ok(try_join_all(each).await?.concat())
}
