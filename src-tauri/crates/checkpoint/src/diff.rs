//! What differs between two states of the files: paths, directories, lines.
//!
//! Only directories whose trees or records differ are read.

use crate::error::Result;
use crate::objects::Objects;
use crate::path::RelPath;
use crate::side::default_of;
use crate::tree::{MODE_COMMIT, MODE_TREE, Tree};
use crate::walk::Pair;
use espalier_protocol::step::FileVersion;
use espalier_protocol::{ChangeKind, FileChange};
use git2::{ObjectType, Oid};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Content and full mode of a file or link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(into = "FileVersion", try_from = "FileVersion")]
pub struct Version {
    pub id: Oid,
    pub full_mode: u32,
}

impl From<Version> for FileVersion {
    fn from(version: Version) -> Self {
        Self {
            blob: version.id.to_string(),
            mode: version.full_mode,
        }
    }
}

impl TryFrom<FileVersion> for Version {
    type Error = git2::Error;

    fn try_from(version: FileVersion) -> std::result::Result<Self, git2::Error> {
        Ok(Self {
            id: Oid::from_str(&version.blob)?,
            full_mode: version.mode,
        })
    }
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDelta {
    pub path: RelPath,
    pub old: Option<Version>,
    pub new: Option<Version>,
}

/// One directory that came, went, or has another mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirDelta {
    pub path: RelPath,
    pub old: Option<u32>,
    pub new: Option<u32>,
    /// Whether it holds no file on the side where it is (the new one where it is on both).
    pub empty: bool,
}

/// Everything that differs, in the order of paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    pub files: Vec<FileDelta>,
    pub dirs: Vec<DirDelta>,
}

impl Delta {
    /// Every path in it.
    pub fn paths(&self) -> BTreeSet<&RelPath> {
        let dirs = self.dirs.iter().map(|dir| &dir.path);
        self.files
            .iter()
            .map(|file| &file.path)
            .chain(dirs)
            .collect()
    }
}

/// What differs from `old` to `new`.
pub fn between(objects: &Objects, old: Pair, new: Pair) -> Result<Delta> {
    let mut delta = Delta::default();
    directory(objects, &RelPath::root(), old, new, &mut delta)?;
    delta.files.sort_by(|a, b| a.path.cmp(&b.path));
    delta.dirs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(delta)
}

/// What a name stands for on one side.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Thing {
    Nothing,
    File(Version),
    Dir(u32, Pair),
}

impl Thing {
    fn file(self) -> Option<Version> {
        match self {
            Self::File(version) => Some(version),
            _ => None,
        }
    }

    fn dir(self) -> Option<(u32, Pair)> {
        match self {
            Self::Dir(mode, pair) => Some((mode, pair)),
            _ => None,
        }
    }
}

fn directory(
    objects: &Objects,
    path: &RelPath,
    old: Pair,
    new: Pair,
    delta: &mut Delta,
) -> Result<()> {
    if old == new {
        return Ok(());
    }
    let (old_tree, new_tree) = (objects.tree(old.files)?, objects.tree(new.files)?);
    let (old_side, new_side) = (objects.side(old.side)?, objects.side(new.side)?);
    let mut names = differing(&old_tree, &new_tree);
    if old.side != new.side {
        names.extend(differing_keys(&old_side.modes, &new_side.modes));
        names.extend(differing_keys(&old_side.dirs, &new_side.dirs));
    }
    for name in names {
        let before = thing(&old_tree, &old_side, name);
        let after = thing(&new_tree, &new_side, name);
        if before == after {
            continue;
        }
        let path = path.join(name);
        if before.file() != after.file() {
            delta.files.push(FileDelta {
                path: path.clone(),
                old: before.file(),
                new: after.file(),
            });
        }
        let (was, is) = (before.dir(), after.dir());
        if was.map(|(mode, _)| mode) != is.map(|(mode, _)| mode) {
            delta.dirs.push(DirDelta {
                path: path.clone(),
                old: was.map(|(mode, _)| mode),
                new: is.map(|(mode, _)| mode),
                empty: is.or(was).is_some_and(|(_, pair)| pair.files.is_none()),
            });
        }
        let pair = |side: Option<(u32, Pair)>| side.map(|(_, pair)| pair).unwrap_or_default();
        directory(objects, &path, pair(was), pair(is), delta)?;
    }
    Ok(())
}

fn thing(tree: &Tree, side: &crate::side::Side, name: &[u8]) -> Thing {
    let recorded = side.modes.get(name).copied();
    let below = side.dirs.get(name).copied();
    match tree.get(name) {
        // A commit of another repository says nothing about files.
        Some(entry) if entry.mode == MODE_COMMIT => Thing::Nothing,
        Some(entry) if entry.mode == MODE_TREE => Thing::Dir(
            recorded.unwrap_or(default_of(MODE_TREE)),
            Pair {
                files: Some(entry.id),
                side: below,
            },
        ),
        Some(entry) => Thing::File(Version {
            id: entry.id,
            full_mode: recorded.unwrap_or(default_of(entry.mode)),
        }),
        None => match recorded {
            Some(mode) => Thing::Dir(
                mode,
                Pair {
                    files: None,
                    side: below,
                },
            ),
            None => Thing::Nothing,
        },
    }
}

