//! Checkpoints of a project directory: snapshot, plan, restore, diff, clean-up.

mod adopt;
mod ahead;
mod batch;
mod carry;
mod cleanup;
mod diff;
mod dirty;
mod disk_use;
mod error;
mod fault;
mod hands;
mod index;
mod initialise;
mod lock;
mod loose;
mod notes;
mod objects;
mod packed_refs;
mod path;
mod project;
mod read;
mod reader;
mod request;
mod rules;
mod session;
mod side;
mod snapshot;
mod space;
mod stale;
mod stat;
mod store;
mod tracked;
mod tree;
mod uncaptured;
mod walk;
mod watch;
mod worktree;

pub use carry::carry;
pub use cleanup::{CleanupReport, CleanupRequest, KeptBranch, RemovedBranch, cleanup};
pub use disk_use::{DiskUse, disk_use};
pub use error::CheckpointError;
pub use initialise::initialise;
pub use lock::Owner;
pub use reader::CheckpointReader;
pub use request::{
    BeginRequest, Begun, CaptureLimits, CheckpointRequest, CommitInfo, Dirty, OpenRequest,
    PlannedDir, PlannedFile, PutBackReport, RestorePlan, RestoreReport, ResumeState, SharedStore,
};
pub use session::Checkpoints;
pub use worktree::{WorktreeRequest, make_worktree, remove_worktree};

use std::path::Path;

/// Who owns a project directory, if anybody ever did.
pub fn lock_owner(project_dir: &Path, store_dir: &Path) -> Option<Owner> {
    let store = store::Store::of(store_dir, project_dir).ok()?;
    lock::owner(&store.lock_path())
}
