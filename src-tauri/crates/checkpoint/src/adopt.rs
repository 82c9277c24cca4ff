//! Takes over all objects of another repository, as a local clone does.
//!
//! Files are hard-linked: that costs no space and no time, and what happens to the other repository
//! cannot take them away. Across file systems they are copied, up to a limit.

use crate::error::{Doing, Result};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Most bytes copied from another file system; more is borrowed instead.
pub const COPIED: u64 = 2 * 1024 * 1024 * 1024;

/// Links or copies all objects into `into`. Returns the folders that were too large to copy.
pub fn adopt_objects(from: &Path, into: &Path, copied: u64) -> Result<Vec<PathBuf>> {
    let mut elsewhere = Vec::new();
    let mut waiting = vec![from.to_path_buf()];
    let mut seen = Vec::new();
    let mut adoption = Adoption {
        into,
        left: copied,
        full: false,
    };
    while let Some(dir) = waiting.pop() {
        // A worktree's repository borrows from the store itself.
        if seen.contains(&dir) || dir == into {
            continue;
        }
        waiting.extend(alternates(&dir));
        adoption.full = false;
        adoption.folder(&dir)?;
        if adoption.full {
            elsewhere.push(dir.clone());
        }
        seen.push(dir);
    }
    Ok(elsewhere)
}

/// Folders that a folder of objects borrows from.
fn alternates(objects: &Path) -> Vec<PathBuf> {
    let Ok(text) = fs::read(objects.join("info/alternates")) else {
        return Vec::new();
    };
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty() && line[0] != b'#')
        .filter_map(|line| objects.join(OsStr::from_bytes(line)).canonicalize().ok())
        .collect()
}

struct Adoption<'a> {
    into: &'a Path,
    /// Bytes that may still be copied.
    left: u64,
    /// Something was too large to copy.
    full: bool,
}

impl Adoption<'_> {
    /// Packs first: a repack moves objects from loose files into packs, never the other way. An
    /// index after its pack: git looks for packs by their index.
    fn folder(&mut self, from: &Path) -> Result<()> {
        self.files(from, "pack", |name| name.ends_with(b".pack"))?;
        self.files(from, "pack", |name| name.ends_with(b".idx"))?;
        for first in 0..=255_u8 {
            self.files(from, &format!("{first:02x}"), |name| name.len() == 38)?;
        }
        Ok(())
    }

    fn files(&mut self, from: &Path, folder: &str, wanted: impl Fn(&[u8]) -> bool) -> Result<()> {
        let Ok(entries) = fs::read_dir(from.join(folder)) else {
            return Ok(());
        };
        for entry in entries {
            let entry = entry.doing(|| format!("Reading {}", from.display()))?;
            let name = entry.file_name();
            if wanted(name.as_bytes()) {
                let target = self.into.join(folder).join(&name);
                self.file(&entry.path(), &target)
                    .doing(|| "Taking over the repository's objects".to_owned())?;
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, target: &Path) -> io::Result<()> {
        let linked = match fs::hard_link(from, target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(dir) = target.parent() {
                    fs::create_dir_all(dir)?;
                }
                fs::hard_link(from, target)
            }
            other => other,
        };
        let Err(error) = linked else { return Ok(()) };
        match error.kind() {
            // There already, or repacked away under our hands: the new pack has it.
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound => Ok(()),
            io::ErrorKind::CrossesDevices
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::TooManyLinks
            | io::ErrorKind::Unsupported => self.copy(from, target),
            _ => Err(error),
        }
    }

    fn copy(&mut self, from: &Path, target: &Path) -> io::Result<()> {
        if target.exists() {
            return Ok(());
        }
        let mut source = fs::File::open(from)?;
        let size = source.metadata()?.len();
        if size > self.left {
            self.full = true;
            return Ok(());
        }
        self.left -= size;
        let dir = target.parent().unwrap_or(self.into);
        let mut beside = tempfile::NamedTempFile::new_in(dir)?;
        io::copy(&mut source, beside.as_file_mut())?;
        beside.persist(target).map_err(|error| error.error)?;
        Ok(())
    }
}
