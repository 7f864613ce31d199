//! How the closed lists of [`crate::people`] and [`crate::system`] are held: by the sources, which are
//! found in their folder, so that a new file cannot stay outside.

use std::path::{Path, PathBuf};

/// The public functions in the folder of a door, sorted. Panics when a file elsewhere gives the door
/// functions, too.
pub fn functions(folder: &str, door: &str) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        if file.starts_with(src.join(folder)) || file == src.join(folder).with_extension("rs") {
            found.extend(public_functions(&text));
        } else {
            assert!(
                !has_impl(&text, door),
                "{}: functions of {door} belong into src/{folder}",
                file.display()
            );
        }
    }
    found.sort_unstable();
    found
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn public_functions(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().map(str::trim_start);
    let named = lines.filter_map(|line| {
        let rest = line.strip_prefix("pub ")?;
        let rest = rest.strip_prefix("async ").unwrap_or(rest);
        rest.strip_prefix("fn ")?.split(['(', '<']).next()
    });
    named.map(str::to_owned)
}

fn has_impl(text: &str, door: &str) -> bool {
    let mut lines = text.lines().filter(|line| line.starts_with("impl"));
    lines.any(|line| line.contains(&format!(" {door}<")))
}

#[test]
fn what_it_finds() {
    let text = "impl<'a> Door<'a> {\n    pub async fn one(&mut self) {}\n    pub fn two<T>() {}\n    fn no() {}\n}";
    assert_eq!(public_functions(text).collect::<Vec<_>>(), ["one", "two"]);
    assert!(has_impl(text, "Door"));
    assert!(!has_impl(text, "Doors"));
}
