//! Where a session's worktrees are, and how one is made.

use crate::checkpointing::CheckpointThread;
use crate::engine::{Looking, blocking};
use crate::error::EngineError;
use espalier_checkpoint::{
    BeginRequest, CaptureLimits, CheckpointError, Checkpoints, OpenRequest, SharedStore,
    WorktreeRequest, carry, make_worktree, remove_worktree,
};
use espalier_protocol::session::{Carried, SessionMeta};
use espalier_protocol::{CheckpointId, WorktreeId};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Written last into a worktree's folder: without it the worktree was not made to the end.
const MADE: &str = "made";

/// See the module.
#[derive(Clone)]
pub(crate) struct Places {
    meta: Arc<SessionMeta>,
    /// Holds a folder for each worktree of the session: `files`, `store`, `made`.
    dir: PathBuf,
    checkpoint_store: PathBuf,
    looking: Looking,
}

/// A session whose branches run in worktrees.
pub(crate) struct Apart {
    pub places: Places,
    /// The project's own checkpoints: where its base was taken, where branches are shown from, and
    /// where the result goes.
    pub home: CheckpointThread,
}

/// A worktree with its files.
pub(crate) struct Opened {
    /// Where the agent works.
    pub dir: PathBuf,
    pub checkpoints: Checkpoints,
    /// What was to be carried and is not there.
    pub missing: Vec<String>,
}

impl Places {
    pub fn new(
        meta: Arc<SessionMeta>,
        data_dir: &Path,
        checkpoint_store: PathBuf,
        looking: Looking,
    ) -> Self {
        Self {
            dir: worktrees_of(data_dir, meta.id.as_str()),
            meta,
            checkpoint_store,
            looking,
        }
    }

    /// Makes a worktree with the files of `target`, whatever was in its place. What is carried comes
    /// from `source`, another worktree or the project.
    pub async fn make(
        &self,
        id: WorktreeId,
        target: CheckpointId,
        source: Option<PathBuf>,
    ) -> Result<Opened, EngineError> {
        let this = self.clone();
        blocking(move || {
            this.remove_blocking(id)?;
            let dir = make_worktree(&WorktreeRequest {
                project_dir: this.project_dir(),
                store_dir: this.checkpoint_store.clone(),
                root: this.folder(id).join("files"),
            })?;
            let mut checkpoints = Checkpoints::open(this.request(id, &dir))?;
            let begun = checkpoints.begin(
                &BeginRequest {
                    require_clean: false,
                },
                &mut |_, _| {},
            )?;
            let plan = checkpoints.plan_restore(&begun.base.id, &target)?;
            checkpoints.restore(&plan)?;
            let source = source.unwrap_or_else(|| this.project_dir());
            let missing = carry(&source, &dir, this.carried(), &mut |done| {
                if done % 256 == 0 {
                    (this.looking)(done, None);
                }
            })?;
            let made = this.folder(id).join(MADE);
            std::fs::write(&made, target.as_str()).map_err(|source| CheckpointError::Io {
                doing: format!("Writing {}", made.display()),
                source,
            })?;
            Ok(Opened {
                dir,
                checkpoints,
                missing,
            })
        })
        .await
    }

    /// Opens a worktree that is there from before; makes it anew where it is not there as a whole.
    pub async fn reopen(
        &self,
        id: WorktreeId,
        target: CheckpointId,
    ) -> Result<Opened, EngineError> {
        if !self.folder(id).join(MADE).exists() {
            return self.make(id, target, None).await;
        }
        let this = self.clone();
        blocking(move || {
            let dir = make_worktree(&WorktreeRequest {
                project_dir: this.project_dir(),
                store_dir: this.checkpoint_store.clone(),
                root: this.folder(id).join("files"),
            })?;
            let checkpoints = Checkpoints::open(this.request(id, &dir))?;
            Ok(Opened {
                dir,
                checkpoints,
                missing: Vec::new(),
            })
        })
        .await
    }

    /// Removes a worktree.
    pub async fn remove(&self, id: WorktreeId) -> Result<(), EngineError> {
        let this = self.clone();
        blocking(move || this.remove_blocking(id)).await
    }

    /// Removes all of them.
    pub async fn remove_all(&self) -> Result<(), EngineError> {
        let dir = self.dir.clone();
        blocking(move || remove_worktree(&dir)).await
    }

    fn remove_blocking(&self, id: WorktreeId) -> Result<(), CheckpointError> {
        remove_worktree(&self.folder(id))
    }

    fn request(&self, id: WorktreeId, dir: &Path) -> OpenRequest {
        OpenRequest {
            project_dir: dir.to_owned(),
            store_dir: self.folder(id).join("store"),
            session: self.meta.id.clone(),
            shared: Some(SharedStore {
                project_dir: self.project_dir(),
                store_dir: self.checkpoint_store.clone(),
            }),
            exclude: Vec::new(),
            limits: CaptureLimits::default(),
            include_ignored: self.meta.settings.checkpoints.include_ignored.clone(),
        }
    }

    fn project_dir(&self) -> PathBuf {
        PathBuf::from(&self.meta.task.project_dir)
    }

    fn carried(&self) -> &[Carried] {
        &self.meta.settings.checkpoints.carry
    }

    fn folder(&self, id: WorktreeId) -> PathBuf {
        self.dir.join(id.to_string())
    }
}

/// The folder that holds a session's worktrees.
pub fn worktrees_of(data_dir: &Path, session: &str) -> PathBuf {
    data_dir.join("worktrees").join(session)
}
