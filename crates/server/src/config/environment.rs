//! Settings in the environment: `RECADO_` + the name of a setting in capitals, `__` between levels.
//!
//! Figment's own reader takes what is not UTF-8 for something else, and makes a number of a text that
//! looks like one. A setting must never be another than was written: a data folder by another name is
//! an empty gateway.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    str::FromStr,
    sync::OnceLock,
};

use anyhow::{Result, anyhow, bail};
use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};

use super::{
    DEFAULT,
    names::{names, nearest, variable},
};

const PREFIX: &str = "RECADO_";
/// They belong to the test suite.
const TESTS: &str = "TEST_";

#[derive(Default)]
pub(super) struct Environment {
    /// The configuration file (`RECADO_CONFIG`).
    pub config: Option<PathBuf>,
    /// Variables that are about something else.
    pub neighbours: Vec<String>,
    values: Vec<(&'static str, Value)>,
}

/// One setting, for a program that has no others.
pub fn one(name: &str) -> Result<Option<String>> {
    let variable = variable(name);
    match std::env::var_os(&variable) {
        Some(value) => text(&variable, &value),
        None => Ok(None),
    }
}

/// The text of a variable; one that is empty is not set: `${VAR:-}` makes such.
fn text(variable: &str, value: &OsStr) -> Result<Option<String>> {
    let text = value.to_str().ok_or_else(|| {
        anyhow!(
            "configuration: {variable} is not UTF-8: write it in UTF-8, a path too (rename the file or folder if need be)"
        )
    })?;
    Ok(Some(text.trim())
        .filter(|text| !text.is_empty())
        .map(str::to_owned))
}

impl Environment {
    pub fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Self> {
        let mut found: Vec<_> = variables
            .map(|(name, value)| (name.to_string_lossy().trim().to_ascii_uppercase(), value))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        // The system gives them in any order; what is told of first should not change.
        found.sort();
        let mut environment = Self::default();
        for (full, value) in found {
            environment.take(full, &value)?;
        }
        Ok(environment)
    }

    fn take(&mut self, full: String, value: &OsStr) -> Result<()> {
        let short = &full[PREFIX.len()..];
        if short.starts_with(TESTS) {
            return Ok(());
        }
        if short == "CONFIG" {
            self.config = text(&full, value)?.map(PathBuf::from);
            return Ok(());
        }
        let known = names().iter().find(|name| variable(name) == full);
        let Some(name) = known else {
            if is_neighbours(&full) {
                self.neighbours.push(full);
                return Ok(());
            }
            let nearest = nearest(&short.to_ascii_lowercase());
            bail!(
                "configuration: {full} is not a setting; the nearest is {} ({nearest}). `recado config default` prints all",
                variable(nearest)
            );
        };
        if let Some(text) = text(&full, value)? {
            self.values.push((name, typed(name, &text)));
        }
        Ok(())
    }

    /// For the operator: what was left aside, if anything.
    pub fn note(&self) -> Option<String> {
        if self.neighbours.is_empty() {
            return None;
        }
        Some(format!(
            "ignored {}: they look like what an orchestrator says of the services beside this one, and are no settings. In Kubernetes, enableServiceLinks: false keeps them away",
            self.neighbours.join(", ")
        ))
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment")
            .interpolater(|_: &Profile, keys: &[&str]| variable(&keys.join(".")))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut all = Dict::new();
        for (name, value) in &self.values {
            let Some((section, name)) = name.split_once('.') else {
                all.insert((*name).to_owned(), value.clone());
                continue;
            };
            let section = all
                .entry(section.to_owned())
                .or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, section) = section {
                section.insert(name.to_owned(), value.clone());
            }
        }
        Ok(Profile::Default.collect(all))
    }
}

