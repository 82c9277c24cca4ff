//! The output folder: one line a session in `ANNOTATOR.jsonl`, and in `.espalier/` what exports
//! need besides, so that the folder alone is enough on another machine.

use crate::error::{DatasetError, at};
use crate::tree::trajectory_tree;
use espalier_protocol::{Event, SessionTree};
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where the logs lie.
pub const FOLDER: &str = ".espalier";

/// An annotator's part of an output folder.
pub struct OutputFolder {
    folder: PathBuf,
    file: PathBuf,
}

impl OutputFolder {
    /// Opens, or makes, an output folder for an annotator.
    pub fn open(folder: &Path, annotator: &str) -> Result<Self, DatasetError> {
        let events = folder.join(FOLDER);
        std::fs::create_dir_all(&events).map_err(at(&events))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            file: folder.join(format!("{}.jsonl", file_name(annotator))),
        })
    }

    /// Writes a session as it is now. Other sessions' lines stay as they are, byte for byte.
    pub fn write(&self, events: &[Event], tree: &SessionTree) -> Result<(), DatasetError> {
        let Some(meta) = &tree.meta else {
            return Ok(());
        };
        let _lock = self.lock()?;
        let mut log = Vec::new();
        for event in events {
            serde_json::to_writer(&mut log, event)?;
            log.push(b'\n');
        }
        replace(
            &self.folder.join(FOLDER).join(format!("{}.jsonl", meta.id)),
            &log,
        )?;
        let line = serde_json::to_vec(&trajectory_tree(tree))?;
        let old = match std::fs::read(&self.file) {
            Ok(old) => old,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(at(&self.file)(error)),
        };
        let mut new = Vec::with_capacity(old.len() + line.len() + 1);
        let mut placed = false;
        for other in old
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            if !placed && is_session(other, meta.id.as_str()) {
                new.extend_from_slice(&line);
                placed = true;
            } else {
                new.extend_from_slice(other);
            }
            new.push(b'\n');
        }
        if !placed {
            new.extend_from_slice(&line);
            new.push(b'\n');
        }
        replace(&self.file, &new)
    }

    /// Two programs may write to one folder; each whole write is one at a time.
    fn lock(&self) -> Result<File, DatasetError> {
        let path = self.folder.join(FOLDER).join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(at(&path))?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| at(&path)(error.into()))?;
        Ok(file)
    }
}

fn is_session(line: &[u8], session: &str) -> bool {
    serde_json::from_slice::<Value>(line).is_ok_and(|value| value["espalier"]["session"] == session)
}

/// A name that is one file's, on any file system. Names that the app accepts stay as they are; what
/// could not be a file's is written as its code.
fn file_name(annotator: &str) -> String {
    let mut name = String::new();
    for c in annotator.chars() {
        let strange = c.is_control() || r#"/\:*?"<>|"#.contains(c);
        if strange || (c == '.' && name.is_empty()) {
            name.push_str(&format!("%{:X}", u32::from(c)));
        } else {
            name.push(c);
        }
    }
    if name.is_empty() {
        name.push_str("annotator");
    }
    name
}

/// Replaces a file as a whole: a crash leaves the old or the new one.
pub fn replace(file: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut fresh = tempfile::Builder::new()
        .prefix(".espalier-")
        .tempfile_in(folder)
        .map_err(at(folder))?;
    fresh.write_all(bytes).map_err(at(file))?;
    fresh.as_file().sync_all().map_err(at(file))?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(fresh.path(), readable).map_err(at(file))?;
    fresh
        .persist(file)
        .map(|_| ())
        .map_err(|error| at(file)(error.error))
}
