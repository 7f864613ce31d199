//! More gateways on the bed's database.

use std::sync::Arc;

use recado::{
    config::Settings,
    lifecycle::{Gateway, World},
};

use super::{Bed, rng};
use crate::clock::JumpClock;

impl Bed {
    /// Another node on the same database, with a clock of its own.
    pub async fn another_node(&self, name: &str) -> (Gateway, Arc<JumpClock>) {
        let data = self.folder.path().join(name).display().to_string();
        let own = |line: &str| match line.split_once(" = ").map(|(name, _)| name) {
            Some("node") => format!("node = {name:?}\n"),
            Some("data_dir") => format!("data_dir = {data:?}\n"),
            _ => format!("{line}\n"),
        };
        let text: String = self.text.lines().map(own).collect();
        let settings = Settings::from_toml(&text).expect("settings");
        let clock = Arc::new(JumpClock::new());
        let world = World {
            clock: clock.clone(),
            rng: rng(),
            metrics: None,
            program: self.program.clone(),
            refusal_hold: std::time::Duration::ZERO,
        };
        let started = Gateway::start(&settings, world).await;
        (started.expect("another node starts"), clock)
    }
}
