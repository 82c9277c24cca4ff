//! Reads checkpoints. Needs no lock and not even the project: the store has everything.

use crate::diff::{self, Delta, TEXT_LIMIT, Version};
use crate::error::{CheckpointError, Result};
use crate::objects::Objects;
use crate::path::RelPath;
use crate::session::between;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::tree::{MODE_COMMIT, MODE_EXEC, MODE_LINK};
use espalier_protocol::view::{FileDiff, TreeFile};
use espalier_protocol::{CheckpointId, FileChange};
use git2::{ObjectType, Oid};
use std::path::Path;

/// Reads the checkpoints of one project.
pub struct CheckpointReader {
    objects: Objects,
    prefix: RelPath,
}

impl CheckpointReader {
    /// Opens the checkpoints of a project directory.
    pub fn open(project_dir: &Path, store_dir: &Path) -> Result<Self> {
        let store = find(project_dir, store_dir)?;
        let Some(project) = store.project()? else {
            return Err(CheckpointError::BrokenStore {
                detail: format!("no session was ever started in {}", project_dir.display()),
            });
        };
        Ok(Self {
            prefix: project.prefix()?,
            objects: store.shadow()?,
        })
    }

    /// What differs from one checkpoint to another, with texts; without `from`, from its parent.
    pub fn diff(&self, from: Option<&CheckpointId>, to: &CheckpointId) -> Result<Vec<FileDiff>> {
        let delta = self.delta(from, to)?;
        let changes = diff::changes(&self.objects, &delta)?;
        changes
            .into_iter()
            .map(|change| self.with_texts(change))
            .collect()
    }

    /// What a checkpoint changed against its parent, with texts.
    pub fn step_diff(&self, checkpoint: &CheckpointId) -> Result<Vec<FileDiff>> {
        self.diff(None, checkpoint)
    }

    /// What differs from one checkpoint to another; without `from`, from its parent.
    pub fn changes(
        &self,
        from: Option<&CheckpointId>,
        to: &CheckpointId,
    ) -> Result<Vec<FileChange>> {
        diff::changes(&self.objects, &self.delta(from, to)?)
    }

    /// A file's bytes; the target's text for a link.
    pub fn file(&self, checkpoint: &CheckpointId, path: &str) -> Result<Vec<u8>> {
        let unknown = || CheckpointError::UnknownFile {
            id: checkpoint.as_str().to_owned(),
            path: path.to_owned(),
        };
        let snapshot = self.snapshot(checkpoint)?;
        let place = RelPath::from_text(path).ok_or_else(unknown)?;
        let (dir, name) = place.split_last().ok_or_else(unknown)?;
        let tree = self
            .objects
            .tree(self.objects.at(snapshot.pair.files, &dir)?)?;
        let entry = tree
            .get(name)
            .filter(|entry| !entry.is_tree() && entry.mode != MODE_COMMIT);
        self.objects
            .read(entry.ok_or_else(unknown)?.id, ObjectType::Blob)
    }

    /// All files, in the order of paths.
    pub fn tree(&self, checkpoint: &CheckpointId) -> Result<Vec<TreeFile>> {
        let snapshot = self.snapshot(checkpoint)?;
        let mut files = Vec::new();
        self.list(snapshot.pair.files, &RelPath::root(), &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    fn list(&self, tree: Option<Oid>, dir: &RelPath, files: &mut Vec<TreeFile>) -> Result<()> {
        for entry in self.objects.tree(tree)?.iter() {
            let path = dir.join(entry.name);
            if entry.is_tree() {
                self.list(Some(entry.id), &path, files)?;
            } else if entry.mode != MODE_COMMIT {
                files.push(TreeFile {
                    path: path.to_text(),
                    size: u32::try_from(self.objects.size(entry.id)?).unwrap_or(u32::MAX),
                    executable: entry.mode == MODE_EXEC,
                    symlink: entry.mode == MODE_LINK,
                });
            }
        }
        Ok(())
    }

    fn snapshot(&self, id: &CheckpointId) -> Result<Snapshot> {
        self.objects.snapshot(id.as_str(), &self.prefix)
    }

    fn delta(&self, from: Option<&CheckpointId>, to: &CheckpointId) -> Result<Delta> {
        let to = self.snapshot(to)?;
        let from = match from {
            Some(from) => self.snapshot(from)?,
            None => {
                let commit = self.objects.commit(to.commit)?;
                // A user's own commit is where a session starts: nothing changed yet.
                match commit
                    .parents
                    .first()
                    .filter(|_| commit.trailers.session.is_some())
                {
                    Some(parent) => self.snapshot(&CheckpointId::new(parent.to_string()))?,
                    None => return Ok(Delta::default()),
                }
            }
        };
        between(&self.objects, &from, &to)
    }

    fn with_texts(&self, change: FileChange) -> Result<FileDiff> {
        let read = |version: &Option<espalier_protocol::step::FileVersion>| match version {
            Some(version) if !version.blob.is_empty() => {
                let version = Version::try_from(version.clone()).map_err(|error| {
                    CheckpointError::BrokenStore {
                        detail: error.message().to_owned(),
                    }
                })?;
                self.side(version)
            }
            _ => Ok(SideText::None),
        };
        let (old, new) = (read(&change.old)?, read(&change.new)?);
        let binary = old.is_binary() || new.is_binary();
        let too_large = old.is_too_large() || new.is_too_large();
        let shown = !binary && !too_large;
        Ok(FileDiff {
            change,
            old_text: old.text().filter(|_| shown),
            new_text: new.text().filter(|_| shown),
            binary,
            too_large,
        })
    }

    fn side(&self, version: Version) -> Result<SideText> {
        if self.objects.size(version.id)? > TEXT_LIMIT {
            return Ok(SideText::TooLarge);
        }
        let bytes = self.objects.read(version.id, ObjectType::Blob)?;
        Ok(if diff::is_binary(&bytes) {
            SideText::Binary
        } else {
            SideText::Text(String::from_utf8_lossy(&bytes).into_owned())
        })
    }
}

/// One side of a difference.
enum SideText {
    None,
    Binary,
    TooLarge,
    Text(String),
}

impl SideText {
    fn is_binary(&self) -> bool {
        matches!(self, Self::Binary)
    }

    fn is_too_large(&self) -> bool {
        matches!(self, Self::TooLarge)
    }

    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A project's store, also when the project directory itself is gone.
fn find(project_dir: &Path, store_dir: &Path) -> Result<Store> {
    match Store::of(store_dir, project_dir) {
        Err(CheckpointError::NoProject { dir }) => {
            for store in Store::all(store_dir)? {
                if store.project()?.is_some_and(|project| project.dir == dir) {
                    return Ok(store);
                }
            }
            Err(CheckpointError::NoProject { dir })
        }
        other => other,
    }
}
