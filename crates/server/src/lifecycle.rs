//! Wiring and life: store, engine, services and listeners come up in order and go down in reverse.

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use recado_api::{About, RefusalHold};
use recado_app::{App, Deps, Workers};
use recado_engine::wa::{WaConfig, WaEngine};
use recado_model::{Clock, Rng};
use recado_store::{Options, Store, StoreError};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{config::Settings, keys, listen};

/// The clock, randomness and network of a gateway; tests bring their own.
pub struct World {
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub metrics: Option<PrometheusHandle>,
    /// The program that looks at media: this one.
    pub program: Option<PathBuf>,
    /// How long a log-in that is refused unseen waits for its answer: real time, which tests have none of.
    pub refusal_hold: Duration,
}

impl World {
    /// The pauses that people are made to wait.
    pub const REFUSAL_HOLD: Duration = Duration::from_secs(1);
}

/// Few ask for metrics, and what they hold open comes from the files that callers leave over.
const METRICS_CONNECTIONS: usize = 64;

/// A running gateway.
pub struct Gateway {
    pub base_url: String,
    pub metrics_url: Option<String>,
    pub app: App,
    pub store: Store,
    workers: Workers,
    listening: CancellationToken,
    servers: Vec<JoinHandle<()>>,
    _lock: std::fs::File,
}

pub async fn open_store(
    settings: &Settings,
    rng: &Arc<dyn Rng>,
    migrate: bool,
    init: bool,
) -> Result<Store> {
    // A command that only looks writes nothing there, and may do so beside many others.
    match init {
        true => keys::prepare_data_dir(&settings.data_dir, &**rng)?,
        false => keys::make_data_dir(&settings.data_dir)?,
    }
    let database = settings.database()?;
    let open = async || {
        let master_key = keys::master_key(settings, &database, &**rng, init).await?;
        let opened = Store::open(Options {
            database: database.clone(),
            master_key,
            rng: rng.clone(),
            migrate,
            init,
        });
        opened.await.map_err(anyhow::Error::from)
    };
    let wrong = |error: &anyhow::Error| {
        let error = error.downcast_ref::<StoreError>();
        matches!(error, Some(StoreError::WrongMasterKey { .. }))
    };
    let opened = match open().await {
        // It may have been replaced between reading its file and the database.
        Err(error) if wrong(&error) => open().await,
        opened => opened,
    };
    let store = opened.map_err(|error| match wrong(&error) {
        true => error.context(settings.key_source()),
        false => error,
    })?;
    if let Some(source) = keys::source(settings) {
        store.set_key_source(source);
    }
    Ok(store)
}

/// The operator's decisions about the HTTP side.
fn api_options(settings: &Settings, refusal_hold: Duration) -> Result<recado_api::Options> {
    Ok(recado_api::Options {
        body_limit: settings.limits.body_bytes,
        refusal_hold: RefusalHold(refusal_hold),
        request_timeout: Duration::from_secs(settings.limits.request_secs),
        about: Arc::new(About {
            source_url: settings.source_url.clone(),
            sandbox_url: settings.sandbox_control(),
            ..About::default()
        }),
        trusted_proxies: settings.trusted_proxies()?,
        cors: settings.cors()?,
    })
}

