//! What a file's metadata says about whether its content changed.
//!
//! An entry is kept only when the file had been at rest for a moment: a second write within the
//! clock's tick would leave the same metadata.

use crate::path::RelPath;
use git2::Oid;
use rustix::fs::Stat;
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds for which a file must have been at rest: above the tick of any kernel.
const REST: i128 = 50_000_000;
/// The same where the file system counts whole seconds.
const REST_COARSE: i128 = 2_100_000_000;

/// Metadata that changes when content does, cut to what git's index keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatKey {
    pub mtime: (i32, u32),
    pub ctime: (i32, u32),
    pub size: u32,
    pub inode: u32,
    /// Git's mode, because a link and a file of the same content are different blobs to restore.
    pub kind: u32,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "git's index cuts the same way"
)]
#[allow(
    clippy::allow_attributes,
    clippy::unnecessary_cast,
    reason = "the types differ by platform"
)]
impl StatKey {
    /// The key of a file as the system describes it.
    pub fn of(stat: &Stat) -> Self {
        Self {
            mtime: (stat.st_mtime as i32, stat.st_mtime_nsec as u32),
            ctime: (stat.st_ctime as i32, stat.st_ctime_nsec as u32),
            size: stat.st_size as u32,
            inode: stat.st_ino as u32,
            kind: (stat.st_mode as u32) & 0o170_000,
        }
    }
}

/// Contents known by metadata.
#[derive(Default)]
pub struct StatCache {
    entries: HashMap<RelPath, (StatKey, Oid)>,
}

impl StatCache {
    /// The content a path has when its metadata is what was seen last.
    pub fn get(&self, path: &RelPath, key: &StatKey) -> Option<Oid> {
        self.entries
            .get(path)
            .filter(|(seen, _)| seen == key)
            .map(|(_, id)| *id)
    }

    /// Notes content read from a file, given the time before it was read.
    pub fn note(&mut self, path: &RelPath, stat: &Stat, id: Oid, before_reading: i128) {
        if at_rest(stat, before_reading) {
            self.entries.insert(path.clone(), (StatKey::of(stat), id));
        } else {
            self.entries.remove(path);
        }
    }

    /// Notes content that is known from elsewhere to belong to this metadata.
    pub fn seed(&mut self, path: RelPath, key: StatKey, id: Oid) {
        self.entries.insert(path, (key, id));
    }
}

/// Nanoseconds since 1970.
pub fn now() -> i128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| {
            i128::try_from(elapsed.as_nanos()).unwrap_or(i128::MAX)
        })
}

#[allow(
    clippy::allow_attributes,
    clippy::unnecessary_cast,
    reason = "the types differ by platform"
)]
fn at_rest(stat: &Stat, now: i128) -> bool {
    let nanos = |seconds: i128, part: i128| seconds * 1_000_000_000 + part;
    let modified = nanos(stat.st_mtime as i128, stat.st_mtime_nsec as i128);
    let changed = nanos(stat.st_ctime as i128, stat.st_ctime_nsec as i128);
    let rest = if stat.st_ctime_nsec == 0 {
        REST_COARSE
    } else {
        REST
    };
    now - changed > rest && now - modified > rest
}
