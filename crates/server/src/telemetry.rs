//! Structured logs and Prometheus metrics. Neither ever holds a secret: what is logged is chosen field
//! by field, and headers, bodies and queries are not.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use recado_identity::clock::SystemClock;
use recado_model::Clock;
use serde_json::json;
use tracing_subscriber::{fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, Settings, log_filter};

/// Once per process; to standard error, so that command output stays clean.
pub fn init_logs(settings: &Settings) -> Result<()> {
    let filter = log_filter(&settings.log)?;
    let registry = tracing_subscriber::registry().with(filter);
    // A line that cannot be written is lost. Said on standard error, as is the default, it would end the
    // program: that is the place that cannot be written.
    let layer = fmt::layer()
        .with_ansi(colours())
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    match settings.log_format {
        LogFormat::Text => registry.with(layer).try_init(),
        LogFormat::Json => registry.with(layer.with_ansi(false).json()).try_init(),
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
    tell(format, "INFO", text);
}

/// The same about something that may be a mistake.
pub fn warn(format: LogFormat, text: &str) {
    match format {
        LogFormat::Text => tell(format, "WARN", &format!("warning: {text}")),
        LogFormat::Json => tell(format, "WARN", text),
    }
}

fn tell(format: LogFormat, level: &str, text: &str) {
    match format {
        LogFormat::Text => eprintln!("recado: {text}"),
        LogFormat::Json => {
            let timestamp = SystemClock.now().to_rfc3339();
            let line = json!({
                "timestamp": timestamp, "level": level, "target": "recado",
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
