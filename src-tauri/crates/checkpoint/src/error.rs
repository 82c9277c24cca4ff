//! What goes wrong with checkpoints, and the words for it.

use crate::lock::Owner;
use espalier_protocol::{AppError, ErrorCode};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// An error of this crate.
#[derive(Debug, Error)]
pub enum CheckpointError {
    #[error("The project directory {} does not exist.", .dir.display())]
    NoProject { dir: PathBuf },
    #[error("Project directory is not a git repository")]
    NotARepository { dir: PathBuf },
    #[error("Project directory is not a git repository with a commit: its branch has none yet")]
    Unborn { dir: PathBuf },
    #[error("Project directory is a bare git repository: it has no files to work on")]
    Bare { dir: PathBuf },
    #[error("The git repository of the project directory cannot be read: {detail}")]
    Corrupt { dir: PathBuf, detail: String },
    #[error(
        "The git repository of the project directory has a format that cannot be read: {detail}"
    )]
    Unsupported { dir: PathBuf, detail: String },
    #[error("The git repository belongs to another user, and git refuses to read it")]
    NotOwned { dir: PathBuf },
    #[error("The project directory has uncommitted work in {}.", count(.files.len(), "file"))]
    Dirty { dir: PathBuf, files: Vec<String> },
    #[error("The project directory is in use by {}.", .owner.describe())]
    Locked { owner: Owner },
    #[error("The disk is full: {doing}.")]
    DiskFull { doing: String },
    #[error("{doing}: {source}.")]
    Io { doing: String, source: io::Error },
    #[error("{doing}: {}.", .source.message())]
    Git { doing: String, source: git2::Error },
    #[error("There is no checkpoint {id} in the checkpoint store.")]
    UnknownCheckpoint { id: String },
    #[error("There is no file {path} in checkpoint {id}.")]
    UnknownFile { id: String, path: String },
    #[error("The session {session} has not begun in this project directory.")]
    NotBegun { session: String },
    #[error("A record of the checkpoint store does not make sense: {detail}.")]
    BrokenStore { detail: String },
    #[error("The session's branch {branch} could not be published: {detail}.")]
    Publish { branch: String, detail: String },
    #[error("The checkpoint could not be made. {source}")]
    Capture { source: Box<CheckpointError> },
    #[error("The files could not be brought to the checkpoint. {source}")]
    Restore { source: Box<CheckpointError> },
}

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, CheckpointError>;

fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

