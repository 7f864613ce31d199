//! `recado docs`: the documents made from the program itself; CI keeps the committed ones current.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::config;

pub fn write(out: &Path) -> Result<()> {
    let settings = format!(
        "# Settings\n\nMade from the program; do not edit. `recado config default` prints the same.\n\n```toml\n{}```\n",
        config::DEFAULT
    );
    let documents = [
        ("access-matrix.md", recado_api::access_matrix()),
        ("config.md", settings),
        ("events.md", recado_app::events::document()),
        ("openapi.json", format!("{:#}\n", recado_api::openapi())),
    ];
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    for (name, text) in documents {
        let path = out.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
