//! What the checkpoints of each project take on disk.

use crate::error::Result;
use crate::store::Store;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes of a block as `st_blocks` counts them, whatever the file system's own are (POSIX `stat`).
const BLOCK: u64 = 512;

/// The checkpoints of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskUse {
    /// Where they are.
    pub store: PathBuf,
    /// Absent where the project can no longer be read.
    pub project_dir: Option<PathBuf>,
    /// Bytes on disk that go with them. What is shared with the project's own objects costs nothing.
    pub bytes: u64,
}

/// What the checkpoints of a store take, most first.
///
/// # Errors
/// The store cannot be read.
pub fn disk_use(store_dir: &Path) -> Result<Vec<DiskUse>> {
    let mut uses: Vec<DiskUse> = Store::all(store_dir)?
        .into_iter()
        .map(|store| DiskUse {
            bytes: own_bytes(store.dir()),
            project_dir: store.project().ok().flatten().map(|project| project.dir),
            store: store.dir().to_owned(),
        })
        .collect();
    uses.sort_by_key(|one| std::cmp::Reverse(one.bytes));
    Ok(uses)
}

/// What vanishes while it is counted, or cannot be read, counts as nothing.
fn own_bytes(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    let bytes = |entry: std::fs::DirEntry| {
        let Ok(meta) = entry.metadata() else { return 0 };
        if meta.is_dir() {
            return meta.blocks() * BLOCK + own_bytes(&entry.path());
        }
        if meta.nlink() > 1 {
            return 0;
        }
        meta.blocks() * BLOCK
    };
    entries.flatten().map(bytes).sum()
}
