//! Reads one file's bytes from disk so that what is stored was really there at one moment.

use crate::error::{Doing, Result};
use crate::objects::{Objects, STREAMED};
use crate::path::RelPath;
use crate::stat::{StatCache, StatKey, now};
use git2::{ObjectType, Oid};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

/// Times a file is read again when it changed while it was read.
const ATTEMPTS: u32 = 4;

/// What reading a file gave.
pub enum Content {
    /// Its content, with the metadata it had; `steady` is false when it changed all the while.
    Is { id: Oid, stat: Stat, steady: bool },
    /// It is gone, or is no longer of this kind.
    Gone,
    /// It may not be read.
    Unreadable,
}

/// The content of a regular file `name` in a directory, from the cache where metadata allows.
pub fn file(
    objects: &Objects,
    cache: &mut StatCache,
    dir: &impl AsFd,
    name: &[u8],
    path: &RelPath,
    stat: &Stat,
) -> Result<Content> {
    if let Some(id) = cache.get(path, &StatKey::of(stat)) {
        return Ok(Content::Is {
            id,
            stat: *stat,
            steady: true,
        });
    }
    // Without NONBLOCK a FIFO put in the file's place meanwhile would wait for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = match openat(dir, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO) => return Ok(Content::Gone),
        Err(Errno::ACCESS | Errno::PERM) => return Ok(Content::Unreadable),
        Err(error) => return Err(error).doing(|| format!("Opening {}", path.to_text())),
    };
    read_open(objects, cache, opened, path)
}

fn read_open(
    objects: &Objects,
    cache: &mut StatCache,
    opened: OwnedFd,
    path: &RelPath,
) -> Result<Content> {
    let doing = || format!("Reading {}", path.to_text());
    let mut file = File::from(opened);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let before_reading = now();
        let before = fstat(&file).doing(doing)?;
        if before.st_mode & 0o170_000 != 0o100_000 {
            return Ok(Content::Gone);
        }
        let size = u64::try_from(before.st_size).unwrap_or(0);
        if attempt > 1 {
            std::io::Seek::rewind(&mut file).doing(doing)?;
        }
        if size > STREAMED {
            let stored = objects.write_stream(&mut file, size)?;
            let after = fstat(&file).doing(doing)?;
            let steady = StatKey::of(&before) == StatKey::of(&after);
            match stored {
                Some(id) if steady || attempt == ATTEMPTS => {
                    cache.note(path, &after, id, if steady { before_reading } else { 0 });
                    return Ok(Content::Is {
                        id,
                        stat: after,
                        steady,
                    });
                }
                None if attempt == ATTEMPTS => return Ok(Content::Gone),
                _ => continue,
            }
        }
        let size = usize::try_from(size).unwrap_or(0);
        let mut bytes = Vec::with_capacity(size + 1);
        // Limited, because reading a bare file asks the system for its size and place once more.
        let limited = Read::by_ref(&mut file).take(2 * STREAMED);
        { limited }.read_to_end(&mut bytes).doing(doing)?;
        let after = fstat(&file).doing(doing)?;
        let steady = StatKey::of(&before) == StatKey::of(&after) && bytes.len() == size;
        if steady || attempt == ATTEMPTS {
            let id = objects.write(ObjectType::Blob, &bytes)?;
            cache.note(path, &after, id, if steady { before_reading } else { 0 });
            return Ok(Content::Is {
                id,
                stat: after,
                steady,
            });
        }
    }
}

/// The content of a symbolic link: the text it points to.
pub fn link(
    objects: &Objects,
    dir: &impl AsFd,
    name: &[u8],
    path: &RelPath,
    stat: &Stat,
) -> Result<Content> {
    match readlinkat(dir, name, Vec::new()) {
        Ok(target) => {
            let id = objects.write(ObjectType::Blob, target.to_bytes())?;
            Ok(Content::Is {
                id,
                stat: *stat,
                steady: true,
            })
        }
        Err(Errno::NOENT | Errno::INVAL | Errno::NOTDIR) => Ok(Content::Gone),
        Err(Errno::ACCESS | Errno::PERM) => Ok(Content::Unreadable),
        Err(error) => Err(error).doing(|| format!("Reading the link {}", path.to_text())),
    }
}

/// Opens a directory without following a link; nothing when it is none (any more).
pub fn open_dir(dir: &impl AsFd, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(dir, std::ffi::OsStr::from_bytes(name), flags, Mode::empty())
}

/// A regular file read whole, without following a link; nothing when there is none.
pub fn small_file(dir: &impl AsFd, name: &[u8]) -> std::io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = match openat(dir, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::ACCESS | Errno::NXIO) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let mut file = File::from(opened);
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
