//! Packing the store: its many small objects into one file.
//!
//! A checkpoint writes a handful of loose objects because that is quick. A thousand checkpoints
//! later they take a disk block each; packed, what is equal in them is stored once.

use crate::error::{Doing, Result};
use crate::session::Checkpoints;
use git2::{Indexer, Oid, Repository};
use std::io::Write;
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
        std::fs::read_dir(self.objects.dir().join(SAMPLE))
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
            return Ok(());
        }
        write_pack(self.objects.repository(), &dir, &loose).doing(doing)?;
        self.sync()?;
        for (_, file) in &loose {
            std::fs::remove_file(file).doing(doing)?;
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
) -> std::result::Result<(), git2::Error> {
    let mut builder = repository.packbuilder()?;
    for (id, _) in loose {
        builder.insert_object(*id, None)?;
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