impl Gateway {
    pub async fn start(settings: &Settings, world: World) -> Result<Self> {
        let World {
            clock,
            rng,
            metrics,
            program,
            refusal_hold,
        } = world;
        listen::files::raise();
        // Before a database or a master key is made for a network that is out of reach.
        settings.check_network()?;
        keys::prepare_data_dir(&settings.data_dir, &*rng)?;
        let lock = keys::lock_data_dir(&settings.data_dir)?;
        // Before anything is opened: a taken port must not leave a half-started gateway behind.
        let listener = bind("listen", settings.listen).await?;
        let address = listener.local_addr()?;
        let metrics_listener = match (settings.metrics_listen()?, metrics) {
            (Some(addr), Some(handle)) => Some((bind("metrics_listen", addr).await?, handle)),
            _ => None,
        };
        let store = open_store(settings, &rng, true, false).await?;
        let engine = WaEngine::new(WaConfig {
            store: store.clone(),
            network: settings.network(),
            rng: rng.clone(),
            clock: clock.clone(),
            journal: settings.data_dir.join("journal"),
            timers: settings.timers(),
        })?;
        let public_url = settings.public_url_on(address);
        let mut config = settings.app_config(public_url, &*rng)?;
        config.media.program = program;
        let deps = Deps {
            store: store.clone(),
            engine: Arc::new(engine),
            clock,
            rng,
            config,
        };
        let app = App::new(deps).await?;
        let options = api_options(settings, refusal_hold)?;
        let router = recado_api::router(app.clone(), options);
        let workers = app.start();

        let listening = CancellationToken::new();
        let mut metrics_url = None;
        let serve = |listener, router, connections| {
            let limits = listen::ConnectionLimits {
                connections,
                ..listen::ConnectionLimits::default()
            };
            listen::serve(listener, router, limits, listening.clone())
        };
        let connections = listen::files::room(settings.limits.connections);
        let mut servers = vec![serve(listener, router, connections)];
        if let Some((listener, handle)) = metrics_listener {
            metrics_url = Some(format!("http://{}/metrics", listener.local_addr()?));
            let router =
                Router::new().route("/metrics", get(move || async move { handle.render() }));
            let connections = METRICS_CONNECTIONS.min(connections);
            servers.push(serve(listener, router, connections));
        }
        tracing::info!(listen = %address, network = app.network(), "recado is up");
        Ok(Self {
            base_url: format!("http://{address}"),
            metrics_url,
            app,
            store,
            workers,
            listening,
            servers,
            _lock: lock,
        })
    }

    /// Drains HTTP, finishes deliveries under way, closes every link (pairings stay), then the store.
    pub async fn stop(self) -> Result<()> {
        self.listening.cancel();
        for server in self.servers {
            // The rest must be closed all the same.
            if let Err(error) = server.await {
                tracing::warn!(%error, "a listener failed");
            }
        }
        self.workers.stop().await;
        self.store.close().await;
        tracing::info!("recado has stopped");
        Ok(())
    }
}

async fn bind(setting: &str, addr: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| {
        format!("cannot listen on {addr}: another program may use that port. Stop it, or set {setting} to another address")
    })
}

/// Cancelled when the program is asked to end; a second signal ends it at once. Call it before anything
/// is started: until then a signal kills without a word, in the middle of whatever goes on.
pub fn stop_on_signals(exit_with_stdin: bool) -> Result<CancellationToken> {
    let mut signals = Asked::new()?;
    go_on_through(&[
        SignalKind::hangup(),
        SignalKind::user_defined1(),
        SignalKind::user_defined2(),
    ])?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = signals.next() => {}
            () = stdin_closed(exit_with_stdin) => {}
        }
        asked.cancel();
        signals.next().await;
        tracing::warn!("second signal: ending at once");
        std::process::exit(130);
    });
    Ok(stop)
}

/// The signals by which a program is asked to end.
struct Asked {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Asked {
    fn new() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
    }
}

/// Rotators of logs send these to have a log opened anew, and a terminal that closes sends a hangup. The
/// log is standard error, so there is nothing to do; without a handler they would end the program.
fn go_on_through(kinds: &[SignalKind]) -> Result<()> {
    for kind in kinds {
        let mut signal = signal(*kind)?;
        let number = kind.as_raw_value();
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                tracing::info!(signal = number, "a signal that changes nothing: going on");
            }
        });
    }
    Ok(())
}

fn stdin_closed(watch: bool) -> impl Future<Output = ()> {
    let wait = watch.then(|| {
        let (closed, wait) = tokio::sync::oneshot::channel::<()>();
        // A thread of its own: a blocking read on the runtime would hold its end.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            drop(closed);
        });
        wait
    });
    async move {
        match wait {
            Some(wait) => drop(wait.await),
            None => std::future::pending().await,
        }
    }
}
