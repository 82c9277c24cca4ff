//! Makes an index readable that libgit2 does not know: a split one, or one with whole directories as
//! entries. The user's own is never written: git itself writes a plain copy of it.

use crate::error::{CheckpointError, Doing, Result};
use crate::project::Project;
use git2::{ErrorClass, Index, Repository};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Gives `repository` a plain copy of its index where its own cannot be read. `private` is a folder
/// of ours.
pub fn make_readable(project: &Project, repository: &Repository, private: &Path) -> Result<()> {
    let doing = || "Reading the index".to_owned();
    match repository.index() {
        Ok(_) => return Ok(()),
        Err(error)
            if error.class() == ErrorClass::Index && error.message().contains("unsupported") => {}
        Err(error) => return Err(error).doing(doing),
    }
    let folder = tempfile::TempDir::with_prefix_in("index-", private).doing(doing)?;
    let copy = folder.path().join("index");
    std::fs::copy(project.git_dir.join("index"), &copy).doing(doing)?;
    let output = git(project, &copy).output().doing(doing)?;
    if !output.status.success() {
        return Err(CheckpointError::Corrupt {
            dir: project.dir.clone(),
            detail: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    let mut index = Index::open(&copy).doing(doing)?;
    index.read(true).doing(doing)?;
    repository.set_index(&mut index).doing(doing)
}

/// A git that rewrites the index at `copy` in the plain form: no hook, no monitor, no variable of
/// the environment.
fn git(project: &Project, copy: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.as_bytes().starts_with(b"GIT_") {
            command.env_remove(name);
        }
    }
    command
        .arg("--git-dir")
        .arg(&project.git_dir)
        .arg("--work-tree")
        .arg(&project.work_tree)
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(["-c", "index.sparse=false", "-c", "core.splitIndex=false"])
        .args(["update-index", "--no-split-index", "--force-write-index"])
        .current_dir(&project.work_tree)
        .env("GIT_INDEX_FILE", copy)
        .stdin(Stdio::null());
    command
}
