//! Making a folder a git repository with a commit, when somebody asked for it.

use crate::error::{CheckpointError, Doing, Result};
use crate::project::Project;
use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};
use std::path::Path;

/// Who commits where git knows no name.
const NAME: &str = "Espalier";
const EMAIL: &str = "espalier@localhost";

/// Gives `folder` a repository with one commit of all that is not ignored; one that has no commit
/// yet gets it. No file is changed.
///
/// # Errors
/// When there is a commit already, or another reason why the folder cannot be worked on; when it
/// cannot be read or written.
pub fn initialise(folder: &Path, message: &str) -> Result<()> {
    let doing = || format!("Making {} a git repository", folder.display());
    let repository = match Project::find(folder) {
        Err(CheckpointError::NotARepository { .. }) => {
            let mut options = RepositoryInitOptions::new();
            options.initial_head("main").no_reinit(true);
            Repository::init_opts(folder, &options).doing(doing)?
        }
        Err(CheckpointError::Unborn { .. }) => Repository::discover(folder).doing(doing)?,
        Err(other) => return Err(other),
        Ok((_, repository)) => repository,
    };
    if repository.head().is_ok() {
        return Err(CheckpointError::Io {
            doing: doing(),
            source: std::io::ErrorKind::AlreadyExists.into(),
        });
    }
    commit_all(&repository, message).doing(doing)
}

fn commit_all(repository: &Repository, message: &str) -> std::result::Result<(), git2::Error> {
    let mut index = repository.index()?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let author = match repository.signature() {
        Ok(author) => author,
        Err(_) => Signature::now(NAME, EMAIL)?,
    };
    repository.commit(Some("HEAD"), &author, &author, message, &tree, &[])?;
    Ok(())
}
