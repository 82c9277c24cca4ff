//! Opening: which database it is, its connections, its schema.

use crate::{Patience, Result, StoreError};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::path::Path;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Readers besides the one writer.
const READERS: u32 = 3;
/// What the write-ahead log is cut back to after a large text went through it.
const LOG_LIMIT: &str = "67108864";

/// The writer and the readers of a database whose schema is this version's.
pub(crate) async fn open(
    path: &Path,
    patience: Patience,
) -> Result<(SqliteConnection, SqlitePool)> {
    let mut tries = 1;
    loop {
        match try_open(path, patience).await {
            // The switch to WAL does not wait for another process that opens at the same moment.
            Err(error) if error.is_locked() && tries < patience.tries => {
                tracing::warn!(tries, %error, "waiting for the database");
                tries += 1;
                tokio::time::sleep(patience.busy_timeout / 10).await;
            }
            result => return result,
        }
    }
}

async fn try_open(path: &Path, patience: Patience) -> Result<(SqliteConnection, SqlitePool)> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(|source| StoreError::Io {
                path: folder.to_owned(),
                source,
            })?;
    }
    let options = options(path, patience);
    refuse_unknown(path, &options).await?;
    let mut writer = writer(path, patience).await?;
    migrate(path, &mut writer).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .test_before_acquire(false)
        .connect_lazy_with(options.pragma("query_only", "1"));
    Ok((writer, readers))
}

fn options(path: &Path, patience: Patience) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(patience.busy_timeout)
}

/// A connection that writes; makes the file where there is none.
pub(crate) async fn writer(path: &Path, patience: Patience) -> Result<SqliteConnection> {
    let options = options(path, patience)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("journal_size_limit", LOG_LIMIT);
    SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| StoreError::classify(path, error))
}

/// A transaction that may write from its start: it waits for other processes here and nowhere else.
pub(crate) async fn begin(
    connection: &mut SqliteConnection,
) -> sqlx::Result<Transaction<'_, Sqlite>> {
    connection.begin_with("BEGIN IMMEDIATE").await
}

/// Refuses what is not this version's to touch, without writing to it.
async fn refuse_unknown(path: &Path, options: &SqliteConnectOptions) -> Result<()> {
    let is_new = match tokio::fs::metadata(path).await {
        Ok(found) => found.len() == 0,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(source) => {
            return Err(StoreError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    if is_new {
        return Ok(());
    }
    let failed = |error| StoreError::classify(path, error);
    let mut reader = SqliteConnection::connect_with(&options.clone().read_only(true))
        .await
        .map_err(failed)?;
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema")
        .fetch_all(&mut reader)
        .await
        .map_err(failed)?;
    let found: Option<i64> = if tables.iter().any(|name| name == "_sqlx_migrations") {
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(&mut reader)
            .await
            .map_err(failed)?
    } else if tables.is_empty() {
        // Another process is just making it.
        None
    } else {
        return Err(StoreError::Foreign {
            path: path.to_owned(),
        });
    };
    reader.close().await.map_err(failed)?;
    let known = known_schema();
    match found {
        Some(found) if found > known => Err(StoreError::TooNew {
            path: path.to_owned(),
            found,
            known,
        }),
        _ => Ok(()),
    }
}

fn known_schema() -> i64 {
    MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// All that is missing, in one transaction: two processes that open a new folder at once do not
/// meet half-way.
async fn migrate(path: &Path, writer: &mut SqliteConnection) -> Result<()> {
    let failed = |error| StoreError::classify(path, error);
    let mut transaction = begin(writer).await.map_err(failed)?;
    MIGRATIONS
        .run(&mut *transaction)
        .await
        .map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                failed(error)
            }
            MigrateError::VersionMissing(found) => StoreError::TooNew {
                path: path.to_owned(),
                found,
                known: known_schema(),
            },
            error => StoreError::Corrupt {
                path: path.to_owned(),
                detail: error.to_string(),
            },
        })?;
    transaction.commit().await.map_err(failed)
}
