//! One open session on one project directory.
//!
//! Invariant: the files on disk are those of the snapshot `known`, but for the paths in `pending`.
//! Whatever goes wrong, paths only ever move into `pending`; a checkpoint takes out what it looked
//! at. So a change can be late in a checkpoint, never missing.

use crate::ahead::Ahead;
use crate::diff;
use crate::dirty::DirtySet;
use crate::error::{CheckpointError, Doing, Result};
use crate::lock::Lock;
use crate::notes::Notes;
use crate::objects::Objects;
use crate::path::RelPath;
use crate::project::Project;
use crate::request::{Dirty, OpenRequest, ResumeState};
use crate::rules::Rules;
use crate::snapshot::{Author, Snapshot};
use crate::stat::StatCache;
use crate::store::Store;
use crate::uncaptured::Gaps;
use crate::walk::{Pair, Walk};
use crate::watch::{self, Watch};
use espalier_protocol::CheckpointId;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, fstat};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

mod beginning;
mod committing;
mod ending;
mod packing;
mod planning;
mod publishing;
mod restoring;

pub use planning::between;
use publishing::set_reference;
pub use publishing::{delete_reference, is_checked_out, target};

/// A project directory owned by one session. Dropping it lets go of the lock.
pub struct Checkpoints {
    project: Project,
    prefix: RelPath,
    session: String,
    store: Store,
    objects: Objects,
    author: Author,
    rules: Rules,
    cache: StatCache,
    watch: Box<dyn Watch>,
    gaps: Gaps,
    excluded: Vec<RelPath>,
    max_file_bytes: u64,
    absent: BTreeSet<RelPath>,
    pending: DirtySet,
    known: Option<Snapshot>,
    /// Device and inode of the directory that is watched.
    root: Option<(u64, u64)>,
    notes: Option<Notes>,
    /// Whether the store's objects are another project's.
    shared: bool,
    _lock: Lock,
}

/// How a state of the files was taken.
struct Taken {
    pair: Pair,
    /// Whether all files were compared.
    full: bool,
}

impl Checkpoints {
    /// Opens a project directory for a session and takes its lock. A lock whose owner died is free.
    pub fn open(request: OpenRequest) -> Result<Self> {
        let store = Store::of(&request.store_dir, &request.project_dir)?;
        let session = request.session.as_str().to_owned();
        let notes = Notes::load(&store, &session)?;
        let (project, repository) = match (Project::find(&request.project_dir), store.project()?) {
            (Ok((project, repository)), _) => (project, Some(repository)),
            // An agent may have damaged or deleted `.git`: what a session needs of it is kept.
            (Err(error), Some(project)) if notes.is_some() => {
                tracing::warn!(%error, "the project's repository cannot be opened");
                (project, None)
            }
            (Err(error), _) => return Err(error),
        };
        store.create()?;
        let lock = Lock::take(&store.lock_path(), &session)?;
        store.keep_project(&project)?;
        let objects = match &request.shared {
            Some(shared) => Store::of(&shared.store_dir, &shared.project_dir)?.shadow()?,
            None => store.shadow()?,
        };
        let mut exclude = request.exclude;
        exclude.push(request.store_dir);
        let mut rules = match &repository {
            Some(repository) => crate::tracked::outer_rules(&project, repository)?,
            None => Rules::default(),
        };
        rules.take(&request.include_ignored);
        let opened = Self {
            prefix: project.prefix()?,
            author: Author::of(repository.as_ref()),
            rules,
            watch: watch::open(&project.dir, &store.cookies()),
            excluded: exclude
                .iter()
                .filter_map(|path| inside(path, &project.dir))
                .collect(),
            max_file_bytes: request.limits.max_file_bytes,
            cache: StatCache::default(),
            gaps: Gaps::default(),
            absent: BTreeSet::new(),
            pending: DirtySet::everything(),
            known: None,
            root: None,
            notes,
            shared: request.shared.is_some(),
            project,
            session,
            store,
            objects,
            _lock: lock,
        };
        // What a worktree shares is in use by the others.
        if request.shared.is_none() {
            opened.clear_stale_locks()?;
        }
        Ok(opened)
    }

    /// Takes a session up again whose process died. No file is moved.
    pub fn resume(&mut self, head: &CheckpointId) -> Result<ResumeState> {
        if self.notes.is_none() {
            return Err(CheckpointError::NotBegun {
                session: self.session.clone(),
            });
        }
        self.read_repository()?;
        Ok(ResumeState {
            differs: !self.edited_by_hand(head)?.is_empty(),
        })
    }

    /// Empties the watch. Nothing is forgotten: what changed up to here is in the next checkpoint
    /// that asks for all that changed, and in [`Self::edited_by_hand`].
    pub fn mark(&mut self) -> Result<()> {
        self.drain();
        Ok(())
    }

    /// The paths whose files are not those of a checkpoint, as text.
    pub fn edited_by_hand(&mut self, head: &CheckpointId) -> Result<Vec<String>> {
        let head = self.snapshot(head)?;
        let edited = self
            .compare(&head)
            .map_err(CheckpointError::while_capturing)?;
        Ok(edited.into_iter().map(|path| path.to_text()).collect())
    }

    /// Makes everything stored so far survive a power failure.
    pub fn sync(&self) -> Result<()> {
        let doing = || "Flushing the checkpoint store".to_owned();
        let dir = std::fs::File::open(self.store.dir()).doing(doing)?;
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(&dir).doing(doing)?;
        #[cfg(not(target_os = "linux"))]
        dir.sync_all().doing(doing)?;
        Ok(())
    }