/// Names of the entries that are not the same in both trees.
fn differing<'a>(old: &'a Tree, new: &'a Tree) -> BTreeSet<&'a [u8]> {
    let mut names = BTreeSet::new();
    let (mine, theirs) = old.stretch(new);
    let (mut left, mut right) = (old.range(mine).peekable(), new.range(theirs).peekable());
    loop {
        match (left.peek(), right.peek()) {
            (None, None) => return names,
            (Some(entry), None) => {
                names.insert(entry.name);
                left.next();
            }
            (None, Some(entry)) => {
                names.insert(entry.name);
                right.next();
            }
            (Some(a), Some(b)) => match crate::tree::compare(a, b) {
                Ordering::Less => {
                    names.insert(a.name);
                    left.next();
                }
                Ordering::Greater => {
                    names.insert(b.name);
                    right.next();
                }
                Ordering::Equal => {
                    if a != b {
                        names.insert(a.name);
                    }
                    left.next();
                    right.next();
                }
            },
        }
    }
}

fn differing_keys<'a, T: PartialEq>(
    old: &'a BTreeMap<Vec<u8>, T>,
    new: &'a BTreeMap<Vec<u8>, T>,
) -> Vec<&'a [u8]> {
    let gone = old
        .iter()
        .filter(|(name, value)| new.get(*name) != Some(value));
    let come = new.keys().filter(|name| !old.contains_key(*name));
    gone.map(|(name, _)| name.as_slice())
        .chain(come.map(Vec::as_slice))
        .collect()
}

/// Largest side whose lines are counted or shown, in bytes.
pub const TEXT_LIMIT: u64 = 1024 * 1024;
/// Beyond this many files lines are not counted: nobody reads such a list line by line.
const COUNTED_FILES: usize = 500;

/// The change list of a checkpoint.
pub fn changes(objects: &Objects, delta: &Delta) -> Result<Vec<FileChange>> {
    let mut list = Vec::with_capacity(delta.files.len());
    for file in &delta.files {
        let lines = match delta.files.len() <= COUNTED_FILES {
            true => lines(objects, file)?,
            false => None,
        };
        list.push(FileChange {
            path: file.path.to_text(),
            kind: kind(file.old, file.new),
            old: file.old.map(FileVersion::from),
            new: file.new.map(FileVersion::from),
            added_lines: lines.map(|(added, _)| added),
            removed_lines: lines.map(|(_, removed)| removed),
        });
    }
    list.extend(delta.dirs.iter().filter_map(directory_change));
    list.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(list)
}

/// An empty directory that came or went, or one with another mode; its path ends in a slash.
fn directory_change(dir: &DirDelta) -> Option<FileChange> {
    let both = dir.old.is_some() && dir.new.is_some();
    let version = |mode: u32| FileVersion {
        blob: String::new(),
        mode,
    };
    (both || dir.empty).then(|| FileChange {
        path: format!("{}/", dir.path.to_text()),
        kind: match (dir.old, dir.new) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::ModeChanged,
        },
        old: dir.old.map(version),
        new: dir.new.map(version),
        added_lines: None,
        removed_lines: None,
    })
}

fn kind(old: Option<Version>, new: Option<Version>) -> ChangeKind {
    match (old, new) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Deleted,
        (Some(old), Some(new)) if old.id == new.id || is_other_type(old, new) => {
            ChangeKind::ModeChanged
        }
        _ => ChangeKind::Modified,
    }
}

fn is_other_type(old: Version, new: Version) -> bool {
    (old.full_mode ^ new.full_mode) & 0o170_000 != 0
}

/// Lines added and removed; nothing for binary and very large files.
fn lines(objects: &Objects, file: &FileDelta) -> Result<Option<(u32, u32)>> {
    let same = file.old.map(|old| old.id) == file.new.map(|new| new.id);
    if same {
        return Ok(Some((0, 0)));
    }
    let (Some(old), Some(new)) = (text(objects, file.old)?, text(objects, file.new)?) else {
        return Ok(None);
    };
    let mut options = git2::DiffOptions::new();
    options.context_lines(0);
    let counted = git2::Patch::from_buffers(&old, None, &new, None, Some(&mut options))
        .and_then(|patch| patch.line_stats());
    // A count that cannot be made is left out; the change itself stands.
    Ok(counted.ok().map(|(_, added, removed)| {
        let number = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
        (number(added), number(removed))
    }))
}

/// The bytes of one side where they are text of a size to show.
fn text(objects: &Objects, version: Option<Version>) -> Result<Option<Vec<u8>>> {
    let Some(version) = version else {
        return Ok(Some(Vec::new()));
    };
    if objects.size(version.id)? > TEXT_LIMIT {
        return Ok(None);
    }
    let bytes = objects.read(version.id, ObjectType::Blob)?;
    Ok((!is_binary(&bytes)).then_some(bytes))
}

/// Whether git would call the bytes binary: a zero byte near the beginning.
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8_000).any(|byte| *byte == 0)
}
