//! Wiring and life: store, engine, services and listeners come up in order and go down in reverse.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, routing::get, serve::ListenerExt};
use metrics_exporter_prometheus::PrometheusHandle;
use recado_app::{App, Deps, Workers};
use recado_engine::wa::{Network, WaConfig, WaEngine};
use recado_model::{Clock, Rng};
use recado_store::{Options, Store, StoreError};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{config::Settings, keys};

/// What a gateway runs on; tests bring their own.
pub struct World {
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub metrics: Option<PrometheusHandle>,
}

/// A running gateway.
pub struct Gateway {
    pub base_url: String,
    pub metrics_url: Option<String>,
    pub app: App,
    pub store: Store,
    workers: Workers,
    listening: CancellationToken,
    servers: Vec<JoinHandle<std::io::Result<()>>>,
    _lock: std::fs::File,
}

/// How long requests under way may take to finish once the program stops.
const DRAIN: Duration = Duration::from_secs(10);

pub async fn open_store(
    settings: &Settings,
    rng: &Arc<dyn Rng>,
    migrate: bool,
    init: bool,
) -> Result<Store> {
    keys::prepare_data_dir(&settings.data_dir)?;
    let database = settings.database()?;
    let master_key = keys::master_key(settings, &database, &**rng, init).await?;
    let opened = Store::open(Options {
        database,
        master_key,
        rng: rng.clone(),
        migrate,
        init,
    });
    opened.await.map_err(|error| match error {
        StoreError::WrongMasterKey { .. } => {
            anyhow::Error::from(error).context(settings.key_source())
        }
        error => error.into(),
    })
}

impl Gateway {
    pub async fn start(settings: &Settings, world: World) -> Result<Self> {
        let World {
            clock,
            rng,
            metrics,
        } = world;
        keys::prepare_data_dir(&settings.data_dir)?;
        let lock = keys::lock_data_dir(&settings.data_dir)?;
        // Before anything is opened: a taken port must not leave a half-started gateway behind.
        let listener = bind("listen", settings.listen).await?;
        let address = listener.local_addr()?;
        let metrics_listener = match (settings.metrics_listen()?, metrics) {
            (Some(addr), Some(handle)) => Some((bind("metrics_listen", addr).await?, handle)),
            _ => None,
        };
        let store = open_store(settings, &rng, true, false).await?;
        let network = match settings.sandbox_url() {
            Some(url) => Network::Sandbox {
                url: url.to_owned(),
            },
            None => Network::WhatsApp,
        };
        let engine = WaEngine::new(WaConfig {
            store: store.clone(),
            network,
            rng: rng.clone(),
        })?;
        let public_url = if settings.listen.port() == 0 && settings.listen.ip().is_loopback() {
            format!("http://{address}")
        } else {
            settings.public_url()
        };
        let config = settings.app_config(public_url, &*rng)?;
        let deps = Deps {
            store: store.clone(),
            engine: Arc::new(engine),
            clock,
            rng,
            config,
        };
        let app = App::new(deps).await?;
        let options = recado_api::Options {
            body_limit: settings.limits.body_bytes,
            request_timeout: Duration::from_secs(settings.limits.request_secs),
            source_url: settings.source_url.clone(),
            ..recado_api::Options::default()
        };
        let router = recado_api::router(app.clone(), options);
        let workers = app.start();

        let listening = CancellationToken::new();
        let mut metrics_url = None;
        let mut servers = vec![serve(listener, router, listening.clone())];
        if let Some((listener, handle)) = metrics_listener {
            metrics_url = Some(format!("http://{}/metrics", listener.local_addr()?));
            let router =
                Router::new().route("/metrics", get(move || async move { handle.render() }));
            servers.push(serve(listener, router, listening.clone()));
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
            match tokio::time::timeout(DRAIN, server).await {
                Ok(Ok(Ok(()))) => {}
                // The rest must be closed all the same.
                Ok(Ok(Err(error))) => tracing::warn!(%error, "a listener failed"),
                Ok(Err(error)) => tracing::warn!(%error, "a listener failed"),
                Err(_) => tracing::warn!("some requests did not finish in time"),
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

fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> JoinHandle<std::io::Result<()>> {
    // Without it, answers in several writes wait for the peer's delayed acknowledgement.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
    });
    tokio::spawn(async move {
        axum::serve(
            listener,
            router.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
    })
}

/// Cancelled when the program is asked to end; a second signal ends it at once. Call it before anything
/// is started: until then a signal kills without a word, in the middle of whatever goes on.
pub fn stop_on_signals(exit_with_stdin: bool) -> Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_closed(exit_with_stdin) => {}
        }
        asked.cancel();
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::warn!("second signal: ending at once");
        std::process::exit(130);
    });
    Ok(stop)
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
