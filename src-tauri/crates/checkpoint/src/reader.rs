//! Reading checkpoints, without the session's lock.

use crate::error::{CheckpointError, at};
use crate::files::LINK;
use crate::lock::folder;
use crate::paths::{Bytes, from_text, in_project, to_text};
use crate::restore::read_modes;
use crate::snapshot::{open_shadow, open_user};
use crate::tree;
use espalier_protocol::step::FileVersion;
use espalier_protocol::view::{FileDiff, TreeFile};
use espalier_protocol::{ChangeKind, CheckpointId, FileChange};
use git2::{Oid, Repository};
use similar::{ChangeTag, TextDiff};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Bytes of a side that a difference shows; larger ones are only named.
const SHOWN: usize = 1024 * 1024;

/// Reads what a project's checkpoints hold.
pub struct CheckpointReader {
    shadow: Repository,
    prefix: Bytes,
    folder: PathBuf,
}

type Files = BTreeMap<Bytes, (Oid, i32)>;

impl CheckpointReader {
    /// Opens the checkpoints of a project.
    pub fn open(project_dir: &Path, store_dir: &Path) -> Result<Self, CheckpointError> {
        let root = project_dir.canonicalize().map_err(at(project_dir))?;
        let folder = folder(store_dir, &root);
        let user = open_user(&root)?;
        let workdir = user.workdir().unwrap_or(&root);
        let workdir = workdir.canonicalize().map_err(at(workdir))?;
        Ok(Self {
            shadow: open_shadow(&folder, &user)?,
            prefix: in_project(&workdir, &root).unwrap_or_default(),
            folder,
        })
    }

    fn files(&self, id: &CheckpointId) -> Result<Files, CheckpointError> {
        let commit = self.shadow.find_commit(Oid::from_str(id.as_str())?)?;
        Ok(tree::read(&self.shadow, commit.tree_id(), &self.prefix)?.files)
    }

    /// Which paths differ; without `from`, against the checkpoint's own parent.
    pub fn changes(
        &self,
        from: Option<&CheckpointId>,
        to: &CheckpointId,
    ) -> Result<Vec<FileChange>, CheckpointError> {
        let parent = self.parent(to)?;
        let from = from.or(parent.as_ref());
        let old = from
            .map(|id| self.files(id))
            .transpose()?
            .unwrap_or_default();
        let new = self.files(to)?;
        let old_modes = from
            .map(|id| read_modes(&self.folder, id))
            .transpose()?
            .unwrap_or_default();
        let new_modes = read_modes(&self.folder, to)?;
        let paths: BTreeSet<&Bytes> = old.keys().chain(new.keys()).collect();
        let version =
            |path: &Bytes, entry: &(Oid, i32), modes: &BTreeMap<Bytes, u32>| FileVersion {
                blob: entry.0.to_string(),
                mode: modes
                    .get(path)
                    .copied()
                    .unwrap_or_else(|| u32::try_from(entry.1).unwrap_or(0)),
            };
        let mut changes = Vec::new();
        for path in paths {
            let was = old.get(path).map(|entry| version(path, entry, &old_modes));
            let is = new.get(path).map(|entry| version(path, entry, &new_modes));
            if was == is {
                continue;
            }
            let kind = match (&was, &is) {
                (None, _) => ChangeKind::Added,
                (_, None) => ChangeKind::Deleted,
                (Some(was), Some(is)) if was.blob == is.blob => ChangeKind::ModeChanged,
                _ => ChangeKind::Modified,
            };
            let lines = line_counts(
                &self.shadow,
                old.get(path).map(|entry| entry.0),
                new.get(path).map(|entry| entry.0),
            );
            changes.push(FileChange {
                path: to_text(path),
                kind,
                old: was,
                new: is,
                added_lines: lines.map(|lines| lines.0),
                removed_lines: lines.map(|lines| lines.1),
            });
        }
        Ok(changes)
    }

