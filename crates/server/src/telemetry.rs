//! Structured logs and Prometheus metrics. Neither ever holds a secret: what is logged is chosen field
//! by field, and headers, bodies and queries are not.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use recado_app::clock::SystemClock;
use recado_model::Clock;
use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, Settings};

/// Libraries that log what passes through them stay quiet unless asked for by name.
const QUIET: &str =
    "wacore=warn,whatsapp_rust=warn,sqlx=warn,hyper=warn,reqwest=warn,rmcp=warn,rustls=warn";

/// Once per process; to standard error, so that command output stays clean.
pub fn init_logs(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", settings.log))
        .with_context(|| format!("log: {:?} is not a level or filter", settings.log))?;
    let registry = tracing_subscriber::registry().with(filter);
    match settings.log_format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_ansi(colours())
                    .with_writer(std::io::stderr),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .try_init(),
    }
    .context("logging was set up twice")
}

/// Whether standard error takes colours: a file or a collector would keep the escape codes.
pub fn colours() -> bool {
    std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Tells the operator something that no log level hides, in the form of the log.
pub fn announce(format: LogFormat, text: &str) {
    match format {
        LogFormat::Text => eprintln!("recado: {text}"),
        LogFormat::Json => {
            let timestamp = SystemClock.now().to_rfc3339();
            let line = json!({
                "timestamp": timestamp, "level": "INFO", "target": "recado",
                "fields": { "message": text },
            });
            eprintln!("{line}");
        }
    }
}

/// The process's metrics; once per process.
pub fn init_metrics() -> Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(
            Matcher::Suffix("_seconds".into()),
            &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0],
        )?
        .install_recorder()
        .context("metrics were set up twice")
}
