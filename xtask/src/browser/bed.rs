//! A gateway with a fresh database and the sandbox network, on free ports, and what a script needs to know
//! about them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::demo::children::{Children, Program};
use crate::demo::info::{Addresses, Publisher};
use crate::demo::{folder::Folder, setup};
use crate::process::Stop;
use crate::tools;

pub struct Bed {
    children: Children,
    gateway: Program,
    addresses: Addresses,
    /// The gateway's process: another one later means that it died.
    pid: u32,
    program: PathBuf,
    data: PathBuf,
    // Dropped last.
    _folder: Folder,
    _temporary: TempDir,
}

impl Bed {
    /// Builds the sandbox program, starts both processes and returns when they answer.
    pub fn start(stop: &Stop) -> Result<Self> {
        let temporary = tempfile::Builder::new()
            .prefix("recado-browser-")
            .tempdir()
            .context("cannot make a temporary folder")?;
        let folder = Folder::open(Some(temporary.path()))?;
        let ports = setup::ports(Some(0), None)?;
        let addresses = Addresses::new(&ports);
        let built = tools::build_recado(true, None)?;
        stop.check()?;
        let program = tools::keep(&built, &folder.program_name())?;
        let sandbox = Program::sandbox(&program, &folder, &ports, &addresses);
        let gateway = Program::gateway(&program, &folder, &ports, &addresses)
            // All of the tests' wrong passwords come from one address.
            .with("RECADO_LIMITS__FAILED_PROOFS_PER_NETWORK", "100000");
        let publisher = Arc::new(Publisher::new(None));
        let children = Children::start(sandbox, gateway.clone(), publisher, stop.part())?;
        Ok(Self {
            pid: children.gateway_pid(),
            children,
            gateway,
            addresses,
            program,
            data: folder.path().to_owned(),
            _folder: folder,
            _temporary: temporary,
        })
    }

    /// Puts what a script needs into a command's environment: the gateway's own settings, so that the
    /// script can call the program's command line, and addresses as `RECADO_TEST_…`, which the program
    /// overlooks.
    pub fn describe(&self, command: &mut Command) {
        self.gateway.configure(command);
        command.env("RECADO_TEST_PROGRAM", &self.program);
        command.env("RECADO_TEST_URL", &self.addresses.base);
        command.env("RECADO_TEST_SANDBOX", &self.addresses.sandbox);
        command.env("RECADO_TEST_DATA", &self.data);
    }

    /// Stops both; an error when one of them died meanwhile or had to be killed.
    pub fn end(mut self) -> Result<()> {
        let failure = self.children.failure();
        let died = self.children.gateway_pid() != self.pid;
        let stopped = self.children.stop();
        // Nobody starts it again.
        let _ = std::fs::remove_file(&self.program);
        if let Some(reason) = failure {
            bail!("{reason}");
        }
        if died {
            bail!("the gateway died while the browser was looking; the lines above say when");
        }
        stopped
    }
}
