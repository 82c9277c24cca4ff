//! What can go wrong with checkpoints, and how it is told.

use espalier_protocol::{AppError, ErrorCode};
use std::path::{Path, PathBuf};

/// Any failure of a checkpoint operation.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("Project directory is not a git repository: {}", .0.display())]
    NotARepository(PathBuf),
    #[error("Project directory is a git repository without commits: {}", .0.display())]
    Unborn(PathBuf),
    #[error("Project directory is a bare git repository: {}", .0.display())]
    Bare(PathBuf),
    #[error("The project has uncommitted work: {} files.", .0.len())]
    Dirty(Vec<String>),
    #[error("Another session works on this project: {session} (process {pid}).")]
    Locked { session: String, pid: u32 },
    #[error("git: {0}")]
    Git(#[from] git2::Error),
    #[error("{}: {error}", path.display())]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{0} is not as the checkpoint has it after the restore.")]
    NotRestored(String),
    #[error("{0} lies outside the project directory.")]
    Outside(String),
    #[error("A note of Espalier's could not be read or written: {0}")]
    Note(#[from] serde_json::Error),
}

impl CheckpointError {
    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        let message = self.to_string();
        match self {
            Self::NotARepository(path) => AppError::new(
                ErrorCode::NotARepository,
                message,
                init_hint(path),
            ),
            Self::Unborn(path) => AppError::new(
                ErrorCode::NotARepository,
                message,
                format!("cd {}\ngit add -A\ngit commit -m \"Initial commit\"", path.display()),
            ),
            Self::Bare(_) => AppError::new(
                ErrorCode::NotARepository,
                message,
                "Use a clone with a working directory: git clone REPOSITORY DIRECTORY",
            ),
            Self::Dirty(files) => AppError::new(
                ErrorCode::DirtyWorkingDir,
                message,
                "Commit or stash them (git stash -u), or set live_agent.git_checkpoints.require_clean_working_dir to false; then they are carried and are there again afterwards.",
            )
            .with_details(files.clone()),
            Self::Locked { .. } => AppError::new(
                ErrorCode::ProjectLocked,
                message,
                "Close or park that session first.",
            ),
            Self::NotRestored(_) => AppError::new(
                ErrorCode::RestoreFailed,
                message,
                "Stop what else writes to the project, then roll back again.",
            ),
            Self::Io { error, .. } if error.kind() == std::io::ErrorKind::StorageFull => {
                AppError::new(ErrorCode::DiskFull, message, "Free some space, then go on.")
            }
            Self::Git(error) if error.message().contains("No space left") => {
                AppError::new(ErrorCode::DiskFull, message, "Free some space, then go on.")
            }
            Self::Git(_) | Self::Io { .. } | Self::Note(_) | Self::Outside(_) => AppError::new(
                ErrorCode::CheckpointFailed,
                message,
                "Check the permissions of the project and of the data folder, then go on.",
            ),
        }
    }
}

fn init_hint(path: &Path) -> String {
    format!(
        "cd {}\ngit init\ngit add -A\ngit commit -m \"Initial commit\"",
        path.display()
    )
}

/// Names the path an I/O error is about.
pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> CheckpointError + '_ {
    |error| CheckpointError::Io {
        path: path.to_path_buf(),
        error,
    }
}
