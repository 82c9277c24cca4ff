//! Lock files that a killed process left beside references.
//!
//! libgit2 and git hold `NAME.lock` while they write a reference, and know nothing of whether its
//! owner still lives. Whoever owns the project directory is the only one who writes these.

use crate::error::{Doing, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Removes the lock files below a folder of references.
pub fn clear(folder: &Path) -> Result<()> {
    let doing = || format!("Clearing left-over locks in {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.doing(doing)?,
    };
    for entry in entries {
        let entry = entry.doing(doing)?;
        let path = entry.path();
        if entry.file_type().doing(doing)?.is_dir() {
            clear(&path)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "lock")
        {
            clear_one(&path)?;
        }
    }
    Ok(())
}

/// Removes one lock file, if it is there.
pub fn clear_one(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => {
            tracing::info!(path = %path.display(), "a lock of a process that died is removed");
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).doing(|| format!("Removing {}", path.display())),
    }
}