impl CheckpointError {
    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        let error = AppError::new(self.code(), self.to_string(), self.hint());
        match self {
            Self::Dirty { files, .. } => error.with_details(files.clone()),
            Self::DiskFull { .. } | Self::Locked { .. } => error.retryable(),
            Self::Capture { source } | Self::Restore { source } => {
                let inner = source.to_app();
                let error = AppError {
                    hint: inner.hint,
                    details: inner.details,
                    ..error
                };
                error.retryable()
            }
            _ => error,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::NotARepository { .. } | Self::Unborn { .. } => ErrorCode::NotARepository,
            Self::Bare { .. }
            | Self::Corrupt { .. }
            | Self::Unsupported { .. }
            | Self::NotOwned { .. } => ErrorCode::RepositoryUnusable,
            Self::Dirty { .. } => ErrorCode::DirtyWorkingDir,
            Self::Locked { .. } => ErrorCode::ProjectLocked,
            Self::DiskFull { .. } => ErrorCode::DiskFull,
            Self::NoProject { .. } | Self::Io { .. } => ErrorCode::Io,
            Self::UnknownCheckpoint { .. } | Self::UnknownFile { .. } => ErrorCode::Unknown,
            Self::NotBegun { .. } => ErrorCode::NotNow,
            Self::Git { .. }
            | Self::BrokenStore { .. }
            | Self::Publish { .. }
            | Self::Capture { .. } => ErrorCode::CheckpointFailed,
            Self::Restore { .. } => ErrorCode::RestoreFailed,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::NoProject { .. } => "Check `project_dir` of the task.".to_owned(),
            Self::NotARepository { dir } => first_commit(dir, true),
            Self::Unborn { dir } => first_commit(dir, false),
            Self::Bare { dir } => format!(
                "Clone it and use the clone as `project_dir`:\ngit clone {} WORK_TREE",
                shell_word(dir)
            ),
            Self::Corrupt { dir, .. } => {
                format!("See what is wrong with it:\ncd {}\ngit fsck", shell_word(dir))
            }
            Self::Unsupported { dir, .. } => format!(
                "Espalier reads repositories with SHA-1 objects and references in files. Reftables can \
                 be converted:\ncd {}\ngit refs migrate --ref-format=files",
                shell_word(dir)
            ),
            Self::NotOwned { dir } => format!(
                "If you trust it:\ngit config --global --add safe.directory {}",
                shell_word(dir)
            ),
            Self::Dirty { dir, .. } => format!(
                "Commit it or put it aside:\ncd {}\ngit stash --include-untracked\n\
                 or set `require_clean_working_dir: false`: then the work becomes the start of the \
                 session and is there again afterwards.",
                shell_word(dir)
            ),
            Self::Locked { owner } if owner.pid == std::process::id() => {
                "Close that session first.".to_owned()
            }
            Self::Locked { .. } => {
                "Close that session, or end the process, and try again.".to_owned()
            }
            Self::DiskFull { .. } => {
                "Make room on the disk and go on. Everything recorded so far is kept.".to_owned()
            }
            Self::Publish { .. } => {
                "The checkpoints are safe in Espalier's own store; publishing is tried again at the \
                 next step."
                    .to_owned()
            }
            Self::Io { .. } => {
                "Check that the file exists and can be read and written, then try again.".to_owned()
            }
            Self::NotBegun { .. } => "Open the session again.".to_owned(),
            Self::Git { .. } | Self::BrokenStore { .. } => {
                "Try again. If it stays so, the checkpoint store of this project is damaged; the \
                 project's own files are not touched."
                    .to_owned()
            }
            Self::UnknownCheckpoint { .. } | Self::UnknownFile { .. } => String::new(),
            Self::Capture { source } | Self::Restore { source } => source.hint(),
        }
    }

    /// Marks an error as one of making a checkpoint; a full disk stays a full disk.
    pub(crate) fn while_capturing(self) -> Self {
        match self {
            Self::Io { .. } | Self::Git { .. } | Self::BrokenStore { .. } => Self::Capture {
                source: Box::new(self),
            },
            other => other,
        }
    }

    /// Marks an error as one of bringing files to a checkpoint; a full disk stays a full disk.
    pub(crate) fn while_restoring(self) -> Self {
        match self {
            Self::Io { .. }
            | Self::Git { .. }
            | Self::BrokenStore { .. }
            | Self::Capture { .. } => Self::Restore {
                source: Box::new(self),
            },
            other => other,
        }
    }
}

/// The document's commands that make a directory a repository with a first commit.
fn first_commit(dir: &Path, init: bool) -> String {
    let init = if init { "git init\n" } else { "" };
    format!(
        "The checkpoint system needs git. Initialise a repository in the project directory:\ncd {}\n{init}git add -A\ngit commit -m \"Initial commit\"",
        shell_word(dir)
    )
}

/// A path as one word of a shell command.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+@:,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Says what was being done when an operation failed.
pub(crate) trait Doing<T> {
    /// Turns the error into this crate's, with `doing` as its first words.
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                CheckpointError::DiskFull { doing: doing() }
            }
            _ => CheckpointError::Io {
                doing: doing(),
                source,
            },
        })
    }
}

impl<T> Doing<T> for rustix::io::Result<T> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(io::Error::from).doing(doing)
    }
}

impl<T> Doing<T> for std::result::Result<T, git2::Error> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| {
            // libgit2 reports the system's text; it has no code for a full disk.
            if source.message().contains("No space left")
                || source.message().contains("quota exceeded")
            {
                CheckpointError::DiskFull { doing: doing() }
            } else {
                CheckpointError::Git {
                    doing: doing(),
                    source,
                }
            }
        })
    }
}
