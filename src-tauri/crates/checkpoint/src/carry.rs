//! Carries what no checkpoint holds (`node_modules`, `.venv`) from the project into a worktree.

use crate::error::{Doing, Result};
use espalier_protocol::session::{Carried, CarryBy};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Carries files and folders from one directory into another, links as links, with their modes and
/// times. What the source does not have, and what the target has already, is left out. `progress`
/// gets the number of files so far. Returns what was left out because the source does not have it.
///
/// # Errors
/// When something cannot be read or written.
pub fn carry(
    from: &Path,
    into: &Path,
    what: &[Carried],
    progress: &mut dyn FnMut(u32),
) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    let mut carrier = Carrier {
        by: CarryBy::default(),
        done: 0,
        progress,
    };
    for carried in what {
        let (source, target) = (from.join(&carried.path), into.join(&carried.path));
        let doing = || format!("Carrying {} into a worktree", carried.path);
        if fs::symlink_metadata(&source).is_err() {
            missing.push(carried.path.clone());
            continue;
        }
        if fs::symlink_metadata(&target).is_ok() {
            continue;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).doing(doing)?;
        }
        carrier.by = carried.by;
        // There as a whole or not at all: one that was cut off is carried anew.
        let beside = beside(&target);
        clear(&beside).doing(doing)?;
        carrier.entry(&source, &beside).doing(doing)?;
        fs::rename(&beside, &target).doing(doing)?;
    }
    Ok(missing)
}

fn beside(target: &Path) -> PathBuf {
    let mut name = OsStr::from_bytes(crate::walk::TEMPORARY).to_owned();
    name.push("carried-");
    name.push(target.file_name().unwrap_or_default());
    target.with_file_name(name)
}

fn clear(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(stat) if stat.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

struct Carrier<'a> {
    by: CarryBy,
    done: u32,
    progress: &'a mut dyn FnMut(u32),
}

impl Carrier<'_> {
    fn entry(&mut self, source: &Path, target: &Path) -> io::Result<()> {
        let stat = fs::symlink_metadata(source)?;
        let kind = stat.file_type();
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(source)?, target)?;
        } else if kind.is_dir() {
            fs::create_dir(target)?;
            for entry in fs::read_dir(source)? {
                let entry = entry?;
                self.entry(&entry.path(), &target.join(entry.file_name()))?;
            }
            set_times(target, &stat)?;
            fs::set_permissions(
                target,
                fs::Permissions::from_mode(stat.permissions().mode()),
            )?;
        } else if kind.is_file() {
            self.file(source, target, &stat)?;
            self.done += 1;
            (self.progress)(self.done);
        }
        // Pipes and sockets belong to running programs.
        Ok(())
    }

    fn file(&self, source: &Path, target: &Path, stat: &fs::Metadata) -> io::Result<()> {
        match self.by {
            CarryBy::HardLink => match fs::hard_link(source, target) {
                Ok(()) => return Ok(()),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::CrossesDevices
                            | io::ErrorKind::PermissionDenied
                            | io::ErrorKind::TooManyLinks
                            | io::ErrorKind::Unsupported
                    ) =>
                {
                    fs::copy(source, target)?;
                }
                Err(error) => return Err(error),
            },
            CarryBy::Reflink => {
                reflink_copy::reflink_or_copy(source, target)?;
            }
            CarryBy::Copy => {
                fs::copy(source, target)?;
            }
        }
        // Build tools compare times, and read-only stays so.
        set_times(target, stat)?;
        fs::set_permissions(target, stat.permissions())
    }
}

fn set_times(path: &Path, stat: &fs::Metadata) -> io::Result<()> {
    let mut times = fs::FileTimes::new();
    if let Ok(modified) = stat.modified() {
        times = times.set_modified(modified);
    }
    fs::File::open(path)?.set_times(times)
}
