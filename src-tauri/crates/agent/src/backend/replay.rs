//! Plays a recording: the model's turns are recorded, everything else is real.

use super::{BackendError, Delta, DeltaSink, ModelTurn, TurnRequest};
use crate::recording::{Place, Recording, Turn};
use espalier_protocol::{Block, Usage};
use std::path::Path;
use std::time::Duration;

/// How a turn without a time of its own is timed.
const PIECE: Duration = Duration::from_millis(20);

/// A recording being played.
pub struct Replay {
    recording: Recording,
    pace: f64,
    calls_made: u32,
}

impl Replay {
    /// Opens a recording. `pace` 2 is twice as fast, 0 does not wait.
    pub fn open(recording: &str, pace: f64) -> Result<Self, BackendError> {
        let recording = Recording::load(Path::new(recording))
            .map_err(|error| BackendError::Recording(error.to_string()))?;
        Ok(Self {
            recording,
            pace,
            calls_made: 0,
        })
    }

    pub(super) async fn turn(
        &mut self,
        request: &TurnRequest<'_>,
        sink: DeltaSink<'_>,
    ) -> Result<ModelTurn, BackendError> {
        match self
            .recording
            .place(request.next_step, request.instructions)
        {
            Place::Unknown { instructions } => Err(BackendError::RecordingEnded { instructions }),
            Place::Turn { turn, from_call } => Ok(self.play(&turn, from_call, request, sink).await),
        }
    }

    async fn play(
        &mut self,
        turn: &Turn,
        from_call: usize,
        request: &TurnRequest<'_>,
        sink: DeltaSink<'_>,
    ) -> ModelTurn {
        let thinking = turn.thinking.as_deref().unwrap_or_default();
        let text = turn.text.as_deref().unwrap_or_default();
        let pieces = pieces(thinking).len() + pieces(text).len();
        let pause = self.pause(turn.ms, pieces);
        let mut blocks = Vec::new();
        for (whole, make) in [
            (thinking, Delta::Thinking as fn(String) -> Delta),
            (text, Delta::Text as fn(String) -> Delta),
        ] {
            for piece in self::pieces(whole) {
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                sink(make(piece.to_owned()));
            }
        }
        if !thinking.is_empty() {
            blocks.push(Block::Thinking {
                text: thinking.to_owned(),
                raw: None,
            });
        }
        if !text.is_empty() {
            blocks.push(Block::Text {
                text: text.to_owned(),
                raw: None,
            });
        }
        for call in turn.calls.iter().skip(from_call) {
            blocks.push(Block::ToolCall {
                call_id: format!("replay_{}_{}", request.next_step, self.calls_made),
                name: call.tool.clone(),
                input: call.input.clone(),
                raw: None,
            });
            self.calls_made += 1;
        }
        ModelTurn {
            blocks,
            usage: Usage {
                input_tokens: turn.input_tokens,
                output_tokens: turn.output_tokens,
                cached_tokens: 0,
            },
            notices: Vec::new(),
        }
    }

    /// The wait before each piece so that the turn takes as long as recorded, by pace.
    fn pause(&self, ms: u32, pieces: usize) -> Duration {
        if self.pace <= 0.0 || pieces == 0 {
            return Duration::ZERO;
        }
        let whole = if ms == 0 {
            PIECE * u32::try_from(pieces).unwrap_or(1)
        } else {
            Duration::from_millis(u64::from(ms))
        };
        whole.div_f64(self.pace) / u32::try_from(pieces).unwrap_or(1)
    }
}

/// A text in pieces of about a word, as a model streams it.
fn pieces(text: &str) -> Vec<&str> {
    text.split_inclusive(' ').collect()
}