    /// The folder that holds this project's checkpoints.
    pub fn store_dir(&self) -> &Path {
        self.store.dir()
    }

    fn snapshot(&self, id: &CheckpointId) -> Result<Snapshot> {
        self.objects.snapshot(id.as_str(), &self.prefix)
    }

    /// Moves what the watch saw into `pending`. Returns whether all of it was seen.
    fn drain(&mut self) -> bool {
        let drained = self.watch.drain();
        self.pending.merge(drained.dirty);
        if let Some(reason) = &drained.lost {
            tracing::info!(%reason, "all files are compared");
        }
        drained.lost.is_none()
    }

    /// Makes `snapshot` the one that `pending` speaks about.
    fn stand_on(&mut self, snapshot: &Snapshot) -> Result<()> {
        match self.known {
            Some(known) if known.pair == snapshot.pair => {}
            Some(known) => {
                let delta = diff::between(&self.objects, known.pair, snapshot.pair)?;
                for path in delta.paths() {
                    self.pending.add(path);
                }
            }
            None => self.pending = DirtySet::everything(),
        }
        self.known = Some(*snapshot);
        Ok(())
    }

    /// The paths that differ from a snapshot; they stay pending, the others are settled.
    fn compare(&mut self, head: &Snapshot) -> Result<Vec<RelPath>> {
        self.drain();
        self.stand_on(head)?;
        let taken = self.take(&Dirty::Watched)?;
        let delta = diff::between(&self.objects, head.pair, taken.pair)?;
        let paths: Vec<RelPath> = delta.paths().into_iter().cloned().collect();
        for path in &paths {
            self.pending.add(path);
        }
        Ok(paths)
    }

    /// Stores the present state of the dirty paths on top of `known`. What was looked at is no
    /// longer pending; on failure everything still is.
    fn take(&mut self, dirty: &Dirty) -> Result<Taken> {
        let before = self.known.map(|known| known.pair).unwrap_or_default();
        let root = self.open_root()?;
        let work = match dirty {
            Dirty::Nothing => DirtySet::default(),
            Dirty::Paths(paths) => self.named(paths),
            Dirty::Watched => std::mem::take(&mut self.pending),
            Dirty::FullScan => {
                self.pending = DirtySet::default();
                DirtySet::everything()
            }
        };
        let pair = match self.walk(&root, before, &work, false, &mut || {}) {
            Ok(pair) => pair,
            Err(error) => {
                self.pending.merge(work);
                return Err(error);
            }
        };
        Ok(Taken {
            pair,
            full: work.whole,
        })
    }

    /// The dirty set of named paths, taken out of what is pending.
    fn named(&mut self, paths: &[String]) -> DirtySet {
        let mut work = DirtySet::default();
        for text in paths {
            let given = self.project.dir.join(text);
            // A path that goes through a link within the project means the file behind it too.
            let behind = given
                .parent()
                .and_then(|parent| parent.canonicalize().ok())
                .zip(given.file_name())
                .map(|(parent, name)| parent.join(name));
            let found = [
                RelPath::from_text(text),
                RelPath::of(&given, &self.project.dir),
                behind.and_then(|path| RelPath::of(&path, &self.project.dir)),
            ];
            for path in found.into_iter().flatten() {
                self.pending.remove(&path);
                work.add(&path);
                work.add_whole(&path);
            }
        }
        work
    }

    fn walk(
        &mut self,
        root: &OwnedFd,
        before: Pair,
        work: &DirtySet,
        rescue: bool,
        progress: &mut dyn FnMut(),
    ) -> Result<Pair> {
        let ahead = match work.whole {
            true => Ahead::of(self.watch.watched()),
            false => None,
        };
        let mut walk = Walk {
            objects: &self.objects,
            rules: &mut self.rules,
            cache: &mut self.cache,
            watch: self.watch.as_mut(),
            gaps: &mut self.gaps,
            excluded: &self.excluded,
            absent: &mut self.absent,
            max_file_bytes: self.max_file_bytes,
            unsteady: &mut self.pending,
            progress,
            rescue,
            ahead: ahead.as_ref(),
        };
        match &ahead {
            Some(ahead) => ahead.during(root, || walk.project(root, before, work)),
            None => walk.project(root, before, work),
        }
    }

    /// Opens the project directory. When another directory took its place, all is looked at anew.
    fn open_root(&mut self) -> Result<OwnedFd> {
        let doing = || format!("Opening {}", self.project.dir.display());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&self.project.dir, flags, Mode::empty()).doing(doing)?;
        let stat = fstat(&root).doing(doing)?;
        #[allow(
            clippy::allow_attributes,
            clippy::unnecessary_cast,
            reason = "the types differ by platform"
        )]
        let identity = Some((stat.st_dev as u64, stat.st_ino as u64));
        if self.root != identity {
            self.root = identity;
            self.pending = DirtySet::everything();
        }
        Ok(root)
    }
}

/// The path of a file or folder within the project; nothing when it lies elsewhere.
fn inside(path: &Path, project: &Path) -> Option<RelPath> {
    let absolute = std::path::absolute(path).ok()?;
    // It need not exist yet: the part that does is resolved.
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut at = absolute.as_path();
    let existing = loop {
        match at.canonicalize() {
            Ok(found) => break found,
            Err(_) => {
                missing.push(at.file_name()?.into());
                at = at.parent()?;
            }
        }
    };
    let resolved = missing
        .iter()
        .rev()
        .fold(existing, |path, name| path.join(name));
    RelPath::of(&resolved, project).filter(|path| !path.is_root())
}
