//! An open project: its files as last recorded, and new checkpoints of them.

use crate::error::{CheckpointError, at};
use crate::files::{Known, LINK, OnDisk, REGULAR, content, is_absent, look};
use crate::lock::{Lock, folder};
use crate::original::Original;
use crate::paths::{Bytes, from_text, in_project, on_disk, to_text};
use crate::restore::RestoreReport;
use crate::scan::walk;
use crate::tree::{self, full};
use crate::watch::Watch;
use espalier_protocol::step::FileVersion;
use espalier_protocol::{
    BranchId, ChangeKind, Checkpoint, CheckpointId, FileChange, SessionId, Uncaptured,
    UncapturedReason,
};
use git2::{ObjectType, Oid, Repository, Signature};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many paths that are not captured a checkpoint names; it counts all.
const NAMED: usize = 50;

/// A project directory to open.
pub struct OpenRequest {
    pub project_dir: PathBuf,
    /// Folder for Espalier's own repositories and notes.
    pub store_dir: PathBuf,
    pub session: SessionId,
    /// Folders that are never part of a checkpoint (output, data).
    pub exclude: Vec<PathBuf>,
    pub limits: CaptureLimits,
}

/// What is too much to capture.
#[derive(Debug, Clone)]
pub struct CaptureLimits {
    /// Bytes of a file that git does not track yet.
    pub max_file_bytes: u64,
}

impl Default for CaptureLimits {
    fn default() -> Self {
        Self {
            max_file_bytes: 10 * 1024 * 1024,
        }
    }
}

/// How a session takes the project.
pub struct BeginRequest {
    pub require_clean: bool,
}

/// The project as a session found it.
pub struct Begun {
    pub base: Checkpoint,
    /// Uncommitted work that became part of the base.
    pub carried: Vec<String>,
}

/// What a session whose process died finds.
pub struct ResumeState {
    /// Whether the files differ from the last checkpoint.
    pub differs: bool,
}

/// What may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dirty {
    Nothing,
    Paths(Vec<String>),
    /// What the watcher saw; everything when it cannot tell.
    Watched,
    FullScan,
}

/// What a commit says.
#[derive(Debug, Clone)]
pub struct CommitInfo {
    pub session: SessionId,
    pub branch: BranchId,
    pub step: Option<u32>,
    pub message: String,
}

/// A checkpoint to make.
#[derive(Debug, Clone)]
pub struct CheckpointRequest {
    pub dirty: Dirty,
    pub parent: CheckpointId,
    pub info: CommitInfo,
}

/// What giving the project back did.
pub struct PutBackReport {
    pub changed: u32,
    pub left_alone: Vec<String>,
    /// What the agent had done to the repository itself, in words.
    pub agent_git: Vec<String>,
}

/// One session's hold on one project directory.
pub struct Checkpoints {
    pub(crate) root: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) session: SessionId,
    /// Path of the project in its repository; empty at the top.
    pub(crate) prefix: Bytes,
    pub(crate) shadow: Repository,
    pub(crate) user: Repository,
    pub(crate) known: BTreeMap<Bytes, Known>,
    exclude: Vec<PathBuf>,
    limits: CaptureLimits,
    pub(crate) uncaptured: BTreeMap<Bytes, UncapturedReason>,
    watch: Option<Watch>,
    /// Seen by the watcher and not yet in a checkpoint.
    pending: BTreeSet<Bytes>,
    _lock: Lock,
}

/// The paths that differ, with what they were and are.
type Differences = BTreeMap<Bytes, (Option<Known>, Option<Known>)>;

