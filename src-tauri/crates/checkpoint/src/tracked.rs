//! What the user's repository knows before a session starts: tracked paths, contents that need not
//! be read again, ignore rules from outside the project, uncommitted work.
//!
//! Only reads: the index is never refreshed, no filter and no hook runs.

use crate::error::{Doing, Result};
use crate::objects::Objects;
use crate::path::{RelPath, to_text};
use crate::project::Project;
use crate::rules::Rules;
use crate::stat::{StatCache, StatKey};
use crate::tree::{Changes, MODE_COMMIT, MODE_TREE};
use git2::{IndexEntry, Oid, Repository, Status, StatusOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const SKIP_WORKTREE: u16 = 1 << 14;
const INTENT_TO_ADD: u16 = 1 << 13;
const ASSUME_VALID: u16 = 1 << 15;

/// The user's index, seen from the project directory.
pub struct Tracked {
    /// The tracked paths as a tree; the contents in it are git's, not necessarily those on disk.
    pub tree: Option<Oid>,
    /// Submodules.
    pub submodules: Vec<RelPath>,
    /// Tracked paths that a sparse checkout leaves out of the work tree.
    pub absent: BTreeSet<RelPath>,
}

#[derive(Default)]
struct Folder {
    entries: Changes,
    folders: BTreeMap<Vec<u8>, Folder>,
}

/// Reads the index. Where no attribute can make a file differ from its blob, the contents of
/// untouched files are taken from it instead of from disk.
pub fn read_index(
    objects: &Objects,
    repository: &Repository,
    prefix: &RelPath,
    cache: &mut StatCache,
) -> Result<Tracked> {
    let index = repository
        .index()
        .doing(|| "Reading the index".to_owned())?;
    let written = index.path().and_then(|path| fs::metadata(path).ok());
    let trusted = written
        .filter(|_| !may_convert(repository, &index))
        .map(|meta| stat_time(&meta));
    let mut top = Folder::default();
    let mut found = Tracked {
        tree: None,
        submodules: Vec::new(),
        absent: BTreeSet::new(),
    };
    for entry in index.iter() {
        let Some(path) = within(prefix, &entry.path) else {
            continue;
        };
        if entry.mode == MODE_COMMIT {
            found.submodules.push(path.clone());
        }
        if entry.flags_extended & SKIP_WORKTREE != 0 {
            found.absent.insert(path.clone());
        } else if let Some(before) = trusted {
            seed(objects, cache, &path, &entry, before)?;
        }
        put(&mut top, &path, entry.mode, entry.id);
    }
    found.tree = store(objects, top)?;
    Ok(found)
}

/// The path within the project of a path in the repository.
fn within(prefix: &RelPath, path: &[u8]) -> Option<RelPath> {
    let path = RelPath::from_bytes(path)?;
    if prefix.is_root() {
        return Some(path);
    }
    if path == *prefix || !path.is_within(prefix) {
        return None;
    }
    RelPath::from_bytes(&path.as_bytes()[prefix.as_bytes().len() + 1..])
}

fn put(top: &mut Folder, path: &RelPath, mode: u32, id: Oid) {
    let parts: Vec<&[u8]> = path.parts().collect();
    let Some((name, dirs)) = parts.split_last() else {
        return;
    };
    let mut folder = top;
    for dir in dirs {
        folder = folder.folders.entry(dir.to_vec()).or_default();
    }
    folder.entries.insert(name.to_vec(), Some((mode, id)));
}

fn store(objects: &Objects, folder: Folder) -> Result<Option<Oid>> {
    let mut entries = folder.entries;
    for (name, below) in folder.folders {
        if let Some(id) = store(objects, below)? {
            entries.insert(name, Some((MODE_TREE, id)));
        }
    }
    objects.put_tree(crate::tree::Tree::default().with(&entries))
}

fn seed(
    objects: &Objects,
    cache: &mut StatCache,
    path: &RelPath,
    entry: &IndexEntry,
    before: (i64, u32),
) -> Result<()> {
    let modified = (i64::from(entry.mtime.seconds()), entry.mtime.nanoseconds());
    // Git itself does not trust an entry as young as the index, nor one marked by hand.
    let marked = entry.flags & ASSUME_VALID != 0 || entry.flags_extended & INTENT_TO_ADD != 0;
    let stage = entry.flags & 0x3000;
    if marked || stage != 0 || entry.mode & 0o170_000 != 0o100_000 || modified >= before {
        return Ok(());
    }
    // A partial clone knows of contents that it does not have.
    if !objects.has(entry.id)? {
        return Ok(());
    }
    let key = StatKey {
        mtime: (entry.mtime.seconds(), entry.mtime.nanoseconds()),
        ctime: (entry.ctime.seconds(), entry.ctime.nanoseconds()),
        size: entry.file_size,
        inode: entry.ino,
        kind: entry.mode & 0o170_000,
    };
    cache.seed(path.clone(), key, entry.id);
    Ok(())
}

fn stat_time(meta: &fs::Metadata) -> (i64, u32) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.mtime(), u32::try_from(meta.mtime_nsec()).unwrap_or(0))
}

