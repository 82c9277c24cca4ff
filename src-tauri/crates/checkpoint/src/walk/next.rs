//! What is known of a name, what it turned out to be, and the directory that comes of it.

use super::Pair;
use crate::error::Result;
use crate::objects::Objects;
use crate::side::{Side, git_mode};
use crate::tree::{Changes, MODE_TREE, Tree};
use git2::Oid;

/// What one name turned out to be.
pub(super) enum Found {
    /// Nothing that a checkpoint holds.
    Nothing,
    /// Whatever was known of it stays.
    Kept,
    File {
        full_mode: u32,
        id: Oid,
    },
    Directory {
        full_mode: u32,
        pair: Pair,
    },
}

/// What is known of one name from the parent.
pub(super) struct Before {
    pub(super) entry: Option<(u32, Oid)>,
    pub(super) side: Option<Oid>,
    pub(super) empty_dir: bool,
}

impl Before {
    pub(super) fn is_known(&self) -> bool {
        self.entry.is_some() || self.empty_dir
    }

    pub(super) fn pair(&self) -> Pair {
        let files = self
            .entry
            .filter(|(mode, _)| *mode == MODE_TREE)
            .map(|(_, id)| id);
        Pair {
            files,
            side: self.side,
        }
    }
}

/// A directory on its way from what the parent holds to what is on disk.
pub(super) struct Next<'a> {
    pub(super) tree: &'a Tree,
    pub(super) side: &'a Side,
    pub(super) changes: Changes,
    /// Made when the first change to the record comes.
    pub(super) new_side: Option<Side>,
}

impl Next<'_> {
    pub(super) fn take(&mut self, name: &[u8], before: &Before, found: Found) {
        let (entry, full_mode, side) = match found {
            Found::Kept => return,
            Found::Nothing => (None, None, None),
            Found::File { full_mode, id } => {
                (Some((git_mode(full_mode), id)), Some(full_mode), None)
            }
            Found::Directory { full_mode, pair } => (
                pair.files.map(|id| (MODE_TREE, id)),
                Some(full_mode),
                pair.side,
            ),
        };
        if entry != before.entry {
            self.changes.insert(name.to_vec(), entry);
        }
        let mut wanted = Side::default();
        match (entry, full_mode) {
            (Some(_), Some(mode)) => wanted.note(name, mode),
            (None, Some(mode)) => wanted.note_empty(name, mode),
            (_, None) => {}
        }
        let mode_now = wanted.modes.get(name);
        if mode_now != self.side.modes.get(name) || side != before.side {
            let new = self.new_side.get_or_insert_with(|| self.side.clone());
            new.forget(name);
            if let Some(mode) = mode_now {
                new.modes.insert(name.to_vec(), *mode);
            }
            if let Some(side) = side {
                new.dirs.insert(name.to_vec(), side);
            }
        }
    }

    pub(super) fn store(self, objects: &Objects, before: Pair) -> Result<Pair> {
        let files = match self.changes.is_empty() {
            true => before.files.filter(|_| !self.tree.is_empty()),
            false => objects.put_tree(self.tree.with(&self.changes))?,
        };
        let side = match self.new_side {
            None => before.side,
            Some(side) => objects.put_side(side)?,
        };
        Ok(Pair { files, side })
    }
}
