//! `docs/security-tests.md` says which test holds which line of the security checklist. A line without
//! a test, and a test that is not there, are found here.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Every id of the groups that are whole: so many of each.
const GROUPS: [(&str, usize); 6] = [
    ("T", 14),
    ("B", 9),
    ("J", 11),
    ("P", 10),
    ("A", 9),
    ("K", 7),
];

/// Where the first part of a test's name leads.
const ROOTS: [(&str, &str); 9] = [
    ("it", "crates/server/tests/it"),
    ("program", "crates/server/tests/program"),
    ("contract", "crates/store/tests/contract"),
    ("model", "crates/model/src"),
    ("store", "crates/store/src"),
    ("identity", "crates/identity/src"),
    ("app", "crates/app/src"),
    ("api", "crates/api/src"),
    ("recado", "crates/server/src"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `id → what holds it`, from the table.
fn table() -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(root().join("docs/security-tests.md")).expect("the page");
    let mut table = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let is_id = |id: &str| {
            let mut parts = id.split('-');
            let group = parts.next().is_some_and(|group| group.len() == 1);
            group
                && parts
                    .next()
                    .is_some_and(|number| number.parse::<u32>().is_ok())
        };
        // The holes of peers have no ids: they go by their words.
        let (id, held) = match cells.as_slice() {
            [_, id, _, held, _] if is_id(id) => (id, held),
            [_, hole, held, _] if held.contains("::") => (hole, held),
            _ => continue,
        };
        let quoted = held.split('`').skip(1).step_by(2).map(str::to_owned);
        let before = table.insert((*id).to_owned(), quoted.collect::<Vec<_>>());
        assert!(before.is_none(), "{id} has two lines");
    }
    table
}

/// The file in which the test must be: of `a::b::name` below a root `a/b.rs`, `a/b/mod.rs`, and those
/// of the modules above it, for a module that is written inside its file.
fn files(test: &str) -> Vec<PathBuf> {
    let mut parts: Vec<&str> = test.split("::").collect();
    parts.pop();
    let root_of = |name: &str| ROOTS.iter().find(|(root, _)| *root == name);
    let Some((_, folder)) = parts.first().and_then(|name| root_of(name)) else {
        panic!(
            "{test} begins with none of {:?}",
            ROOTS.map(|(name, _)| name)
        );
    };
    let mut found = Vec::new();
    while parts.len() > 1 {
        let path = root().join(folder).join(parts[1..].join("/"));
        found.push(path.with_extension("rs"));
        found.push(path.join("mod.rs"));
        parts.pop();
    }
    found
}

fn is_there(test: &str) -> bool {
    let name = test.rsplit("::").next().expect("a name");
    let holds = |path: &Path| {
        let Ok(text) = std::fs::read_to_string(path) else {
            return false;
        };
        let Some((before, _)) = text.split_once(&format!("fn {name}(")) else {
            return false;
        };
        // It runs: it has the attribute, or its name is in the list of those for both databases, which
        // the store's contract keeps in one file.
        let declared = before.rsplit_once("\n\n").map_or(before, |(_, head)| head);
        let lists = match test.starts_with("contract::") {
            true => std::fs::read_to_string(root().join("crates/store/tests/contract.rs")),
            false => Ok(text.clone()),
        };
        let lists = lists.expect("the list");
        let ends = [",", " }", "\n"];
        let listed = ends
            .iter()
            .any(|end| lists.contains(&format!("{name}{end}")));
        declared.contains("test") || listed
    };
    files(test).iter().any(|path| holds(path))
}

#[test]
fn every_line_of_the_checklist_has_its_tests() {
    let table = table();
    for (group, count) in GROUPS {
        for number in 1..=count {
            let id = format!("{group}-{number:02}");
            let held = table.get(&id).unwrap_or_else(|| panic!("no line for {id}"));
            assert!(!held.is_empty(), "{id} names neither a test nor a decision");
        }
    }
}

#[test]
fn every_test_of_the_list_is_there() {
    let mut missing = Vec::new();
    for (id, held) in table() {
        for name in held {
            let found = match name.strip_prefix("docs/") {
                Some(document) => root().join("docs").join(document).is_file(),
                None => is_there(&name),
            };
            if !found {
                missing.push(format!("{id}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn a_test_that_is_not_there_is_missed() {
    assert!(is_there(
        "it::security_tests::every_test_of_the_list_is_there"
    ));
    for no_test in [
        "it::security_tests::no_such_test",
        "it::security_tests::is_there",
        "it::no_such_file::every_test_of_the_list_is_there",
    ] {
        assert!(!is_there(no_test), "{no_test}");
    }
}
