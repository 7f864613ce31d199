//! The process under load: a gateway as `recado serve` starts it, and beside it, over the same services,
//! bare handlers, guards without anything around them, and a planted leak.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use recado::{
    config::{self, Settings},
    lifecycle::{Gateway, World},
    telemetry,
};
use recado_api::{
    Surface,
    auth::{DirectInstance, InstanceAccess, least},
    routes::route,
};
use recado_identity::{
    accounts::{self, NewAccount},
    clock::SystemClock,
};
use recado_model::{Rng, Token, TokenKind, clock::OsRng};
use serde_json::Value;
use tokio::net::TcpListener;
use tracing_subscriber::{fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{Account, Ready, Usage, fill, login::email};

/// The largest answer that a bare handler gives, in bytes.
pub const MAX_ANSWER: usize = 2048;
/// The answer of a guarded route here: about as much as a status.
const ANSWER: &str = r#"{"code":200,"success":true,"data":{"connected":true,"state":"connected","phone":"5511999990001","jid":"5511999990001@s.whatsapp.net"}}"#;

pub fn run(count: usize, no_hold: bool, sizes: &[fill::Size]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(serve(count, no_hold, sizes));
    runtime.shutdown_timeout(Duration::from_secs(2));
    outcome
}

async fn serve(count: usize, no_hold: bool, sizes: &[fill::Size]) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let settings = Settings::from_toml(&format!(
        "data_dir = {:?}\nlisten = \"127.0.0.1:0\"\nmetrics_listen = \"\"\nnode = \"bench\"\n\
         trusted_proxies = [\"127.0.0.1\"]\n",
        folder.path().join("data").display().to_string(),
    ))?;
    let gateway = gateway(&settings, no_hold).await?;
    let gateway_at = gateway.base_url.trim_start_matches("http://").parse()?;

    let data = folder.path().join("data");
    let made = accounts(&gateway, count, sizes, &data).await?;
    let options = || -> Result<recado_api::Options> {
        Ok(recado_api::Options {
            trusted_proxies: settings.trusted_proxies()?,
            ..recado_api::Options::default()
        })
    };
    let guarded = vec![
        route(Method::GET, Surface::Direct, "/sessions/{key}", by_key),
        route(
            Method::GET,
            Surface::Instance,
            "/instances/{id}",
            by_instance,
        ),
    ];
    let guards = recado_api::bench_router(gateway.app.clone(), options()?, guarded);
    let known: Arc<[String]> = made
        .iter()
        .flat_map(|account| [account.client_token.clone(), account.email.clone()])
        .collect();
    let leaky = recado_api::router(gateway.app.clone(), options()?)
        .layer(middleware::from_fn_with_state(known, leak));
    let ready = Ready {
        gateway: gateway_at,
        guards: listen(guards).await?,
        bare: listen(bare()).await?,
        leaky: listen(leaky).await?,
        control: listen(Router::new().route("/usage", get(usage))).await?,
        accounts: made,
    };
    println!("{}", serde_json::to_string(&ready)?);

    // The other process holds our standard input; it is closed when that ends, however that ends.
    let (closed, end) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(closed);
    });
    let _ = end.await;
    gateway.stop().await
}

/// Logs as the program does, but into nowhere: the cost of making a line counts, a terminal's does not.
async fn gateway(settings: &Settings, no_hold: bool) -> Result<Gateway> {
    tracing_subscriber::registry()
        .with(config::log_filter("info")?)
        .with(fmt::layer().with_ansi(false).with_writer(std::io::sink))
        .try_init()
        .context("logging was set up twice")?;
    let metrics = telemetry::init_metrics()?;
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_secs(5));
        loop {
            every.tick().await;
            upkeep.run_upkeep();
        }
    });
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let world = World {
        clock: Arc::new(SystemClock),
        rng,
        metrics: Some(metrics),
        program: None,
        refusal_hold: match no_hold {
            true => Duration::ZERO,
            false => World::REFUSAL_HOLD,
        },
    };
    Gateway::start(settings, world).await
}

async fn accounts(
    gateway: &Gateway,
    count: usize,
    sizes: &[fill::Size],
    data: &Path,
) -> Result<Vec<Account>> {
    let mut made = Vec::with_capacity(count);
    for number in 0..count {
        // Like those that people choose, and no two the same.
        let password = Token::random(TokenKind::DirectKey, &OsRng).into_secret();
        let new = NewAccount {
            name: format!("Bench {number}"),
            owner_email: email(number),
            owner_password: Some(password.clone()),
        };
        let account = accounts::create(&gateway.store, &SystemClock, &OsRng, new).await?;
        let filled = match sizes.get(number) {
            Some(size) => Some(fill::fill(&gateway.store, &account.id, *size, data).await?),
            None => None,
        };
        made.push(Account {
            filled,
            email: email(number),
            password: password.expose().to_owned(),
            client_token: account.client_token.expose().to_owned(),
            client_secret: account.client_secret.expose().to_owned(),
            api_token: account.api_token.expose().to_owned(),
        });
    }
    Ok(made)
}

async fn listen(router: Router) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|stream| {
        // As the program's own listener does; without it, only the figures are worse.
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await
    });
    Ok(address)
}

/// One route per size of answer, so that each call is compared with one that sends as much.
fn bare() -> Router {
    let mut router = Router::new();
    for size in 1..=MAX_ANSWER {
        let answer = Bytes::from(vec![b'x'; size]);
        let handler = move || {
            let answer = answer.clone();
            async move { ([(header::CONTENT_TYPE, "application/json")], answer) }
        };
        router = router.route(&format!("/bare/{size}"), get(handler));
    }
    router
}

fn guarded_answer() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], ANSWER).into_response()
}

async fn by_key(_: DirectInstance) -> Response {
    guarded_answer()
}

async fn by_instance(_: InstanceAccess<least::Developer>) -> Response {
    guarded_answer()
}

async fn usage() -> Result<Json<Usage>, StatusCode> {
    use rustix::time::{ClockId, clock_gettime};
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let cpu = u64::try_from(used.tv_sec).unwrap_or(0) * 1_000_000_000
        + u64::try_from(used.tv_nsec).unwrap_or(0);
    let status = std::fs::read_to_string("/proc/self/status").map_err(failed)?;
    let named = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    };
    Ok(Json(Usage {
        cpu_ns: cpu,
        rss_kib: named("VmRSS:")?,
        peak_kib: named("VmHWM:")?,
    }))
}

/// The leak that must be found: an unknown client token or e-mail is refused at once, before anything is
/// looked up, so that time tells which exist.
async fn leak(
    State(known): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, 64 * 1024)
        .await
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    let shown: Value = serde_json::from_slice(&bytes).map_err(|_| StatusCode::BAD_REQUEST)?;
    let exists = known
        .iter()
        .any(|id| shown["client_token"] == id.as_str() || shown["email"] == id.as_str());
    if !exists {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    }
    Ok(next
        .run(Request::from_parts(parts, Body::from(bytes)))
        .await)
}
