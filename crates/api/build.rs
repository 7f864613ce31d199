//! The dashboard is embedded from `web/dist`. A checkout without Node has none: the folder is made
//! here, so that the program builds anyway and `/dashboard` says how to build it.

use std::{fs, path::Path};

fn main() -> std::io::Result<()> {
    let dist = Path::new("../../web/dist");
    if !dist.exists() {
        fs::create_dir_all(dist)?;
    }
    println!("cargo:rerun-if-changed=../../web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}
