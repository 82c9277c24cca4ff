//! Exports of sessions: trajectory trees, preference pairs, and the output folder.
//!
//! Everything here is a fold over a session's stored events, wherever they come from.

mod claude_calls;
mod error;
mod export;
mod load;
mod output;
mod pairs;
mod recording;
mod redact;
mod tree;
mod turns;

pub use error::DatasetError;
pub use export::{ExportReport, Format, export};
pub use load::{SessionRecord, load};
pub use output::OutputFolder;
pub use pairs::branching_dpo;
pub use recording::{RecordedSession, recording};
pub use tree::trajectory_tree;
