//! The setting `log`.

use anyhow::{Context, Result};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Always on top: whatsapp-rust writes each link code at `info`.
const NEVER: &str = "Client/PairCode=warn";

/// A bare level of the setting `log` counts for this program's own crates. Libraries log what passes
/// through them, under names of many kinds, so they stay at warnings unless asked for by name.
pub fn log_filter(log: &str) -> Result<EnvFilter> {
    let is_level = |part: &str| part.parse::<LevelFilter>().is_ok();
    let (levels, named): (Vec<&str>, Vec<&str>) = log
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .partition(|part| is_level(part));
    let own = match levels.last() {
        Some(level) => level
            .parse()
            .context("log: a level that was one a moment ago")?,
        None => LevelFilter::INFO,
    };
    let libraries = own.min(LevelFilter::WARN);
    // It warns of each mistake of a caller, which the access log has already.
    let mcp = own.min(LevelFilter::ERROR);
    let mut directives = vec![
        libraries.to_string(),
        format!("recado={own}"),
        format!("rmcp={mcp}"),
    ];
    directives.extend(named.into_iter().map(str::to_owned));
    directives.push(NEVER.to_owned());
    EnvFilter::try_new(directives.join(","))
        .with_context(|| format!("log: {log:?} is not a level or filter"))
}

#[cfg(test)]
mod tests {
    use super::log_filter;

    fn told(log: &str) -> Vec<String> {
        let shown = log_filter(log).expect(log).to_string();
        let mut parts: Vec<String> = shown.split(',').map(str::to_owned).collect();
        parts.sort();
        parts
    }

    #[test]
    fn a_bare_level_is_ours() {
        let never = "Client/PairCode=warn";
        assert_eq!(told("debug"), [never, "recado=debug", "rmcp=error", "warn"]);
        assert_eq!(
            told("error"),
            [never, "error", "recado=error", "rmcp=error"]
        );
        assert_eq!(told("off"), [never, "off", "recado=off", "rmcp=off"]);
        assert_eq!(
            told("info, recado_engine=debug,sqlx=trace"),
            [
                never,
                "recado=info",
                "recado_engine=debug",
                "rmcp=error",
                "sqlx=trace",
                "warn"
            ]
        );
        assert_eq!(
            told("Client/PairCode=trace"),
            [never, "recado=info", "rmcp=error", "warn"]
        );
        assert!(log_filter("loud=very").is_err());
    }
}
