//! Puts many small files in their places, side by side: nearly all of that is waiting for the system.
//!
//! Each file is written beside its place and then takes it. What it took the place of is looked at
//! once more: when that is not what was seen before, the two change places again. So a file that
//! somebody wrote in between is never lost, however many files are under way.

use crate::diff::Version;
use crate::fault;
use crate::hands::{discard, parent, permissions, write_beside};
use crate::path::RelPath;
use crate::stat::StatKey;
use crate::walk::TEMPORARY;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Stat, statat, unlinkat};
use rustix::io::Errno;

/// Most files of one batch, and so the most that are held in memory.
pub const MOST: usize = 64;
/// Largest content that is held in memory for a batch, in bytes.
pub const LARGEST: u64 = 256 * 1024;
/// Files below which a second thread costs more than it gains.
const FEW: usize = 4;

/// A file that is to be put in its place.
pub struct Job {
    pub path: RelPath,
    pub version: Version,
    pub bytes: Vec<u8>,
    /// What was there a moment ago; nothing where nothing was.
    pub seen: Option<Stat>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    Done,
    /// Something else is there by now, and still is.
    Changed,
    /// It has to be done alone, with all its care.
    Alone,
}

/// Puts files in their places; an answer for each, in order.
pub fn put(root: &OwnedFd, jobs: &[Job]) -> Vec<Put> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if jobs.len() < FEW || threads < 2 {
        return put_some(root, jobs, 0);
    }
    let share = jobs.len().div_ceil(threads.min(4));
    std::thread::scope(|scope| {
        let mut shares = jobs.chunks(share).enumerate();
        let own = shares.next();
        let others: Vec<_> = shares
            .map(|(number, jobs)| {
                let work = scope.spawn(move || put_some(root, jobs, number * share));
                (work, jobs.len())
            })
            .collect();
        let mut all = own.map_or_else(Vec::new, |(_, jobs)| put_some(root, jobs, 0));
        for (work, count) in others {
            // Each file is whole or as it was, whatever ended the thread.
            all.extend(work.join().unwrap_or_else(|_| vec![Put::Alone; count]));
        }
        all
    })
}

fn put_some(root: &OwnedFd, jobs: &[Job], first: usize) -> Vec<Put> {
    jobs.iter()
        .zip(first..)
        .map(|(job, number)| put_one(root, job, number))
        .collect()
}

fn put_one(root: &OwnedFd, job: &Job, number: usize) -> Put {
    let (Ok(Some(dir)), Some((_, name))) = (parent(root, &job.path), job.path.split_last()) else {
        return Put::Alone;
    };
    let number = format!("{}-b{number}", std::process::id());
    let temporary = [TEMPORARY, number.as_bytes()].concat();
    let mode = permissions(job.version.full_mode);
    let written = write_beside(&dir, &temporary, mode, |file| {
        std::io::Write::write_all(file, &job.bytes)
    });
    fault::point("written");
    let put = match written {
        Ok(()) => take_place(&dir, &temporary, name, job.seen.as_ref()),
        Err(_) => Put::Alone,
    };
    match put {
        Put::Done => fault::point("renamed"),
        Put::Changed | Put::Alone => discard(&dir, &temporary),
    }
    put
}

#[cfg(target_os = "linux")]
fn take_place(dir: &OwnedFd, temporary: &[u8], name: &[u8], seen: Option<&Stat>) -> Put {
    use rustix::fs::{RenameFlags, renameat_with};
    let Some(seen) = seen else {
        return match renameat_with(dir, temporary, dir, name, RenameFlags::NOREPLACE) {
            Ok(()) => Put::Done,
            Err(Errno::EXIST) => match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if stat.st_mode & 0o170_000 != 0o040_000 => Put::Changed,
                _ => Put::Alone,
            },
            Err(_) => Put::Alone,
        };
    };
    let exchange = || renameat_with(dir, temporary, dir, name, RenameFlags::EXCHANGE);
    if exchange().is_err() {
        return Put::Alone;
    }
    match statat(dir, temporary, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if same(&stat, seen) => match unlinkat(dir, temporary, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Put::Done,
            Err(_) => Put::Alone,
        },
        _ => match exchange() {
            Ok(()) => Put::Changed,
            Err(_) => Put::Alone,
        },
    }
}

#[cfg(not(target_os = "linux"))]
fn take_place(_dir: &OwnedFd, _temporary: &[u8], _name: &[u8], _seen: Option<&Stat>) -> Put {
    Put::Alone
}

/// Whether it is the file that was seen, with what it held. Changing places changes the time of the
/// last change itself.
fn same(now: &Stat, seen: &Stat) -> bool {
    let (now, seen) = (StatKey::of(now), StatKey::of(seen));
    StatKey {
        ctime: seen.ctime,
        ..now
    } == seen
}

#[cfg(all(test, target_os = "linux"))]
#[path = "batch_tests.rs"]
mod tests;
