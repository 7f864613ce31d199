//! `recado serve`

use std::sync::Arc;

use anyhow::Result;
use recado_app::clock::SystemClock;
use recado_model::clock::OsRng;

use crate::{
    cli::ServeArgs,
    config::Settings,
    lifecycle::{Gateway, World, stop_on_signals},
    telemetry,
};

#[expect(
    clippy::disallowed_methods,
    reason = "upkeep of the metrics is not the product's time"
)]
pub async fn run(settings: &Settings, args: ServeArgs) -> Result<()> {
    telemetry::init_logs(settings)?;
    let stop = stop_on_signals(args.exit_with_stdin)?;
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
    };
    let gateway = Gateway::start(settings, world).await?;
    let base = &gateway.base_url;
    telemetry::announce(
        settings.log_format,
        &format!("serving {base} (dashboard: {base}/dashboard)"),
    );
    stop.cancelled().await;
    tracing::info!("stopping");
    gateway.stop().await
}
