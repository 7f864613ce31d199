//! How commits of SQLite reach the disk: one sync of the write-ahead log for all that wait for one.
//!
//! The writer is at `synchronous=NORMAL`, so a commit only writes. Who must be sure of it waits here, with the
//! writer free for the next transaction ([ADR 22](../../../docs/adr/0022-one-sync-for-many.md)).

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sqlx::{Row, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::{Result, StoreError};

/// The write-ahead log of one file.
pub(crate) struct Log {
    path: PathBuf,
    /// How many commits are in it that somebody waits for.
    written: AtomicU64,
    /// Held while a sync runs: those who come meanwhile share the next one.
    synced: Arc<Mutex<Synced>>,
    /// How many syncs there were.
    pub syncs: AtomicU64,
}

#[derive(Default)]
struct Synced {
    /// How many of the commits a sync has covered.
    commits: u64,
    /// A sync failed. The system may have dropped what it could not write, and a later sync would not say so.
    doubtful: bool,
}

impl Log {
    /// Of the database at that path.
    pub fn new(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self {
            path: path.into(),
            written: AtomicU64::new(0),
            synced: Arc::default(),
            syncs: AtomicU64::new(0),
        }
    }

    /// Answers when everything that was committed before the call is on the disk. An error leaves it open
    /// whether it is.
    pub async fn settle(self: &Arc<Self>, writer: &SqlitePool) -> Result<()> {
        let mine = self.written.fetch_add(1, Ordering::SeqCst) + 1;
        loop {
            let mut synced = self.synced.clone().lock_owned().await;
            if synced.commits >= mine {
                return Ok(());
            }
            let covered = self.written.load(Ordering::SeqCst);
            if !synced.doubtful {
                self.sync(synced, covered).await?;
                continue;
            }
            checkpoint(writer).await?;
            *synced = Synced {
                commits: covered,
                doubtful: false,
            };
        }
    }

    /// Syncs, and notes what came of it also when the caller gives up meanwhile.
    async fn sync(
        self: &Arc<Self>,
        mut synced: OwnedMutexGuard<Synced>,
        covered: u64,
    ) -> Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let log = self.clone();
        let run = tokio::task::spawn_blocking(move || match log.sync_file() {
            Ok(()) => synced.commits = covered,
            Err(_) => synced.doubtful = true,
        });
        let broken = |error| StoreError::Storage(sqlx::Error::Io(io::Error::other(error)));
        run.await.map_err(broken)
    }

    /// Opens it each time: SQLite makes another file when all its connections were closed.
    fn sync_file(&self) -> io::Result<()> {
        // For writing, since Windows syncs no other.
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.sync_data()
    }
}

