//! The demo's output on the terminal besides the story's steps.

use std::time::Duration;

use anyhow::{Context, Result};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::info::{CUSTOMER, Info, Memory, SHOP};

/// A duration for people.
pub fn took(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// A QR code drawn with half blocks, two rows of modules to a line.
pub fn qr(text: &str) -> Result<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)
        .context("the QR's text is too long to draw")?;
    // Light on dark is how most terminals are; phones read both.
    Ok(code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .build())
}

/// Where everything is, once it answers.
pub fn started(info: &Info, since: Duration) {
    println!(
        "\nRecado answers ({} after the start). Everything is on this machine only:",
        took(since)
    );
    for (what, url) in [
        ("gateway", &info.base_url),
        ("dashboard", &info.dashboard_url),
        ("MCP", &info.mcp_url),
        ("metrics", &info.metrics_url),
        ("sandbox", &info.sandbox_url),
        ("webhook receiver", &info.receiver_url),
    ] {
        println!("  {what:<17} {url}");
    }
    println!("  {:<17} {}", "data, logs", info.data_dir.display());
}

/// Curl lines for everything, ready to paste.
pub fn how_to(info: &Info, memory: &Memory) {
    let Info {
        base_url,
        metrics_url,
        client_token,
        client_secret,
        ..
    } = info;
    println!("\nTry it (the lines can be pasted one by one):\n");
    println!("# an owner JWT, good for an hour");
    println!(
        "JWT=$(curl -s {base_url}/token -H 'Content-Type: application/json' \\\n  -d '{{\"client_token\":\"{client_token}\",\"client_secret\":\"{client_secret}\"}}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"
    );
    println!("# the instances of the account");
    println!(
        "curl -s {base_url}/instances/list -H \"Authorization: Bearer $JWT\" -H 'Content-Type: application/json' -d '{{\"page\":1,\"size\":20}}'"
    );
    println!("# a new instance, and its QR as text: put its id in place of ID");
    println!(
        "curl -s -X PUT {base_url}/instances/create -H \"Authorization: Bearer $JWT\" -H 'Content-Type: application/json' -d '{{\"name\":\"Second\"}}'"
    );
    println!(
        "curl -s \"{base_url}/instances/ID/session/qr?format=text\" -H \"Authorization: Bearer $JWT\""
    );
    if let Some(played) = &memory.played {
        let (id, token) = (&played.instance_id, &played.instance_token);
        let pair = format!("-H 'X-Client-Token: {client_token}' -H 'X-Instance-Token: {token}'");
        println!("# the story's instance, with its own token instead of a JWT");
        println!("curl -s {base_url}/instances/{id}/session/status {pair}");
        println!(
            "curl -s {base_url}/instances/{id}/chat/send/text {pair} \\\n  -H 'Content-Type: application/json' -d '{{\"phone\":\"{CUSTOMER}\",\"message\":\"Hello\"}}'"
        );
    }
    agents_and_shops(info, memory);
    phones(info);
    println!("# metrics");
    println!("curl -s {metrics_url}");
    println!(
        "\nThe owner signs in as {} with {}",
        info.owner_email, info.owner_password
    );
    println!(
        "Serving. Ctrl-C stops both programs; the data stays in {}",
        info.data_dir.display()
    );
}

fn agents_and_shops(info: &Info, memory: &Memory) {
    let Info {
        mcp_url, api_token, ..
    } = info;
    println!("# what an agent sees");
    println!(
        "curl -s {mcp_url} -H 'Authorization: Bearer {api_token}' -H 'Content-Type: application/json' \\\n  -H 'Accept: application/json, text/event-stream' -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{\"name\":\"get_shop_status\",\"arguments\":{{}}}}}}'"
    );
    println!("# the Direct API");
    println!("curl -s {}/health", info.direct_url);
    println!(
        "curl -s {}/sessions -H 'Authorization: Bearer {api_token}' -H 'Content-Type: application/json' -d '{{\"label\":\"Mine\"}}'",
        info.direct_url
    );
    if let Some(session) = memory.played.as_ref().and_then(|p| p.direct.as_ref()) {
        println!(
            "curl -s {}/sessions/{}/messages -H 'X-API-Key: {}' \\\n  -H 'Content-Type: application/json' -d '{{\"to\":\"{CUSTOMER}\",\"text\":\"Hello\"}}'",
            info.direct_url, session.key, session.api_key
        );
    }
}

fn phones(info: &Info) {
    let Info { sandbox_url, .. } = info;
    let receiver = info.receiver_origin();
    println!("# virtual phones: make one, scan a QR's text, write, read, go away and come back");
    println!(
        "curl -s {sandbox_url}/phones -H 'Content-Type: application/json' -d '{{\"number\":\"5511999990009\",\"name\":\"New\"}}'"
    );
    println!(
        "curl -s {sandbox_url}/phones/5511999990009/scan -H 'Content-Type: application/json' -d '{{\"qr\":\"THE QR TEXT\"}}'"
    );
    println!(
        "curl -s {sandbox_url}/phones/{CUSTOMER}/messages -H 'Content-Type: application/json' -d '{{\"to\":\"{SHOP}\",\"text\":\"Hi!\"}}'"
    );
    println!("curl -s {sandbox_url}/phones/{CUSTOMER}/messages");
    println!(
        "curl -s -X POST {sandbox_url}/phones/{CUSTOMER}/offline; curl -s -X POST {sandbox_url}/phones/{CUSTOMER}/online"
    );
    println!("# the customer's endpoint: what it received; let it fail, let it work again");
    println!("curl -s {receiver}/deliveries");
    println!(
        "curl -s {receiver}/mode -H 'Content-Type: application/json' -d '{{\"status\":500,\"delay_ms\":0}}'"
    );
    println!(
        "curl -s {receiver}/mode -H 'Content-Type: application/json' -d '{{\"status\":200,\"delay_ms\":0}}'"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_of_a_pairing_code_fits_a_terminal() {
        let drawn = qr(&format!(
            "2@{},{},{},{}",
            "a".repeat(80),
            "b".repeat(44),
            "c".repeat(44),
            "d".repeat(44)
        ))
        .expect("drawn");
        assert!(drawn.lines().all(|line| line.chars().count() <= 80));
        assert!(drawn.lines().count() <= 40);
    }
}
