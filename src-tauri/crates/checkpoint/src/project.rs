//! The user's repository: found once, read only, never changed from here.
//!
//! The project may be a subdirectory of its repository (then only that subdirectory is ours) or a
//! linked worktree. libgit2 is opened by path only: no `GIT_*` variable has any influence.

use crate::error::{CheckpointError, Doing, Result};
use crate::path::RelPath;
use git2::{ErrorCode, Oid, Repository, RepositoryOpenFlags};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where a project and its repository are. Kept on disk: it has to be known when `.git` is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// The project directory, absolute, without links.
    pub dir: PathBuf,
    /// The root of the work tree.
    pub work_tree: PathBuf,
    /// The repository's folder with HEAD and index: `.git`, or that of a linked worktree.
    pub git_dir: PathBuf,
    /// The folder with references and objects; the same unless it is a linked worktree.
    pub common_dir: PathBuf,
    /// The project's path within the work tree, as text.
    pub prefix: String,
}

impl Project {
    /// Finds the repository of a project directory.
    pub fn find(dir: &Path) -> Result<(Self, Repository)> {
        let dir = canonical(dir)?;
        let none: &[&OsStr] = &[];
        let flags = RepositoryOpenFlags::CROSS_FS;
        let repository =
            Repository::open_ext(&dir, flags, none).map_err(|error| why(&dir, &error))?;
        if repository.is_bare() {
            return Err(CheckpointError::Bare { dir });
        }
        let Some(work_tree) = repository.workdir() else {
            return Err(CheckpointError::Bare { dir });
        };
        let work_tree = canonical(work_tree)?;
        let Some(prefix) = RelPath::of(&dir, &work_tree) else {
            return Err(CheckpointError::NotARepository { dir });
        };
        let project = Self {
            git_dir: canonical(repository.path())?,
            common_dir: canonical(repository.commondir())?,
            prefix: prefix.to_text(),
            work_tree,
            dir,
        };
        project.head(&repository)?;
        project.check_not_ignored(&repository, &prefix)?;
        Ok((project, repository))
    }

    /// Opens the repository again; an error when it is gone or broken by now.
    pub fn repository(&self) -> Result<Repository> {
        let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::CROSS_FS;
        let none: &[&OsStr] = &[];
        Repository::open_ext(&self.work_tree, flags, none).map_err(|error| why(&self.dir, &error))
    }

    /// The prefix as a path; the root for a project that is the whole work tree.
    pub fn prefix(&self) -> Result<RelPath> {
        RelPath::from_text(&self.prefix).ok_or_else(|| CheckpointError::BrokenStore {
            detail: "the project's place in its repository cannot be read".to_owned(),
        })
    }

    /// The commit that is checked out.
    pub fn head(&self, repository: &Repository) -> Result<Oid> {
        let head = repository.head().and_then(|head| head.peel_to_commit());
        head.map(|commit| commit.id())
            .map_err(|error| match error.code() {
                ErrorCode::UnbornBranch => CheckpointError::Unborn {
                    dir: self.dir.clone(),
                },
                _ => CheckpointError::Corrupt {
                    dir: self.dir.clone(),
                    detail: error.message().to_owned(),
                },
            })
    }

    /// A directory that an enclosing repository ignores as a whole is not in that repository.
    fn check_not_ignored(&self, repository: &Repository, prefix: &RelPath) -> Result<()> {
        if prefix.is_root() {
            return Ok(());
        }
        let path = Path::new(OsStr::from_bytes(prefix.as_bytes()));
        let tree = repository
            .head()
            .and_then(|head| head.peel_to_tree())
            .doing(|| "Reading HEAD".to_owned())?;
        let tracked = tree.get_path(path).is_ok();
        // libgit2 fails for names it refuses; such a directory is not ignored.
        if !tracked && repository.is_path_ignored(path).unwrap_or(false) {
            return Err(CheckpointError::NotARepository {
                dir: self.dir.clone(),
            });
        }
        Ok(())
    }
}

/// The path without links and dots.
pub fn canonical(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => CheckpointError::NoProject {
            dir: path.to_path_buf(),
        },
        _ => CheckpointError::Io {
            doing: format!("Looking for {}", path.display()),
            source: error,
        },
    })
}

fn why(dir: &Path, error: &git2::Error) -> CheckpointError {
    let dir = dir.to_path_buf();
    match error.code() {
        ErrorCode::NotFound => CheckpointError::NotARepository { dir },
        ErrorCode::Owner => CheckpointError::NotOwned { dir },
        _ if error.message().starts_with("unknown object format")
            || error.message().contains("unsupported extension") =>
        {
            CheckpointError::Unsupported {
                dir,
                detail: error.message().to_owned(),
            }
        }
        _ => CheckpointError::Corrupt {
            dir,
            detail: error.message().to_owned(),
        },
    }
}
