//! What can go wrong with the database, and how it is told.

use espalier_protocol::{AppError, ErrorCode};
use std::path::PathBuf;

/// Any failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("The folder {} cannot be made: {error}", path.display())]
    Folder {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("The disk is full; the database could not be written.")]
    DiskFull,
    #[error(
        "The database was written by a newer Espalier (schema {found}, this one knows {known})."
    )]
    TooNew { found: i64, known: i64 },
    #[error("The database failed: {0}")]
    Database(sqlx::Error),
    #[error("The database could not be brought to this version: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("An event could not be read or written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("There is no session {0}.")]
    NoSession(String),
    #[error("There is no stored text {0}.")]
    NoText(String),
    #[error("The event {0} is only shown, never stored.")]
    NotStored(&'static str),
    #[error("A text could not be read or packed: {0}")]
    Text(#[from] std::io::Error),
}

impl StoreError {
    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        let (code, hint) = match self {
            Self::DiskFull => (ErrorCode::DiskFull, "Free some space, then try again."),
            Self::TooNew { .. } => (
                ErrorCode::StoreTooNew,
                "Update Espalier, or choose another data folder with --data-dir.",
            ),
            Self::NoSession(_) | Self::NoText(_) => {
                (ErrorCode::Unknown, "List what there is: espalier sessions")
            }
            Self::Folder { .. } => (ErrorCode::Io, "Choose another data folder with --data-dir."),
            Self::Text(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                (ErrorCode::DiskFull, "Free some space, then try again.")
            }
            Self::Database(_)
            | Self::Migration(_)
            | Self::Json(_)
            | Self::NotStored(_)
            | Self::Text(_) => (
                ErrorCode::StoreFailed,
                "Check that the data folder is writable; espalier doctor names it.",
            ),
        };
        AppError::new(code, self.to_string(), hint)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_FULL is 13.
        let full = error
            .as_database_error()
            .and_then(|error| error.code())
            .is_some_and(|code| code == "13");
        if full {
            Self::DiskFull
        } else {
            Self::Database(error)
        }
    }
}
