//! `cargo xtask demo`: a gateway and a WhatsApp network on loopback, an account, and the main story.
//!
//! `folder` is the data folder · `setup` readies ports, database and accounts · `children` runs and watches both processes · `info` keeps what
//! a rerun and scripts need · `story` plays the steps · `print` is all that is said at the end.

pub mod children;
pub mod folder;
pub mod info;
mod print;
pub mod setup;
mod signature;
mod story;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::postgres::Postgres;
use crate::process::Stop;
use crate::{tools, web};
use children::{Children, Program};
use info::{Addresses, Database, Memory};

#[derive(clap::Args)]
pub struct Options {
    /// End after the story: exit code 0, or non-zero and the reason
    #[arg(long, conflicts_with = "no_story")]
    pub once: bool,
    /// Only start and serve
    #[arg(long)]
    no_story: bool,
    /// Port of the gateway on 127.0.0.1; 0 picks free ones for everything [default: 8080 when free]
    #[arg(long)]
    port: Option<u16>,
    /// Folder for everything that stays: a rerun finds its accounts, instances and phones there
    /// [default: data/demo in the repository, data/demo-postgres with --db postgres]
    #[arg(long)]
    data: Option<PathBuf>,
    /// The database that the gateway keeps its data in. PostgreSQL is a throwaway server of this run: its accounts and
    /// phones end with it
    #[arg(long, value_enum, default_value = "sqlite")]
    db: Database,
    /// A setting of the gateway by its name in default.toml, such as send.min_interval_ms=0; repeatable
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setup::setting)]
    settings: Vec<setup::Setting>,
    /// Once everything answers, write all addresses and credentials to this file as one JSON object
    #[arg(long)]
    info: Option<PathBuf>,
}

impl Options {
    /// A throwaway database and one that stays cannot share a folder.
    fn folder(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| {
            let name = match self.db {
                Database::Sqlite => "demo",
                Database::Postgres => "demo-postgres",
            };
            tools::root().join("data").join(name)
        })
    }
}

/// Runs the demo until the story ends (`--once`) or until Ctrl-C.
pub fn run(options: Options) -> Result<()> {
    let begun = Instant::now();
    let stop = Stop::on_signals()?;
    let folder = folder::Folder::open(Some(&options.folder()))?;
    if let Some(file) = &options.info {
        info::clear(file)?;
    }
    let mut memory = Memory::load(&folder.memory())?;
    setup::fits(options.db, &folder, &memory)?;
    let ports = setup::ports(options.port, memory.ports.as_ref())?;
    let addresses = Addresses::new(&ports);

    web::build_if_possible();
    println!(
        "Building the gateway with its sandbox network (the first time takes a few minutes) …"
    );
    let built = tools::build_recado(true, None)?;
    stop.check()?;
    let program = tools::keep(&built, &folder.program_name())?;

    let sandbox = Program::sandbox(&program, &folder, &ports, &addresses);
    let mut gateway = Program::gateway(&program, &folder, &ports, &addresses);
    for setting in &options.settings {
        gateway = gateway.with(&setting.variable, &setting.value);
    }
    // Declared before the programs, and so stopped after them.
    let mut server = None;
    if options.db == Database::Postgres {
        let started = Postgres::start(&stop)?;
        gateway = setup::on_postgres(gateway, &started, &folder, &ports, &mut memory)?;
        server = Some(started);
    }
    memory.database = options.db;
    let shared = Arc::new(info::Publisher::new(options.info.clone()));
    let mut children =
        Children::start(sandbox, gateway.clone(), Arc::clone(&shared), stop.clone())?;

    setup::accounts(&gateway, &folder, &mut memory)?;
    memory.ports = Some(ports);
    memory.save(&folder.memory())?;
    let info = memory.info(&addresses, folder.path(), children.gateway_pid())?;
    shared.publish(info.clone())?;
    // A gateway that was replaced between the two lines above is in the file, too.
    shared.set_pid(children.gateway_pid())?;
    print::started(&info, begun.elapsed());

    let mut told = Ok(());
    if !options.no_story {
        told =
            story::play(&info, &mut memory, &folder.memory(), &stop).map_err(
                |error| match children.failure() {
                    Some(reason) => anyhow::anyhow!("{reason}"),
                    None => error,
                },
            );
        if let Err(error) = &told {
            eprintln!("\nThe story broke off: {error:#}");
            eprintln!("What the programs said: {}", folder.logs().display());
        }
    }
    if !options.once && !stop.wanted() {
        print::how_to(&info, &memory);
        while !stop.wanted() && children.failure().is_none() {
            std::thread::sleep(Duration::from_millis(100));
        }
        println!("\nStopping …");
    }
    let failure = children.failure();
    let stopped = children.stop();
    drop(server);
    // Nobody starts it again; the next demo makes a fresh copy, which also replaces one that is left over.
    let _ = std::fs::remove_file(&program);
    if let Some(reason) = failure {
        bail!("{reason}");
    }
    told.context("the story did not come to its end")?;
    stopped
}
