//! The files of the project as git sees them: `.gitignore` holds, hidden files count, `.git` is
//! left out, links are not followed.
//!
//! Walking goes by path (the walker offers nothing else); what a file holds is then read through
//! `Project`, so that a directory swapped for a link during the walk can show names, never content.

use super::project::Project;
use ignore::{DirEntry, WalkBuilder};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What to do about files that `.gitignore` leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignored {
    Left,
    Taken,
}

/// A file that was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Relative to the project.
    pub(crate) relative: PathBuf,
    entry: DirEntry,
}

impl Found {
    /// When it was last changed; the beginning of time where the system does not say.
    pub(crate) fn changed(&self) -> SystemTime {
        self.entry
            .metadata()
            .ok()
            .and_then(|metadata| metadata.modified().ok())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Whether it is a plain file, not a link.
    pub(crate) fn is_plain(&self) -> bool {
        self.entry.file_type().is_some_and(|kind| kind.is_file())
    }
}

/// The files and links at and under `start` (relative, resolved), in the order of their names.
pub(crate) fn files<'a>(
    project: &'a Project,
    start: &Path,
    ignored: Ignored,
) -> impl Iterator<Item = Found> + use<'a> {
    let heed = ignored == Ignored::Left;
    let walk = WalkBuilder::new(project.path().join(start))
        .hidden(false)
        .ignore(heed)
        .git_ignore(heed)
        .git_global(heed)
        .git_exclude(heed)
        .parents(heed)
        .require_git(false)
        .follow_links(false)
        .sort_by_file_name(OsStr::cmp)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    walk.filter_map(move |entry| {
        // What may not be looked at is not found; a search goes on without it.
        let entry = entry.ok()?;
        let kind = entry.file_type()?;
        if !kind.is_file() && !kind.is_symlink() {
            return None;
        }
        let relative = entry
            .path()
            .strip_prefix(project.path())
            .ok()?
            .to_path_buf();
        Some(Found { relative, entry })
    })
}
