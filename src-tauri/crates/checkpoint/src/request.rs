//! What is asked of this crate and what it answers.

use crate::diff::Version;
use espalier_protocol::{BranchId, Checkpoint, CheckpointId, SessionId, Uncaptured};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Opens a project directory for one session.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    pub project_dir: PathBuf,
    /// The folder of all projects' checkpoints.
    pub store_dir: PathBuf,
    pub session: SessionId,
    /// For a worktree: the project whose checkpoints it shares.
    pub shared: Option<SharedStore>,
    /// Files and folders that are never part of a checkpoint.
    pub exclude: Vec<PathBuf>,
    pub limits: CaptureLimits,
    /// What checkpoints hold although git ignores it: patterns as in an ignore file.
    pub include_ignored: Vec<String>,
}

/// Where the checkpoints are that a worktree shares with its project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedStore {
    pub project_dir: PathBuf,
    pub store_dir: PathBuf,
}

/// What is left out for its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureLimits {
    /// Largest untracked file that is stored, in bytes. Files that git tracks, and those that a
    /// checkpoint already holds, are always stored.
    pub max_file_bytes: u64,
}

impl Default for CaptureLimits {
    fn default() -> Self {
        Self {
            max_file_bytes: 10 * 1024 * 1024,
        }
    }
}

/// Starts a session, or starts it anew after it was parked.
#[derive(Debug, Clone, Copy, Default)]
pub struct BeginRequest {
    /// Refuse to start over uncommitted work.
    pub require_clean: bool,
}

/// A session that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The files as they are now: the user's commit itself where they are the same.
    pub base: Checkpoint,
    /// Uncommitted paths that are part of the base.
    pub carried: Vec<String>,
}

/// How a session that was cut off found its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResumeState {
    /// Whether the files differ from the checkpoint.
    pub differs: bool,
}

/// Which paths a checkpoint looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dirty {
    /// None: the checkpoint is the parent's.
    Nothing,
    /// These, relative to the project or absolute; a directory with everything below it.
    Paths(Vec<String>),
    /// All that changed since the last checkpoint, as the watch saw it.
    Watched,
    /// All.
    FullScan,
}

/// What a commit says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    pub session: SessionId,
    pub branch: BranchId,
    pub step: Option<u32>,
    /// The first line and what follows, without trailers.
    pub message: String,
}

/// Asks for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRequest {
    pub dirty: Dirty,
    pub parent: CheckpointId,
    pub info: CommitInfo,
}

/// One file that a restore brings to another state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// Relative to the project, as text.
    pub path: String,
    /// What should be there now; nothing where no file should be.
    pub old: Option<Version>,
    /// What will be there.
    pub new: Option<Version>,
}

/// One directory that a restore makes, removes, or gives another mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDir {
    /// Relative to the project, as text.
    pub path: String,
    /// Full mode now; nothing where it has to be made.
    pub old: Option<u32>,
    /// Full mode then; nothing where it goes when it is empty.
    pub new: Option<u32>,
}

/// What a restore would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePlan {
    /// The checkpoint that the files are expected to be at.
    pub from: CheckpointId,
    /// The checkpoint that they are brought to.
    pub target: CheckpointId,
    /// Files that get other content or mode.
    pub writes: Vec<PlannedFile>,
    /// Files that go.
    pub deletes: Vec<PlannedFile>,
    pub dirs: Vec<PlannedDir>,
    /// Paths that no longer are as `from` has them: take a checkpoint first.
    pub edited: Vec<String>,
    /// Files that `from` has and the target ignores: they stay.
    pub left_alone: Vec<String>,
    /// What no checkpoint holds and the restore does not touch, capped.
    pub uncaptured: Vec<Uncaptured>,
}

/// What a restore did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreReport {
    /// Files and directories that were changed.
    pub changed: u32,
    /// What it left alone, in words.
    pub left_alone: Vec<String>,
    /// The checkpoint of what was found changed and would have been overwritten.
    pub kept: Option<CheckpointId>,
}

/// What putting the project back did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutBackReport {
    /// Files and directories that were changed.
    pub changed: u32,
    /// What it left alone, in words.
    pub left_alone: Vec<String>,
    /// What the agent had done to the repository itself, and where it is kept, in words.
    pub agent_git: Vec<String>,
    /// The checkpoint of what was found changed and no checkpoint held.
    pub kept: Option<CheckpointId>,
}
