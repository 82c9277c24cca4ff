//! Bringing files to a checkpoint: plan, apply only that, verify, report.
//!
//! Only paths that differ between the two checkpoints are looked at; what neither holds is never
//! touched. A file is replaced through a new one beside it, so it is the old or the new, never half.

use crate::error::{CheckpointError, at};
use crate::files::{Known, LINK, TYPE, is_absent};
use crate::paths::{Bytes, from_text, on_disk, to_text};
use crate::snapshot::Checkpoints;
use crate::tree;
use espalier_protocol::CheckpointId;
use git2::Oid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// One path of a plan: what it was at the start and is to become. Blob id and full mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPath {
    pub path: String,
    pub old: Option<(String, u32)>,
    pub new: Option<(String, u32)>,
}

/// What a restore will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePlan {
    pub from: CheckpointId,
    pub target: CheckpointId,
    pub paths: Vec<PlannedPath>,
    /// Paths of the plan whose present content neither checkpoint holds.
    pub edited: Vec<String>,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    pub changed: u32,
    /// What it did not touch, in words.
    pub left_alone: Vec<String>,
}

impl Checkpoints {
    /// Says what leads from one checkpoint's files to another's.
    pub fn plan_restore(
        &mut self,
        from: &CheckpointId,
        target: &CheckpointId,
    ) -> Result<RestorePlan, CheckpointError> {
        let old = self.files_of(from)?;
        let new = self.files_of(target)?;
        let mut paths = Vec::new();
        let mut edited = Vec::new();
        let all: std::collections::BTreeSet<&Bytes> = old.keys().chain(new.keys()).collect();
        for path in all {
            let (was, is) = (old.get(path), new.get(path));
            if was == is {
                continue;
            }
            let present = self.now(path, None)?;
            let present = present.as_ref().map(|known| (known.oid, known.mode));
            if present.as_ref() != was && present.as_ref() != is {
                edited.push(to_text(path));
            }
            let text =
                |entry: Option<&(Oid, u32)>| entry.map(|(oid, mode)| (oid.to_string(), *mode));
            paths.push(PlannedPath {
                path: to_text(path),
                old: text(was),
                new: text(is),
            });
        }
        Ok(RestorePlan {
            from: from.clone(),
            target: target.clone(),
            paths,
            edited,
        })
    }

    /// Carries a plan out. A crash on the way is finished by `finish_interrupted`.
    pub fn restore(&mut self, plan: &RestorePlan) -> Result<RestoreReport, CheckpointError> {
        let journal = self.folder.join("restore.json");
        write_atomically(&journal, &serde_json::to_vec(plan)?)?;
        let report = self.apply(plan)?;
        std::fs::remove_file(&journal).map_err(at(&journal))?;
        Ok(report)
    }

    /// Finishes a restore that a crash cut, if there is one.
    pub fn finish_interrupted(&mut self) -> Result<Option<RestoreReport>, CheckpointError> {
        let journal = self.folder.join("restore.json");
        let text = match std::fs::read(&journal) {
            Ok(text) => text,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(at(&journal)(error)),
        };
        let plan: RestorePlan = serde_json::from_slice(&text)?;
        self.restore(&plan).map(Some)
    }

    fn apply(&mut self, plan: &RestorePlan) -> Result<RestoreReport, CheckpointError> {
        let mut report = RestoreReport {
            changed: 0,
            left_alone: Vec::new(),
        };
        // Deletions first: a directory may have to make room for a file and the other way round.
        let (deletes, writes): (Vec<_>, Vec<_>) =
            plan.paths.iter().partition(|path| path.new.is_none());
        let mut done = Vec::new();
        for planned in deletes.into_iter().rev().chain(writes) {
            let path = from_text(&planned.path);
            if self.leaves_project(&path) {
                report.left_alone.push(format!(
                    "{}: a directory on the way is a link",
                    planned.path
                ));
                continue;
            }
            let (old, new) = (parse(&planned.old)?, parse(&planned.new)?);
            let present = self.now(&path, None)?.map(|known| (known.oid, known.mode));
            if present == new {
                done.push((path, new));
                continue;
            }
            if present != old {
                report.left_alone.push(format!(
                    "{}: changed meanwhile, and no checkpoint holds it",
                    planned.path
                ));
                continue;
            }
            match new {
                None => self.delete(&path)?,
                Some((oid, mode)) => self.write(&path, oid, mode)?,
            }
            report.changed += 1;
            done.push((path, new));
        }
        self.verify(done)?;
        Ok(report)
    }

    /// Reads back what was restored; it becomes what is known.
    fn verify(&mut self, done: Vec<(Bytes, Option<(Oid, u32)>)>) -> Result<(), CheckpointError> {
        for (path, wanted) in done {
            let present = self.now(&path, None)?;
            if present.as_ref().map(|known| (known.oid, known.mode)) != wanted {
                return Err(CheckpointError::NotRestored(to_text(&path)));
            }
            match present {
                Some(known) => self.known.insert(path, known),
                None => self.known.remove(&path),
            };
        }
        Ok(())
    }