/// Has SQLite write everything that is in the log into the file, and sync that: what a sync of the log lost is
/// in SQLite's reach still.
async fn checkpoint(writer: &SqlitePool) -> Result<()> {
    let mut conn = writer.acquire().await?;
    let row = sqlx::query("PRAGMA wal_checkpoint(FULL)")
        .persistent(false)
        .fetch_one(&mut *conn)
        .await?;
    match row.try_get::<i64, _>("busy")? {
        0 => Ok(()),
        _ => Err(StoreError::Busy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        db::{Pools, Store, tests::fresh},
        sql::sql,
    };

    fn log(store: &Store) -> Arc<Log> {
        match &store.inner.pools {
            Pools::Sqlite { log, .. } => log.clone(),
            Pools::Postgres(_) => unreachable!("SQLite"),
        }
    }

    fn syncs(store: &Store) -> u64 {
        log(store).syncs.load(Ordering::Relaxed)
    }

    async fn note(store: &Store, name: &str) -> Result<()> {
        let mut conn = store.write().await?;
        sql("INSERT INTO meta (name, n) VALUES ($1, 1)")
            .bind(name)
            .execute(&mut conn)
            .await?;
        conn.commit().await
    }

    async fn noted(store: &Store) -> i64 {
        let mut conn = store.read().await.expect("read");
        sql("SELECT count(*) AS n FROM meta WHERE name LIKE 'note%'")
            .fetch_one(&mut conn)
            .await
            .and_then(|row| row.i64("n"))
            .expect("counts")
    }

    #[tokio::test]
    async fn a_commit_answers_after_a_sync_and_a_relaxed_one_without() {
        let folder = tempfile::tempdir().expect("folder");
        let store = fresh(&folder).await;
        let before = syncs(&store);
        for n in 1..=3 {
            note(&store, &format!("note{n}")).await.expect("commits");
            assert_eq!(syncs(&store), before + n, "one for each that comes alone");
        }
        let mut conn = store.write_relaxed().await.expect("write");
        sql("DELETE FROM meta WHERE name = 'note1'")
            .execute(&mut conn)
            .await
            .expect("deletes");
        conn.commit().await.expect("commits");
        assert_eq!(syncs(&store), before + 3);
    }

    #[tokio::test]
    async fn commits_that_wait_share_a_sync() {
        const MANY: u64 = 20;
        let folder = tempfile::tempdir().expect("folder");
        let store = fresh(&folder).await;
        let before = syncs(&store);
        let log = log(&store);
        let written = log.written.load(Ordering::SeqCst);
        // As if a sync were running.
        let running = log.synced.lock().await;
        let notes: Vec<_> = (0..MANY)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move { note(&store, &format!("note{n}")).await })
            })
            .collect();
        while log.written.load(Ordering::SeqCst) < written + MANY {
            tokio::task::yield_now().await;
        }
        assert!(notes.iter().all(|note| !note.is_finished()), "none is sure");
        drop(running);
        for note in notes {
            note.await.expect("runs").expect("commits");
        }
        assert_eq!(syncs(&store), before + 1);
        assert_eq!(noted(&store).await, i64::try_from(MANY).expect("few"));
    }

    #[tokio::test]
    async fn a_waiter_that_gives_up_leaves_the_others_sure() {
        let folder = tempfile::tempdir().expect("folder");
        let store = fresh(&folder).await;
        let log = log(&store);
        let running = log.synced.lock().await;
        let gone = tokio::spawn({
            let store = store.clone();
            async move { note(&store, "note of one that goes").await }
        });
        let written = log.written.load(Ordering::SeqCst);
        while log.written.load(Ordering::SeqCst) == written {
            tokio::task::yield_now().await;
        }
        gone.abort();
        assert!(gone.await.is_err_and(|error| error.is_cancelled()));
        drop(running);
        let before = syncs(&store);
        note(&store, "note of one that stays")
            .await
            .expect("commits");
        assert_eq!(syncs(&store), before + 1);
        assert_eq!(noted(&store).await, 2, "what was committed stays");
    }

    /// Without the log's file no sync can succeed: as with a disk that fails once.
    #[tokio::test]
    async fn what_a_sync_could_not_do_is_done_by_a_checkpoint() {
        let folder = tempfile::tempdir().expect("folder");
        let store = fresh(&folder).await;
        note(&store, "note1").await.expect("commits");
        let Pools::Sqlite { write, .. } = &store.inner.pools else {
            unreachable!("SQLite");
        };
        let broken = Arc::new(Log::new(&folder.path().join("elsewhere.db")));
        broken.settle(write).await.expect("by a checkpoint");
        assert!(!broken.synced.lock().await.doubtful, "nothing is left");
        // The file itself has it now.
        let alone = folder.path().join("alone.db");
        std::fs::copy(folder.path().join("recado.db"), &alone).expect("copies");
        let pool = SqlitePool::connect(&format!("sqlite:{}", alone.display()))
            .await
            .expect("opens");
        let found: i64 = sqlx::query_scalar("SELECT count(*) FROM meta WHERE name = 'note1'")
            .fetch_one(&pool)
            .await
            .expect("reads");
        assert_eq!(found, 1);
    }

    #[tokio::test]
    async fn a_sync_that_failed_is_never_taken_for_done() {
        let folder = tempfile::tempdir().expect("folder");
        let store = fresh(&folder).await;
        let Pools::Sqlite { write, .. } = &store.inner.pools else {
            unreachable!("SQLite");
        };
        let broken = Arc::new(Log::new(&folder.path().join("elsewhere.db")));
        // Nor can it checkpoint.
        let closed = SqlitePool::connect_lazy("sqlite::memory:").expect("a pool");
        closed.close().await;
        broken.settle(&closed).await.expect_err("not sure");
        assert!(broken.synced.lock().await.doubtful);
        let tried = broken.syncs.load(Ordering::Relaxed);
        broken.settle(write).await.expect("by a checkpoint");
        assert_eq!(broken.syncs.load(Ordering::Relaxed), tried, "by no sync");
        assert!(!broken.synced.lock().await.doubtful);
    }
}
