//! For the tests: where in the source each statement that ran comes from, on which database, and which tables
//! it would read from end to end. `cargo xtask test` gives the folder and reads it; without that, and in what
//! people install, nothing is noted.
//!
//! A plan is asked for with whole reads made dear, so that what is left of them has no index to go by.

use std::{
    collections::HashSet,
    fs::{self, OpenOptions},
    io::Write as _,
    panic::Location,
    path::PathBuf,
    sync::{LazyLock, Mutex, PoisonError},
};

use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::{Arg, storable};
use crate::db::Raw;

/// One file a process: tests run side by side. Of the contract test alone: what runs by the way elsewhere is
/// not tested there.
static FILE: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let program = std::env::current_exe().ok()?;
    if !program.file_name()?.to_str()?.starts_with("contract-") {
        return None;
    }
    let folder = PathBuf::from(std::env::var_os("RECADO_SQL_LEDGER")?);
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join(format!("{}.txt", std::process::id())))
});
static NOTED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Notes a statement once a process. A fault shows as a line that is missing.
pub(super) async fn note(
    text: &str,
    args: &[Arg<'_>],
    from: &'static Location<'static>,
    raw: Raw<'_>,
) {
    let Some(file) = FILE.as_ref() else {
        return;
    };
    let database = match &raw {
        Raw::Sqlite(_) => "sqlite",
        Raw::Postgres(_) => "postgres",
    };
    let place = format!(
        "{database} {}:{}:{}",
        from.file(),
        from.line(),
        from.column()
    );
    let fresh = NOTED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(place.clone());
    if !fresh {
        return;
    }
    let whole = whole_reads(text, args, raw).await.unwrap_or_default();
    let opened = OpenOptions::new().create(true).append(true).open(file);
    if let Ok(mut file) = opened {
        drop(writeln!(file, "{place} {}", whole.join(",")));
    }
}

/// Tables that the statement would read from end to end.
async fn whole_reads(text: &str, args: &[Arg<'_>], raw: Raw<'_>) -> sqlx::Result<Vec<String>> {
    let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];
    if !verbs.iter().any(|verb| text.starts_with(verb)) {
        return Ok(Vec::new());
    }
    let asked = Asked {
        text: match &raw {
            Raw::Sqlite(_) => format!("EXPLAIN QUERY PLAN {text}"),
            Raw::Postgres(_) => format!("EXPLAIN {text}"),
        },
        args: args.to_vec(),
        cached: false,
    };
    let plan: Vec<String> = match raw {
        Raw::Sqlite(db) => {
            let rows = prepared!(asked).fetch_all(db).await?;
            rows.iter()
                .map(|row| row.try_get("detail"))
                .collect::<sqlx::Result<_>>()?
        }
        Raw::Postgres(db) => {
            db.execute("SET enable_seqscan = off").await?;
            let rows = prepared!(asked).fetch_all(&mut *db).await;
            db.execute("SET enable_seqscan = on").await?;
            rows?
                .iter()
                .map(|row| row.try_get(0))
                .collect::<sqlx::Result<_>>()?
        }
    };
    Ok(plan.iter().filter_map(|step| read_whole(step)).collect())
}

struct Asked<'a> {
    text: String,
    args: Vec<Arg<'a>>,
    cached: bool,
}

/// `SCAN chat` of SQLite (with `USING INDEX` it goes by one, but through all of it), `Seq Scan on chat` of
/// PostgreSQL.
fn read_whole(step: &str) -> Option<String> {
    let after = |mark: &str| {
        let (_, rest) = step.split_once(mark)?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    // `SCAN 2-ROW VALUES` and `SCAN CONSTANT ROW` are lists in the statement itself.
    let sqlite = step.starts_with("SCAN ").then(|| after("SCAN ")).flatten();
    let sqlite = sqlite.filter(|table| !table.ends_with("-ROW") && table != "CONSTANT");
    sqlite.or_else(|| after("Seq Scan on "))
}
