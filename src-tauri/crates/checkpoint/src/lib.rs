//! Checkpoints of a project directory: snapshot, plan, restore, diff, clean-up.
//!
//! The truth is a bare repository of Espalier's own per project, which borrows the objects of the
//! user's repository. Bytes go in and out unfiltered. The user's HEAD, index, stash, configuration
//! and hooks are never used; his repository only gets the branches that `publish` shows.

mod cleanup;
mod error;
mod files;
mod initialise;
mod lock;
mod original;
mod paths;
mod publish;
mod reader;
mod restore;
mod scan;
mod snapshot;
mod tree;
mod watch;

pub use cleanup::{CleanupReport, CleanupRequest, RemovedBranch, cleanup};
pub use error::CheckpointError;
pub use initialise::initialise;
pub use lock::{Owner, lock_owner};
pub use reader::CheckpointReader;
pub use restore::{RestorePlan, RestoreReport};
pub use snapshot::{
    BeginRequest, Begun, CaptureLimits, CheckpointRequest, Checkpoints, CommitInfo, Dirty,
    OpenRequest, PutBackReport, ResumeState,
};