    fn parent(&self, id: &CheckpointId) -> Result<Option<CheckpointId>, CheckpointError> {
        let commit = self.shadow.find_commit(Oid::from_str(id.as_str())?)?;
        Ok(commit
            .parent_id(0)
            .ok()
            .map(|id| CheckpointId::new(id.to_string())))
    }

    /// The differences with their texts; without `from`, against the checkpoint's own parent.
    pub fn diff(
        &self,
        from: Option<&CheckpointId>,
        to: &CheckpointId,
    ) -> Result<Vec<FileDiff>, CheckpointError> {
        let changes = self.changes(from, to)?;
        changes
            .into_iter()
            .map(|change| self.file_diff(change))
            .collect()
    }

    /// What a checkpoint changed against its parent.
    pub fn step_diff(&self, id: &CheckpointId) -> Result<Vec<FileDiff>, CheckpointError> {
        self.diff(None, id)
    }

    fn file_diff(&self, change: FileChange) -> Result<FileDiff, CheckpointError> {
        let read = |version: &Option<FileVersion>| -> Result<Option<Vec<u8>>, CheckpointError> {
            version
                .as_ref()
                .map(|version| {
                    Ok(self
                        .shadow
                        .find_blob(Oid::from_str(&version.blob)?)?
                        .content()
                        .to_vec())
                })
                .transpose()
        };
        let (old, new) = (read(&change.old)?, read(&change.new)?);
        let sides = || old.iter().chain(&new);
        let too_large = sides().any(|bytes| bytes.len() > SHOWN);
        let binary = sides().any(|bytes| is_binary(bytes));
        let text = |bytes: Option<Vec<u8>>| {
            bytes
                .filter(|_| !binary && !too_large)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(FileDiff {
            change,
            old_text: text(old),
            new_text: text(new),
            binary,
            too_large,
        })
    }

    /// A file's bytes at a checkpoint.
    pub fn file(&self, id: &CheckpointId, path: &str) -> Result<Vec<u8>, CheckpointError> {
        let files = self.files(id)?;
        let (oid, _) = files
            .get(&from_text(path))
            .ok_or_else(|| CheckpointError::Io {
                path: PathBuf::from(path),
                error: std::io::ErrorKind::NotFound.into(),
            })?;
        Ok(self.shadow.find_blob(*oid)?.content().to_vec())
    }

    /// The files of a checkpoint.
    pub fn tree(&self, id: &CheckpointId) -> Result<Vec<TreeFile>, CheckpointError> {
        let odb = self.shadow.odb()?;
        self.files(id)?
            .into_iter()
            .map(|(path, (oid, mode))| {
                let (size, _) = odb.read_header(oid)?;
                Ok(TreeFile {
                    path: to_text(&path),
                    size: u32::try_from(size).unwrap_or(u32::MAX),
                    executable: mode == 0o100_755,
                    symlink: u32::try_from(mode).is_ok_and(|mode| mode == LINK),
                })
            })
            .collect()
    }
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8000).any(|byte| *byte == 0)
}

/// Lines added and removed; nothing for binary and very large contents.
pub fn line_counts(
    repository: &Repository,
    old: Option<Oid>,
    new: Option<Oid>,
) -> Option<(u32, u32)> {
    let read = |oid: Option<Oid>| match oid {
        None => Some(Vec::new()),
        Some(oid) => {
            let blob = repository.find_blob(oid).ok()?;
            let bytes = blob.content();
            (bytes.len() <= SHOWN && !is_binary(bytes)).then(|| bytes.to_vec())
        }
    };
    let (old, new) = (read(old)?, read(new)?);
    let difference = TextDiff::configure()
        .timeout(std::time::Duration::from_millis(20))
        .diff_lines(old.as_slice(), new.as_slice());
    let (mut added, mut removed) = (0, 0);
    for change in difference.iter_all_changes() {
        match change.tag() {
            ChangeTag::Insert => added += 1,
            ChangeTag::Delete => removed += 1,
            ChangeTag::Equal => {}
        }
    }
    Some((added, removed))
}
