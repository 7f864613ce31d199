//! The dashboard in a real browser: Playwright drives headless Chromium against the sandbox program.
//!
//! [`test`] is part of `cargo xtask test`; [`screenshots`] makes `docs/screenshots` anew. [`bed`] is the
//! gateway and the network under both. The scripts are in `web/e2e`.

mod bed;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::process::{self, Stop};
use crate::{tools, web};
use bed::Bed;

/// All of these below this weight, in bytes: they are kept in the repository.
const PICTURES: u64 = 6 * 1024 * 1024;

#[derive(clap::Args, Default)]
pub struct Options {
    /// Handed to Playwright as they are, e.g. a part of a file's name, or `-g "by link"`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// `cargo xtask browser`: the browser tests alone.
pub fn run(options: &Options) -> Result<()> {
    test(&options.args, &Stop::on_signals()?)
}

/// Runs the browser tests; `args` choose among them.
pub fn test(args: &[String], stop: &Stop) -> Result<()> {
    let chromium = ready()?;
    let bed = Bed::start(stop)?;
    println!("The dashboard in {} …", chromium.display());
    let played = play(&bed, &chromium, "playwright.config.ts", args, stop);
    // Told even when a test failed: it is the likelier cause.
    bed.end().and(played)
}

/// `cargo xtask screenshots`: every page in each theme and size, looked over by axe.
pub fn screenshots() -> Result<()> {
    let stop = Stop::on_signals()?;
    let chromium = ready()?;
    let fresh = tempfile::tempdir().context("cannot make a temporary folder")?;
    let bed = Bed::start(&stop)?;
    let pictures = [("RECADO_TEST_SCREENSHOTS", fresh.path())];
    let played = play_with(
        &bed,
        &chromium,
        "screenshots.config.ts",
        &[],
        &pictures,
        &stop,
    );
    bed.end().and(played)?;
    publish(
        fresh.path(),
        &tools::root().join("docs").join("screenshots"),
    )
}

/// Everything that must be there before a browser can look: the dashboard and Chromium.
fn ready() -> Result<PathBuf> {
    let chromium = chromium()?;
    web::build()?;
    web::install()?;
    Ok(chromium)
}

/// Debian's package, or what `RECADO_TEST_CHROMIUM` names.
fn chromium() -> Result<PathBuf> {
    let named = std::env::var_os("RECADO_TEST_CHROMIUM").map(PathBuf::from);
    if let Some(path) = named {
        if !path.is_file() {
            bail!(
                "RECADO_TEST_CHROMIUM names {}, where no program is",
                path.display()
            );
        }
        return Ok(path);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .flat_map(|folder| ["chromium", "chromium-browser"].map(|name| folder.join(name)))
        .find(|path| path.is_file());
    found.context(
        "there is no `chromium`: apt-get install chromium (or name another with RECADO_TEST_CHROMIUM). \
         Tests without a browser: cargo xtask test -E 'all()'",
    )
}

fn play(bed: &Bed, chromium: &Path, config: &str, args: &[String], stop: &Stop) -> Result<()> {
    play_with(bed, chromium, config, args, &[], stop)
}

fn play_with(
    bed: &Bed,
    chromium: &Path,
    config: &str,
    args: &[String],
    env: &[(&str, &Path)],
    stop: &Stop,
) -> Result<()> {
    let mut command = web::installed("playwright");
    command.args(["test", "--config"]);
    command.arg(Path::new("e2e").join(config)).args(args);
    bed.describe(&mut command);
    command.env("RECADO_TEST_CHROMIUM", chromium);
    command.envs(env.iter().copied());
    watch(&mut command, stop)
}

/// Runs it to its end; a wish to stop is handed on, so that it can close its browsers.
fn watch(command: &mut Command, stop: &Stop) -> Result<()> {
    command.stdin(std::process::Stdio::null());
    let mut child = command
        .spawn()
        .context("cannot start Playwright: `npm ci` in web/ installs it")?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if stop.wanted() {
            process::stop(&mut child, Signal::TERM, Duration::from_secs(20));
            bail!("interrupted");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    if !status.success() {
        bail!("browser tests failed ({status}); traces: web/e2e/results");
    }
    Ok(())
}

/// All pictures or none: what a run left out must not stay from an older one.
fn publish(fresh: &Path, place: &Path) -> Result<()> {
    let pictures = pngs(fresh)?;
    let weight: u64 = pictures
        .iter()
        .map(|path| Ok(path.metadata()?.len()))
        .sum::<Result<u64>>()?;
    if pictures.is_empty() {
        bail!("no picture was made");
    }
    if weight > PICTURES {
        bail!(
            "{} pictures weigh {} KiB; {} KiB are the most that the repository should carry",
            pictures.len(),
            weight / 1024,
            PICTURES / 1024
        );
    }
    std::fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    for old in pngs(place)? {
        std::fs::remove_file(&old).with_context(|| format!("cannot remove {}", old.display()))?;
    }
    for picture in &pictures {
        let name = picture.file_name().context("a picture without a name")?;
        std::fs::copy(picture, place.join(name))
            .with_context(|| format!("cannot write into {}", place.display()))?;
    }
    println!(
        "{} pictures, {} KiB: {}",
        pictures.len(),
        weight / 1024,
        place.display()
    );
    Ok(())
}

fn pngs(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "png") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_pictures_replace_all_old_ones_and_none_is_an_error() {
        let (fresh, place) = (
            tempfile::tempdir().expect("folder"),
            tempfile::tempdir().expect("folder"),
        );
        std::fs::write(place.path().join("gone-light-phone.png"), "old").expect("write");
        std::fs::write(place.path().join("README.md"), "words").expect("write");
        assert!(publish(fresh.path(), place.path()).is_err());
        assert!(place.path().join("gone-light-phone.png").exists());

        std::fs::write(fresh.path().join("new.png"), "new").expect("write");
        publish(fresh.path(), place.path()).expect("publish");
        assert!(!place.path().join("gone-light-phone.png").exists());
        assert!(place.path().join("README.md").exists());
        assert_eq!(
            std::fs::read(place.path().join("new.png")).expect("read"),
            b"new"
        );
    }
}