/// Whether line endings, keywords or filters may make a file differ from its blob anywhere.
fn may_convert(repository: &Repository, index: &git2::Index) -> bool {
    let Ok(config) = repository.config().and_then(|mut config| config.snapshot()) else {
        return true;
    };
    let set = |key: &str| {
        config
            .get_string(key)
            .is_ok_and(|value| !value.eq_ignore_ascii_case("false"))
    };
    if set("core.autocrlf") || set("core.attributesfile") {
        return true;
    }
    let attributes = |path: PathBuf| fs::metadata(path).is_ok_and(|meta| meta.len() > 0);
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let xdg =
        std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    if attributes(repository.commondir().join("info/attributes"))
        || attributes(xdg.join("git/attributes"))
        || attributes(PathBuf::from("/etc/gitattributes"))
    {
        return true;
    }
    let by_name = |path: &[u8]| path == b".gitattributes" || path.ends_with(b"/.gitattributes");
    let untracked = repository
        .workdir()
        .is_some_and(|dir| attributes(dir.join(".gitattributes")));
    untracked || index.iter().any(|entry| by_name(&entry.path))
}

/// The ignore rules that lie outside the project directory.
pub fn outer_rules(project: &Project, repository: &Repository) -> Result<Rules> {
    let config = repository
        .config()
        .and_then(|mut config| config.snapshot())
        .doing(|| "Reading git's configuration".to_owned())?;
    let mut rules = Rules::new(config.get_bool("core.ignorecase").unwrap_or(false));
    let prefix = project.prefix()?;
    let read = |path: PathBuf| fs::read(path).unwrap_or_default();
    let users = config
        .get_path("core.excludesfile")
        .ok()
        .or_else(default_excludes);
    if let Some(path) = users {
        rules.add_outer(prefix.as_bytes(), &read(path));
    }
    rules.add_outer(
        prefix.as_bytes(),
        &read(project.common_dir.join("info/exclude")),
    );
    let mut above = RelPath::root();
    let parts: Vec<&[u8]> = prefix.parts().collect();
    for (index, part) in parts.iter().enumerate() {
        let file = above.join(b".gitignore").under(&project.work_tree);
        let links = fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_symlink());
        if !links {
            rules.add_outer(&parts[index..].join(&b'/'), &read(file));
        }
        above = above.join(part);
    }
    Ok(rules)
}

fn default_excludes() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(config.join("git/ignore"))
}

/// Staged, unstaged, and untracked paths that are not ignored, relative to the project, as text.
pub fn uncommitted(
    repository: &Repository,
    prefix: &RelPath,
    excluded: &[RelPath],
) -> Result<Vec<String>> {
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_ignored(false)
        .no_refresh(false)
        .update_index(false);
    if !prefix.is_root() {
        options
            .pathspec(prefix.as_bytes())
            .disable_pathspec_match(true);
    }
    let statuses = repository
        .statuses(Some(&mut options))
        .doing(|| "Comparing with HEAD".to_owned())?;
    let index = repository
        .index()
        .doing(|| "Reading the index".to_owned())?;
    // libgit2 takes what a sparse checkout leaves out for deleted.
    let sparse = |entry: &git2::StatusEntry<'_>| {
        let path = Path::new(OsStr::from_bytes(entry.path_bytes()));
        entry.status() == Status::WT_DELETED
            && index
                .get_path(path, 0)
                .is_some_and(|entry| entry.flags_extended & SKIP_WORKTREE != 0)
    };
    let mut paths: Vec<String> = statuses
        .iter()
        .filter(|entry| !sparse(entry))
        .filter(|entry| !entry.status().intersects(Status::IGNORED) && !entry.status().is_empty())
        .filter_map(|entry| within(prefix, entry.path_bytes()))
        .filter(|path| !excluded.iter().any(|excluded| path.is_within(excluded)))
        .map(|path| to_text(path.as_bytes()))
        .collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}
