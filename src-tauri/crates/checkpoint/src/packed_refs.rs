//! The references that keep checkpoints, in one file instead of one disk block each.
//!
//! `packed-refs` as git has it: a header, one line for a reference, in the order of names. Written
//! anew under git's own lock and put in place whole; a loose reference goes only when it is in there.

use crate::error::{CheckpointError, Doing, Result};
use crate::notes::References;
use git2::Oid;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const HEADER: &str = "# pack-refs with: peeled fully-peeled sorted ";

/// Moves the loose references below `prefix` (`refs/espalier/`) into the packed ones. They must not
/// be of a kind that is moved: a reference here is written once. Does nothing while somebody else
/// packs.
pub fn pack(git_dir: &Path, prefix: &str) -> Result<()> {
    let doing = || "Packing the checkpoint store's references".to_owned();
    let mut loose = Vec::new();
    collect(
        &git_dir.join(prefix.trim_end_matches('/')),
        prefix,
        &mut loose,
    )
    .doing(doing)?;
    if loose.is_empty() {
        return Ok(());
    }
    change(git_dir, |packed| {
        for (name, value, _) in &loose {
            packed.insert(name.clone(), value.clone());
        }
    })?;
    if !read(git_dir)?.0.contains_key(&loose[0].0) {
        return Ok(());
    }
    for (_, _, file) in &loose {
        gone(fs::remove_file(file)).doing(doing)?;
    }
    Ok(())
}

/// Removes all references below `prefix`, packed and loose, in one go.
pub fn remove(git_dir: &Path, prefix: &str) -> Result<()> {
    let doing = || "Removing the checkpoint store's references".to_owned();
    if read(git_dir)?.0.keys().any(|name| name.starts_with(prefix)) {
        change(git_dir, |packed| {
            packed.retain(|name, _| !name.starts_with(prefix));
        })?;
    }
    gone(fs::remove_dir_all(
        git_dir.join(prefix.trim_end_matches('/')),
    ))
    .doing(doing)
}

/// Rewrites the packed references; nothing happens while somebody else does.
fn change(git_dir: &Path, change: impl FnOnce(&mut References)) -> Result<()> {
    let doing = || "Writing the checkpoint store's references".to_owned();
    let path = git_dir.join("packed-refs");
    let locked = git_dir.join("packed-refs.lock");
    let mut lock = match fs::File::create_new(&locked) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error).doing(doing),
    };
    let written = (|| {
        let (mut packed, peeled) = read(git_dir)?;
        change(&mut packed);
        let mut text = format!("{HEADER}\n");
        for (name, value) in &packed {
            text.push_str(&format!("{value} {name}\n"));
            if let Some(peeled) = peeled.get(name) {
                text.push_str(&format!("^{peeled}\n"));
            }
        }
        lock.write_all(text.as_bytes()).doing(doing)?;
        lock.sync_all().doing(doing)?;
        crate::fault::point("refs_packed");
        fs::rename(&locked, &path).doing(doing)
    })();
    if written.is_err() {
        gone(fs::remove_file(&locked)).doing(doing)?;
    }
    written
}

/// The packed references, and what those that are tags lead to.
fn read(git_dir: &Path) -> Result<(References, References)> {
    let path = git_dir.join("packed-refs");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).doing(|| format!("Reading {}", path.display())),
    };
    let (mut packed, mut peeled) = (References::new(), References::new());
    let mut last = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(value) = line.strip_prefix('^') {
            if let Some(name) = &last {
                peeled.insert(String::clone(name), value.to_owned());
            }
            continue;
        }
        let Some((value, name)) = line.split_once(' ') else {
            return Err(CheckpointError::BrokenStore {
                detail: format!("{} has a line that is no reference", path.display()),
            });
        };
        packed.insert(name.to_owned(), value.to_owned());
        last = Some(name.to_owned());
    }
    Ok((packed, peeled))
}

/// Name, value and file of each loose reference below a folder. What is no id (a lock, half a file
/// of a process that died) is left.
fn collect(
    folder: &Path,
    prefix: &str,
    found: &mut Vec<(String, String, PathBuf)>,
) -> std::io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let name = format!("{}/{name}", prefix.trim_end_matches('/'));
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &name, found)?;
            continue;
        }
        let value = fs::read_to_string(entry.path())?;
        let value = value.trim_end();
        if value.len() == 40 && Oid::from_str(value).is_ok() {
            found.push((name, value.to_owned(), entry.path()));
        }
    }
    Ok(())
}

fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
