//! The dashboard's own tools: Node and npm in `web/`, and when they have something to do.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{node, tools};

/// Built, installed, or written by people: nothing that the build reads.
const NO_SOURCE: [&str; 5] = ["node_modules", "dist", "e2e", "README.md", ".vite"];

/// Builds the dashboard when its source is another than that of `web/dist`.
pub fn build() -> Result<()> {
    node::require(&folder())?;
    let sources = digest(&folder(), &NO_SOURCE)?;
    if stamped().is_some_and(|(of, made)| {
        of == sources && digest(&dist(), &[]).is_ok_and(|now| now == made)
    }) {
        return Ok(());
    }
    install()?;
    println!("Building the dashboard …");
    node::npm(&folder(), &["run", "--silent", "build"])?;
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
    node::require(&folder())?;
    install()?;
    node::npm(&folder(), &["run", "--silent", "check"])?;
    tools::run(installed("tsc").args(["-p", "e2e"]))
        .context("the browser tests have wrong types")?;
    node::npm(&folder(), &["run", "--silent", "types:check"]).context(
        "the types in web/src/api are not those of docs/openapi.json: write them anew with `npm run types` in web/",
    )
}

/// Brings `web/node_modules` to what the lock file says.
pub fn install() -> Result<()> {
    node::install(&folder(), "the dashboard's tools")
}

/// A program out of `web/node_modules`, in `web/`.
pub fn installed(program: &str) -> Command {
    let mut command = Command::new(folder().join("node_modules").join(".bin").join(program));
    command.current_dir(folder());
    command
}

pub fn folder() -> PathBuf {
    tools::root().join("web")
}

fn dist() -> PathBuf {
    folder().join("dist")
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
