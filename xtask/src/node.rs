//! Node and npm, for the folders that are JavaScript projects of their own: `web`, `interop`.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools;

/// Older ones fail with words that nobody understands.
const WANTED: &str = "install Node 20.19 or newer with npm: https://nodejs.org/en/download";

/// Fails with what to install.
pub fn require(folder: &Path) -> Result<()> {
    let package = folder.join("package.json");
    if !package.is_file() {
        bail!(
            "there is no {}: this is not a whole checkout",
            package.display()
        );
    }
    let Ok(version) = tools::output(Command::new("node").arg("--version")) else {
        bail!("there is no `node`: {WANTED}");
    };
    if !parse(&version).is_some_and(fits) {
        bail!("`node` is {}: {WANTED}", version.trim());
    }
    if !tools::answers("npm", &["--version"]) {
        bail!("there is no `npm`: {WANTED}");
    }
    Ok(())
}

/// Brings a folder's `node_modules` to what its lock file says. `what` is what that is, in words.
pub fn install(folder: &Path, what: &str) -> Result<()> {
    let changed = |path: &Path| path.metadata().and_then(|about| about.modified()).ok();
    // npm writes this file last, so a broken-off installation has none.
    let installed = changed(&folder.join("node_modules").join(".package-lock.json"));
    if installed.is_some() && installed >= changed(&folder.join("package-lock.json")) {
        return Ok(());
    }
    println!("Installing {what} …");
    npm(folder, &["ci", "--no-audit", "--no-fund"]).with_context(|| {
        format!("npm could not install {what}: it needs a registry (`npm config get registry`)")
    })
}

/// Runs npm in a folder, with its output on the terminal.
pub fn npm(folder: &Path, args: &[&str]) -> Result<()> {
    let mut command = Command::new("npm");
    command.args(args).current_dir(folder);
    // It would look for news of itself on the network.
    command.env("NPM_CONFIG_UPDATE_NOTIFIER", "false");
    if std::env::var_os("CI").is_some() {
        // Logs are searched by programs.
        command.env("NO_COLOR", "1");
    }
    command.stderr(Stdio::inherit());
    tools::run(&mut command)
}

/// Major and minor of `v20.19.2`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().trim_start_matches('v').split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some((number()?, number()?))
}

/// The versions that the field's tools of today name: 20.19, 22.12 and what came later.
fn fits(version: (u32, u32)) -> bool {
    matches!(version, (20, 19..) | (22, 12..) | (23.., _))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_new_enough_or_not() {
        for (version, right) in [
            ("v20.19.0\n", true),
            ("v20.20.2", true),
            ("v22.12.0", true),
            ("v24.1.0", true),
            ("v20.18.3", false),
            ("v22.11.0", false),
            ("v21.9.0", false),
            ("v18.20.4", false),
            ("not node", false),
        ] {
            assert_eq!(parse(version).is_some_and(fits), right, "{version}");
        }
    }
}
