//! The session actor: the only one that moves its session.
//!
//! It takes requests from a queue and lines from the agent process, one at a time. Whatever
//! happens is stored as an event first, folded into the tree, and then told to the subscribers.

mod calls;
mod context;
mod going_on;
mod hearing;
mod lane;
mod life;
mod moving;
mod ops;
mod stepping;
mod worktrees;

pub(crate) use lane::Lane;
pub(crate) use worktrees::{Apart, lane_of, missing_notice, worktree_notice};

use crate::clock::now;
use crate::engine::{AgentProgram, Looking};
use crate::error::EngineError;
use crate::handle::{Request, Subscription};
use crate::model_list::ModelList;
use espalier_protocol::event::{Event, EventBody, Persistence};
use espalier_protocol::op::Place;
use espalier_protocol::session::{SessionMeta, SessionState};
use espalier_protocol::{
    AppError, BranchId, Checkpoint, CheckpointId, ErrorCode, MessageId, SessionId, SessionTree,
    StepId, StepKind, WorktreeId,
};
use espalier_store::Store;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How often and how long the store is tried again before the session is given up.
const STORE_TRIES: u32 = 5;
const STORE_WAIT: Duration = Duration::from_secs(1);

/// A call the agent wants to make.
#[derive(Debug, Clone)]
pub(crate) struct Proposal {
    call_id: String,
    call_index: u32,
    name: String,
    input: serde_json::Value,
    kind: StepKind,
    target: String,
}

/// What the agent process is doing, as far as the engine knows.
#[derive(Debug, Clone, Default)]
pub(crate) enum Phase {
    /// There is no process.
    #[default]
    Absent,
    /// Started or stopping; the next thing it says is `Ready`.
    Settling,
    /// Asks the model.
    Asking,
    /// Wants to run a call and waits for the answer.
    Proposed(Proposal),
    /// Runs a step.
    Stepping(StepId),
    /// Said the closing message; `Ready` follows.
    Closing,
    /// Waits to be told to go on.
    Ready,
    /// Runs the test command.
    Testing,
}

/// The model message whose calls are being made.
#[derive(Debug, Clone)]
pub(crate) struct OpenMessage {
    id: MessageId,
    usage: espalier_protocol::Usage,
    model_ms: u32,
}

pub(crate) struct SessionActor {
    pub meta: Arc<SessionMeta>,
    pub store: Store,
    pub program: AgentProgram,
    pub spool_dir: PathBuf,
    pub api_key: Option<String>,
    pub looking: Looking,
    pub models: Arc<ModelList>,
    pub tree: SessionTree,
    pub requests: mpsc::Receiver<Request>,
    /// Each gets every event; one that does not listen any more is dropped.
    pub subscribers: Vec<mpsc::UnboundedSender<Event>>,
    /// What belongs to the worktree that `tree` speaks about.
    pub lane: Lane,
    /// What belongs to the others.
    pub others: BTreeMap<WorktreeId, Lane>,
    /// Where the worktrees are, and the project's own checkpoints; nothing where branches run one
    /// after the other in the project itself.
    pub apart: Option<Apart>,
    /// The worktree that was heard last: the next one has its turn first.
    pub heard_last: WorktreeId,
}

/// Whether the actor goes on.
pub(crate) enum Flow {
    GoOn,
    End,
}

