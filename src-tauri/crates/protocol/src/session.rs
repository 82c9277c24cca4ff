//! What a session is made of when it begins, and the states it can be in.

use crate::conversation::{ConversationItem, InjectAs};
use crate::error::AppError;
use crate::ids::{Millis, SessionId, TaskId};
use crate::tool::{ToolDefinition, ToolName};
use serde::{Deserialize, Serialize};
use specta::Type;

/// One task, with its paths made absolute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ProjectTask {
    pub id: TaskId,
    /// What the agent should do.
    pub description: String,
    /// Absolute path of the project directory.
    pub project_dir: String,
    /// Relative to `project_dir`.
    pub start_file: Option<String>,
    /// Run by the app at the end of each branch.
    pub test_command: Option<String>,
    /// Relative to `project_dir`.
    pub context_files: Vec<String>,
}

/// What a repeated identical call leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum LoopAction {
    Pause,
    Terminate,
}

/// How branches get their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BranchNaming {
    Auto,
    Manual,
}

/// Which model backend works, with its settings. Holds no secret: keys are read when a run starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "backend", rename_all = "snake_case")]
pub enum BackendSettings {
    Ollama {
        /// Base URL, without a trailing slash.
        host: String,
        model: String,
        #[specta(type = Option<specta_typescript::Number>)]
        temperature: Option<f64>,
        num_ctx: Option<u32>,
        num_predict: Option<i32>,
        keep_alive: Option<String>,
    },
    Anthropic {
        base_url: String,
        model: String,
        max_tokens: u32,
        #[specta(type = Option<specta_typescript::Number>)]
        temperature: Option<f64>,
        enable_thinking: bool,
    },
    ClaudeAgentSdk {
        model: Option<String>,
        max_turns: Option<u32>,
        permission_mode: String,
        enable_thinking: bool,
        /// The program, or a Python environment that has it; absent: it is looked for.
        #[serde(default)]
        cli_path: Option<String>,
    },
    Replay {
        /// Absolute path of the recording.
        recording: String,
        /// Speed: 1 is as recorded, 2 twice as fast, 0 without waiting.
        #[specta(type = specta_typescript::Number)]
        pace: f64,
    },
}

impl BackendSettings {
    /// The backend's name as configurations write it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ollama { .. } => "ollama",
            Self::Anthropic { .. } => "anthropic",
            Self::ClaudeAgentSdk { .. } => "claude_agent_sdk",
            Self::Replay { .. } => "replay",
        }
    }

    /// The model's name, where the backend has one.
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Ollama { model, .. } | Self::Anthropic { model, .. } => Some(model),
            Self::ClaudeAgentSdk { model, .. } => model.as_deref(),
            Self::Replay { .. } => None,
        }
    }
}

/// The four controls and the checks beside them, every default filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ControlSettings {
    pub pause: bool,
    pub auto_pause_on_error: bool,
    /// 0 is off.
    pub auto_pause_after_steps: u32,
    pub pause_shortcut: String,
    pub instruct: bool,
    pub placeholder: String,
    pub inject_as: InjectAs,
    pub instruct_shortcut: String,
    pub presets: Vec<String>,
    pub rollback: bool,
    pub show_checkpoint_diff: bool,
    pub require_confirmation: bool,
    pub rollback_shortcut: String,
    pub branch: bool,
    /// Counted per checkpoint.
    pub max_branches: u32,
    pub branch_naming: BranchNaming,
    pub compare_view: bool,
    pub branch_shortcut: String,
    pub loop_detection: bool,
    pub loop_threshold: u32,
    pub loop_action: LoopAction,
}

/// Checkpoint settings, every default filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CheckpointSettings {
    pub enabled: bool,
    pub branch_prefix: String,
    /// With `{step}`, `{tool}` and `{file_path}`.
    pub commit_message_format: String,
    pub auto_commit: bool,
    pub cleanup_on_complete: bool,
    pub require_clean_working_dir: bool,
    /// What checkpoints hold although git ignores it: patterns as in a `.gitignore` at the top of
    /// the project.
    #[serde(default)]
    pub include_ignored: Vec<String>,
    /// Each branch in a directory of its own, so that several can run at the same time.
    #[serde(default)]
    pub worktrees: bool,
    /// What each worktree gets beside the files of its checkpoint.
    #[serde(default)]
    pub carry: Vec<Carried>,
}

/// A file or folder that no checkpoint holds (git ignores it) and a worktree needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Carried {
    /// Relative to the project.
    pub path: String,
    pub by: CarryBy,
}

/// How something is carried into a worktree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CarryBy {
    /// Sharing the blocks on disk until one side changes; a copy where the file system cannot.
    #[default]
    Reflink,
    /// The same file under a second name: what a worktree changes in place changes for all. A copy
    /// where the file system cannot.
    HardLink,
    Copy,
}

/// What is done about a model's context window, every default filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ContextSettings {
    /// In tokens; absent: what the server or the list of models says.
    pub window_tokens: Option<u32>,
    /// The part of the window, in hundredths, that is nearly all of it.
    pub nearly_full_percent: u32,
    pub when_nearly_full: NearlyFull,
}

