//! SQLite: migrations, the append-only event log, annotations, large texts.
//!
//! One writer connection, so that sequence numbers are given in order; a few readers beside it.
//! What `append` returned survives the death of the process. Two processes may share a database.

mod error;
mod events;
mod sessions;
mod texts;

pub use error::StoreError;
pub use sessions::AnnotationRow;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The database of one data folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Store {
    /// Opens the database in `data_dir`, made or brought to this version where needed. One that a
    /// newer version wrote is refused untouched.
    pub async fn open(data_dir: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(data_dir).map_err(|error| StoreError::Folder {
            path: data_dir.to_path_buf(),
            error,
        })?;
        let options = SqliteConnectOptions::new()
            .filename(data_dir.join("espalier.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        refuse_newer(&writer).await?;
        MIGRATOR.run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(3)
            .connect_with(options)
            .await?;
        Ok(Self { writer, readers })
    }
}

/// An older program must not touch a newer database.
async fn refuse_newer(pool: &SqlitePool) -> Result<(), StoreError> {
    let known = MIGRATOR.iter().map(|migration| migration.version).max();
    let table: Option<(String,)> =
        sqlx::query_as("SELECT name FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_optional(pool)
            .await?;
    if table.is_none() {
        return Ok(());
    }
    let (applied,): (Option<i64>,) = sqlx::query_as("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(pool)
        .await?;
    if applied > known {
        return Err(StoreError::TooNew {
            found: applied.unwrap_or_default(),
            known: known.unwrap_or_default(),
        });
    }
    Ok(())
}