/// A number, a list or a text, as the default is. Texts may stand in quotes, as files of variables
/// often have them.
fn typed(name: &str, text: &str) -> Value {
    static DEFAULTS: OnceLock<Figment> = OnceLock::new();
    let defaults = DEFAULTS.get_or_init(|| Figment::from(Toml::string(DEFAULT)));
    let parsed = Value::from_str(text).unwrap_or_else(|never| match never {});
    match (defaults.find_value(name).ok(), parsed) {
        (Some(Value::Num(..) | Value::Bool(..)), parsed) => parsed,
        (Some(Value::Array(..)), parsed @ Value::Array(..)) => parsed,
        (_, parsed @ Value::String(..)) => parsed,
        _ => Value::from(text),
    }
}

/// Kubernetes, and Docker's links, tell each program of the services beside it in variables made of
/// their names: of `recado-postgresql`, `RECADO_POSTGRESQL_PORT_5432_TCP_ADDR` and six more.
fn is_neighbours(full: &str) -> bool {
    let section = full[PREFIX.len()..]
        .split_once("__")
        .map(|(first, _)| first);
    // One that names a section of ours is meant for us.
    let ours = section.is_some_and(|first| {
        let first = format!("{}.", first.to_ascii_lowercase());
        names().iter().any(|name| name.starts_with(&first))
    });
    if ours {
        return false;
    }
    let of_port = |at: &str| {
        full.match_indices(at).any(|(start, _)| {
            let rest = &full[start + at.len()..];
            rest.is_empty() || rest.starts_with('_')
        })
    };
    full.ends_with("_SERVICE_HOST")
        || of_port("_SERVICE_PORT")
        || full.ends_with("_PORT")
        || full
            .match_indices("_PORT_")
            .any(|(start, at)| is_port(&full[start + at.len()..]))
}

/// `5432_TCP`, and what may follow it.
fn is_port(text: &str) -> bool {
    let mut parts = text.splitn(3, '_');
    let number = parts
        .next()
        .is_some_and(|number| number.parse::<u16>().is_ok());
    number
        && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
        && matches!(parts.next(), None | Some("PROTO" | "PORT" | "ADDR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_told_from_settings() {
        for name in [
            "RECADO_SERVICE_HOST",
            "RECADO_PORT",
            "RECADO_PORT_8080_TCP_ADDR",
            "RECADO_POSTGRESQL_PORT",
            "RECADO_POSTGRESQL_PORT_5432_TCP",
            "RECADO_POSTGRESQL_PORT_5432_TCP_PROTO",
            "RECADO_DNS_PORT_53_UDP_PORT",
            "RECADO_POSTGRESQL_SERVICE_PORT",
            "RECADO_POSTGRESQL_SERVICE_PORT_TCP_POSTGRESQL",
        ] {
            assert!(is_neighbours(name), "{name}");
        }
        for name in [
            "RECADO_LISEN",
            "RECADO_PORTAL",
            "RECADO_SERVICES",
            "RECADO_MAIL__PORT",
            "RECADO_POSTGRESQL_PORT_X_TCP",
            "RECADO_POSTGRESQL_PORT_5432_HTTP",
            "RECADO_LISTEN_PORTS",
        ] {
            assert!(!is_neighbours(name), "{name}");
        }
    }

    #[test]
    fn texts_stay_as_they_are_written() {
        let text = |name, text| match typed(name, text) {
            Value::String(_, text) => text,
            other => panic!("{other:?}"),
        };
        for plain in ["007", "1.50", "true", "[::1]:8080", "{a=b}", "caf\u{e9}"] {
            assert_eq!(text("node", plain), plain);
            assert_eq!(text("master_key_file", plain), plain);
        }
        assert_eq!(text("node", "\"in quotes\""), "in quotes");
        assert_eq!(
            text("trusted_proxies", "10.0.0.1, 10.0.0.2"),
            "10.0.0.1, 10.0.0.2"
        );
        assert!(matches!(
            typed("trusted_proxies", "[\"10.0.0.1\"]"),
            Value::Array(..)
        ));
        assert!(matches!(typed("limits.body_bytes", "4096"), Value::Num(..)));
    }
}
