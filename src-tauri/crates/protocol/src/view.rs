//! Data for the screen that is not a session's own event log.

use crate::error::AppError;
use crate::event::TestOutcome;
use crate::ids::{BranchId, CheckpointId, Millis, SessionId, TaskId};
use crate::session::{ProjectTask, SessionSettings, SessionState};
use crate::step::{FileChange, Uncaptured};
use serde::{Deserialize, Serialize};
use specta::Type;

/// How differences are shown (`diff_style`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DiffStyle {
    #[default]
    Unified,
    SideBySide,
}

/// Colours of the terminal view (`terminal_theme`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TerminalTheme {
    #[default]
    Dark,
    Light,
}

/// The side that the file tree stands on (`file_tree.position`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum FileTreePosition {
    #[default]
    Left,
    Right,
}

/// How the screen shows a session (`coding_trace_display`), every default filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DisplayView {
    pub diff_style: DiffStyle,
    pub diff_context_lines: u32,
    pub syntax_highlight: bool,
    pub show_line_numbers: bool,
    pub terminal_theme: TerminalTheme,
    pub file_tree: bool,
    pub file_tree_position: FileTreePosition,
    pub file_tree_click_to_navigate: bool,
}

/// A model on an Ollama server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OllamaModel {
    /// With its tag.
    pub name: String,
    /// On the server's disk, in megabytes.
    pub size_mb: u32,
    /// Number of parameters, as the server writes it (`7.6B`).
    pub parameters: Option<String>,
    /// Tokens it can take in at most.
    pub window: Option<u32>,
    /// Whether it can call tools; absent where the server does not say.
    pub tools: Option<bool>,
    pub thinking: Option<bool>,
}

/// How far a server is with getting a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PullProgress {
    /// What it does now, in the server's words.
    pub label: String,
    /// Of the part that is loaded now, in megabytes.
    pub done_mb: u32,
    pub total_mb: Option<u32>,
}

/// An opened project configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ProjectView {
    /// Absolute.
    pub config_path: String,
    pub settings: SessionSettings,
    pub display: DisplayView,
    pub tasks: Vec<TaskView>,
    /// What would refuse a start (keys that are not built yet, a missing model).
    pub problems: Vec<AppError>,
    /// Host that data leaves this machine for; absent when nothing leaves it.
    pub remote_host: Option<String>,
    /// The screen says that this is a recording.
    pub is_recording: bool,
}

/// A task with what was done on it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct TaskView {
    pub task: ProjectTask,
    pub sessions: Vec<SessionSummary>,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SessionSummary {
    pub id: SessionId,
    pub task: TaskId,
    pub task_name: String,
    pub annotator: String,
    pub config_path: String,
    pub project_dir: String,
    pub state: SessionState,
    pub steps: u32,
    pub branches: u32,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// One file's difference between two checkpoints, whole texts for a side-by-side or unified view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FileDiff {
    pub change: FileChange,
    /// Absent when there is no file on that side, or it is binary or larger than the view limit.
    pub old_text: Option<String>,
    pub new_text: Option<String>,
    pub binary: bool,
    pub too_large: bool,
}

/// What a rollback would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RestorePreview {
    pub target: CheckpointId,
    pub files: Vec<FileDiff>,
    /// What the annotator changed by hand since the last checkpoint; kept before anything moves.
    pub edited_by_hand: Vec<String>,
    pub uncaptured: Vec<Uncaptured>,
    /// Steps that leave the path.
    pub steps_undone: u32,
}

/// Two branches side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ComparisonView {
    pub a: BranchId,
    pub b: BranchId,
    /// Last step that both paths share; -1 when they share none.
    pub shared_step: i32,
    /// Both start from the same files and the same conversation.
    pub same_start: bool,
    /// Difference of the final trees, A to B.
    pub files: Vec<FileDiff>,
    pub side_a: ComparisonSide,
    pub side_b: ComparisonSide,
}

/// One side of a comparison in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ComparisonSide {
    pub steps: u32,
    pub test: Option<TestOutcome>,
    /// Tool and model time in milliseconds.
    pub working_ms: u32,
    pub input_tokens: u32,
    pub output_tokens: u32,
    /// In millionths of a US dollar; absent where no step has a price.
    pub cost_micro_usd: Option<u32>,
    pub changed_files: u32,
    pub added_lines: u32,
    pub removed_lines: u32,
}

/// A page of a large text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TextPage {
    pub text: String,
    /// Byte offset of the next page; absent at the end.
    pub next_offset: Option<u32>,
    pub total_bytes: u32,
}

/// A file or directory in the file tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TreeFile {
    pub path: String,
    pub size: u32,
    pub executable: bool,
    pub symlink: bool,
}

/// One line of `espalier doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DoctorLine {
    pub name: String,
    pub ok: bool,
    pub text: String,
    /// The command that mends it; empty when it is well.
    pub mend: String,
}
