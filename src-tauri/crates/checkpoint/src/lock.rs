//! One session at a time owns a project directory.
//!
//! The lock is the kernel's: it ends with the process, whatever ended it. The file's text only
//! says who holds it.

use crate::error::{CheckpointError, Doing, Result};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

/// Tries before a lock counts as held: a reader of the owner holds it for an instant.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Who owns a project directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The session.
    pub session: String,
    /// The process that has it open.
    pub pid: u32,
    /// When it took the lock, in milliseconds since 1970.
    pub since: i64,
    /// Whether that process still holds it.
    #[serde(skip)]
    pub alive: bool,
}

impl Owner {
    pub(crate) fn describe(&self) -> String {
        if self.session.is_empty() {
            return "another session".to_owned();
        }
        format!("session {} (process {})", self.session, self.pid)
    }
}

/// The held lock; dropping it lets go.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock for a session, or says who has it.
    pub fn take(path: &Path, session: &str) -> Result<Self> {
        let doing = || "Locking the project directory".to_owned();
        let mut file = open(path).doing(doing)?;
        let mut tries = 0;
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            match error {
                Errno::INTR => {}
                Errno::WOULDBLOCK if tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(BETWEEN_TRIES);
                }
                Errno::WOULDBLOCK => {
                    let owner = Owner {
                        alive: true,
                        ..read(&mut file)
                    };
                    return Err(CheckpointError::Locked { owner });
                }
                other => return Err(other).doing(doing),
            }
        }
        let owner = Owner {
            session: session.to_owned(),
            pid: std::process::id(),
            since: i64::try_from(crate::stat::now() / 1_000_000).unwrap_or(0),
            alive: true,
        };
        let text = serde_json::to_vec(&owner).unwrap_or_default();
        file.set_len(0).doing(doing)?;
        file.rewind().doing(doing)?;
        file.write_all(&text).doing(doing)?;
        Ok(Self { _file: file })
    }
}

/// Who took the lock last, and whether he still has it; nothing when nobody ever did.
pub fn owner(path: &Path) -> Option<Owner> {
    let mut file = OpenOptions::new().read(true).write(true).open(path).ok()?;
    let owner = read(&mut file);
    if owner.session.is_empty() {
        return None;
    }
    let free = flock(&file, FlockOperation::NonBlockingLockShared).is_ok();
    Some(Owner {
        alive: !free,
        ..owner
    })
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// What the file says; an unknown owner when it was cut short.
fn read(file: &mut File) -> Owner {
    let mut text = String::new();
    let unknown = Owner {
        session: String::new(),
        pid: 0,
        since: 0,
        alive: false,
    };
    match file.read_to_string(&mut text) {
        Ok(_) => serde_json::from_str(&text).unwrap_or(unknown),
        Err(_) => unknown,
    }
}
