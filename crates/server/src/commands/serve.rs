//! `recado serve`

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result};
use recado_identity::clock::SystemClock;
use recado_model::clock::OsRng;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cli::ServeArgs,
    config::Settings,
    lifecycle::{Gateway, World, stop_on_signals},
    telemetry,
};

/// In the data folder.
const SETUP_FILE: &str = "setup-link.txt";

#[expect(
    clippy::disallowed_methods,
    reason = "upkeep of the metrics is not the product's time"
)]
pub async fn run(settings: &Settings, args: ServeArgs) -> Result<()> {
    telemetry::init_logs(settings)?;
    let stop = stop_on_signals(args.exit_with_stdin)?;
    outlive_full_files()?;
    let metrics = telemetry::init_metrics()?;
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        // Histograms grow until drained.
        let mut every = tokio::time::interval(std::time::Duration::from_secs(5));
        loop {
            every.tick().await;
            upkeep.run_upkeep();
        }
    });
    if cfg!(feature = "sandbox") {
        telemetry::announce(
            settings.log_format,
            "SANDBOX BUILD: it reaches a WhatsApp network on loopback only, and no real phone.",
        );
    }
    let world = World {
        clock: Arc::new(SystemClock),
        rng: Arc::new(OsRng),
        metrics: Some(metrics),
        program: Some(std::env::current_exe().context("cannot tell where this program is")?),
        refusal_hold: World::REFUSAL_HOLD,
    };
    let gateway = Gateway::start(settings, world).await?;
    let base = &gateway.base_url;
    telemetry::announce(
        settings.log_format,
        &format!("serving {base} (dashboard: {base}/dashboard)"),
    );
    offer_set_up(settings, &gateway).await?;
    stop.cancelled().await;
    tracing::info!("stopping");
    gateway.stop().await
}

/// A limit on the size of files (`ulimit -f`, systemd's LimitFSIZE) sends a signal that ends the program.
/// With a handler the write fails, as on a full disk, and what could not be stored is told to who asked.
fn outlive_full_files() -> Result<()> {
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // The handler stays when this is dropped.
    let _ = signal(kind).context("cannot take the signal about file sizes")?;
    Ok(())
}

/// While nobody has an account: the link by which the first user makes one. It is worth the whole
/// gateway, so it goes to a person at a terminal, or into a file that only the owner reads; never into
/// a log.
async fn offer_set_up(settings: &Settings, gateway: &Gateway) -> Result<()> {
    let file = settings.data_dir.join(SETUP_FILE);
    // One of an earlier start is dead.
    match fs::remove_file(&file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", file.display()));
        }
        _ => {}
    }
    let Some(link) = gateway.app.users().set_up_link().await? else {
        return Ok(());
    };
    if std::io::stderr().is_terminal() {
        eprintln!(
            "recado: nobody has signed up here yet. Open this link within the hour to begin:"
        );
        eprintln!("recado: {}", link.expose());
    } else {
        write_private(&file, link.expose())
            .with_context(|| format!("cannot write {}", file.display()))?;
        telemetry::announce(
            settings.log_format,
            &format!(
                "nobody has signed up here yet. The link to begin with is in {} for an hour",
                file.display()
            ),
        );
    }
    Ok(())
}

/// A file that only its owner reads.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}
