//! Single files: what is on disk, and how it is read without being fooled.

use crate::error::{CheckpointError, at};
use git2::Oid;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// `S_IFMT` and the types of `st_mode`.
pub const TYPE: u32 = 0o170_000;
pub const REGULAR: u32 = 0o100_000;
pub const LINK: u32 = 0o120_000;

/// What tells that a file has not changed without reading it. Absent while it may still change
/// within the clock's tick.
pub type Signature = Option<(u64, i64, i64, u64, i64, i64)>;

/// A file as last recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub oid: Oid,
    /// Full `st_mode`.
    pub mode: u32,
    pub signature: Signature,
}

impl Known {
    /// Whether two are the same for a checkpoint.
    pub fn same(&self, other: &Self) -> bool {
        self.oid == other.oid && self.mode == other.mode
    }

    /// The mode git has for it.
    pub fn git_mode(&self) -> i32 {
        git_mode(self.mode)
    }
}

/// The mode git has for a full `st_mode`.
pub fn git_mode(mode: u32) -> i32 {
    match mode & TYPE {
        LINK => 0o120_000,
        _ if mode & 0o100 != 0 => 0o100_755,
        _ => 0o100_644,
    }
}

/// What stands at a path.
#[derive(Debug)]
pub enum OnDisk {
    Nothing,
    Directory,
    File {
        mode: u32,
        size: u64,
        signature: Signature,
    },
    Link {
        signature: Signature,
    },
    /// A FIFO, socket or device.
    Special,
}

/// Looks at a path without following a link.
pub fn look(path: &Path) -> Result<OnDisk, CheckpointError> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if is_absent(&error) => return Ok(OnDisk::Nothing),
        Err(error) => return Err(at(path)(error)),
    };
    let signature = signature(&meta);
    let kind = meta.file_type();
    Ok(if kind.is_dir() {
        OnDisk::Directory
    } else if kind.is_symlink() {
        OnDisk::Link { signature }
    } else if kind.is_file() {
        OnDisk::File {
            mode: meta.mode(),
            size: meta.len(),
            signature,
        }
    } else {
        OnDisk::Special
    })
}

/// A path one of whose parents is no directory is absent too.
pub fn is_absent(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
    )
}

fn signature(meta: &std::fs::Metadata) -> Signature {
    let now = std::time::SystemTime::now();
    let young = meta
        .modified()
        .ok()
        .and_then(|modified| now.duration_since(modified).ok())
        .is_none_or(|age| age.as_millis() < 50);
    (!young).then(|| {
        (
            meta.len(),
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ino(),
            meta.ctime(),
            meta.ctime_nsec(),
        )
    })
}

/// The bytes a checkpoint holds for a path: the content, or where a link points.
pub fn content(path: &Path, is_link: bool) -> std::io::Result<Vec<u8>> {
    if is_link {
        Ok(std::fs::read_link(path)?.as_os_str().as_bytes().to_vec())
    } else {
        std::fs::read(path)
    }
}