    fn delete(&self, path: &[u8]) -> Result<(), CheckpointError> {
        let file = on_disk(&self.root, path);
        match std::fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(at(&file)(error)),
        }
        // Directories that held nothing else go with it.
        let mut parent = file.parent();
        while let Some(directory) = parent.filter(|directory| *directory != self.root) {
            if std::fs::remove_dir(directory).is_err() {
                break;
            }
            parent = directory.parent();
        }
        Ok(())
    }

    fn write(&self, path: &[u8], oid: Oid, mode: u32) -> Result<(), CheckpointError> {
        let file = on_disk(&self.root, path);
        let parent = file.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(parent).map_err(at(parent))?;
        let blob = self.shadow.find_blob(oid)?;
        let fresh = tempfile::Builder::new()
            .prefix(".espalier-")
            .tempfile_in(parent)
            .map_err(at(parent))?;
        if mode & TYPE == LINK {
            let name = fresh.path().to_path_buf();
            drop(fresh);
            std::os::unix::fs::symlink(OsStr::from_bytes(blob.content()), &name)
                .map_err(at(&name))?;
            std::fs::rename(&name, &file).map_err(at(&file))?;
            return Ok(());
        }
        std::fs::write(fresh.path(), blob.content()).map_err(at(&file))?;
        let permissions = std::fs::Permissions::from_mode(mode & 0o7777);
        std::fs::set_permissions(fresh.path(), permissions).map_err(at(&file))?;
        fresh
            .persist(&file)
            .map(|_| ())
            .map_err(|error| at(&file)(error.error))
    }

    /// The files of a checkpoint with their full modes.
    fn files_of(
        &self,
        checkpoint: &CheckpointId,
    ) -> Result<BTreeMap<Bytes, (Oid, u32)>, CheckpointError> {
        let tree = self.tree_of(checkpoint)?;
        let modes = read_modes(&self.folder, checkpoint)?;
        let listing = tree::read(&self.shadow, tree, &self.prefix)?;
        Ok(listing
            .files
            .into_iter()
            .map(|(path, (oid, git_mode))| {
                let mode = modes.get(&path).copied().unwrap_or_else(|| plain(git_mode));
                (path, (oid, mode))
            })
            .collect())
    }
}

fn parse(entry: &Option<(String, u32)>) -> Result<Option<(Oid, u32)>, CheckpointError> {
    entry
        .as_ref()
        .map(|(oid, mode)| Ok((Oid::from_str(oid)?, *mode)))
        .transpose()
}

/// The full mode of a file of which only git's is kept.
fn plain(git_mode: i32) -> u32 {
    match git_mode {
        0o120_000 => LINK | 0o777,
        0o100_755 => 0o100_755,
        _ => 0o100_644,
    }
}

/// Keeps the modes that git's own do not tell, beside the checkpoint.
pub fn write_modes(
    checkpoints: &Checkpoints,
    checkpoint: &CheckpointId,
) -> Result<(), CheckpointError> {
    let special: BTreeMap<String, u32> = checkpoints
        .known
        .iter()
        .filter(|(_, known)| known.mode != plain(known.git_mode()))
        .map(|(path, known)| (to_text(path), known.mode))
        .collect();
    let file = modes_file(&checkpoints.folder, checkpoint);
    if special.is_empty() && !file.exists() {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
    }
    write_atomically(&file, &serde_json::to_vec(&special)?)
}

/// The modes that git's own do not tell.
pub fn read_modes(
    folder: &Path,
    checkpoint: &CheckpointId,
) -> Result<BTreeMap<Bytes, u32>, CheckpointError> {
    let file = modes_file(folder, checkpoint);
    let text = match std::fs::read(&file) {
        Ok(text) => text,
        Err(error) if is_absent(&error) => return Ok(BTreeMap::new()),
        Err(error) => return Err(at(&file)(error)),
    };
    let modes: BTreeMap<String, u32> = serde_json::from_slice(&text)?;
    Ok(modes
        .into_iter()
        .map(|(path, mode)| (from_text(&path), mode))
        .collect())
}

fn modes_file(folder: &Path, checkpoint: &CheckpointId) -> std::path::PathBuf {
    folder.join("modes").join(format!("{checkpoint}.json"))
}

/// Writes a note so that a crash leaves the old or the new one.
pub fn write_atomically(file: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let fresh = tempfile::NamedTempFile::new_in(folder).map_err(at(folder))?;
    std::fs::write(fresh.path(), bytes).map_err(at(file))?;
    fresh
        .persist(file)
        .map(|_| ())
        .map_err(|error| at(file)(error.error))
}

/// Keeps the compiler honest about what a known file is.
impl From<&Known> for (Oid, u32) {
    fn from(known: &Known) -> Self {
        (known.oid, known.mode)
    }
}
