//! `live_agent.git_checkpoints` and `live_agent.loop_detection`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Git checkpoints.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GitCheckpoints {
    /// `false`: no git; rollback and branch are off.
    pub enabled: bool,
    /// Session branches are named `{branch_prefix}-{session_id}`.
    #[schemars(length(min = 1))]
    pub branch_prefix: String,
    /// First line of a checkpoint's commit, with `{step}`, `{tool}` and `{file_path}`.
    #[schemars(length(min = 1))]
    pub commit_message_format: String,
    /// `false`: checkpoints only at pauses and when asked for.
    pub auto_commit: bool,
    /// Delete the session's branches when it is done.
    pub cleanup_on_complete: bool,
    /// Refuse to start when there are uncommitted changes.
    pub require_clean_working_dir: bool,
    /// Files that checkpoints hold although git ignores them: patterns as in a `.gitignore`.
    pub include_ignored: Vec<String>,
    /// Run each branch in a worktree of its own, so that several can run at the same time.
    pub worktrees: bool,
    /// Files and folders that git ignores and a worktree needs too (`node_modules`, `.venv`).
    pub carry: Vec<Carry>,
}

/// One file or folder that is carried into each worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Carry {
    /// Its path in the project; carried by reflink.
    Path(#[schemars(length(min = 1))] String),
    /// Its path in the project, and how it is carried.
    With(CarryWith),
}

/// What is carried, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarryWith {
    /// Relative to the project directory.
    #[schemars(length(min = 1))]
    pub path: String,
    /// How it is carried.
    pub by: CarryMeans,
}

/// How something is carried into a worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CarryMeans {
    /// Sharing the blocks on disk until one side changes; a copy where the file system cannot.
    Reflink,
    /// The same file under a second name: what a worktree changes in place changes for all.
    HardLink,
    /// A copy of its own.
    Copy,
}

impl Default for GitCheckpoints {
    fn default() -> Self {
        Self {
            enabled: true,
            branch_prefix: "potato-session".to_owned(),
            commit_message_format: "Step {step}: {tool} {file_path}".to_owned(),
            auto_commit: true,
            cleanup_on_complete: false,
            require_clean_working_dir: true,
            include_ignored: Vec::new(),
            worktrees: false,
            carry: Vec::new(),
        }
    }
}

/// What happens when the agent repeats itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LoopDetection {
    /// Whether repeated calls are noticed.
    pub enabled: bool,
    /// Identical consecutive calls that count as a loop.
    #[schemars(range(min = 2))]
    pub threshold: u32,
    /// What a loop leads to.
    pub action: LoopDetectionAction,
}

impl Default for LoopDetection {
    fn default() -> Self {
        Self {
            enabled: true,
            threshold: 3,
            action: LoopDetectionAction::Pause,
        }
    }
}

/// What a loop leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoopDetectionAction {
    Pause,
    Terminate,
}
