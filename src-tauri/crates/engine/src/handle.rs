//! What others hold of an open session: a way to ask its actor.

use crate::compare;
use crate::error::EngineError;
use espalier_checkpoint::CheckpointReader;
use espalier_protocol::op::Place;
use espalier_protocol::session::SessionMeta;
use espalier_protocol::view::{ComparisonView, FileDiff, RestorePreview};
use espalier_protocol::{Actor, BranchId, Event, Op, SessionId, SessionTree, StepId};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A session's events so far and those to come, without a gap between.
pub struct Subscription {
    pub past: Vec<Event>,
    pub live: mpsc::UnboundedReceiver<Event>,
}

pub(crate) enum Request {
    Op {
        by: Actor,
        op: Box<Op>,
        reply: oneshot::Sender<Result<(), EngineError>>,
    },
    Subscribe {
        reply: oneshot::Sender<Result<Subscription, EngineError>>,
    },
    Tree {
        reply: oneshot::Sender<SessionTree>,
    },
    EditedByHand {
        reply: oneshot::Sender<Result<Vec<String>, EngineError>>,
    },
    HoldAfter {
        step: Option<u32>,
        reply: oneshot::Sender<()>,
    },
    /// Parks and ends the actor.
    Close {
        reply: oneshot::Sender<Result<(), EngineError>>,
    },
}

/// An open session.
#[derive(Clone)]
pub struct SessionHandle {
    pub(crate) meta: Arc<SessionMeta>,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) checkpoint_store: PathBuf,
}

impl SessionHandle {
    /// The session's id.
    pub fn id(&self) -> &SessionId {
        &self.meta.id
    }

    /// How the session began.
    pub fn meta(&self) -> Arc<SessionMeta> {
        Arc::clone(&self.meta)
    }

    /// Whether the actor still runs.
    pub fn is_open(&self) -> bool {
        !self.requests.is_closed()
    }

    /// Asks for an operation; returns once it is done or refused.
    pub async fn op(&self, by: Actor, op: Op) -> Result<(), EngineError> {
        self.ask(|reply| Request::Op {
            by,
            op: Box::new(op),
            reply,
        })
        .await?
    }

    /// The events so far and those to come.
    pub async fn subscribe(&self) -> Result<Subscription, EngineError> {
        self.ask(|reply| Request::Subscribe { reply }).await?
    }

    /// The session as it is now.
    pub async fn tree(&self) -> Result<SessionTree, EngineError> {
        self.ask(|reply| Request::Tree { reply }).await
    }

    /// Holds the agent after that step of its path until told otherwise. Not an intervention:
    /// nothing is recorded and the session's state stays.
    pub async fn hold_after(&self, step: Option<u32>) -> Result<(), EngineError> {
        self.ask(|reply| Request::HoldAfter { step, reply }).await
    }

    /// Saves the session, puts the project back and ends the actor.
    pub async fn close(&self) -> Result<(), EngineError> {
        self.ask(|reply| Request::Close { reply }).await?
    }

    /// Reads checkpoints, without the session's lock.
    pub fn reader(&self) -> Result<CheckpointReader, EngineError> {
        let project = PathBuf::from(&self.meta.task.project_dir);
        Ok(CheckpointReader::open(&project, &self.checkpoint_store)?)
    }

    /// What a rollback to that place would do.
    pub async fn preview_rollback(&self, place: Place) -> Result<RestorePreview, EngineError> {
        let tree = self.tree().await?;
        let edited = self.ask(|reply| Request::EditedByHand { reply }).await??;
        let this = self.clone();
        blocking(move || compare::preview(&this.reader()?, &tree, &place, edited)).await
    }

    /// Two branches side by side.
    pub async fn compare(&self, a: BranchId, b: BranchId) -> Result<ComparisonView, EngineError> {
        let tree = self.tree().await?;
        let this = self.clone();
        blocking(move || compare::compare(&this.reader()?, &tree, &a, &b)).await
    }

    /// What a step changed in the files.
    pub async fn step_diff(&self, step: StepId) -> Result<Vec<FileDiff>, EngineError> {
        let tree = self.tree().await?;
        let this = self.clone();
        blocking(move || compare::step_diff(&this.reader()?, &tree, &step)).await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, EngineError> {
        let closed = || EngineError::Closed(self.id().clone());
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(request(reply))
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| EngineError::Internal(error.to_string()))?
}