impl SessionActor {
    /// Runs until the session is closed, or until what happens can no longer be stored.
    pub async fn run(mut self) {
        loop {
            let turn = tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => self.take(request).await,
                    None => self.close().await.map(|()| Flow::End),
                },
                (worktree, heard) = lane::hear(self.tree.worktree, &mut self.lane, &mut self.others, self.heard_last) => {
                    self.heard_last = worktree;
                    self.heard_in(worktree, heard).await.map(|()| Flow::GoOn)
                }
            };
            match turn {
                Ok(Flow::GoOn) => {}
                Ok(Flow::End) => break,
                Err(error) => {
                    self.give_up(error).await;
                    break;
                }
            }
        }
        self.let_go().await;
    }

    async fn take(&mut self, request: Request) -> Result<Flow, EngineError> {
        match request {
            Request::Op { by, op, reply } => {
                let result = self.perform(by, *op).await;
                answer(reply, result.clone());
                // Only what the log could not take ends the actor; a refusal is an answer.
                match result {
                    Err(error) if is_fatal(&error) => Err(error),
                    _ => Ok(Flow::GoOn),
                }
            }
            Request::Subscribe { reply } => {
                let past = self.store.events(&self.meta.id, 0).await;
                let (sender, live) = mpsc::unbounded_channel();
                self.subscribers.push(sender);
                answer(
                    reply,
                    past.map(|past| Subscription { past, live })
                        .map_err(EngineError::from),
                );
                Ok(Flow::GoOn)
            }
            Request::Tree { reply } => {
                answer(reply, self.tree.clone());
                Ok(Flow::GoOn)
            }
            Request::EditedByHand { reply } => {
                let edited = self.edited_by_hand().await;
                answer(reply, edited);
                Ok(Flow::GoOn)
            }
            Request::HoldAfter { step, reply } => {
                answer(reply, ());
                self.hold_after(step).await?;
                Ok(Flow::GoOn)
            }
            Request::Close { reply } => {
                let result = self.close().await;
                answer(reply, result);
                Ok(Flow::End)
            }
        }
    }

    /// Stores, folds and tells: in that order, so that nobody sees what is not kept.
    pub(crate) async fn emit(&mut self, bodies: Vec<EventBody>) -> Result<(), EngineError> {
        let at = now();
        let mut tries = 0;
        let events = loop {
            match self
                .store
                .append(&self.meta.id, self.tree.worktree, bodies.clone(), at)
                .await
            {
                Ok(events) => break events,
                Err(error) => {
                    tries += 1;
                    let error = error.to_app();
                    tracing::error!(%error, tries, "an event could not be stored");
                    if tries == 1 {
                        self.show(EventBody::Failed {
                            error: error.clone(),
                        });
                    }
                    if tries >= STORE_TRIES {
                        return Err(EngineError::Part(error));
                    }
                    tokio::time::sleep(STORE_WAIT).await;
                }
            }
        };
        for event in events {
            self.tree.apply(&event);
            self.tell(event);
        }
        Ok(())
    }

    /// Tells without storing.
    pub(crate) fn show(&mut self, body: EventBody) {
        debug_assert!(
            body.persistence() == Persistence::Shown || matches!(body, EventBody::Failed { .. }),
            "only previews and what cannot be stored are shown without being stored"
        );
        let event = Event {
            session: self.meta.id.clone(),
            seq: self.tree.last_seq,
            at: now(),
            worktree: self.tree.worktree,
            body,
        };
        self.tell(event);
    }

    fn tell(&mut self, event: Event) {
        self.subscribers
            .retain(|subscriber| subscriber.send(event.clone()).is_ok());
    }

    pub(crate) async fn set_state(&mut self, state: SessionState) -> Result<(), EngineError> {
        if self.state() == &state {
            return Ok(());
        }
        self.emit(vec![EventBody::StateChanged { state }]).await
    }

    pub(crate) fn state(&self) -> &SessionState {
        const PREPARING: &SessionState = &SessionState::Preparing;
        self.tree.state.as_ref().unwrap_or(PREPARING)
    }

    pub(crate) fn id(&self) -> &SessionId {
        &self.meta.id
    }

    pub(crate) fn cursor(&self) -> Place {
        self.tree.cursor.clone().unwrap_or(Place {
            branch: BranchId::main(),
            step: -1,
        })
    }

    /// The files as last recorded.
    pub(crate) fn head(&self) -> Option<Checkpoint> {
        self.tree.last_checkpoint.clone()
    }

    pub(crate) fn head_id(&self) -> Result<CheckpointId, EngineError> {
        self.tree
            .last_checkpoint
            .as_ref()
            .map(|checkpoint| checkpoint.id.clone())
            .ok_or_else(|| EngineError::Internal("The session has no base checkpoint.".to_owned()))
    }

    /// The log takes no more: everything stops, and what was stored stays.
    async fn give_up(&mut self, error: EngineError) {
        tracing::error!(%error, "the session stops");
        let told = AppError {
            hint: "What was recorded is kept. Free the disk or mend the database, then open the session again."
                .to_owned(),
            ..error.to_app()
        };
        self.show(EventBody::Failed { error: told });
    }
}

/// Whether an error means that events can no longer be stored.
pub(crate) fn is_fatal(error: &EngineError) -> bool {
    matches!(
        error.to_app().code,
        ErrorCode::StoreFailed | ErrorCode::DiskFull | ErrorCode::StoreTooNew
    ) && !matches!(error, EngineError::NotNow { .. })
}

/// Answers a request; an asker that is gone needs none.
fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    drop(reply.send(value));
}
