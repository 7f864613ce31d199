//! Which of the store's statements its contract test ran, on which database, and which of them read a table
//! from end to end. The test itself notes them (`crates/store/src/sql/ledger.rs`); here the notes are compared
//! with the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use syn::{Expr, ExprCall, visit::Visit};

use crate::tools;

/// The variable that gives the folder of the notes to the tests.
pub const FOLDER: &str = "RECADO_SQL_LEDGER";

const DATABASES: [&str; 2] = ["sqlite", "postgres"];

/// Tables that hold a handful of rows, whatever the gateway is used for.
const SMALL: [&str; 4] = ["meta", "system_key", "pepper", "jwt_key"];

/// The words in a comment above a statement that excuse it.
const READS_ALL: &str = "Reads all: ";
const POSTGRES_ALONE: &str = "On PostgreSQL alone.";

/// Fails where a statement of the source was not run on one of the databases, or reads a table that grows from
/// end to end.
pub fn check(folder: &Path) -> Result<()> {
    let ran = read(folder)?;
    if ran.is_empty() {
        bail!("the contract test noted no statement");
    }
    let mut wrong = Vec::new();
    for Call { place, above } in calls(&tools::root().join("crates/store/src"))? {
        for database in DATABASES {
            match ran.get(&format!("{database} {place}")) {
                None if database == "sqlite" && above.contains(POSTGRES_ALONE) => {}
                None => wrong.push(format!("{place}: not run on {database}")),
                Some(tables) if !above.contains(READS_ALL) => {
                    let large = tables
                        .iter()
                        .filter(|table| !SMALL.contains(&table.as_str()));
                    wrong.extend(
                        large.map(|table| format!("{place}: reads all of `{table}` on {database}")),
                    );
                }
                Some(_) => {}
            }
        }
    }
    if !wrong.is_empty() {
        bail!(
            "statements of the store ({}):\n  {}\nGive the contract test a case for each, and each an index; one that must see a whole table says so in the line above it: // {READS_ALL}<why>.",
            wrong.len(),
            wrong.join("\n  ")
        );
    }
    Ok(())
}

/// By database and place, the tables that are read from end to end.
fn read(folder: &Path) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut ran: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let entries = fs::read_dir(folder).context("the contract test left no notes")?;
    for entry in entries {
        for line in fs::read_to_string(entry?.path())?.lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(database), Some(place)) = (words.next(), words.next()) else {
                continue;
            };
            let tables = words.next().unwrap_or_default().split(',');
            let noted = ran.entry(format!("{database} {place}")).or_default();
            noted.extend(tables.filter(|table| !table.is_empty()).map(str::to_owned));
        }
    }
    Ok(ran)
}

/// Where the sources make a statement.
struct Call {
    /// File, line and column, as the compiler tells them.
    place: String,
    /// The comment on the lines above.
    above: String,
}

fn calls(src: &Path) -> Result<Vec<Call>> {
    let mut found = Vec::new();
    for file in files(src)? {
        let text = fs::read_to_string(&file)?;
        let tree = syn::parse_file(&text).with_context(|| format!("{}", file.display()))?;
        let mut places = Places::default();
        places.visit_file(&tree);
        let name = file.strip_prefix(tools::root()).unwrap_or(&file).display();
        let lines: Vec<&str> = text.lines().collect();
        for (line, column) in places.found {
            let above = lines[..line.saturating_sub(1)].iter().rev();
            let above = above.take_while(|above| above.trim_start().starts_with("//"));
            found.push(Call {
                place: format!("{name}:{line}:{}", column + 1),
                above: above.copied().collect(),
            });
        }
    }
    Ok(found)
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

#[derive(Default)]
struct Places {
    found: Vec<(usize, usize)>,
}

impl<'a> Visit<'a> for Places {
    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        if let Expr::Path(path) = &*call.func
            && let (Some(first), Some(last)) =
                (path.path.segments.first(), path.path.segments.last())
            && (last.ident == "sql" || last.ident == "built")
        {
            let start = first.ident.span().start();
            self.found.push((start.line, start.column));
        }
        syn::visit::visit_expr_call(self, call);
    }

    // Tests of the store's own are no callers.
    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        let test = module.attrs.iter().any(|attr| {
            attr.path().is_ident("cfg")
                && attr
                    .parse_args::<syn::Ident>()
                    .is_ok_and(|cfg| cfg == "test")
        });
        if !test {
            syn::visit::visit_item_mod(self, module);
        }
    }
}
