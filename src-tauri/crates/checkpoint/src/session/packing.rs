//! Packing the store: its many small objects into one file.
//!
//! A checkpoint writes a handful of loose objects because that is quick. A thousand checkpoints
//! later they take a disk block each; packed, what is equal in them is stored once.

use crate::error::{Doing, Result};
use crate::session::Checkpoints;
use git2::{Indexer, Oid, Repository};
use std::collections::HashMap;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// One of the 256 folders of loose objects; as names are hashes, each holds its share.
const SAMPLE: &str = "17";
/// Loose objects in that folder from which packing pays, as `git gc --auto` has it: some 6,700 in all.
const MANY: usize = 27;
/// Rights of a pack and its index: nobody changes them.
const READ_ONLY: u32 = 0o444;

impl Checkpoints {
    /// Whether so many loose objects have gathered that packing them pays.
    pub fn is_packing_due(&self) -> bool {
        // What worktrees share their project packs.
        !self.shared
            && std::fs::read_dir(self.objects.dir().join(SAMPLE))
                .is_ok_and(|entries| entries.count() >= MANY)
    }

    /// Packs the loose objects. They are removed only when the pack is on the disk, so that a crash
    /// at any moment leaves each object in at least one place.
    ///
    /// # Errors
    /// When the store cannot be read or written; nothing is lost then.
    pub fn pack(&mut self) -> Result<()> {
        let dir = self.objects.dir().to_owned();
        let doing = || "Packing the checkpoint store".to_owned();
        let loose = loose_objects(&dir).doing(doing)?;
        if loose.is_empty() {
            return crate::packed_refs::pack(self.objects.repository().path(), "refs/espalier/");
        }
        let paths = self.paths(&loose)?;
        write_pack(self.objects.repository(), &dir, &loose, &paths).doing(doing)?;
        self.sync()?;
        for (_, file) in &loose {
            std::fs::remove_file(file).doing(doing)?;
        }
        for folder in loose.iter().filter_map(|(_, file)| file.parent()) {
            renew(folder).doing(doing)?;
        }
        crate::packed_refs::pack(self.objects.repository().path(), "refs/espalier/")
    }
}

/// A directory keeps the room that its many entries took; an empty one is made anew.
fn renew(folder: &Path) -> std::io::Result<()> {
    /// Room of a directory that never held many, in bytes.
    const SMALL: u64 = 4096;
    if std::fs::metadata(folder)?.len() <= SMALL {
        return Ok(());
    }
    match std::fs::remove_dir(folder) {
        Ok(()) => std::fs::create_dir(folder),
        // Something else lies there.
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where objects stand in their checkpoints: versions of one path are packed as differences from
/// each other.
type Paths = HashMap<Oid, String>;

impl Checkpoints {
    /// The paths of what the loose commits changed. An object without one is only packed worse.
    fn paths(&self, loose: &[(Oid, PathBuf)]) -> Result<Paths> {
        let mut paths = Paths::new();
        for (id, _) in loose {
            // Most objects are no commits.
            let Ok(commit) = self.objects.repository().find_commit(*id) else {
                continue;
            };
            let parent = commit.parent_ids().next();
            let before = parent.and_then(|id| self.objects.repository().find_commit(id).ok());
            let before = before.map(|commit| commit.tree_id());
            self.changed(before, commit.tree_id(), "", &mut paths)?;
        }
        Ok(paths)
    }

    fn changed(&self, before: Option<Oid>, now: Oid, path: &str, paths: &mut Paths) -> Result<()> {
        if before == Some(now) || paths.contains_key(&now) {
            return Ok(());
        }
        paths.insert(now, path.to_owned());
        let (before, now) = (self.objects.tree(before)?, self.objects.tree(Some(now))?);
        for entry in now.iter() {
            let old = before.get(entry.name).map(|old| old.id);
            if old == Some(entry.id) {
                continue;
            }
            let below = format!("{path}/{}", String::from_utf8_lossy(entry.name));
            match entry.is_tree() {
                // A tree that is new as a whole was the user's own, or has nothing to differ from.
                true if old.is_some() => self.changed(old, entry.id, &below, paths)?,
                _ => drop(paths.insert(entry.id, below)),
            }
        }
        Ok(())
    }
}

fn loose_objects(dir: &Path) -> std::io::Result<Vec<(Oid, PathBuf)>> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(dir)? {
        let folder = folder?;
        let start = folder.file_name().to_string_lossy().into_owned();
        if start.len() != 2 {
            continue;
        }
        for file in std::fs::read_dir(folder.path())? {
            let file = file?;
            let name = format!("{start}{}", file.file_name().to_string_lossy());
            // Whatever else lies there (a temporary file of a process that died) is no object.
            if name.len() == 40
                && let Ok(id) = Oid::from_str(&name)
            {
                found.push((id, file.path()));
            }
        }
    }
    Ok(found)
}

fn write_pack(
    repository: &Repository,
    dir: &Path,
    loose: &[(Oid, PathBuf)],
    paths: &Paths,
) -> std::result::Result<(), git2::Error> {
    let mut builder = repository.packbuilder()?;
    for (id, _) in loose {
        builder.insert_object(*id, paths.get(id).map(String::as_str))?;
    }
    let odb = repository.odb()?;
    let mut indexer = Indexer::new(Some(&odb), &dir.join("pack"), READ_ONLY, false)?;
    let mut failed = None;
    builder.foreach(|bytes| match indexer.write_all(bytes) {
        Ok(()) => true,
        Err(error) => {
            failed = Some(error);
            false
        }
    })?;
    if let Some(error) = failed {
        return Err(git2::Error::from_str(&error.to_string()));
    }
    indexer.commit()?;
    odb.refresh()
}
