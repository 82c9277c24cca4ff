//! A directory of its own for a branch, with a repository of its own.
//!
//! The repository is no linked worktree of the user's: that would share references, stash and
//! configuration, and what an agent does to these would reach the user. It starts as a copy of all
//! that is small, and borrows its objects from the checkpoint store, which has every one of them.

use crate::error::{Doing, Result};
use crate::project::{Project, canonical};
use crate::store::Store;
use git2::Repository;
use git2::build::CheckoutBuilder;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What of a repository's folder is not the worktree's: objects are borrowed, other worktrees and
/// the large stores of submodules and LFS stay where they are.
const NOT_COPIED: &[&str] = &["objects", "worktrees", "modules", "lfs", "espalier"];

/// Asks for a worktree.
#[derive(Debug, Clone)]
pub struct WorktreeRequest {
    /// The project that a session works on; it has begun.
    pub project_dir: PathBuf,
    pub store_dir: PathBuf,
    /// Where the work tree is to be; it need not exist.
    pub root: PathBuf,
}

/// Makes a directory with a repository, without the project's files: these come by a restore. Does
/// nothing where it is there already. Returns the project's directory in it.
///
/// # Errors
/// When the project's repository cannot be read or the directory cannot be written.
pub fn make_worktree(request: &WorktreeRequest) -> Result<PathBuf> {
    let (project, _) = Project::find(&request.project_dir)?;
    let root = &request.root;
    let doing = || format!("Making the worktree {}", root.display());
    fs::create_dir_all(root).doing(doing)?;
    let prefix = OsStr::from_bytes(project.prefix()?.as_bytes()).to_owned();
    let dir = root.join(prefix);
    let git_dir = root.join(".git");
    if !git_dir.exists() {
        let beside = root.join(".git.new");
        remove(&beside).doing(doing)?;
        let objects = Store::of(&request.store_dir, &request.project_dir)?.shadow()?;
        copy_repository(&project, &beside, objects.dir()).doing(doing)?;
        settle(&beside).doing(doing)?;
        // From here on it is there as a whole.
        fs::rename(&beside, &git_dir).doing(doing)?;
        if !project.prefix()?.is_root() {
            surroundings(root).doing(doing)?;
        }
    }
    fs::create_dir_all(&dir).doing(doing)?;
    canonical(&dir)
}

/// Removes a worktree and all in it. Does nothing where there is none.
///
/// # Errors
/// When something in it cannot be removed.
pub fn remove_worktree(root: &Path) -> Result<()> {
    remove(root).doing(|| format!("Removing the worktree {}", root.display()))
}

fn copy_repository(project: &Project, into: &Path, objects: &Path) -> std::io::Result<()> {
    copy_folder(&project.common_dir, into, NOT_COPIED)?;
    if project.git_dir != project.common_dir {
        // A linked worktree has HEAD and index of its own.
        copy_folder(&project.git_dir, into, &["commondir", "gitdir", "locked"])?;
    }
    // Branches and marks of other sessions are no business of the agent's.
    remove(&into.join("refs/espalier"))?;
    fs::create_dir_all(into.join("objects/pack"))?;
    fs::create_dir_all(into.join("objects/info"))?;
    let mut line = objects.as_os_str().as_bytes().to_vec();
    line.push(b'\n');
    fs::write(into.join("objects/info/alternates"), line)
}

/// Copies a folder; locks of others, sockets and pipes are left.
fn copy_folder(from: &Path, into: &Path, left: &[&str]) -> std::io::Result<()> {
    fs::create_dir_all(into)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        let locks = Path::new(&name).extension() == Some(OsStr::new("lock"));
        if locks || left.iter().any(|left| name == *left) {
            continue;
        }
        let target = into.join(&name);
        if kind.is_dir() {
            copy_folder(&entry.path(), &target, &[])?;
        } else if kind.is_file() {
            match fs::copy(entry.path(), &target) {
                Ok(_) => {}
                // Somebody's git took it away meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target)?;
        }
    }
    Ok(())
}

/// Takes out of the configuration where the user's own work tree is.
fn settle(git_dir: &Path) -> std::result::Result<(), git2::Error> {
    for name in ["config", "config.worktree"] {
        let file = git_dir.join(name);
        if !file.exists() {
            continue;
        }
        let mut config = git2::Config::open(&file)?;
        if config.get_string("core.worktree").is_ok() {
            config.remove("core.worktree")?;
        }
        if config.get_bool("core.bare").is_ok() {
            config.set_bool("core.bare", false)?;
        }
    }
    Ok(())
}

/// What lies around a project that is a subdirectory of its repository, as committed: its tests may
/// need it, and it belongs to no checkpoint.
fn surroundings(root: &Path) -> std::result::Result<(), git2::Error> {
    let repository = Repository::open(root)?;
    let mut checkout = CheckoutBuilder::new();
    checkout.force().update_index(false);
    repository.checkout_head(Some(&mut checkout))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
