//! The model's context window: how full it is, and what is done before it overflows.
//!
//! Looked at only when the model is about to be asked, so that no step is cut by it.

use super::SessionActor;
use crate::error::EngineError;
use espalier_protocol::event::EventBody;
use espalier_protocol::op::Place;
use espalier_protocol::session::{BackendSettings, NearlyFull, PauseReason};
use espalier_protocol::tree::CLEARED;
use espalier_protocol::{SessionTree, StepId, Usage};

/// A token of a language or of code is seldom longer.
const BYTES_PER_TOKEN: usize = 4;
/// Results that stay when others are left out: what the agent works with right now.
const KEPT_RESULTS: usize = 5;
/// Leaving out less than this part of the window, in hundredths, is not worth a new start.
const WORTH_PERCENT: usize = 10;

/// What the window will hold when the model is asked next.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    used: u32,
    window: u32,
}

impl Ahead {
    /// Up to where a person who goes on is not asked again: half of what is left. Where nothing is
    /// left, the server decides.
    const fn allowed(self) -> u32 {
        match self.window.saturating_sub(self.used) {
            0 => u32::MAX,
            left => self.used.saturating_add(left / 2 + 1),
        }
    }
}

impl SessionActor {
    /// The usage of a message that has just come, with its cost and the window's size.
    pub(super) fn completed(&mut self, usage: Usage, model: Option<&str>) -> Usage {
        self.lane.unread_bytes = 0;
        let names = [model, self.lane.backend.model()];
        let window = self.meta.settings.context.window_tokens;
        self.models.complete(usage, &names, window)
    }

    /// Sees to it that the next request fits. Returns whether the model may be asked now.
    pub(super) async fn make_room(&mut self) -> Result<bool, EngineError> {
        let allows_fuller = std::mem::take(&mut self.lane.allows_fuller);
        let Some(ahead) = self.ahead() else {
            return Ok(true);
        };
        let settings = &self.meta.settings.context;
        let limit = u64::from(ahead.window) * u64::from(settings.nearly_full_percent);
        if u64::from(ahead.used) * 100 < limit {
            self.lane.context_allowed = 0;
            return Ok(true);
        }
        if settings.when_nearly_full == NearlyFull::Compact {
            // Claude Code keeps the conversation itself, and shortens it by itself.
            if matches!(self.lane.backend, BackendSettings::ClaudeAgentSdk { .. }) {
                return Ok(true);
            }
            if self.compact(ahead).await? {
                return Ok(false);
            }
        }
        if allows_fuller {
            self.lane.context_allowed = ahead.allowed();
        }
        if ahead.used < self.lane.context_allowed {
            return Ok(true);
        }
        self.pause(PauseReason::ContextNearlyFull {
            used_tokens: ahead.used,
            window_tokens: ahead.window,
        })
        .await?;
        Ok(false)
    }

    /// The annotator goes on. A session that was opened again no longer knows why it had paused.
    pub(super) const fn allow_fuller(&mut self, reason: &PauseReason) {
        self.lane.allows_fuller =
            matches!(reason, PauseReason::ContextNearlyFull { .. }) || self.lane.agent.is_none();
    }

    fn ahead(&self) -> Option<Ahead> {
        let fill = self.tree.context_at(&self.cursor())?;
        let window = fill.window_tokens.filter(|tokens| *tokens > 0)?;
        let unread = u32::try_from(self.lane.unread_bytes.div_ceil(BYTES_PER_TOKEN));
        Some(Ahead {
            used: fill.used_tokens.saturating_add(unread.unwrap_or(u32::MAX)),
            window,
        })
    }

    /// Leaves out what old calls returned and starts the agent anew with the rest. Returns whether
    /// there was enough to leave out.
    async fn compact(&mut self, ahead: Ahead) -> Result<bool, EngineError> {
        let cursor = self.cursor();
        // The actor's own tree has let go of what tools returned; the log has it.
        let tree = SessionTree::fold(&self.store.events(self.id(), 0).await?);
        let (cleared, bytes) = clearable(&tree, &cursor);
        let worth = ahead.window as usize * WORTH_PERCENT / 100 * BYTES_PER_TOKEN;
        if bytes < worth {
            return Ok(false);
        }
        let text = format!(
            "{} of the model's {} tokens were used: what {} earlier calls returned is left out of \
             what the model reads from here on.",
            ahead.used,
            ahead.window,
            cleared.len()
        );
        self.end_agent().await?;
        self.emit(vec![
            EventBody::ContextCompacted {
                branch: cursor.branch,
                cleared,
            },
            EventBody::Notice {
                code: "context_compacted".to_owned(),
                text,
            },
        ])
        .await?;
        self.start_agent().await?;
        Ok(true)
    }
}

/// Steps whose results can be left out, and how many bytes that saves.
fn clearable(tree: &SessionTree, at: &Place) -> (Vec<StepId>, usize) {
    let mut steps = tree.uncleared(at);
    steps.truncate(steps.len().saturating_sub(KEPT_RESULTS));
    let saved = |step: &&espalier_protocol::Step| {
        let content = step
            .result
            .as_ref()
            .map_or(0, |result| result.content.len());
        content.saturating_sub(CLEARED.len())
    };
    steps.retain(|step| saved(step) > 0);
    let bytes = steps.iter().map(saved).sum();
    let ids = steps.into_iter().map(|step| step.id.clone()).collect();
    (ids, bytes)
}

/// Bytes of the results that no message has answered yet, in a tree that still has them.
pub(super) fn unread_bytes(tree: &SessionTree, at: &Place) -> usize {
    let steps = tree.path_steps(at);
    let last = steps.last().map(|step| step.message_id.clone());
    steps
        .iter()
        .rev()
        .take_while(|step| Some(&step.message_id) == last.as_ref())
        .map(|step| tree.content_length(&step.id))
        .sum()
}
