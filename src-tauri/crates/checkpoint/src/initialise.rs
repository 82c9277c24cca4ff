//! Making a folder a git repository, when somebody asked for it.

use crate::error::{CheckpointError, Doing};
use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};
use std::path::Path;

/// Who commits where git knows no name.
const NAME: &str = "Espalier";
const EMAIL: &str = "espalier@localhost";

/// Makes `folder` a repository with a branch `main` and one commit of all that is not ignored.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn initialise(folder: &Path, message: &str) -> Result<(), CheckpointError> {
    commit_all(folder, message).doing(|| format!("making {} a git repository", folder.display()))
}

fn commit_all(folder: &Path, message: &str) -> Result<(), git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.initial_head("main").no_reinit(true);
    let repository = Repository::init_opts(folder, &options)?;
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
