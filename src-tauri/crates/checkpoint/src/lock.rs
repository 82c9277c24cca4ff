//! One session at a time owns a project directory.

use crate::error::{CheckpointError, at};
use espalier_protocol::SessionId;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Who holds a project directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub session: SessionId,
    pub pid: u32,
    /// Filled in when asked; a dead owner's lock is free.
    #[serde(default)]
    pub alive: bool,
}

/// A held lock; free when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Where the notes and the repository of a project lie.
pub fn folder(store_dir: &Path, project_dir: &Path) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let bytes = project_dir.as_os_str().as_bytes();
    // Any stable hash does; git's own is at hand.
    let hash = git2::Oid::hash_object(git2::ObjectType::Blob, bytes)
        .map_or_else(|_| "project".to_owned(), |oid| oid.to_string());
    store_dir.join(&hash[..hash.len().min(16)])
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub fn take(folder: &Path, session: &SessionId) -> Result<Self, CheckpointError> {
        let path = folder.join("lock");
        let mut file = open(&path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let owner = read(&mut file, &path)?;
            let (session, pid) = owner.map_or((String::from("unknown"), 0), |owner| {
                (owner.session.to_string(), owner.pid)
            });
            return Err(CheckpointError::Locked { session, pid });
        }
        let owner = Owner {
            session: session.clone(),
            pid: std::process::id(),
            alive: true,
        };
        file.set_len(0).map_err(at(&path))?;
        file.rewind().map_err(at(&path))?;
        file.write_all(&serde_json::to_vec(&owner)?)
            .map_err(at(&path))?;
        Ok(Self { _file: file })
    }
}

/// Who holds, or last held, the lock on a project directory.
pub fn lock_owner(project_dir: &Path, store_dir: &Path) -> Option<Owner> {
    let project_dir = project_dir.canonicalize().ok()?;
    let path = folder(store_dir, &project_dir).join("lock");
    let mut file = File::options().read(true).write(true).open(&path).ok()?;
    let free = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    let mut owner = read(&mut file, &path).ok()??;
    owner.alive = !free;
    Some(owner)
}

fn open(path: &Path) -> Result<File, CheckpointError> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(at(path))
}

fn read(file: &mut File, path: &Path) -> Result<Option<Owner>, CheckpointError> {
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(at(path))?;
    Ok(serde_json::from_str(&text).ok())
}