impl Checkpoints {
    /// Takes the project directory. Another live owner is an error; a dead one's hold is free.
    pub fn open(request: OpenRequest) -> Result<Self, CheckpointError> {
        let root = request
            .project_dir
            .canonicalize()
            .map_err(at(&request.project_dir))?;
        let user = open_user(&root)?;
        let prefix = prefix_of(&user, &root)?;
        let folder = folder(&request.store_dir, &root);
        std::fs::create_dir_all(folder.join("sessions")).map_err(at(&folder))?;
        let lock = Lock::take(&folder, &request.session)?;
        let shadow = open_shadow(&folder, &user)?;
        let exclude = request
            .exclude
            .iter()
            .map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()))
            .collect();
        Ok(Self {
            root,
            folder,
            session: request.session,
            prefix,
            shadow,
            user,
            known: BTreeMap::new(),
            exclude,
            limits: request.limits,
            uncaptured: BTreeMap::new(),
            watch: None,
            pending: BTreeSet::new(),
            _lock: lock,
        })
    }

    /// Records the files as the session finds them, and the state of the user's repository.
    pub fn begin(
        &mut self,
        request: &BeginRequest,
        progress: &mut dyn FnMut(u32, Option<u32>),
    ) -> Result<Begun, CheckpointError> {
        let head = self
            .user
            .head()
            .and_then(|head| head.peel_to_commit())
            .map_err(|_| CheckpointError::Unborn(self.root.clone()))?;
        let (head_id, head_tree) = (head.id(), head.tree_id());
        drop(head);
        let carried = self.dirty_work()?;
        if request.require_clean && !carried.is_empty() {
            return Err(CheckpointError::Dirty(carried));
        }
        progress(0, None);
        self.watch = Watch::start(&self.folder.join("cookies")).ok();
        self.learn(head_tree)?;
        self.refresh_everything()?;
        self.pending.clear();
        progress(1, Some(1));
        let base = self.base_commit(head_id, head_tree)?;
        Original::note(self, &base.id)?;
        Ok(Begun { base, carried })
    }

    /// Reads back what the session had noted; no file moves.
    pub fn resume(&mut self, head: &CheckpointId) -> Result<ResumeState, CheckpointError> {
        self.watch = Watch::start(&self.folder.join("cookies")).ok();
        let tree = self.tree_of(head)?;
        self.learn(tree)?;
        let modes = crate::restore::read_modes(&self.folder, head)?;
        for (path, mode) in modes {
            if let Some(known) = self.known.get_mut(&path) {
                known.mode = mode;
            }
        }
        let differs = !self.differences(&Dirty::FullScan)?.is_empty();
        Ok(ResumeState { differs })
    }

    /// Takes in what the watcher saw up to now.
    pub fn mark(&mut self) -> Result<(), CheckpointError> {
        self.take_in_watched();
        Ok(())
    }

    /// What differs from the last checkpoint.
    pub fn edited_by_hand(&mut self, _head: &CheckpointId) -> Result<Vec<String>, CheckpointError> {
        let differences = self.differences(&Dirty::Watched)?;
        Ok(differences.keys().map(|path| to_text(path)).collect())
    }

    /// Makes a commit of what changed, on top of `parent`. Shares the parent's where nothing did.
    pub fn checkpoint(
        &mut self,
        request: &CheckpointRequest,
    ) -> Result<Checkpoint, CheckpointError> {
        let parent = Oid::from_str(request.parent.as_str())?;
        let full_scan = request.dirty == Dirty::FullScan || self.watch.is_none();
        let differences = self.differences(&request.dirty)?;
        let parent_tree = self.shadow.find_commit(parent)?.tree_id();
        if differences.is_empty() {
            return Ok(self.report(parent, parent_tree, Vec::new(), false, full_scan));
        }
        let changes: BTreeMap<Bytes, tree::Change> = differences
            .iter()
            .map(|(path, (_, new))| {
                let change = new.as_ref().map(|new| (new.oid, new.git_mode()));
                (full(&self.prefix, path), change)
            })
            .collect();
        let tree = match tree::update(&self.shadow, Some(parent_tree), &changes)? {
            Some(tree) => tree,
            None => self.shadow.treebuilder(None)?.write()?,
        };
        let commit = self.commit(tree, parent, &request.info)?;
        let changes = self.file_changes(&differences);
        for (path, (_, new)) in differences {
            self.pending.remove(&path);
            match new {
                Some(new) => self.known.insert(path, new),
                None => self.known.remove(&path),
            };
        }
        crate::restore::write_modes(self, &CheckpointId::new(commit.to_string()))?;
        Ok(self.report(commit, tree, changes, true, full_scan))
    }

    fn commit(&self, tree: Oid, parent: Oid, info: &CommitInfo) -> Result<Oid, CheckpointError> {
        let author = self.author()?;
        let mut message = format!(
            "{}\n\nEspalier-Session: {}\nEspalier-Branch: {}\n",
            info.message, info.session, info.branch
        );
        if let Some(step) = info.step {
            message.push_str(&format!("Espalier-Step: {step}\n"));
        }
        let tree = self.shadow.find_tree(tree)?;
        let parent = self.shadow.find_commit(parent)?;
        let commit = self
            .shadow
            .commit(None, &author, &author, &message, &tree, &[&parent])?;
        let name = format!("refs/espalier/{}/{commit}", info.session);
        self.shadow.reference(&name, commit, true, "checkpoint")?;
        Ok(commit)
    }

    fn author(&self) -> Result<Signature<'static>, CheckpointError> {
        match self.user.signature() {
            Ok(signature) => Ok(signature.to_owned()),
            Err(_) => Ok(Signature::now("Espalier", "espalier@localhost")?),
        }
    }

    /// HEAD itself where the files are HEAD's, else a commit on top of it.
    fn base_commit(&self, head: Oid, head_tree: Oid) -> Result<Checkpoint, CheckpointError> {
        let was = tree::read(&self.shadow, head_tree, &self.prefix)?.files;
        let mut changes: BTreeMap<Bytes, tree::Change> = BTreeMap::new();
        for path in was.keys().filter(|path| !self.known.contains_key(*path)) {
            changes.insert(full(&self.prefix, path), None);
        }
        for (path, known) in &self.known {
            if was.get(path) != Some(&(known.oid, known.git_mode())) {
                let change = Some((known.oid, known.git_mode()));
                changes.insert(full(&self.prefix, path), change);
            }
        }
        let (commit, tree) = if changes.is_empty() {
            (head, head_tree)
        } else {
            let tree = match tree::update(&self.shadow, Some(head_tree), &changes)? {
                Some(tree) => tree,
                None => self.shadow.treebuilder(None)?.write()?,
            };
            let info = CommitInfo {
                session: self.session.clone(),
                branch: BranchId::main(),
                step: None,
                message: "The project before the session".to_owned(),
            };
            (self.commit(tree, head, &info)?, tree)
        };
        crate::restore::write_modes(self, &CheckpointId::new(commit.to_string()))?;
        Ok(self.report(commit, tree, Vec::new(), true, true))
    }

    pub(crate) fn report(
        &self,
        commit: Oid,
        tree: Oid,
        changes: Vec<FileChange>,
        created: bool,
        full_scan: bool,
    ) -> Checkpoint {
        Checkpoint {
            id: CheckpointId::new(commit.to_string()),
            tree: tree.to_string(),
            created,
            changes,
            uncaptured: self
                .uncaptured
                .iter()
                .take(NAMED)
                .map(|(path, reason)| Uncaptured {
                    path: to_text(path),
                    reason: *reason,
                })
                .collect(),
            uncaptured_total: u32::try_from(self.uncaptured.len()).unwrap_or(u32::MAX),
            full_scan,
        }
    }

    fn file_changes(&self, differences: &Differences) -> Vec<FileChange> {
        let version = |known: &Known| FileVersion {
            blob: known.oid.to_string(),
            mode: known.mode,
        };
        differences
            .iter()
            .map(|(path, (old, new))| {
                let kind = match (old, new) {
                    (None, _) => ChangeKind::Added,
                    (_, None) => ChangeKind::Deleted,
                    (Some(old), Some(new)) if old.oid == new.oid => ChangeKind::ModeChanged,
                    _ => ChangeKind::Modified,
                };
                let lines = crate::reader::line_counts(
                    &self.shadow,
                    old.as_ref().map(|known| known.oid),
                    new.as_ref().map(|known| known.oid),
                );
                FileChange {
                    path: to_text(path),
                    kind,
                    old: old.as_ref().map(version),
                    new: new.as_ref().map(version),
                    added_lines: lines.map(|lines| lines.0),
                    removed_lines: lines.map(|lines| lines.1),
                }
            })
            .collect()
    }

    /// Takes a tree's files as known, without trusting what is on disk.
    fn learn(&mut self, tree: Oid) -> Result<(), CheckpointError> {
        let listing = tree::read(&self.shadow, tree, &self.prefix)?;
        self.known = listing
            .files
            .into_iter()
            .map(|(path, (oid, mode))| {
                let mode = u32::try_from(mode).unwrap_or(REGULAR | 0o644);
                let known = Known {
                    oid,
                    mode,
                    signature: None,
                };
                (path, known)
            })
            .collect();
        Ok(())
    }

    /// Makes `known` what is on disk, whatever it was.
    fn refresh_everything(&mut self) -> Result<(), CheckpointError> {
        for (path, (_, new)) in self.differences(&Dirty::FullScan)? {
            match new {
                Some(new) => self.known.insert(path, new),
                None => self.known.remove(&path),
            };
        }
        Ok(())
    }

    /// What differs between disk and `known` among the paths that may have changed.
    fn differences(&mut self, dirty: &Dirty) -> Result<Differences, CheckpointError> {
        let paths: BTreeSet<Bytes> = match dirty {
            Dirty::Nothing => return Ok(Differences::new()),
            Dirty::Paths(paths) => paths.iter().map(|path| from_text(path)).collect(),
            Dirty::Watched => {
                if self.take_in_watched() {
                    self.pending.clone()
                } else {
                    self.every_path()?
                }
            }
            Dirty::FullScan => self.every_path()?,
        };
        let mut differences = Differences::new();
        for path in paths {
            let old = self.known.get(&path).cloned();
            let new = self.now(&path, old.as_ref())?;
            let same = match (&old, &new) {
                (Some(old), Some(new)) => old.same(new),
                (None, None) => true,
                _ => false,
            };
            if same {
                self.pending.remove(&path);
                if let Some(new) = new {
                    self.known.insert(path, new);
                }
            } else {
                differences.insert(path, (old, new));
            }
        }
        Ok(differences)
    }

    /// Every path that is known or found. Directories found are watched from now on.
    fn every_path(&mut self) -> Result<BTreeSet<Bytes>, CheckpointError> {
        if let Some(watch) = &mut self.watch {
            // What was seen so far is covered by the walk.
            watch.drain();
        }
        let found = walk(&self.root, &self.root, &self.exclude)?;
        if let Some(watch) = &mut self.watch
            && !watch.add(&found.directories)
        {
            self.watch = None;
        }
        self.uncaptured = found
            .uncaptured
            .iter()
            .map(|entry| (from_text(&entry.path), entry.reason))
            .collect();
        let mut paths = found.files;
        paths.extend(self.known.keys().cloned());
        Ok(paths)
    }

    /// Adds what the watcher saw to `pending`. False when it cannot tell.
    fn take_in_watched(&mut self) -> bool {
        let Some(watch) = &mut self.watch else {
            return false;
        };
        let Some(mut seen) = watch.drain() else {
            return false;
        };
        // A directory that came is watched from now on; what came with it is found by walking it.
        let mut known_directories = BTreeSet::new();
        while let Some(path) = seen.iter().next().cloned() {
            seen.remove(&path);
            if !self.concerns(&path) {
                continue;
            }
            match look(&path) {
                Ok(OnDisk::Directory) => {
                    if !known_directories.insert(path.clone()) {
                        continue;
                    }
                    let Ok(found) = walk(&self.root, &path, &self.exclude) else {
                        return false;
                    };
                    let Some(watch) = &mut self.watch else {
                        return false;
                    };
                    watch.forget(&path);
                    if !watch.add(&found.directories) {
                        return false;
                    }
                    // Once more: what was made between walk and watch.
                    let Ok(again) = walk(&self.root, &path, &self.exclude) else {
                        return false;
                    };
                    if again.directories.len() != found.directories.len() {
                        return false;
                    }
                    self.pending.extend(again.files);
                    self.add_known_below(&path);
                }
                Ok(_) => {
                    self.add_known_below(&path);
                    if let Some(path) = in_project(&self.root, &path)
                        && (self.known.contains_key(&path) || !self.is_ignored(&path))
                    {
                        self.pending.insert(path);
                    }
                }
                Err(_) => return false,
            }
        }
        true
    }

    fn concerns(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
            && !self.exclude.iter().any(|out| path.starts_with(out))
            && !path
                .strip_prefix(&self.root)
                .is_ok_and(|inner| inner.components().any(|part| part.as_os_str() == ".git"))
    }

    /// What was known below a path may be gone with it.
    fn add_known_below(&mut self, path: &Path) {
        let Some(mut start) = in_project(&self.root, path) else {
            return;
        };
        if start.is_empty() {
            self.pending.extend(self.known.keys().cloned());
            return;
        }
        start.push(b'/');
        let below: Vec<Bytes> = self
            .known
            .range(start.clone()..)
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(&start))
            .cloned()
            .collect();
        self.pending.extend(below);
    }

    fn is_ignored(&self, path: &[u8]) -> bool {
        let full = on_disk(&self.root, path);
        self.user.is_path_ignored(&full).unwrap_or(false)
    }

    /// What is at a path now, as a checkpoint would hold it. Its content is stored.
    pub(crate) fn now(
        &mut self,
        path: &[u8],
        old: Option<&Known>,
    ) -> Result<Option<Known>, CheckpointError> {
        let file = on_disk(&self.root, path);
        if self.leaves_project(path) {
            return Ok(None);
        }
        let (mode, size, signature) = match look(&file)? {
            OnDisk::Nothing => {
                self.uncaptured.remove(path);
                return Ok(None);
            }
            OnDisk::Directory => return Ok(None),
            OnDisk::Special => {
                self.uncaptured
                    .insert(path.to_vec(), UncapturedReason::Special);
                return Ok(None);
            }
            OnDisk::Link { signature } => (LINK | 0o777, 0, signature),
            OnDisk::File {
                mode,
                size,
                signature,
            } => (mode, size, signature),
        };
        if let Some(old) = old
            && signature.is_some()
            && old.signature == signature
            && old.mode == mode
        {
            return Ok(Some(old.clone()));
        }
        if old.is_none() && size > self.limits.max_file_bytes {
            self.uncaptured
                .insert(path.to_vec(), UncapturedReason::TooLarge);
            return Ok(None);
        }
        let bytes = match content(&file, mode == (LINK | 0o777)) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                self.uncaptured
                    .insert(path.to_vec(), UncapturedReason::Unreadable);
                // What was captured before stays as it was.
                return Ok(old.cloned());
            }
            Err(error) => return Err(at(&file)(error)),
        };
        self.uncaptured.remove(path);
        let oid = Oid::hash_object(ObjectType::Blob, &bytes)?;
        let odb = self.shadow.odb()?;
        if !odb.exists(oid) {
            odb.write(ObjectType::Blob, &bytes)?;
        }
        Ok(Some(Known {
            oid,
            mode,
            signature,
        }))
    }

    /// Whether a directory on the way is a link: then the path is not the project's.
    pub(crate) fn leaves_project(&self, path: &[u8]) -> bool {
        path.iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .any(|(end, _)| {
                on_disk(&self.root, &path[..end])
                    .symlink_metadata()
                    .is_ok_and(|meta| meta.file_type().is_symlink())
            })
    }

    /// Uncommitted work in the project: staged, unstaged, untracked and not ignored.
    fn dirty_work(&self) -> Result<Vec<String>, CheckpointError> {
        let mut options = git2::StatusOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_ignored(false)
            .exclude_submodules(true)
            .update_index(false);
        let statuses = self.user.statuses(Some(&mut options))?;
        let workdir = self.user.workdir().unwrap_or(&self.root).to_path_buf();
        let workdir = workdir.canonicalize().unwrap_or(workdir);
        Ok(statuses
            .iter()
            .filter(|entry| !entry.status().is_empty())
            .filter_map(|entry| {
                let path = on_disk(&workdir, entry.path_bytes());
                if self.exclude.iter().any(|out| path.starts_with(out)) {
                    return None;
                }
                in_project(&self.root, &path).map(|path| to_text(&path))
            })
            .collect())
    }

    pub(crate) fn tree_of(&self, commit: &CheckpointId) -> Result<Oid, CheckpointError> {
        Ok(self
            .shadow
            .find_commit(Oid::from_str(commit.as_str())?)?
            .tree_id())
    }

    /// Ends the session's hold on the files: as they were before, or, with `keep`, as they are;
    /// the user's own git state in any case.
    pub fn put_back(
        &mut self,
        keep: bool,
        head: &CheckpointId,
    ) -> Result<PutBackReport, CheckpointError> {
        let original = Original::read(self)?;
        let report = if keep {
            RestoreReport {
                changed: 0,
                left_alone: Vec::new(),
            }
        } else {
            let plan = self.plan_restore(head, &original.base)?;
            self.restore(&plan)?
        };
        let agent_git = original.put_back(self)?;
        Ok(PutBackReport {
            changed: report.changed,
            left_alone: report.left_alone,
            agent_git,
        })
    }
}

