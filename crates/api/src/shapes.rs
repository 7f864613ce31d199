//! Bodies and answers that several surfaces share. A surface imports from here, never from another one.
//!
//! | file | holds |
//! |---|---|
//! | [`audit`] | a page of the audit log |
//! | [`connections`] | states of a connection: the exact ones, and those of the contract |
//! | [`credentials`] | what is asked and answered about credentials |
//! | [`message`] | where a message stands, and the lack of one |
//! | [`qr`] | the pairing QR, as JSON or as a picture |

pub mod audit;
pub mod connections;
pub mod credentials;
pub mod message;
pub mod qr;

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    const SURFACES: [&str; 6] = ["rest", "mcp", "direct", "dashboard", "ops", "web"];

    /// The sources of a surface: its file, and all in the folder of its name.
    fn sources(surface: &str) -> Vec<PathBuf> {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = vec![src.join(format!("{surface}.rs"))];
        let mut folders = vec![src.join(surface)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match path.is_dir() {
                    true => folders.push(path),
                    false if path.extension().is_some_and(|kind| kind == "rs") => found.push(path),
                    false => {}
                }
            }
        }
        found
    }

    /// Whether a module of the crate is named: by its path, or in a list of imports from the crate.
    fn names(text: &str, module: &str) -> bool {
        let by_path = format!("crate::{module}");
        let is_whole = |rest: &str| rest.is_empty() || rest.starts_with([':', ';', ',', ' ', '}']);
        let listed = |list: &str| {
            let list = list.split("};").next().unwrap_or_default();
            let mut parts = list.split([',', '{', '\n']).map(str::trim_start);
            parts.any(|part| part.strip_prefix(module).is_some_and(is_whole))
        };
        text.split(&by_path).skip(1).any(is_whole) || text.split("use crate::{").skip(1).any(listed)
    }

    #[test]
    fn no_surface_imports_another() {
        for surface in SURFACES {
            for source in sources(surface) {
                let text = fs::read_to_string(&source).expect("a source");
                let others = SURFACES.iter().filter(|other| **other != surface);
                for other in others {
                    assert!(!names(&text, other), "{} names {other}", source.display());
                }
            }
        }
    }
}
