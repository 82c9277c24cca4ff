//! The session engine: one actor per session takes operations from a queue and is the only one
//! that moves the session. What happens is stored as events before anybody sees it.

mod actor;
mod agent_process;
mod annotate;
mod apart;
mod checkpointing;
mod clock;
mod compare;
mod engine;
mod error;
mod handle;
mod loop_detection;
mod model_list;
pub mod script;
mod starting;

pub use apart::worktrees_of;
pub use engine::{AgentProgram, Engine, EngineOptions, Looking, NewSession, OpenMode};
pub use error::EngineError;
pub use handle::{SessionHandle, Subscription};
pub use model_list::ModelList;
