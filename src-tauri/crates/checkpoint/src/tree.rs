//! Git trees as raw bytes: read in place, changed by splicing.
//!
//! A directory of thousands of entries is never taken apart: a change copies the bytes around it.
//! Invariant: entries are in git's order, names are unique.

use crate::error::{CheckpointError, Result};
use git2::Oid;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Range;
use std::vec::IntoIter;

/// `st_mode` type bits of a directory, as git writes them in a tree.
pub const MODE_TREE: u32 = 0o040_000;
/// A regular file that nobody may execute.
pub const MODE_FILE: u32 = 0o100_644;
/// A regular file that its owner may execute.
pub const MODE_EXEC: u32 = 0o100_755;
/// A symbolic link.
pub const MODE_LINK: u32 = 0o120_000;
/// A commit of another repository.
pub const MODE_COMMIT: u32 = 0o160_000;

/// One entry, borrowed from its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    pub mode: u32,
    pub name: &'a [u8],
    pub id: Oid,
}

impl Entry<'_> {
    /// Whether it is a directory.
    pub fn is_tree(&self) -> bool {
        self.mode == MODE_TREE
    }
}

/// Bytes compared at once.
const CHUNK: usize = 512;

/// What entries become: a new mode and object, or nothing.
pub type Changes = BTreeMap<Vec<u8>, Option<(u32, Oid)>>;

/// A tree object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    raw: Vec<u8>,
    starts: Vec<u32>,
}

impl Tree {
    /// Reads a tree object's bytes.
    pub fn parse(raw: Vec<u8>) -> Result<Self> {
        let mut starts = Vec::new();
        let mut at = 0;
        while at < raw.len() {
            let end = raw[at..]
                .iter()
                .position(|byte| *byte == 0)
                .map(|zero| at + zero + 21)
                .filter(|end| *end <= raw.len())
                .ok_or_else(|| broken("a tree object ends early"))?;
            starts.push(u32::try_from(at).map_err(|_| broken("a tree object is too large"))?);
            at = end;
        }
        let tree = Self { raw, starts };
        // Checked once, so that reading an entry later needs no error.
        if (0..tree.len()).any(|index| tree.read(index).is_none()) {
            return Err(broken("a tree object has an entry that cannot be read"));
        }
        Ok(tree)
    }

