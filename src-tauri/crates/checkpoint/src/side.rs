//! What a git tree cannot hold: full permissions and empty directories.
//!
//! Beside the tree of the files stands a second tree of the same shape. Each of its directories
//! holds a blob `m` with the modes that git would not keep (anything but 0644, 0755 and directories
//! of 0755) and the empty directories, and `d<name>` for a subdirectory that has such a record too.
//! It changes only where such a mode changes, so an edit costs nothing here.

use crate::error::{CheckpointError, Result};
use crate::tree::{Changes, MODE_EXEC, MODE_FILE, MODE_TREE, Tree};
use git2::Oid;
use std::collections::BTreeMap;

/// Name of the blob that holds a directory's modes.
const MODES: &[u8] = b"m";

/// The record of one directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Side {
    /// Full `st_mode` of the entries that git's own mode does not describe.
    pub modes: BTreeMap<Vec<u8>, u32>,
    /// Records of subdirectories.
    pub dirs: BTreeMap<Vec<u8>, Oid>,
}

impl Side {
    /// Whether there is nothing to record.
    pub fn is_empty(&self) -> bool {
        self.modes.is_empty() && self.dirs.is_empty()
    }

    /// Notes the full mode of a file or of a directory that is not empty.
    pub fn note(&mut self, name: &[u8], full_mode: u32) {
        if default_of(git_mode(full_mode)) == full_mode {
            self.modes.remove(name);
        } else {
            self.modes.insert(name.to_vec(), full_mode);
        }
    }

    /// Notes an empty directory.
    pub fn note_empty(&mut self, name: &[u8], full_mode: u32) {
        self.modes.insert(name.to_vec(), full_mode);
    }

    /// Forgets an entry.
    pub fn forget(&mut self, name: &[u8]) {
        self.modes.remove(name);
        self.dirs.remove(name);
    }

    /// The bytes of the modes blob.
    pub fn modes_blob(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, mode) in &self.modes {
            bytes.extend_from_slice(format!("{mode:o} ").as_bytes());
            bytes.extend_from_slice(name);
            bytes.push(0);
        }
        bytes
    }

    /// The tree object, given the id of the modes blob.
    pub fn to_tree(&self, modes: Option<Oid>) -> Tree {
        let mut entries = Changes::new();
        if let Some(id) = modes {
            entries.insert(MODES.to_vec(), Some((MODE_FILE, id)));
        }
        for (name, id) in &self.dirs {
            entries.insert([b"d", name.as_slice()].concat(), Some((MODE_TREE, *id)));
        }
        Tree::default().with(&entries)
    }

    /// Reads a record back; `blob` reads the modes blob.
    pub fn from_tree(tree: &Tree, blob: impl Fn(Oid) -> Result<Vec<u8>>) -> Result<Self> {
        let mut side = Self::default();
        for entry in tree.iter() {
            match entry.name {
                MODES => side.modes = parse_modes(&blob(entry.id)?)?,
                [b'd', name @ ..] => {
                    side.dirs.insert(name.to_vec(), entry.id);
                }
                _ => return Err(broken()),
            }
        }
        Ok(side)
    }
}

fn parse_modes(bytes: &[u8]) -> Result<BTreeMap<Vec<u8>, u32>> {
    bytes
        .split(|byte| *byte == 0)
        .filter(|record| !record.is_empty())
        .map(|record| {
            let space = record
                .iter()
                .position(|byte| *byte == b' ')
                .ok_or_else(broken)?;
            let digits = std::str::from_utf8(&record[..space]).map_err(|_| broken())?;
            let mode = u32::from_str_radix(digits, 8).map_err(|_| broken())?;
            Ok((record[space + 1..].to_vec(), mode))
        })
        .collect()
}

fn broken() -> CheckpointError {
    CheckpointError::BrokenStore {
        detail: "a record of modes cannot be read".to_owned(),
    }
}

/// The mode git writes for a full `st_mode`.
pub fn git_mode(full_mode: u32) -> u32 {
    match full_mode & 0o170_000 {
        0o100_000 if full_mode & 0o100 != 0 => MODE_EXEC,
        0o100_000 => MODE_FILE,
        other => other,
    }
}

/// The full mode that an entry has when nothing is recorded for it.
pub fn default_of(git_mode: u32) -> u32 {
    match git_mode {
        MODE_TREE => MODE_TREE | 0o755,
        // A link's permissions mean nothing and cannot be set.
        other => other,
    }
}
