//! Faults from the field: a 503 says what is busy (`docs/field-faults.md`, 26).

use recado_store::Database;
use serde_json::json;
use sqlx::{Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::gateway::Bed;

on_both! { a_database_that_is_locked_is_named }

async fn a_database_that_is_locked_is_named(bed: &mut Bed) {
    match bed.database() {
        Database::Sqlite { path } => {
            let file = SqliteConnectOptions::new().filename(path);
            let mut other = SqliteConnection::connect_with(&file).await.expect("opens");
            let lock = sqlx::query("BEGIN IMMEDIATE").execute(&mut other);
            lock.await.expect("a lock");
            refused(bed).await;
            other.close().await.expect("closes");
        }
        Database::Postgres { url, .. } => {
            let mut other = PgConnection::connect(url.expose()).await.expect("opens");
            let lock = sqlx::raw_sql("BEGIN; LOCK TABLE instance IN EXCLUSIVE MODE");
            lock.execute(&mut other).await.expect("a lock");
            refused(bed).await;
            other.close().await.expect("closes");
        }
    }
    let made = bed.create(&bed.a, json!({"name": "Afterwards"})).await;
    assert!(made.id.starts_with("RC"));
}

async fn refused(bed: &Bed) {
    let create = bed.call("PUT", "/instances/create").bearer(&bed.a.jwt);
    let answer = create.json(json!({"name": "Meanwhile"})).send().await;
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    let told = answer.refused(503, "unavailable")["message"].to_string();
    assert!(told.contains("database is busy"), "{told}");
}