impl Default for ContextSettings {
    fn default() -> Self {
        Self {
            window_tokens: None,
            nearly_full_percent: 90,
            when_nearly_full: NearlyFull::default(),
        }
    }
}

/// What a nearly full context window leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum NearlyFull {
    #[default]
    Pause,
    /// What old tool calls returned is left out, and the agent goes on; a pause where that is not
    /// enough.
    Compact,
}

/// How an annotation scheme is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SchemeKind {
    PerTurnRating,
    Radio,
    Multiselect,
    Likert,
    Slider,
    Number,
    Text,
    BranchPreference,
}

/// What an annotation scheme is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SchemeTarget {
    Step,
    Branch,
    Comparison,
    Session,
}

/// One annotation scheme, defaults filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SchemeSettings {
    pub name: String,
    pub description: String,
    pub kind: SchemeKind,
    pub target: SchemeTarget,
    /// For a per-turn rating the way it is answered (`radio`, `likert`, …); else equal to `kind`.
    pub answer: SchemeKind,
    /// Choices, in order; keys 1 to 9 pick them.
    pub labels: Vec<String>,
    #[specta(type = Option<specta_typescript::Number>)]
    pub min: Option<f64>,
    #[specta(type = Option<specta_typescript::Number>)]
    pub max: Option<f64>,
    #[specta(type = Option<specta_typescript::Number>)]
    pub step: Option<f64>,
    /// Words at the low end of a likert or slider scale.
    pub min_label: Option<String>,
    /// Words at the high end.
    pub max_label: Option<String>,
    pub required: bool,
    /// For a comparison: which label prefers A, which B. Labels in neither make no pair.
    pub prefers_a: Vec<String>,
    pub prefers_b: Vec<String>,
}

/// Everything of the configuration that a session needs, fixed when it begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SessionSettings {
    pub task_name: String,
    pub backend: BackendSettings,
    pub tools: Vec<ToolName>,
    /// Along a path.
    pub max_steps: u32,
    pub step_timeout_seconds: u32,
    /// Absent: Espalier's own.
    pub system_prompt: Option<String>,
    pub controls: ControlSettings,
    pub checkpoints: CheckpointSettings,
    #[serde(default)]
    pub context: ContextSettings,
    pub schemes: Vec<SchemeSettings>,
    /// Absolute path; absent writes no output folder.
    pub output_dir: Option<String>,
}

/// How a session began. Never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SessionMeta {
    pub id: SessionId,
    pub task: ProjectTask,
    pub annotator: String,
    /// Absolute path of the project configuration.
    pub config_path: String,
    pub settings: SessionSettings,
    /// The tools as they were offered to the model.
    pub tool_definitions: Vec<ToolDefinition>,
    /// System prompt and first user message.
    pub opening: Vec<ConversationItem>,
    /// Version of Espalier that made it.
    pub app_version: String,
    pub created_at: Millis,
}

/// Why a session waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PauseReason {
    /// The annotator asked.
    Requested,
    /// A command failed and `auto_pause_on_error` is on.
    StepFailed,
    /// `auto_pause_after_steps`.
    AfterSteps { steps: u32 },
    /// The same call `count` times in a row.
    Loop { count: u32 },
    /// `max_steps` along the path.
    MaxSteps { steps: u32 },
    /// The model's context window is nearly full.
    ContextNearlyFull {
        used_tokens: u32,
        window_tokens: u32,
    },
    /// The model server failed, also after the retries.
    ProviderFailed { error: AppError },
    /// No checkpoint, no next step.
    CheckpointFailed { error: AppError },
    /// The agent process ended by itself.
    AgentDied { error: AppError },
    /// The recording has no turn here; `branches` are the recorded instructions at this place.
    RecordingEnded { instructions: Vec<String> },
    /// Files were rolled back; the annotator decides how it goes on.
    RolledBack,
    /// The annotator stopped the agent.
    Stopped,
    /// Espalier ended while the session ran; it was read back from the log.
    Recovered,
    /// Not started yet.
    NotStarted,
}

/// Why an agent's run on a branch is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The agent gave its closing message.
    Completed,
    /// Ended by loop detection with `action: terminate`.
    Loop,
}

/// What a session is doing. Always on screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SessionState {
    /// First scan, base checkpoint, agent process starting.
    Preparing,
    /// The agent works.
    Running,
    /// A pause was asked for; the running step finishes first.
    Pausing,
    /// Waits for the annotator.
    Paused { reason: PauseReason },
    /// Files are being moved (rollback, branch, undo).
    Restoring,
    /// The project's tests run at the end of a branch.
    Testing,
    /// The agent ended its run on the current branch; rating, branching and finishing are open.
    Ended { reason: EndReason },
    /// Saved and the project put back; opening it brings its files again.
    Parked,
    /// Over. `kept` tells whether the result stayed in the project.
    Finished { kept: bool },
}

impl SessionState {
    /// Whether the agent may be doing something right now.
    pub const fn is_active(&self) -> bool {
        matches!(
            self,
            Self::Preparing | Self::Running | Self::Pausing | Self::Restoring | Self::Testing
        )
    }
}
