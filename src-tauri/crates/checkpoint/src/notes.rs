//! The user's repository as it was when a session began: references by value, small files by bytes.
//!
//! Kept in the store, outside the project, so that it can be put back whatever an agent did. The
//! bytes lie in the shadow repository as blobs.

use crate::error::{Doing, Result};
use crate::objects::Objects;
use crate::path::{RelPath, from_text, to_text};
use crate::project::Project;
use crate::snapshot::Trailers;
use crate::store::{Store, read_json, write_json};
use crate::tracked::Tracked;
use git2::{ObjectType, Oid, Repository};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Single files of a repository's folder that are the user's state.
const FILES: &[&str] = &[
    "HEAD",
    "index",
    "ORIG_HEAD",
    "MERGE_HEAD",
    "MERGE_MSG",
    "MERGE_MODE",
    "MERGE_RR",
    "AUTO_MERGE",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "SQUASH_MSG",
    "BISECT_LOG",
    "BISECT_START",
    "BISECT_TERMS",
    "BISECT_NAMES",
    "config",
    "config.worktree",
    "shallow",
    "COMMIT_EDITMSG",
    "FETCH_HEAD",
    "description",
];
/// Folders of which every file is.
const FOLDERS: &[&str] = &[
    "rebase-merge",
    "rebase-apply",
    "sequencer",
    "hooks",
    "info",
    "logs",
];
/// A file larger than this is not state that a person would miss, in bytes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A file's bytes and permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    pub blob: String,
    pub mode: u32,
}

/// References by name: an id, or `ref: ` and another name.
pub type References = BTreeMap<String, String>;
/// Files by their place: `own/` for the work tree's folder, `shared/` for the common one.
pub type StateFiles = BTreeMap<String, Noted>;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// The commit that was checked out.
    pub head: String,
    /// The checkpoint of the files as they were; empty until it is made.
    #[serde(default)]
    pub base: String,
    /// Submodules within the project, as text.
    pub submodules: Vec<String>,
    pub references: References,
    pub files: StateFiles,
}

impl Notes {
    /// Notes the present state and keeps it.
    pub fn take(
        store: &Store,
        objects: &Objects,
        session: &str,
        project: &Project,
        repository: &Repository,
        head: Oid,
        tracked: &Tracked,
    ) -> Result<Self> {
        let notes = Self {
            head: head.to_string(),
            base: String::new(),
            submodules: tracked.submodules.iter().map(RelPath::to_text).collect(),
            references: references(repository)?,
            files: state_files(objects, project)?,
        };
        notes.keep(store, session)?;
        Ok(notes)
    }

    /// Writes the notes down.
    pub fn keep(&self, store: &Store, session: &str) -> Result<()> {
        write_json(&store.session(session).join("notes.json"), self)
    }

    /// The notes of a session; nothing when it never began here.
    pub fn load(store: &Store, session: &str) -> Result<Option<Self>> {
        read_json(&store.session(session).join("notes.json"))
    }

    /// The submodules as paths.
    pub fn submodules(&self) -> Vec<RelPath> {
        self.submodules
            .iter()
            .filter_map(|text| RelPath::from_text(text))
            .collect()
    }
}

/// All references but remote-tracking ones and Espalier's own.
pub fn references(repository: &Repository) -> Result<References> {
    let doing = || "Reading the repository's references".to_owned();
    let mut found = References::new();
    for reference in repository.references().doing(doing)? {
        // A reference that cannot be read is broken already; git itself goes on without it.
        let Ok(reference) = reference else { continue };
        let name = reference.name_bytes();
        if name.starts_with(b"refs/remotes/") || name.starts_with(b"refs/espalier") {
            continue;
        }
        let value = match (reference.symbolic_target_bytes(), reference.target()) {
            (Some(target), _) => format!("ref: {}", to_text(target)),
            (None, Some(id)) if is_ours(repository, id) => continue,
            (None, Some(id)) => id.to_string(),
            (None, None) => continue,
        };
        found.insert(to_text(name), value);
    }
    Ok(found)
}

/// Whether a commit was made by a session.
pub fn is_ours(repository: &Repository, id: Oid) -> bool {
    session_of(repository, id).is_some()
}

/// The session that made a commit.
pub fn session_of(repository: &Repository, id: Oid) -> Option<String> {
    let commit = repository.find_commit(id).ok()?;
    Trailers::read(commit.message_bytes()).session
}

/// The files that are the user's state, their bytes stored.
pub fn state_files(objects: &Objects, project: &Project) -> Result<StateFiles> {
    let mut found = StateFiles::new();
    for (label, dir) in folders(project) {
        for name in FILES {
            note(objects, &dir, Path::new(name), label, &mut found)?;
        }
        for name in shared_indexes(&dir)? {
            note(objects, &dir, Path::new(&name), label, &mut found)?;
        }
        for name in FOLDERS {
            note_folder(objects, &dir, Path::new(name), label, &mut found)?;
        }
    }
    Ok(found)
}

/// What a split index builds upon.
fn shared_indexes(dir: &Path) -> Result<Vec<OsString>> {
    let doing = || format!("Reading {}", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).doing(doing)? {
        let name = entry.doing(doing)?.file_name();
        if name.as_bytes().starts_with(b"sharedindex.") {
            found.push(name);
        }
    }
    Ok(found)
}

/// The repository's folders with the label of each.
fn folders(project: &Project) -> Vec<(&'static str, PathBuf)> {
    let mut folders = vec![("own", project.git_dir.clone())];
    if project.common_dir != project.git_dir {
        folders.push(("shared", project.common_dir.clone()));
    }
    folders
}

/// Where a noted file lies.
pub fn place(project: &Project, key: &str) -> Option<PathBuf> {
    let (label, path) = key.split_once('/')?;
    let (_, dir) = folders(project)
        .into_iter()
        .find(|(known, _)| *known == label)?;
    Some(dir.join(std::ffi::OsStr::from_bytes(&from_text(path))))
}

fn note(
    objects: &Objects,
    dir: &Path,
    name: &Path,
    label: &str,
    found: &mut StateFiles,
) -> Result<()> {
    let path = dir.join(name);
    let doing = || format!("Reading {}", path.display());
    let meta = match fs::symlink_metadata(&path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).doing(doing),
    };
    if !meta.is_file() || meta.len() > LARGEST {
        return Ok(());
    }
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).doing(doing),
    };
    let noted = Noted {
        blob: objects.write(ObjectType::Blob, &bytes)?.to_string(),
        mode: meta.permissions().mode() & 0o7777,
    };
    found.insert(
        format!("{label}/{}", to_text(name.as_os_str().as_bytes())),
        noted,
    );
    Ok(())
}

fn note_folder(
    objects: &Objects,
    dir: &Path,
    name: &Path,
    label: &str,
    found: &mut StateFiles,
) -> Result<()> {
    let folder = dir.join(name);
    let doing = || format!("Reading {}", folder.display());
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(());
        }
        Err(error) => return Err(error).doing(doing),
    };
    for entry in entries {
        let entry = entry.doing(doing)?;
        let name = name.join(entry.file_name());
        // A link to a folder elsewhere is not followed: what lies there is not the repository's.
        if entry.file_type().doing(doing)?.is_dir() {
            note_folder(objects, dir, &name, label, found)?;
        } else {
            note(objects, dir, &name, label, found)?;
        }
    }
    Ok(())
}
