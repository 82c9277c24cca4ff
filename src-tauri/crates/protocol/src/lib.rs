//! The words of Espalier: ids, operations, events, the agent process's lines, data for the
//! screen and error codes. Types and pure functions only; nothing here does I/O.

pub mod conversation;
pub mod error;
pub mod event;
pub mod ids;
pub mod op;
pub mod session;
pub mod step;
pub mod tool;
pub mod tree;
pub mod view;
pub mod worker;

pub use conversation::{
    Block, ContextFill, ConversationItem, InjectAs, KEY_HIDDEN, REDACTED, Usage,
};
pub use error::{AppError, ErrorCode};
pub use event::{Event, EventBody, Persistence};
pub use ids::{
    BlobId, BranchId, CheckpointId, MessageId, Millis, SessionId, StepId, TaskId, WorktreeId,
};
pub use op::{Actor, Op};
pub use session::{
    EndReason, PauseReason, ProjectTask, SessionMeta, SessionSettings, SessionState,
};
pub use step::{
    ChangeKind, Checkpoint, FileChange, Step, StepKind, StepResult, StepStatus, Uncaptured,
    UncapturedReason,
};
pub use tool::{ToolDefinition, ToolName};
pub use tree::{Branch, Cursor, SessionTree};
