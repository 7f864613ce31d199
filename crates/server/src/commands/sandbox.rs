//! `recado sandbox`: the WhatsApp network on loopback, as a process of its own.

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    cli::SandboxArgs,
    config::{environment, log_filter},
    lifecycle::stop_on_signals,
    telemetry,
};

pub async fn run(args: SandboxArgs) -> Result<()> {
    let log = environment::one("log")?.unwrap_or_else(|| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(log_filter(&log)?)
        .with_ansi(telemetry::colours())
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .try_init()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let stop = stop_on_signals(args.exit_with_stdin)?;
    let config = recado_sandbox::Config {
        listen: args.listen,
        receiver: args.receiver,
        data_dir: args.data,
    };
    let sandbox = recado_sandbox::start(config).await?;
    if let Some(file) = &args.info {
        let info = json!({
            "whatsapp_url": sandbox.whatsapp_url(),
            "sandbox_url": sandbox.control_url(),
            "receiver_url": sandbox.receiver_url(),
            "pid": std::process::id(),
        });
        std::fs::write(file, info.to_string())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    eprintln!(
        "recado sandbox: network {}, control {}, receiver {}",
        sandbox.whatsapp_url(),
        sandbox.control_url(),
        sandbox.receiver_url()
    );
    stop.cancelled().await;
    sandbox.stop().await;
    Ok(())
}
