//! Steps and checkpoints as they are recorded.

use crate::conversation::Usage;
use crate::ids::{BlobId, BranchId, CheckpointId, MessageId, Millis, StepId};
use serde::{Deserialize, Serialize};
use specta::Type;

/// What a step is, in the words of the trajectory tree's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    FileRead,
    Edit,
    Write,
    Terminal,
    Glob,
    Grep,
    /// The closing message: no tool call.
    Message,
    /// A tool that is none of the document's six.
    Tool,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    Ok,
    /// The tool reported a failure to the model (a text not found, a path outside the project).
    ToolError,
    /// A command ended with another exit code than 0, or by a signal.
    CommandFailed,
    /// Stopped at `step_timeout_seconds`.
    TimedOut,
    /// Stopped by the annotator before it ended.
    Cancelled,
    /// The tool is not offered, or the annotator refused the call.
    Refused,
}

/// What a step returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct StepResult {
    pub status: StepStatus,
    /// What the model reads, capped.
    pub content: String,
    /// The whole output where `content` was capped.
    pub full_output: Option<BlobId>,
    /// Bytes of the whole output.
    pub output_bytes: u32,
    /// Exit code of a command; 128 + signal when a signal ended it.
    pub exit_code: Option<i32>,
    /// Wall time of the tool, without waiting for the annotator, in milliseconds.
    pub duration_ms: u32,
}

/// One tool call with what led to it and what it returned, or the closing message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Step {
    pub id: StepId,
    /// The branch it was made on. A rollback may move it; `SessionTree` knows where it is now.
    pub branch: BranchId,
    /// Its number along its path, from 0.
    pub index: u32,
    pub kind: StepKind,
    /// The model message that it belongs to.
    pub message_id: MessageId,
    /// Its place among the calls of that message, from 0.
    pub call_index: u32,
    /// The provider's id of the call; empty for a closing message.
    pub call_id: String,
    /// The tool as the model named it; empty for a closing message.
    pub tool: String,
    #[specta(type = specta_typescript::Unknown)]
    pub input: serde_json::Value,
    /// The file, command or pattern that the step is about, shown and exported.
    pub target: String,
    pub started_at: Millis,
    /// Time the model took for the message, on the first step of a message, in milliseconds.
    pub model_ms: u32,
    pub usage: Usage,
    /// Absent while the step runs.
    pub result: Option<StepResult>,
    /// The files after the step. Absent while the step runs and where checkpoints are off.
    pub checkpoint: Option<Checkpoint>,
    /// Hash of the conversation up to and with this step (`conversation::chained_hash`, one link a
    /// step).
    pub conversation_hash: String,
    pub finished_at: Option<Millis>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
    /// Only the mode changed, or a file became a link or a link a file.
    ModeChanged,
}

/// One path that a checkpoint changed against its parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FileChange {
    /// Relative to the project directory, `/` between parts; bytes that are not UTF-8 are escaped
    /// as `\xNN`.
    pub path: String,
    pub kind: ChangeKind,
    /// Blob ids and modes, so that a restore needs no tree walk. Absent on the side that has no file.
    pub old: Option<FileVersion>,
    pub new: Option<FileVersion>,
    /// Lines added and removed; absent for binary and very large files.
    pub added_lines: Option<u32>,
    pub removed_lines: Option<u32>,
}

/// A file's content and mode at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FileVersion {
    /// Git blob id, 40 hexadecimal digits.
    pub blob: String,
    /// Full `st_mode`: type and permission bits.
    pub mode: u32,
}

/// Why a path is not in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum UncapturedReason {
    /// Ignored by git.
    Ignored,
    /// Larger than the limit.
    TooLarge,
    /// No read permission.
    Unreadable,
    /// A FIFO, socket or device.
    Special,
    /// A repository within the project whose own history is not captured.
    NestedRepository,
}

/// A path that a checkpoint does not hold; a restore never touches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Uncaptured {
    pub path: String,
    pub reason: UncapturedReason,
}

/// The commit that holds the files at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Checkpoint {
    pub id: CheckpointId,
    /// Git tree id of the files, 40 hexadecimal digits.
    pub tree: String,
    /// Whether this step made the commit; a step that changed nothing shares its parent's.
    pub created: bool,
    /// What changed against the parent; empty when `created` is false.
    pub changes: Vec<FileChange>,
    /// What is known not to be in it, capped; `uncaptured_total` counts all.
    pub uncaptured: Vec<Uncaptured>,
    pub uncaptured_total: u32,
    /// Whether the whole directory was compared, not only the paths known to have changed.
    pub full_scan: bool,
}
