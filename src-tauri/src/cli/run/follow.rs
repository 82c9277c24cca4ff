//! Following a session's events: as JSON lines, as a progress line, and as the facts that the
//! summary needs. Holds no texts, so that its memory does not grow with the session.

use crate::console;
use crate::exit::Exit;
use espalier_engine::{SessionHandle, Subscription};
use espalier_protocol::event::TestOutcome;
use espalier_protocol::session::{EndReason, PauseReason, SessionState};
use espalier_protocol::{AppError, BranchId, ErrorCode, Event, EventBody};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Notices kept for the summary.
const NOTICES_KEPT: usize = 20;

/// What became known about a session.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub steps: u32,
    /// Branches in order of creation, with the git branch that shows each.
    pub branches: Vec<(BranchId, String)>,
    /// The last run of the test command on each branch.
    pub tests: Vec<(BranchId, TestOutcome)>,
    pub notices: Vec<String>,
    /// How the agent's last run ended, if it did.
    pub ended: Option<EndReason>,
    /// Why the agent waited last, if nothing went on from there.
    pub paused: Option<PauseReason>,
    pub state: Option<SessionState>,
    /// Number of the last event.
    pub seq: u32,
}

impl Record {
    /// Takes an event in.
    pub fn apply(&mut self, event: &Event) {
        self.seq = event.seq;
        match &event.body {
            EventBody::StateChanged { state } => {
                match state {
                    SessionState::Ended { reason } => self.ended = Some(*reason),
                    SessionState::Paused { reason } => self.paused = Some(reason.clone()),
                    SessionState::Running => self.paused = None,
                    _ => {}
                }
                self.state = Some(state.clone());
            }
            EventBody::RunStarted { .. } => self.ended = None,
            EventBody::BranchCreated { branch }
            | EventBody::TailAbandoned {
                abandoned: branch, ..
            } => self
                .branches
                .push((branch.id.clone(), branch.git_branch.clone())),
            EventBody::StepFinished { .. } => self.steps += 1,
            EventBody::TestFinished {
                branch, outcome, ..
            } => {
                self.tests.retain(|(id, _)| id != branch);
                self.tests.push((branch.clone(), *outcome));
            }
            EventBody::Notice { text, .. } => self.note(text.clone()),
            EventBody::RestoreFinished { left_alone, .. } => {
                for text in left_alone {
                    self.note(text.clone());
                }
            }
            EventBody::Failed { error } => self.note(console::render_error(error)),
            _ => {}
        }
    }

    fn note(&mut self, text: String) {
        if self.notices.len() < NOTICES_KEPT && !self.notices.contains(&text) {
            self.notices.push(text);
        }
    }

    /// What an error means for the exit code, given how the session stands: a script that could
    /// not go on because the model server is gone has no backend.
    pub fn exit_of(&self, error: &AppError) -> Exit {
        let pause = self.paused.as_ref().map(Exit::of_pause);
        match (pause, error.code) {
            (Some(Exit::Backend), ErrorCode::ScriptFailed) => Exit::Backend,
            _ => Exit::of_error(error),
        }
    }
}

/// Follows one session in a task of its own.
pub struct Follower {
    task: JoinHandle<Record>,
    states: watch::Receiver<(u32, Option<SessionState>)>,
}

impl Follower {
    /// Follows from the session's first event; with `json` each goes to standard output.
    pub async fn start(handle: &SessionHandle, json: bool) -> Result<Self, AppError> {
        let subscription = handle.subscribe().await.map_err(|error| error.to_app())?;
        let (sender, states) = watch::channel((0, None));
        // Events and a moving line would write over each other on one screen.
        let progress = (!json)
            .then(|| progress_line(handle.meta().task.id.as_str()))
            .flatten();
        let task = tokio::spawn(follow(subscription, json, progress, sender));
        Ok(Self { task, states })
    }

    /// The first state after that event in which nothing happens by itself.
    pub async fn rest_after(&self, seq: u32) -> Result<SessionState, AppError> {
        let mut states = self.states.clone();
        let rests = |state: &(u32, Option<SessionState>)| {
            state.0 > seq && state.1.as_ref().is_some_and(|state| !state.is_active())
        };
        let found = states.wait_for(rests).await.map(|state| state.1.clone());
        found.ok().flatten().ok_or_else(|| {
            AppError::new(
                ErrorCode::Internal,
                "The session stopped before it came to rest.",
                "What was recorded is kept.",
            )
        })
    }

    /// What became known, once the session has closed.
    pub async fn finish(self) -> Record {
        self.task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "following the session ended badly");
            Record::default()
        })
    }
}

async fn follow(
    subscription: Subscription,
    json: bool,
    progress: Option<ProgressBar>,
    states: watch::Sender<(u32, Option<SessionState>)>,
) -> Record {
    let Subscription { past, mut live } = subscription;
    let mut record = Record::default();
    let mut take = |event: &Event| {
        if json {
            print(event);
        }
        record.apply(event);
        if let Some(progress) = &progress {
            show(progress, event);
        }
        states.send_replace((record.seq, record.state.clone()));
    };
    for event in &past {
        take(event);
    }
    drop(past);
    while let Some(event) = live.recv().await {
        take(&event);
    }
    if let Some(progress) = progress {
        progress.finish_and_clear();
    }
    record
}

fn print(event: &Event) {
    match serde_json::to_string(event) {
        Ok(line) => console::answer(line),
        Err(error) => tracing::error!(%error, seq = event.seq, "an event is no JSON"),
    }
}

/// A line that moves while somebody watches; nothing otherwise.
fn progress_line(task: &str) -> Option<ProgressBar> {
    if !console::is_watched() {
        return None;
    }
    let progress = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} · {wide_msg} {elapsed}") {
        progress.set_style(style);
    }
    progress.set_prefix(task.to_owned());
    progress.set_message("preparing");
    progress.enable_steady_tick(Duration::from_millis(100));
    Some(progress)
}

fn show(progress: &ProgressBar, event: &Event) {
    match &event.body {
        EventBody::StepStarted { step } => {
            progress.set_message(format!(
                "step {} · {} {}",
                step.index, step.tool, step.target
            ));
        }
        EventBody::StepFinished { .. } | EventBody::RunStarted { .. } => {
            progress.set_message("asking the model");
        }
        EventBody::ProviderFailed {
            error,
            retry_in_ms: Some(wait),
            ..
        } => progress.set_message(format!("{} Asking again in {wait} ms.", error.message)),
        EventBody::Progress { label, done, total } => progress.set_message(match total {
            Some(total) => format!("{label} {done}/{total}"),
            None => format!("{label} {done}"),
        }),
        EventBody::StateChanged { state } => {
            if let Some(word) = state_word(state) {
                progress.set_message(word);
            }
        }
        _ => {}
    }
}

const fn state_word(state: &SessionState) -> Option<&'static str> {
    match state {
        SessionState::Preparing => Some("preparing"),
        SessionState::Running => None,
        SessionState::Pausing => Some("pausing"),
        SessionState::Paused { .. } => Some("paused"),
        SessionState::Restoring => Some("moving files"),
        SessionState::Testing => Some("running the tests"),
        SessionState::Ended { .. } => Some("ended"),
        SessionState::Parked | SessionState::Finished { .. } => Some("done"),
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
