//! Walking the project: which files are there for a checkpoint, and which knowingly are not.

use crate::error::CheckpointError;
use crate::paths::{Bytes, in_project, to_text};
use espalier_protocol::{Uncaptured, UncapturedReason};
use ignore::WalkBuilder;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    pub files: BTreeSet<Bytes>,
    pub directories: Vec<PathBuf>,
    pub uncaptured: Vec<Uncaptured>,
}

/// Walks `from` (the project or a directory in it). Ignored files, `.git`, nested repositories and
/// excluded folders are left out.
pub fn walk(root: &Path, from: &Path, exclude: &[PathBuf]) -> Result<Found, CheckpointError> {
    let mut found = Found::default();
    let nested = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let walker = {
        let (root, exclude, nested) = (root.to_path_buf(), exclude.to_vec(), nested.clone());
        WalkBuilder::new(from)
            .hidden(false)
            .ignore(false)
            .parents(true)
            .git_ignore(true)
            .git_global(true)
            .git_exclude(true)
            .follow_links(false)
            .filter_entry(move |entry| {
                let path = entry.path();
                if entry.file_name() == ".git" || exclude.iter().any(|out| path.starts_with(out)) {
                    return false;
                }
                let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
                if is_dir && path != root && path.join(".git").symlink_metadata().is_ok() {
                    if let Ok(mut nested) = nested.lock() {
                        nested.push(path.to_path_buf());
                    }
                    return false;
                }
                true
            })
            .build()
    };
    for entry in walker {
        let entry = match entry {
            Ok(entry) => entry,
            // Gone meanwhile, or without permission to read: said, not hidden.
            Err(error) => {
                if let Some(path) = error_path(&error)
                    && let Some(path) = in_project(root, &path)
                {
                    found.uncaptured.push(Uncaptured {
                        path: to_text(&path),
                        reason: UncapturedReason::Unreadable,
                    });
                }
                continue;
            }
        };
        let Some(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            found.directories.push(entry.into_path());
        } else if let Some(path) = in_project(root, entry.path()) {
            found.files.insert(path);
        }
    }
    let nested = nested
        .lock()
        .map(|nested| nested.clone())
        .unwrap_or_default();
    found.uncaptured.extend(nested.iter().filter_map(|path| {
        Some(Uncaptured {
            path: to_text(&in_project(root, path)?),
            reason: UncapturedReason::NestedRepository,
        })
    }));
    Ok(found)
}

fn error_path(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            error_path(err)
        }
        _ => None,
    }
}
