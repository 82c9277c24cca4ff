//! Changes to files on disk, one at a time, never through a link and never over something unexpected.
//!
//! Every path is reached from the project directory part by part without following links. A file is
//! written beside its place and renamed into it, so that it is there whole or as it was.

use crate::diff::Version;
use crate::error::{Doing, Result};
use crate::fault;
use crate::objects::Objects;
use crate::path::RelPath;
use crate::read::open_dir;
use crate::tree::MODE_LINK;
use crate::walk::TEMPORARY;
use git2::ObjectType;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, Dir, Mode, OFlags, fchmod, fstat, mkdirat, openat, renameat, statat, symlinkat,
    unlinkat,
};
use rustix::io::Errno;
use std::fs::File;

/// Why a path was left as it is.
pub type Refusal = &'static str;

const NO_DIRECTORY: Refusal = "its directory cannot be reached";
const DIRECTORY_THERE: Refusal = "a directory that holds other files is in its place";
const NOT_EMPTY: Refusal = "it holds files that no checkpoint has";
const OTHER_THERE: Refusal = "something that is no directory is in its place";
const NOT_PERMITTED: Refusal = "the system does not permit it";

/// What came of one change.
pub type Outcome = std::result::Result<(), Refusal>;

/// Changes files below one directory.
pub struct Hands<'a> {
    pub root: &'a OwnedFd,
    pub objects: &'a Objects,
    temporaries: u32,
}

impl<'a> Hands<'a> {
    /// Works below `root`.
    pub fn new(root: &'a OwnedFd, objects: &'a Objects) -> Self {
        Self {
            root,
            objects,
            temporaries: 0,
        }
    }

    /// The directory that holds a path; nothing when it is not there or not reached without a link.
    pub fn parent(&self, path: &RelPath) -> Result<Option<OwnedFd>> {
        parent(self.root, path)
    }

    /// Removes a file or link.
    pub fn remove(&self, path: &RelPath) -> Result<Outcome> {
        let (Some(dir), Some((_, name))) = (self.parent(path)?, path.split_last()) else {
            return Ok(Ok(()));
        };
        fault::point("remove");
        match attempt(&dir, || Ok(unlinkat(&dir, name, AtFlags::empty())))? {
            Ok(()) | Err(Errno::NOENT) => Ok(Ok(())),
            Err(Errno::ISDIR) => Ok(Err(DIRECTORY_THERE)),
            Err(error) => refusal(error, || format!("Removing {}", path.to_text())),
        }
    }

    /// Removes a directory when it is empty.
    pub fn remove_dir(&self, path: &RelPath) -> Result<Outcome> {
        let (Some(dir), Some((_, name))) = (self.parent(path)?, path.split_last()) else {
            return Ok(Ok(()));
        };
        fault::point("remove_dir");
        match attempt(&dir, || Ok(unlinkat(&dir, name, AtFlags::REMOVEDIR)))? {
            // Something else than a directory took its place: that is another entry of the plan.
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(Ok(())),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(Err(NOT_EMPTY)),
            Err(error) => refusal(error, || format!("Removing {}", path.to_text())),
        }
    }

    /// Makes a directory that its owner may write into; its mode comes at the end.
    pub fn make_dir(&self, path: &RelPath) -> Result<Outcome> {
        let Some((_, name)) = path.split_last() else {
            return Ok(Ok(()));
        };
        let Some(dir) = self.parent(path)? else {
            return Ok(Err(NO_DIRECTORY));
        };
        fault::point("make_dir");
        match attempt(&dir, || Ok(mkdirat(&dir, name, Mode::from_raw_mode(0o755))))? {
            Ok(()) => Ok(Ok(())),
            Err(Errno::EXIST) if open_dir(&dir, name).is_ok() => Ok(Ok(())),
            Err(Errno::EXIST) => Ok(Err(OTHER_THERE)),
            Err(error) => refusal(error, || format!("Making {}", path.to_text())),
        }
    }

