//! A recording in place of a model: its turns come in pieces and in the time they took.
//!
//! Tools, files and store around it are real; only what the model says is recorded.

use super::{BackendError, Delta, DeltaSink, ModelBackend, ModelTurn, Request};
use crate::recording::{Ended, Next, Place, RecordedTurn, Recording};
use espalier_protocol::worker::AgentNotice;
use espalier_protocol::{Block, ConversationItem, ErrorCode, KEY_HIDDEN, REDACTED, Usage};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A recording that is played.
#[derive(Debug)]
pub struct ReplayBackend {
    file: PathBuf,
    /// 1 is as recorded, 2 twice as fast, 0 without waiting.
    pace: f64,
    recording: Option<Recording>,
}

impl ReplayBackend {
    /// A backend on that file, which is read when it is first asked.
    pub(super) fn open(file: impl AsRef<Path>, pace: f64) -> Self {
        Self {
            file: file.as_ref().to_owned(),
            pace,
            recording: None,
        }
    }

    /// How long the turn takes to play.
    fn duration(&self, turn: &RecordedTurn) -> Duration {
        if self.pace.is_finite() && self.pace > 0.0 {
            let seconds = f64::from(turn.ms) / 1000.0 / self.pace;
            Duration::try_from_secs_f64(seconds).unwrap_or_default()
        } else {
            Duration::ZERO
        }
    }
}

impl ModelBackend for ReplayBackend {
    async fn turn(
        &mut self,
        request: Request<'_>,
        sink: DeltaSink<'_>,
    ) -> Result<ModelTurn, BackendError> {
        if self.recording.is_none() {
            self.recording = Some(load(&self.file)?);
        }
        let Some(recording) = &self.recording else {
            return Ok(ModelTurn::default());
        };
        match recording.at(request.path) {
            Place::Turn(next) => {
                play(next, self.duration(next.turn), sink).await;
                Ok(ModelTurn {
                    notices: diverged(recording, &request),
                    ..message(next)
                })
            }
            Place::Ended { why, instructions } => Err(no_turn(why, instructions)),
        }
    }
}

fn load(file: &Path) -> Result<Recording, BackendError> {
    Recording::load(file).map_err(|error| {
        let app = error.to_app();
        BackendError {
            app,
            ..BackendError::lasting(ErrorCode::ConfigInvalid, "", "")
        }
    })
}

fn no_turn(why: Ended, instructions: Vec<String>) -> BackendError {
    let message = match why {
        Ended::UnknownInstruction => "The recording does not know this instruction.",
        Ended::NoMoreTurns => "The recording ends here.",
    };
    let hint = "Roll back and give an instruction that is recorded, or go on with a live backend.";
    let mut error = BackendError::lasting(ErrorCode::RecordingEnded, message, hint);
    error.app.details.clone_from(&instructions);
    error.instructions = instructions;
    error
}

/// What the calls of the turn before returned otherwise than when they were recorded.
fn diverged(recording: &Recording, request: &Request<'_>) -> Vec<AgentNotice> {
    // An instruction may stand after them.
    let said = |item: &&ConversationItem| {
        matches!(
            item,
            ConversationItem::System { .. } | ConversationItem::User { .. }
        )
    };
    let mut results: Vec<&ConversationItem> = request
        .conversation
        .iter()
        .rev()
        .skip_while(said)
        .take_while(|item| matches!(item, ConversationItem::ToolResult { .. }))
        .collect();
    results.reverse();
    let count = u32::try_from(results.len()).unwrap_or(u32::MAX);
    let first = request.path.next_step.saturating_sub(count);
    (first..)
        .zip(results)
        .filter_map(|(step, item)| {
            let ConversationItem::ToolResult { content, tool, .. } = item else {
                return None;
            };
            let recorded = recording.result_of(request.path, step)?;
            (!agrees(recorded, content)).then(|| AgentNotice {
                code: "replay_diverged".to_owned(),
                text: format!(
                    "Step {step} ({tool}) returned something else than when it was recorded. Recorded: {} Now: {}",
                    super::excerpt(recorded, 160),
                    super::excerpt(content, 160),
                ),
                once: false,
            })
        })
        .collect()
}

/// Whether a call returned what is recorded; where a secret was taken out, anything may stand.
fn agrees(recorded: &str, now: &str) -> bool {
    let recorded = recorded.replace(KEY_HIDDEN, REDACTED);
    let parts: Vec<&str> = recorded.split(REDACTED).collect();
    let [first, between @ .., last] = parts.as_slice() else {
        return recorded == now;
    };
    let Some(mut left) = now.strip_prefix(first) else {
        return false;
    };
    for part in between {
        match left.split_once(*part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(last)
}

/// Tells thinking and text piece by piece, evenly over the time.
async fn play(next: Next<'_>, time: Duration, sink: DeltaSink<'_>) {
    let mut deltas = Vec::new();
    if next.is_whole() {
        let (thinking, text) = (&next.turn.thinking, &next.turn.text);
        deltas.extend(pieces(thinking).map(|piece| Delta::Thinking(piece.to_owned())));
        deltas.extend(pieces(text).map(|piece| Delta::Text(piece.to_owned())));
    }
    if time.is_zero() {
        deltas.into_iter().for_each(sink);
        return;
    }
    let began = Instant::now();
    let count = u32::try_from(deltas.len()).unwrap_or(u32::MAX).max(1);
    for (number, delta) in (1_u32..).zip(deltas) {
        sleep_until(began + time.mul_f64(f64::from(number) / f64::from(count))).await;
        sink(delta);
    }
    if count == 1 {
        sleep_until(began + time).await;
    }
}

/// Words with the space after them; together the whole text.
fn pieces(text: &Option<String>) -> impl Iterator<Item = &str> {
    text.as_deref().unwrap_or_default().split_inclusive(' ')
}

fn message(next: Next<'_>) -> ModelTurn {
    let turn = next.turn;
    let mut blocks = Vec::new();
    let mut usage = Usage::default();
    if next.is_whole() {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let thinking = said(&turn.thinking).map(|text| Block::Thinking { text, raw: None });
        let text = said(&turn.text).map(|text| Block::Text { text, raw: None });
        blocks.extend(thinking.into_iter().chain(text));
        usage.input_tokens = turn.input_tokens;
        usage.output_tokens = turn.output_tokens;
    }
    blocks.extend(next.calls().iter().map(|call| Block::ToolCall {
        call_id: String::new(),
        name: call.tool.clone(),
        input: call.input.clone(),
        raw: None,
    }));
    ModelTurn {
        blocks,
        usage,
        model: None,
        notices: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::agrees;

    #[test]
    fn anything_may_stand_where_a_secret_was_taken_out() {
        for (recorded, now, same) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("K=[redacted]\nB=2", "K=s3cret\nB=2", true),
            ("K=[redacted]\nB=2", "K=s3cret\nB=3", false),
            ("[redacted] [redacted]", "x y", true),
            ("[API key]", "sk-ant-1", true),
            ("K=[redacted] end", "K=s3cret", false),
            ("[redacted]", "", true),
        ] {
            assert_eq!(agrees(recorded, now), same, "{recorded} {now}");
        }
    }
}
