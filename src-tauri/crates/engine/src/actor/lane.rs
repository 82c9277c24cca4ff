//! What a worktree has of its own: its files, the agent that works there, what that is doing.

use super::{OpenMessage, Phase};
use crate::agent_process::{AgentProcess, Heard};
use crate::checkpointing::CheckpointThread;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::{ConversationItem, WorktreeId};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::PathBuf;
use std::task::Poll;

/// See the module.
pub(crate) struct Lane {
    /// Where the agent works, absolute.
    pub dir: PathBuf,
    /// Absent where checkpoints are off, and once the project was given back.
    pub checkpoints: Option<CheckpointThread>,
    /// What the next agent process asks; the annotator may change it.
    pub backend: BackendSettings,
    pub agent: Option<AgentProcess>,
    pub phase: Phase,
    /// What the call that waits runs with instead of the model's arguments.
    pub edited: Option<(String, serde_json::Value)>,
    pub message: Option<OpenMessage>,
    /// Instructions the running agent has not been told yet.
    pub untold: Vec<ConversationItem>,
    /// The agent goes no further than this step of its path.
    pub hold_after: Option<u32>,
    /// Steps up to here do not count for loop detection and `auto_pause_after_steps`.
    pub counted_from: i32,
    /// Steps the annotator allowed beyond `max_steps` by going on at the limit.
    pub allowed_beyond: u32,
    /// Bytes of results that came after the last message, so that no count of tokens has them yet.
    pub unread_bytes: usize,
    /// The annotator goes on, also with a nearly full window.
    pub allows_fuller: bool,
    /// Having gone on with a nearly full window: up to so many tokens nobody asks again.
    pub context_allowed: u32,
    /// The last step's checkpoint failed and must be made before anything goes on.
    pub owes_checkpoint: bool,
}

impl Lane {
    /// A directory in which no agent runs yet.
    pub fn new(
        dir: PathBuf,
        checkpoints: Option<CheckpointThread>,
        backend: BackendSettings,
        counted_from: i32,
    ) -> Self {
        Self {
            dir,
            checkpoints,
            backend,
            agent: None,
            phase: Phase::Absent,
            edited: None,
            message: None,
            untold: Vec::new(),
            hold_after: None,
            counted_from,
            allowed_beyond: 0,
            unread_bytes: 0,
            allows_fuller: false,
            context_allowed: 0,
            owes_checkpoint: false,
        }
    }
}

/// The next thing an agent of any worktree says. They take turns, the one after `last` first, so
/// that one that talks much does not keep the others waiting. Cancel safe.
pub(super) async fn hear(
    here: WorktreeId,
    lane: &mut Lane,
    others: &mut BTreeMap<WorktreeId, Lane>,
    last: WorktreeId,
) -> (WorktreeId, Heard) {
    let mut agents: Vec<(WorktreeId, &mut AgentProcess)> = others
        .iter_mut()
        .map(|(id, lane)| (*id, lane))
        .chain([(here, lane)])
        .filter_map(|(id, lane)| Some((id, lane.agent.as_mut()?)))
        .collect();
    agents.sort_by_key(|(id, _)| (*id <= last, *id));
    poll_fn(move |context| {
        for (id, agent) in &mut agents {
            if let Poll::Ready(heard) = agent.poll_hear(context) {
                return Poll::Ready((*id, heard));
            }
        }
        Poll::Pending
    })
    .await
}
