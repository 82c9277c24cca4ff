//! What can go wrong with exports, and how it is told.

use espalier_protocol::{AppError, ErrorCode};
use std::path::{Path, PathBuf};

/// Any failure of an export or of the output folder.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("There is nothing to export: {0}.")]
    Empty(String),
    #[error("{} is neither an output folder nor a data folder.", .0.display())]
    NoSessions(PathBuf),
    #[error("{}: {error}", path.display())]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{} line {line} is no event: {error}", path.display())]
    Event {
        path: PathBuf,
        line: usize,
        error: serde_json::Error,
    },
    #[error("A record could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Store(AppError),
}

impl DatasetError {
    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        let message = self.to_string();
        match self {
            Self::Empty(_) => AppError::new(
                ErrorCode::ExportEmpty,
                message,
                "Compare two branches and give a verdict, then export again; trajectory_tree exports every session.",
            ),
            Self::NoSessions(_) => AppError::new(
                ErrorCode::ExportEmpty,
                message,
                "Give the folder that output_annotation_dir names, or the one given with --data-dir.",
            ),
            Self::Io { error, .. } if error.kind() == std::io::ErrorKind::StorageFull => {
                AppError::new(
                    ErrorCode::DiskFull,
                    message,
                    "Free some space, then try again.",
                )
            }
            Self::Io { .. } => AppError::new(
                ErrorCode::Io,
                message,
                "Check the path and its permissions.",
            ),
            Self::Event { .. } | Self::Json(_) => AppError::new(
                ErrorCode::Io,
                message,
                "The file was changed by something else; export from the data folder instead.",
            ),
            Self::Store(error) => error.clone(),
        }
    }
}

/// Names the path an I/O error is about.
pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> DatasetError + '_ {
    |error| DatasetError::Io {
        path: path.to_path_buf(),
        error,
    }
}
