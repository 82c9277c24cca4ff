//! The folder that holds one project's checkpoints, and the shadow repository in it.
//!
//! `STORE/KEY/` with `shadow.git`, `project.json`, `lock`, and `sessions/SESSION/` for the notes of
//! each session. The shadow holds every object of a checkpoint itself: the user's packs and loose
//! objects are hard-linked into it as a local clone does, so nothing that happens to the user's
//! `.git` can take a checkpoint away.

use crate::error::{CheckpointError, Doing, Result};
use crate::objects::Objects;
use crate::project::{Project, canonical};
use git2::{ObjectType, Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// One project's folder in the store.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The folder of a project directory, which need not exist yet.
    pub fn of(store_dir: &Path, project_dir: &Path) -> Result<Self> {
        let project = canonical(project_dir)?;
        let key = Oid::hash_object(ObjectType::Blob, project.as_os_str().as_bytes())
            .doing(|| "Naming the project's store".to_owned())?
            .to_string();
        Ok(Self {
            dir: store_dir.join(&key[..20]),
        })
    }

    /// All projects of a store.
    pub fn all(store_dir: &Path) -> Result<Vec<Self>> {
        let doing = || format!("Reading {}", store_dir.display());
        let mut found = Vec::new();
        match fs::read_dir(store_dir) {
            Ok(entries) => {
                for entry in entries {
                    let dir = entry.doing(doing)?.path();
                    if dir.join("project.json").is_file() {
                        found.push(Self { dir });
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).doing(doing),
        }
        found.sort_by(|a, b| a.dir.cmp(&b.dir));
        Ok(found)
    }

    /// Makes the folder.
    pub fn create(&self) -> Result<()> {
        fs::create_dir_all(self.dir.join("sessions"))
            .doing(|| format!("Making {}", self.dir.display()))
    }

    /// The lock file.
    pub fn lock_path(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// The folder with the barrier files.
    pub fn cookies(&self) -> PathBuf {
        self.dir.join("cookies")
    }

    /// The notes of a session.
    pub fn session(&self, session: &str) -> PathBuf {
        self.dir.join("sessions").join(session)
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The project as it was last seen; nothing when it was never opened.
    pub fn project(&self) -> Result<Option<Project>> {
        read_json(&self.dir.join("project.json"))
    }

    /// Keeps where the project is.
    pub fn keep_project(&self, project: &Project) -> Result<()> {
        write_json(&self.dir.join("project.json"), project)
    }

    /// Opens the shadow repository; it is made when it is missing.
    pub fn shadow(&self) -> Result<Objects> {
        let dir = self.dir.join("shadow.git");
        let doing = || "Opening the checkpoint store".to_owned();
        if !dir.join("HEAD").exists() {
            let mut options = RepositoryInitOptions::new();
            options
                .bare(true)
                .external_template(false)
                .no_reinit(false)
                .initial_head("espalier");
            let repository = Repository::init_opts(&dir, &options).doing(doing)?;
            // Records and noted state have no reference: packing may move them, never remove them.
            let mut config = repository.config().doing(doing)?;
            config.set_str("gc.auto", "0").doing(doing)?;
            config.set_str("gc.pruneExpire", "never").doing(doing)?;
            // A full pack has 256 folders; making them on the way costs more than making them now.
            for first in 0..=255_u8 {
                let folder = dir.join("objects").join(format!("{first:02x}"));
                fs::create_dir_all(folder).doing(doing)?;
            }
        }
        let none: &[&OsStr] = &[];
        let flags = RepositoryOpenFlags::NO_SEARCH
            | RepositoryOpenFlags::BARE
            | RepositoryOpenFlags::NO_DOTGIT;
        let repository = Repository::open_ext(&dir, flags, none).doing(doing)?;
        Ok(Objects::new(repository))
    }
}

/// Reads a record; nothing when there is none.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).doing(|| format!("Reading {}", path.display())),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| CheckpointError::BrokenStore {
            detail: format!("{}: {error}", path.display()),
        })
}

/// Writes a record so that it is there whole or as it was.
pub fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = serde_json::to_vec(value).map_err(|error| CheckpointError::BrokenStore {
        detail: format!("{}: {error}", path.display()),
    })?;
    write_whole(path, &text)
}

/// Writes a file so that it is there whole or as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let doing = || format!("Writing {}", path.display());
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(dir).doing(doing)?;
    let mut file = tempfile::NamedTempFile::new_in(dir).doing(doing)?;
    io::Write::write_all(&mut file, bytes).doing(doing)?;
    file.persist(path)
        .map_err(|error| error.error)
        .doing(doing)?;
    Ok(())
}