/// The user's repository, found from the project directory and from nothing else.
pub fn open_user(root: &Path) -> Result<Repository, CheckpointError> {
    let not = |_| CheckpointError::NotARepository(root.to_path_buf());
    let found = Repository::discover(root).map_err(not)?;
    if found.is_bare() {
        return Err(CheckpointError::Bare(root.to_path_buf()));
    }
    Ok(found)
}

fn prefix_of(user: &Repository, root: &Path) -> Result<Bytes, CheckpointError> {
    let workdir = user
        .workdir()
        .ok_or_else(|| CheckpointError::Bare(root.to_path_buf()))?;
    let workdir = workdir.canonicalize().map_err(at(workdir))?;
    in_project(&workdir, root).ok_or_else(|| CheckpointError::NotARepository(root.to_path_buf()))
}

/// Espalier's own repository, which borrows the user's objects.
pub fn open_shadow(folder: &Path, user: &Repository) -> Result<Repository, CheckpointError> {
    use std::os::unix::ffi::OsStrExt;
    let path = folder.join("repository.git");
    if !path.join("HEAD").exists() {
        Repository::init_bare(&path)?;
    }
    let objects = user.commondir().join("objects");
    let alternates = path.join("objects/info/alternates");
    let mut line = objects.as_os_str().as_bytes().to_vec();
    line.push(b'\n');
    if std::fs::read(&alternates).ok().as_ref() != Some(&line) {
        if let Some(parent) = alternates.parent() {
            std::fs::create_dir_all(parent).map_err(at(parent))?;
        }
        std::fs::write(&alternates, line).map_err(at(&alternates))?;
    }
    Ok(Repository::open_bare(&path)?)
}
