//! The dashboard's own tools: Node and npm in `web/`, and when they have something to do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::tools;

/// The Node that the dashboard's tools need; older ones fail with words that nobody understands.
const WANTED: &str = "install Node 20.19 or newer with npm: https://nodejs.org/en/download";
/// Built, installed, or written by people: nothing that the build reads.
const NO_SOURCE: [&str; 5] = ["node_modules", "dist", "e2e", "README.md", ".vite"];

/// Builds the dashboard when its source is another than that of `web/dist`.
pub fn build() -> Result<()> {
    require_node()?;
    let sources = digest(&folder(), &NO_SOURCE)?;
    if stamped().is_some_and(|(of, made)| {
        of == sources && digest(&dist(), &[]).is_ok_and(|now| now == made)
    }) {
        return Ok(());
    }
    install()?;
    println!("Building the dashboard …");
    npm(&["run", "--silent", "build"])?;
    let made = digest(&dist(), &[]).context("`npm run build` made no web/dist")?;
    if !dist().join("index.html").is_file() {
        bail!("`npm run build` made no web/dist/index.html");
    }
    // Not in `dist`: what lies there becomes part of the program.
    let stamp = stamp();
    if let Some(folder) = stamp.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(&stamp, format!("{sources} {made}\n"))
        .with_context(|| format!("cannot write {}", stamp.display()))
}

/// The same, and without Node one line that says so: the gateway works without its dashboard and shows a
/// plain page in its place.
pub fn build_if_possible() {
    if let Err(error) = build() {
        println!("The dashboard is not built: {error:#}. Going on without it.");
    }
}

/// Types, style and unit tests of the dashboard; then, that its API's types are those of
/// `docs/openapi.json`.
pub fn check() -> Result<()> {
    require_node()?;
    install()?;
    npm(&["run", "--silent", "check"])?;
    tools::run(installed("tsc").args(["-p", "e2e"]))
        .context("the browser tests have wrong types")?;
    npm(&["run", "--silent", "types:check"]).context(
        "the types in web/src/api are not those of docs/openapi.json: write them anew with `npm run types` in web/",
    )
}

/// Brings `web/node_modules` to what the lock file says.
pub fn install() -> Result<()> {
    let web = folder();
    let changed = |path: &Path| path.metadata().and_then(|about| about.modified()).ok();
    // npm writes this file last, so a broken-off installation has none.
    let installed = changed(&web.join("node_modules").join(".package-lock.json"));
    if installed.is_some() && installed >= changed(&web.join("package-lock.json")) {
        return Ok(());
    }
    println!("Installing the dashboard's tools …");
    npm(&["ci", "--no-audit", "--no-fund"])
}

/// A program out of `web/node_modules`, in `web/`.
pub fn installed(program: &str) -> Command {
    let mut command = Command::new(folder().join("node_modules").join(".bin").join(program));
    command.current_dir(folder());
    command
}

/// Fails with what to install.
pub fn require_node() -> Result<()> {
    if !folder().join("package.json").is_file() {
        bail!("there is no web/package.json: this is not a whole checkout");
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

pub fn folder() -> PathBuf {
    tools::root().join("web")
}

fn dist() -> PathBuf {
    folder().join("dist")
}

fn npm(args: &[&str]) -> Result<()> {
    let mut command = Command::new("npm");
    command.args(args).current_dir(folder());
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

fn stamp() -> PathBuf {
    folder()
        .join("node_modules")
        .join(".cache")
        .join("recado-dist")
}

/// The digests of the last build: of what it was made from, and of what it made.
fn stamped() -> Option<(String, String)> {
    let text = std::fs::read_to_string(stamp()).ok()?;
    let (of, made) = text.trim().split_once(' ')?;
    Some((of.to_owned(), made.to_owned()))
}

/// Names and contents of everything below `folder`, without the `ignored` at its top. Not times: a checkout
/// makes old files new.
fn digest(folder: &Path, ignored: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        let entries =
            std::fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            if path == folder && ignored.iter().any(|one| name == *one) {
                continue;
            }
            match entry.file_type()?.is_dir() {
                true => waiting.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    let mut all = Sha256::new();
    for file in files {
        let bytes =
            std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy();
        all.update(Sha256::digest(name.as_bytes()));
        all.update(Sha256::digest(&bytes));
    }
    Ok(all
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
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

    #[test]
    fn the_digest_sees_contents_names_and_nothing_that_is_ignored() {
        let temp = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = temp.path().join(name);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            std::fs::write(path, text).expect("write");
            digest(temp.path(), &["dist"]).expect("digest")
        };
        let first = write("src/a.ts", "a");
        assert_eq!(write("src/a.ts", "a"), first, "only its time has changed");
        assert_eq!(write("dist/index.html", "x"), first);
        let changed = write("src/a.ts", "b");
        assert_ne!(changed, first);
        let added = write("src/dist/c.ts", "");
        assert_ne!(added, changed, "only the folder at the top is ignored");
    }
}