    /// Gives a file or directory its permissions.
    pub fn set_mode(&self, path: &RelPath, full_mode: u32) -> Result<Outcome> {
        let Some((_, name)) = path.split_last() else {
            return Ok(Ok(()));
        };
        let Some(dir) = self.parent(path)? else {
            return Ok(Err(NO_DIRECTORY));
        };
        let doing = || format!("Setting the mode of {}", path.to_text());
        let stat = match statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(Err(NO_DIRECTORY)),
            Err(error) => return Err(error).doing(doing),
        };
        if stat.st_mode & 0o170_000 != full_mode & 0o170_000 {
            return Ok(Err(OTHER_THERE));
        }
        fault::point("set_mode");
        match rustix::fs::chmodat(&dir, name, permissions(full_mode), AtFlags::empty()) {
            Ok(()) => Ok(Ok(())),
            Err(error) => refusal(error, doing),
        }
    }

    /// Puts a file or link in its place.
    pub fn write(&mut self, path: &RelPath, version: Version) -> Result<Outcome> {
        let Some((_, name)) = path.split_last() else {
            return Ok(Ok(()));
        };
        let Some(dir) = self.parent(path)? else {
            return Ok(Err(NO_DIRECTORY));
        };
        self.temporaries += 1;
        let number = format!("{}-{}", std::process::id(), self.temporaries);
        let temporary = [TEMPORARY, number.as_bytes()].concat();
        let put = || {
            let written = self.beside(&dir, &temporary, version);
            fault::point("written");
            let renamed = match written {
                Ok(Ok(())) => Ok(put_in_place(&dir, &temporary, name)),
                failed => failed,
            };
            if !matches!(renamed, Ok(Ok(()))) {
                discard(&dir, &temporary);
            }
            renamed
        };
        match attempt(&dir, put)? {
            Ok(()) => {
                fault::point("renamed");
                Ok(Ok(()))
            }
            Err(Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST) => Ok(Err(DIRECTORY_THERE)),
            Err(error) => refusal(error, || format!("Writing {}", path.to_text())),
        }
    }

    /// Writes a file or link under a name of its own. The outer error is the store's.
    fn beside(
        &self,
        dir: &OwnedFd,
        temporary: &[u8],
        version: Version,
    ) -> Result<rustix::io::Result<()>> {
        if version.full_mode & 0o170_000 == MODE_LINK {
            let target = self.objects.read(version.id, ObjectType::Blob)?;
            return Ok(symlinkat(&*target, dir, temporary));
        }
        let mut failed = None;
        let wanted = permissions(version.full_mode);
        let written = write_beside(dir, temporary, wanted, |file| {
            fault::point("opened");
            self.objects.copy_to(version.id, file).map_err(|error| {
                failed = Some(error);
                std::io::ErrorKind::Other.into()
            })
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(written),
        }
    }

    /// Removes what an interrupted write left beside a path.
    pub fn sweep(&self, path: &RelPath) -> Result<()> {
        let Some(dir) = self.parent(path)? else {
            return Ok(());
        };
        let doing = || format!("Reading the directory of {}", path.to_text());
        for entry in Dir::read_from(&dir).doing(doing)? {
            let entry = entry.doing(doing)?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(TEMPORARY) {
                match unlinkat(dir.as_fd(), name, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(error) => return Err(error).doing(doing),
                }
            }
        }
        Ok(())
    }
}

/// The directory that holds a path; nothing when it is not there or not reached without a link.
pub fn parent(root: &OwnedFd, path: &RelPath) -> Result<Option<OwnedFd>> {
    let Some((dir, _)) = path.split_last() else {
        return Ok(None);
    };
    let mut at = root
        .try_clone()
        .doing(|| "Opening the project directory".to_owned())?;
    for part in dir.parts() {
        at = match open_dir(&at, part) {
            Ok(next) => next,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => return Ok(None),
            Err(error) => return Err(error).doing(|| format!("Opening {}", dir.to_text())),
        };
    }
    Ok(Some(at))
}

/// Makes a file with these permissions and fills it.
pub fn write_beside(
    dir: &OwnedFd,
    temporary: &[u8],
    wanted: Mode,
    fill: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> rustix::io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(dir, temporary, flags, wanted)?);
    fill(&mut file).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    // It has these already, unless the process's mask took some away.
    match fstat(&file) {
        Ok(stat) if permissions(stat.st_mode) == wanted => Ok(()),
        _ => fchmod(&file, wanted),
    }
}

/// Puts a file that was written beside its place into it, whatever is there: at every moment either
/// the old or the new one is. Where the system can, the two change places and the old one is
/// removed: replacing it in one go makes ext4 write the new one to the disk at once, for each file.
/// What makes a restore outlive a power failure is the one flush after it.
#[cfg(target_os = "linux")]
fn put_in_place(dir: &OwnedFd, temporary: &[u8], name: &[u8]) -> rustix::io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    match renameat_with(dir, temporary, dir, name, RenameFlags::EXCHANGE) {
        Ok(()) => match unlinkat(dir, temporary, AtFlags::empty()) {
            // A directory was in the place: it has to stay there.
            Err(Errno::ISDIR | Errno::PERM) => {
                renameat_with(dir, temporary, dir, name, RenameFlags::EXCHANGE)?;
                renameat(dir, temporary, dir, name)
            }
            other => other,
        },
        Err(Errno::NOENT | Errno::INVAL | Errno::NOSYS) => renameat(dir, temporary, dir, name),
        Err(error) => Err(error),
    }
}

#[cfg(not(target_os = "linux"))]
fn put_in_place(dir: &OwnedFd, temporary: &[u8], name: &[u8]) -> rustix::io::Result<()> {
    renameat(dir, temporary, dir, name)
}

/// Tries, and tries again with the directory made writable; its mode is put back.
fn attempt(
    dir: &OwnedFd,
    mut act: impl FnMut() -> Result<rustix::io::Result<()>>,
) -> Result<rustix::io::Result<()>> {
    let first = act()?;
    if !matches!(first, Err(Errno::ACCESS | Errno::PERM)) {
        return Ok(first);
    }
    let Ok(stat) = rustix::fs::fstat(dir) else {
        return Ok(first);
    };
    let mode = permissions(stat.st_mode);
    if fchmod(dir, mode | Mode::RWXU).is_err() {
        return Ok(first);
    }
    let second = act();
    fchmod(dir, mode).doing(|| "Putting the mode of a directory back".to_owned())?;
    second
}

/// What the system does not permit is left; anything else ends the restore.
fn refusal(error: Errno, doing: impl FnOnce() -> String) -> Result<Outcome> {
    match error {
        Errno::ACCESS | Errno::PERM | Errno::BUSY | Errno::ROFS => Ok(Err(NOT_PERMITTED)),
        error => Err(error).doing(doing),
    }
}

/// Removes a temporary file: half a file beside the place helps nobody.
pub fn discard(dir: &OwnedFd, temporary: &[u8]) {
    match unlinkat(dir, temporary, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(left) => tracing::warn!(%left, "a temporary file stays behind"),
    }
}

pub fn permissions(full_mode: u32) -> Mode {
    Mode::from_raw_mode(full_mode & 0o7777)
}