    /// The object's bytes.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The entries in git's order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).filter_map(|index| self.read(index))
    }

    /// The entry of this name.
    pub fn get(&self, name: &[u8]) -> Option<Entry<'_>> {
        self.find(name).and_then(|index| self.read(index))
    }

    /// The same tree with some entries changed. What lies between the changes is copied as it is.
    pub fn with(&self, changes: &Changes) -> Self {
        // Where a name stands now, and where it will stand when it turns from file to directory.
        let mut gone: Vec<usize> = changes.keys().filter_map(|name| self.find(name)).collect();
        gone.sort_unstable();
        let mut added: Vec<(&[u8], u32, Oid)> = changes
            .iter()
            .filter_map(|(name, change)| change.map(|(mode, id)| (name.as_slice(), mode, id)))
            .collect();
        added.sort_by(|a, b| order(a.0, a.1 == MODE_TREE, b.0, b.1 == MODE_TREE));
        let mut new = Self {
            raw: Vec::with_capacity(self.raw.len() + added.len() * 48),
            starts: Vec::with_capacity(self.starts.len() + added.len()),
        };
        let mut gone = gone.into_iter().peekable();
        let mut at = 0;
        for (name, mode, id) in added {
            let place = self.starts.partition_point(|start| {
                let (own_mode, own) = self.head(*start as usize);
                order(own, own_mode == MODE_TREE, name, mode == MODE_TREE) == Ordering::Less
            });
            new.copy(self, at, place, &mut gone);
            at = place;
            new.push(mode, name, id);
        }
        new.copy(self, at, self.len(), &mut gone);
        new
    }

    /// Appends the entries `from..to` of another tree without those that go.
    fn copy(&mut self, other: &Self, from: usize, to: usize, gone: &mut Peekable<IntoIter<usize>>) {
        let mut at = from;
        while at < to {
            let end = gone.peek().map_or(to, |next| (*next).min(to));
            let (first, last) = (other.start(at), other.start(end));
            let moved = self.raw.len();
            self.raw.extend_from_slice(&other.raw[first..last]);
            // Trees are far smaller than 4 GiB: parsing checked it, and a change adds little.
            #[expect(clippy::cast_possible_truncation, reason = "checked by parse")]
            self.starts.extend(
                other.starts[at..end]
                    .iter()
                    .map(|start| (*start as usize - first + moved) as u32),
            );
            at = end;
            if gone.next_if(|next| *next == at && at < to).is_some() {
                at += 1;
            }
        }
    }

    fn push(&mut self, mode: u32, name: &[u8], id: Oid) {
        #[expect(clippy::cast_possible_truncation, reason = "checked by parse")]
        self.starts.push(self.raw.len() as u32);
        self.raw.extend_from_slice(format!("{mode:o} ").as_bytes());
        self.raw.extend_from_slice(name);
        self.raw.push(0);
        self.raw.extend_from_slice(id.as_bytes());
    }

    /// The byte at which an entry starts; the end for one past the last.
    fn start(&self, index: usize) -> usize {
        self.starts
            .get(index)
            .map_or(self.raw.len(), |start| *start as usize)
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        // A directory sorts as if its name ended in a slash: look at both places.
        [false, true].into_iter().find_map(|as_tree| {
            self.starts
                .binary_search_by(|start| {
                    let (mode, own) = self.head(*start as usize);
                    order(own, mode == MODE_TREE, name, as_tree)
                })
                .ok()
        })
    }

    /// The stretch of entries in which this tree and another differ, as index ranges of both.
    pub fn stretch(&self, other: &Self) -> (Range<usize>, Range<usize>) {
        let front = common_prefix(&self.raw, &other.raw);
        // The entry in which the first difference lies: the same in both, since all before is.
        let first = self
            .starts
            .partition_point(|start| *start as usize <= front)
            .saturating_sub(1);
        let back = common_suffix(&self.raw[front..], &other.raw[front..]);
        let until = |tree: &Self| {
            let end = tree.raw.len() - back;
            tree.starts.partition_point(|start| (*start as usize) < end)
        };
        let (mine, theirs) = (until(self), until(other));
        // Equal bytes are equal entries only from a place where both have one starting.
        let aligned = self.raw.len() - self.start(mine) == other.raw.len() - other.start(theirs);
        if aligned {
            (first.min(mine)..mine, first.min(theirs)..theirs)
        } else {
            (
                first.min(self.len())..self.len(),
                first.min(other.len())..other.len(),
            )
        }
    }

    /// Some of the entries in git's order.
    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = Entry<'_>> {
        range.filter_map(|index| self.read(index))
    }

    fn read(&self, index: usize) -> Option<Entry<'_>> {
        let start = *self.starts.get(index)? as usize;
        let end = self
            .starts
            .get(index + 1)
            .map_or(self.raw.len(), |next| *next as usize);
        let entry = self.raw.get(start..end)?;
        let id = Oid::from_bytes(entry.get(entry.len().checked_sub(20)?..)?).ok()?;
        let (mode, name) = self.head(start);
        (!name.is_empty()).then_some(Entry { mode, name, id })
    }

    /// Mode and name of the entry that starts at a byte.
    fn head(&self, start: usize) -> (u32, &[u8]) {
        let mut mode = 0;
        let mut at = start;
        while let Some(digit @ b'0'..=b'7') = self.raw.get(at) {
            mode = mode * 8 + u32::from(digit - b'0');
            at += 1;
        }
        let name = self.raw.get(at + 1..).unwrap_or_default();
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(0);
        (mode, &name[..end])
    }
}

/// Bytes that both begin with.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let chunks = a
        .chunks(CHUNK)
        .zip(b.chunks(CHUNK))
        .take_while(|(a, b)| a == b);
    let whole: usize = chunks.map(|(chunk, _)| chunk.len()).sum();
    whole
        + a[whole..]
            .iter()
            .zip(&b[whole..])
            .take_while(|(a, b)| a == b)
            .count()
}

/// Bytes that both end with.
fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let chunks = a
        .rchunks(CHUNK)
        .zip(b.rchunks(CHUNK))
        .take_while(|(a, b)| a == b);
    let whole: usize = chunks.map(|(chunk, _)| chunk.len()).sum();
    let (a, b) = (&a[..a.len() - whole], &b[..b.len() - whole]);
    whole
        + a.iter()
            .rev()
            .zip(b.iter().rev())
            .take_while(|(a, b)| a == b)
            .count()
}

/// Git's order of two entries.
pub fn compare(a: &Entry<'_>, b: &Entry<'_>) -> Ordering {
    order(a.name, a.is_tree(), b.name, b.is_tree())
}

/// Git's order of entries: by bytes, a directory as if its name ended in a slash.
fn order(a: &[u8], a_tree: bool, b: &[u8], b_tree: bool) -> Ordering {
    let shared = a.len().min(b.len());
    a[..shared].cmp(&b[..shared]).then_with(|| {
        let next = |name: &[u8], tree: bool| match name.get(shared) {
            Some(byte) => *byte,
            None if tree => b'/',
            None => 0,
        };
        next(a, a_tree).cmp(&next(b, b_tree))
    })
}

fn broken(detail: &str) -> CheckpointError {
    CheckpointError::BrokenStore {
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
