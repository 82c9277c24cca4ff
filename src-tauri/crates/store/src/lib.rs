//! SQLite: migrations, the append-only event log, annotations, large texts.
//!
//! One database file per data folder, in WAL mode. Invariants: the events of a session are numbered
//! 1, 2, 3 … without gaps and are never changed or removed (triggers hold this); the session's row
//! and its annotations are folds over them, written in the same transaction; what a call returned
//! outlives the process. Any number of processes may use one data folder.
//!
//! Events are JSON and read by the types of `espalier_protocol`; nothing here knows what they mean
//! beyond what the session list and the annotations need.

mod annotations;
mod connection;
mod error;
mod log;
mod sessions;
mod texts;

pub use annotations::AnnotationRow;
pub use error::StoreError;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// The database's name within its data folder.
pub const DATABASE: &str = "espalier.db";

type Result<T> = std::result::Result<T, StoreError>;

/// An open data folder's database. Clones share their connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    patience: Patience,
    /// One writer: appends of one process queue here instead of in SQLite's busy loop.
    writer: Mutex<Writer>,
    readers: SqlitePool,
}

struct Writer {
    connection: SqliteConnection,
    /// False while it works and after it failed or was interrupted.
    is_idle: bool,
}

/// How long another process is waited for.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// SQLite's own waiting, per try.
    busy_timeout: Duration,
    tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(10),
            tries: 3,
        }
    }
}

impl Store {
    /// Opens the database of a data folder. Makes the folder and the database where there is none
    /// and brings an older schema up to date; one of a newer Espalier is refused untouched.
    pub async fn open(data_dir: &Path) -> Result<Self> {
        let data_dir = data_dir.to_owned();
        let runtime = tokio::runtime::Handle::current();
        // On a thread of its own: the compiler does not see that sqlx's futures are `Send`.
        tokio::task::spawn_blocking(move || {
            runtime.block_on(Self::open_with(&data_dir, Patience::default()))
        })
        .await
        .map_err(|error| StoreError::Cut(error.to_string()))?
    }

    async fn open_with(data_dir: &Path, patience: Patience) -> Result<Self> {
        let path = data_dir.join(DATABASE);
        let (connection, readers) = connection::open(&path, patience).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                path,
                patience,
                writer: Mutex::new(Writer {
                    connection,
                    is_idle: true,
                }),
                readers,
            }),
        })
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Closes the connections. The last process to close a database also empties its write-ahead
    /// log; one that does not close loses nothing.
    pub async fn close(self) -> Result<()> {
        self.inner.readers.close().await;
        let path = self.inner.path.clone();
        match Arc::try_unwrap(self.inner) {
            Ok(inner) => {
                let closed = inner.writer.into_inner().connection.close().await;
                closed.map_err(|error| StoreError::classify(&path, error))
            }
            // A clone still works with the writer; it closes when that one is dropped.
            Err(_) => Ok(()),
        }
    }

    /// The writer, fit for a transaction. Whoever ends one well marks it idle again.
    ///
    /// On some failures (a full disk) SQLite takes a transaction back by itself. sqlx does not
    /// notice, counts it as open for ever and refuses the next one: such a connection is replaced.
    async fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let mut writer = self.inner.writer.lock().await;
        if !writer.is_idle {
            let answers = writer.connection.ping().await.is_ok();
            if !answers || writer.connection.is_in_transaction() {
                tracing::warn!("the database is connected anew");
                writer.connection =
                    connection::writer(&self.inner.path, self.inner.patience).await?;
            }
        }
        writer.is_idle = false;
        Ok(writer)
    }

    /// A connection that only reads.
    async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        let acquired = self.inner.readers.acquire().await;
        acquired.map_err(|error| self.classify(error))
    }

    fn classify(&self, error: sqlx::Error) -> StoreError {
        StoreError::classify(&self.inner.path, error)
    }

    /// Tries again while another process has the database, as often as the patience allows.
    async fn patiently<T, F, Fut>(&self, mut attempt: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let mut tries = 1;
        loop {
            match attempt().await {
                Err(error) if error.is_locked() && tries < self.inner.patience.tries => {
                    tracing::warn!(tries, %error, "waiting for the database");
                    tries += 1;
                }
                result => return result,
            }
        }
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod store_tests;
