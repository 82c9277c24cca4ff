//! Putting new bytes in a file's place: whole or not at all.
//!
//! A temporary file beside the target is filled and renamed over it. Mode and, where allowed,
//! owner are kept. A link was resolved before: what it points to is replaced, never the link.

use super::answer::Failure;
use super::project::{Place, Project, told};
use cap_std::fs::Permissions;
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions, OpenOptionsExt, PermissionsExt};
use espalier_protocol::worker::Touched;
use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio_util::sync::CancellationToken;

/// Bytes written between two looks at whether to stop.
const CHUNK: usize = 1 << 20;

/// A file as it was when a tool looked at it.
#[derive(Debug)]
pub(crate) struct Existing {
    mode: u32,
    owner: (u32, u32),
    /// Device, inode, size and time of change: differs when somebody wrote meanwhile.
    version: (u64, u64, u64, i64, i64),
}

impl Existing {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            mode: metadata.mode() & 0o7777,
            owner: (metadata.uid(), metadata.gid()),
            version: version(metadata),
        }
    }
}

fn version(metadata: &Metadata) -> (u64, u64, u64, i64, i64) {
    (
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    )
}

/// Refuses what the file tools never write: git's own folder and files without write permission.
pub(crate) fn may_change(place: &Place) -> Result<(), Failure> {
    let name = place.name();
    if place.in_git_dir() {
        return Err(Failure::told(format!(
            "`{name}` belongs to git; `.git` is read-only for the file tools."
        )));
    }
    let read_only = place
        .found
        .as_ref()
        .is_some_and(|found| found.is_file() && found.mode() & 0o222 == 0);
    if read_only {
        return Err(Failure::told(format!(
            "`{name}` is read-only: its mode has no write permission."
        )));
    }
    Ok(())
}

/// Writes `bytes` to the place, over `existing` where there is a file.
pub(crate) fn replace(
    project: &Project,
    place: &Place,
    bytes: &[u8],
    existing: Option<&Existing>,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let name = place.name();
    let dir = project
        .open_dir(place.parent())
        .map_err(|error| told(&name, &error))?;
    let temporary = temporary_name();
    let written = fill(&dir, &temporary, bytes, existing, stop).and_then(|done| match done {
        Filled::Stopped => Ok(Filled::Stopped),
        Filled::Whole => {
            unchanged(&dir, place, existing)?;
            dir.rename(&temporary, &dir, place.file_name())?;
            Ok(Filled::Whole)
        }
    });
    if matches!(written, Ok(Filled::Whole)) {
        return Ok(());
    }
    match dir.remove_file(&temporary) {
        Err(left) if left.kind() != io::ErrorKind::NotFound => Err(half_way(&name, &left)),
        _ => Err(match written {
            Err(error) => told(&name, &error),
            Ok(_) => Failure::Stopped,
        }),
    }
}

/// A failure after something may have been written.
pub(crate) fn half_way(name: &str, error: &io::Error) -> Failure {
    match told(name, error) {
        Failure::Told { content, .. } => Failure::Told {
            content,
            touched: Touched::Paths {
                paths: vec![name.to_owned()],
            },
        },
        stopped @ Failure::Stopped => stopped,
    }
}

enum Filled {
    Whole,
    Stopped,
}

fn fill(
    dir: &Dir,
    temporary: &OsString,
    bytes: &[u8],
    existing: Option<&Existing>,
    stop: &CancellationToken,
) -> io::Result<Filled> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if existing.is_some() {
        // Nobody else may read it before it has the mode of the file it replaces.
        options.mode(0o600);
    }
    let mut file = dir.open_with(temporary, &options)?;
    for chunk in bytes.chunks(CHUNK) {
        if stop.is_cancelled() {
            return Ok(Filled::Stopped);
        }
        file.write_all(chunk)?;
    }
    if let Some(existing) = existing {
        keep_owner(&file, existing)?;
        file.set_permissions(Permissions::from_mode(existing.mode))?;
    }
    Ok(Filled::Whole)
}

fn keep_owner(file: &File, existing: &Existing) -> io::Result<()> {
    let present = file.metadata()?;
    let (owner, group) = existing.owner;
    if (present.uid(), present.gid()) == existing.owner {
        return Ok(());
    }
    let owner = rustix::fs::Uid::from_raw(owner);
    let group = rustix::fs::Gid::from_raw(group);
    if let Err(error) = rustix::fs::fchown(file, Some(owner), Some(group)) {
        // Only root may give files away; the content matters more than the owner.
        tracing::debug!(%error, "the owner of a file could not be kept");
    }
    Ok(())
}

/// Refuses to write over what somebody else wrote since the tool looked.
fn unchanged(dir: &Dir, place: &Place, existing: Option<&Existing>) -> io::Result<()> {
    let Some(existing) = existing else {
        return Ok(());
    };
    match dir.symlink_metadata(place.file_name()) {
        Ok(now) if version(&now) == existing.version => Ok(()),
        Ok(_) => Err(io::Error::other("it was changed meanwhile; read it again")),
        Err(error) => Err(error),
    }
}

fn temporary_name() -> OsString {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(".espalier-{}-{number}.tmp", std::process::id()).into()
}
