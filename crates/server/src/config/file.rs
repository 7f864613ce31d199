//! The operator's file, before figment reads it.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use figment::providers::{Format, Toml};

/// Figment's own error names neither the file nor fits on a line, and quotes what may be a secret.
pub(super) fn check(file: &Path) -> Result<()> {
    ensure!(
        file.is_file(),
        "the configuration file {} does not exist",
        file.display()
    );
    let bytes = std::fs::read(file)
        .with_context(|| format!("cannot read the configuration file {}", file.display()))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let at = place(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]));
        anyhow!(
            "configuration: {}, {at} is not UTF-8: write it in UTF-8, a path too (rename the file or folder if need be)",
            file.display()
        )
    })?;
    Toml::from_str::<figment::value::Dict>(text).map_err(|error| {
        let error = error.to_string();
        let (place, reason) = (error.lines().next(), error.lines().last());
        anyhow!(
            "configuration: {} is not TOML: {}: {}",
            file.display(),
            place.unwrap_or_default(),
            reason.unwrap_or_default()
        )
    })?;
    Ok(())
}

/// Where the text ends that could be read: its line, and the setting there.
fn place(before: &str) -> String {
    let (mut section, mut name) = (String::new(), String::new());
    for line in before.lines().map(str::trim) {
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = format!("{}.", header.trim());
            name.clear();
        } else if line.starts_with('#') {
            name.clear();
        } else if let Some((key, _)) = line.split_once('=') {
            key.trim().clone_into(&mut name);
        }
    }
    let line = before.matches('\n').count() + 1;
    match name.as_str() {
        "" => format!("line {line}"),
        name => format!("line {line}: {section}{name}"),
    }
}
