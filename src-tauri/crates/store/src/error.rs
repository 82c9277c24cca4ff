//! What can go wrong with the database, told apart as far as a person can do something about it.

use espalier_protocol::{AppError, BlobId, ErrorCode, SessionId};
use std::path::{Path, PathBuf};

/// Below this many free bytes a failed write is put down to a full disk.
const NEARLY_NOTHING: u64 = 1 << 20;

/// Why the store could not do something. Nothing of a failed call is stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("The disk that holds {} is full.", path.display())]
    DiskFull { path: PathBuf },
    #[error(
        "{} was written by a newer Espalier: its schema is {found}, this version knows {known}.",
        path.display()
    )]
    TooNew {
        path: PathBuf,
        found: i64,
        known: i64,
    },
    #[error("{} is not a database of Espalier.", path.display())]
    Foreign { path: PathBuf },
    #[error("The database {} is damaged: {detail}", path.display())]
    Corrupt { path: PathBuf, detail: String },
    #[error("Another process keeps the database {} locked.", path.display())]
    Locked { path: PathBuf },
    #[error("There is no session {0}.")]
    UnknownSession(SessionId),
    #[error("There is a session {0} already.")]
    SessionExists(SessionId),
    #[error("There is no text {0}.")]
    UnknownText(BlobId),
    #[error("A text of more than 4 GiB cannot be kept.")]
    TextTooLarge,
    #[error("An event of the kind {0} does not go into a session's log like that.")]
    NotForTheLog(&'static str),
    #[error("Event {seq} of session {session} cannot be read: {detail}")]
    Unreadable {
        session: SessionId,
        seq: u32,
        detail: String,
    },
    #[error("{} cannot be used: {source}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("The database {} cannot be read or written: {source}", path.display())]
    Database { path: PathBuf, source: sqlx::Error },
    #[error("A value does not fit the database: {0}")]
    Unfit(String),
    #[error("The work on the database was cut short: {0}")]
    Cut(String),
}

impl StoreError {
    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        let message = self.to_string();
        match self {
            Self::DiskFull { path } => AppError::new(
                ErrorCode::DiskFull,
                message,
                format!(
                    "Nothing recorded is lost. Free some space and try again: df -h {}",
                    folder(path).display()
                ),
            )
            .retryable(),
            Self::TooNew { .. } => AppError::new(
                ErrorCode::StoreTooNew,
                message,
                "It was left as it is. Use the newer Espalier, or another folder: --data-dir DIR",
            ),
            Self::Foreign { .. } => AppError::new(
                ErrorCode::StoreFailed,
                message,
                "It was left as it is. Choose another folder: --data-dir DIR",
            ),
            Self::Corrupt { path, .. } => AppError::new(
                ErrorCode::StoreFailed,
                message,
                format!(
                    "Keep a copy of {0} and of the files beside it, then save what is readable: sqlite3 {0} .recover",
                    path.display()
                ),
            ),
            Self::Locked { path } => AppError::new(
                ErrorCode::StoreFailed,
                message,
                format!("See which process it is: fuser -v {}", path.display()),
            )
            .retryable(),
            Self::UnknownSession(_) => {
                AppError::new(ErrorCode::Unknown, message, "espalier sessions")
            }
            Self::UnknownText(_) => AppError::new(ErrorCode::Unknown, message, ""),
            Self::TextTooLarge => AppError::new(ErrorCode::StoreFailed, message, ""),
            Self::Unreadable { .. } => AppError::new(
                ErrorCode::StoreFailed,
                message,
                "The database is damaged, or another version of Espalier wrote it. Try the newest one.",
            ),
            Self::Io { path, source } if source.kind() == std::io::ErrorKind::StorageFull => {
                Self::DiskFull { path: path.clone() }.to_app()
            }
            Self::Io { .. } | Self::Database { .. } => AppError::new(
                ErrorCode::StoreFailed,
                message,
                "See that the folder is there and can be written, or choose another: --data-dir DIR",
            )
            .retryable(),
            Self::SessionExists(_)
            | Self::NotForTheLog(_)
            | Self::Unfit(_)
            | Self::Cut(_) => AppError::new(
                ErrorCode::Internal,
                message,
                "This is a fault in Espalier. What was recorded is kept.",
            ),
        }
    }

    /// Whether another process had the database at that moment.
    pub(crate) const fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Tells what SQLite said in the store's own terms.
    pub(crate) fn classify(path: &Path, error: sqlx::Error) -> Self {
        let path = path.to_owned();
        let Some(code) = primary_code(&error) else {
            return Self::Database {
                path,
                source: error,
            };
        };
        match code {
            sqlite::FULL => Self::DiskFull { path },
            sqlite::IOERR if is_full(&path) => Self::DiskFull { path },
            sqlite::BUSY | sqlite::LOCKED => Self::Locked { path },
            sqlite::CORRUPT | sqlite::NOTADB => Self::Corrupt {
                path,
                detail: error.to_string(),
            },
            _ => Self::Database {
                path,
                source: error,
            },
        }
    }
}

/// Primary result codes of SQLite.
mod sqlite {
    pub const BUSY: i32 = 5;
    pub const LOCKED: i32 = 6;
    pub const IOERR: i32 = 10;
    pub const CORRUPT: i32 = 11;
    pub const FULL: i32 = 13;
    pub const NOTADB: i32 = 26;
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// SQLite does not pass on why a write failed, so the file system is asked.
fn is_full(path: &Path) -> bool {
    rustix::fs::statvfs(folder(path))
        .is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) < NEARLY_NOTHING)
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}
