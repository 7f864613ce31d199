//! Starts the production program as an operator would and looks at it from outside.

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::json;

use crate::http::Http;
use crate::process::{self, Stop, wait_for};
use crate::tools;

/// The program answers, refuses strangers, ends when asked, and will not talk to a network without TLS.
pub fn production(program: &Path, stop: &Stop) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let port = tools::free_port(&[])?;
    let metrics = tools::free_port(&[port])?;
    let base = format!("http://127.0.0.1:{port}");
    let http = Http::new(Duration::from_secs(10));

    let mut server = Server {
        child: serve(program, folder.path(), port, metrics)
            .spawn()
            .context("cannot start recado")?,
    };
    let alive = wait_for("recado to answer", Duration::from_secs(60), stop, || {
        if let Some(status) = server.child.try_wait()? {
            bail!("recado ended at once ({status}): {}", said(folder.path()));
        }
        Ok(http
            .get(&format!("{base}/livez"))
            .ok()
            .filter(|reply| reply.status == 200))
    });
    alive.with_context(|| said(folder.path()))?;

    let strangers = [
        (
            "GET",
            "/instances/RCAAAAAAAAAAAAAAAAAAAAAAAAAA/session/status",
            None,
        ),
        (
            "PUT",
            "/instances/create",
            Some(json!({"name": "Stranger"})),
        ),
        (
            "POST",
            "/api/mcp/",
            Some(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})),
        ),
        (
            "POST",
            "/sessions/none/messages",
            Some(json!({"to": "5511999999999", "text": "x"})),
        ),
    ];
    for (method, path, body) in strangers {
        let reply = http.call(method, &format!("{base}{path}"), &[], body.as_ref())?;
        if reply.status != 401 {
            bail!(
                "{method} {path} without credentials answered {} and not 401: {}",
                reply.status,
                reply.text
            );
        }
    }
    let health = http.get(&format!("{base}/health"))?.ok()?.json()?;
    if health["network"] != "whatsapp" {
        bail!(
            "/health names the network {} and not \"whatsapp\"",
            health["network"]
        );
    }
    dashboard(&http, &base)?;
    if !process::stop(&mut server.child, Signal::TERM, Duration::from_secs(30)) {
        bail!("recado did not end within 30 s of SIGTERM");
    }
    let status = server.child.wait()?;
    if !status.success() {
        bail!(
            "recado ended with {status} after SIGTERM: {}",
            said(folder.path())
        );
    }
    refuses_a_plain_network(program, port, metrics, stop)
}

/// The page, everything that it loads, and what a browser asks first.
fn dashboard(http: &Http, base: &str) -> Result<()> {
    let page = http.get(&format!("{base}/dashboard"))?.ok()?.text;
    let mut loaded = 0;
    for part in page.split(['"', '\'']) {
        let file = part.starts_with("/dashboard/") && part.contains('.');
        if file {
            http.get(&format!("{base}{part}"))?.ok()?;
            loaded += 1;
        }
    }
    if loaded == 0 || !page.contains("type=\"module\"") {
        bail!("/dashboard is not the built dashboard: {page}");
    }
    let state = http
        .get(&format!("{base}/dashboard/api/state"))?
        .ok()?
        .json()?;
    if state["network"] != "whatsapp" || state["setup_needed"] != true {
        bail!("a fresh gateway says of itself {state}");
    }
    for path in ["me", "instances", "credentials", "members", "audit"] {
        let reply = http.get(&format!("{base}/dashboard/api/{path}"))?;
        if reply.status != 401 {
            bail!("/dashboard/api/{path} answered a stranger {}", reply.status);
        }
    }
    Ok(())
}

fn refuses_a_plain_network(program: &Path, port: u16, metrics: u16, stop: &Stop) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut command = serve(program, folder.path(), port, metrics);
    command.env("RECADO_SANDBOX__URL", "ws://127.0.0.1:9/ws/chat");
    let mut server = Server {
        child: command.spawn().context("cannot start recado")?,
    };
    let status = wait_for(
        "recado to refuse a ws:// network",
        Duration::from_secs(30),
        stop,
        || Ok(server.child.try_wait()?),
    )?;
    let said = said(folder.path());
    if status.success() || said.trim().is_empty() {
        bail!("given a ws:// network, recado ended with {status} and said: {said}");
    }
    println!("    {}", said.lines().last().unwrap_or_default());
    Ok(())
}

fn serve(program: &Path, folder: &Path, port: u16, metrics: u16) -> Command {
    let mut command = process::recado(program, "serve");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RECADO_") {
            command.env_remove(name);
        }
    }
    command.env("RECADO_DATA_DIR", folder.join("data"));
    command
        .env("RECADO_LISTEN", format!("127.0.0.1:{port}"))
        .env("RECADO_METRICS_LISTEN", format!("127.0.0.1:{metrics}"));
    command.env("RECADO_PUBLIC_URL", format!("http://127.0.0.1:{port}"));
    match std::fs::File::create(folder.join("log")).and_then(|log| Ok((log.try_clone()?, log))) {
        Ok((out, err)) => command.stdout(out).stderr(err),
        // Then its words come to the terminal, which serves as well.
        Err(_) => &mut command,
    };
    command
}

fn said(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log"))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Killed when a check fails half-way.
struct Server {
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        process::stop(&mut self.child, Signal::TERM, Duration::from_secs(5));
    }
}
