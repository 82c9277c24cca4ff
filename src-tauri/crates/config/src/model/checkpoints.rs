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
    /// Run each branch in a worktree of its own.
    pub worktrees: bool,
    /// Ignored files and folders that a worktree gets too.
    #[schemars(inner(length(min = 1)))]
    pub carry: Vec<String>,
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
