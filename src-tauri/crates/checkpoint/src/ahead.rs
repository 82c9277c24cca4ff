//! Looks at directories ahead of a full comparison, on the other cores.
//!
//! Nearly all of a full comparison is asking the system about file after file, which threads do side
//! by side. Only directories that are watched already are looked at ahead: what changes between that
//! look and its use is then told by the watch, so it is late at most, never missed.

use crate::path::RelPath;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Directories below which looking ahead costs more than it gains.
const FEW: usize = 64;
/// Most threads that look ahead: beyond this the kernel's own locks are what is waited for.
const MOST_THREADS: usize = 8;
/// Most directories that are looked at ahead of where the comparison stands, to bound the memory.
const LEAD: usize = 1024;

/// What is in a directory: names with what the system says of them.
pub type Listing = Vec<(Vec<u8>, Stat)>;

/// The directories to be looked at, in the order in which the comparison comes to them.
pub struct Ahead {
    dirs: Vec<RelPath>,
    places: HashMap<RelPath, usize>,
    progress: Mutex<Progress>,
    changed: Condvar,
}

struct Progress {
    slots: Vec<Slot>,
    /// Where the next thread looks for work.
    next: usize,
    /// Where the comparison stands.
    at: usize,
    stopped: bool,
}

enum Slot {
    Free,
    Taken,
    /// With the device and inode of the directory that was looked at.
    Done(Option<((u64, u64), Listing)>),
}

impl Ahead {
    /// For these directories; nothing where it would not pay.
    pub fn of(mut dirs: Vec<RelPath>) -> Option<Self> {
        if dirs.len() < FEW || threads() == 0 {
            return None;
        }
        dirs.sort();
        dirs.dedup();
        let places = dirs.iter().cloned().zip(0..).collect();
        let slots = dirs.iter().map(|_| Slot::Free).collect();
        Some(Self {
            dirs,
            places,
            progress: Mutex::new(Progress {
                slots,
                next: 0,
                at: 0,
                stopped: false,
            }),
            changed: Condvar::new(),
        })
    }

    /// Runs `work` while threads look ahead below `root`.
    pub fn during<T>(&self, root: &OwnedFd, work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            for _ in 0..threads() {
                scope.spawn(|| self.look(root));
            }
            // Also when the work panics: the scope waits for its threads.
            let _stop = Stop(self);
            work()
        })
    }

    /// What was found in a directory, if it was looked at ahead and still is that directory.
    pub fn listing(&self, path: &RelPath, dir: &OwnedFd) -> Option<Listing> {
        let place = *self.places.get(path)?;
        let mut progress = self.progress();
        progress.at = progress.at.max(place);
        self.changed.notify_all();
        loop {
            match std::mem::replace(&mut progress.slots[place], Slot::Taken) {
                Slot::Free => return None,
                Slot::Taken => {
                    progress = self
                        .changed
                        .wait(progress)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Slot::Done(found) => {
                    drop(progress);
                    let (identity, listing) = found?;
                    return (fstat(dir).is_ok_and(|stat| identity_of(&stat) == identity))
                        .then_some(listing);
                }
            }
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        // Each change to it is whole.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, root: &OwnedFd) {
        let mut progress = self.progress();
        loop {
            if progress.stopped || progress.next >= self.dirs.len() {
                return;
            }
            if progress.next > progress.at + LEAD {
                progress = self
                    .changed
                    .wait(progress)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let place = progress.next;
            progress.next += 1;
            if !matches!(progress.slots[place], Slot::Free) {
                continue;
            }
            progress.slots[place] = Slot::Taken;
            drop(progress);
            // What cannot be read ahead the comparison meets itself, and tells.
            let found = list(root, &self.dirs[place]).ok();
            progress = self.progress();
            progress.slots[place] = Slot::Done(found);
            self.changed.notify_all();
        }
    }
}

/// Ends the threads.
struct Stop<'a>(&'a Ahead);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.progress().stopped = true;
        self.0.changed.notify_all();
    }
}

/// One for each core, as the comparison itself mostly waits for them.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(0, |cores| match cores.get() {
        1 => 0,
        cores => cores.min(MOST_THREADS),
    })
}

fn list(root: &OwnedFd, path: &RelPath) -> Result<((u64, u64), Listing), Errno> {
    let dir = open(root, path)?;
    let identity = identity_of(&fstat(&dir)?);
    let mut listing = Listing::new();
    for entry in Dir::read_from(&dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        // Gone again: the comparison finds that itself.
        if let Ok(stat) = statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            listing.push((name.to_vec(), stat));
        }
    }
    Ok((identity, listing))
}

/// Opens a directory part by part; no part is a link.
fn open(root: &OwnedFd, path: &RelPath) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at = openat(root, ".", flags, Mode::empty())?;
    for part in path.parts() {
        at = openat(at.as_fd(), OsStr::from_bytes(part), flags, Mode::empty())?;
    }
    Ok(at)
}

#[allow(
    clippy::allow_attributes,
    clippy::unnecessary_cast,
    reason = "the types differ by platform"
)]
fn identity_of(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}
