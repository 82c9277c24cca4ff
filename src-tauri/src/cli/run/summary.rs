//! What `run` says about a session when it is over.

use super::follow::Record;
use crate::console;
use crate::exit::Exit;
use espalier_protocol::AppError;
use espalier_protocol::event::TestOutcome;
use espalier_protocol::session::{EndReason, PauseReason, SessionMeta, SessionState};
use std::path::{Path, PathBuf};

/// How a session's run was over.
#[derive(Debug)]
pub enum Ending {
    Finished,
    /// Left open, in that state, and parked.
    Open(SessionState),
    Interrupted,
    Failed(AppError),
}

impl Ending {
    /// What it means for the exit code.
    pub fn exit(&self, record: &Record) -> Exit {
        match self {
            Self::Finished => record.ended.map_or(Exit::Done, Exit::of_end),
            Self::Open(SessionState::Paused { reason }) => Exit::of_pause(reason),
            Self::Open(SessionState::Ended { reason }) => Exit::of_end(*reason),
            Self::Open(_) => Exit::Done,
            Self::Interrupted => Exit::Interrupted,
            Self::Failed(error) => record.exit_of(error),
        }
    }
}

/// A session's end in words.
pub struct Summary<'a> {
    pub meta: &'a SessionMeta,
    pub record: &'a Record,
    pub ending: &'a Ending,
    /// Named in the command to go on, where it is not the platform's.
    pub data_dir: Option<&'a Path>,
}

impl Summary<'_> {
    /// The lines, without a trailing newline.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}: {}", self.meta.task.id, self.outcome())];
        let mut fact = |name: &str, text: &str| lines.push(format!("  {name:<9} {text}"));
        fact("session", self.meta.id.as_str());
        let steps = self.record.steps;
        fact("steps", &steps.to_string());
        for (name, text) in self.branches() {
            fact(name, &text);
        }
        for (branch, outcome) in &self.record.tests {
            fact("tests", &format!("{branch}: {}", test_word(*outcome)));
        }
        if let Some(output) = self.output() {
            fact("output", &output.display().to_string());
        }
        for notice in &self.record.notices {
            fact("note", notice);
        }
        if self.is_resumable() {
            fact("go on", &self.resume_command());
        }
        lines
    }

    fn branches(&self) -> Vec<(&'static str, String)> {
        let checkpoints = &self.meta.settings.checkpoints;
        if !checkpoints.enabled {
            return vec![("branches", "none, checkpoints are off".to_owned())];
        }
        if checkpoints.cleanup_on_complete && matches!(self.ending, Ending::Finished) {
            return vec![("branches", "removed (cleanup_on_complete)".to_owned())];
        }
        let project = ("project", self.meta.task.project_dir.clone());
        let branches = self.record.branches.iter();
        std::iter::once(project)
            .chain(branches.map(|(_, git_branch)| ("branch", git_branch.clone())))
            .collect()
    }

    /// The annotator's file, once there is something in it.
    fn output(&self) -> Option<PathBuf> {
        let folder = self.meta.settings.output_dir.as_ref()?;
        let file = Path::new(folder).join(format!("{}.jsonl", self.meta.annotator));
        file.is_file().then_some(file)
    }

    fn is_resumable(&self) -> bool {
        !matches!(self.record.state, Some(SessionState::Finished { .. }))
    }

    fn resume_command(&self) -> String {
        let mut command = format!("espalier run --resume {}", self.meta.id);
        if let Some(folder) = self.data_dir {
            command.push_str(&format!(
                " --data-dir {}",
                shell_word(&folder.display().to_string())
            ));
        }
        command
    }

    fn outcome(&self) -> String {
        match self.ending {
            Ending::Finished => {
                let project = match self.record.state {
                    Some(SessionState::Finished { kept: true }) => {
                        "The result stays in the project."
                    }
                    _ => "The project is as it was before; the result is on the branches.",
                };
                match self.record.ended {
                    Some(reason) => format!("finished. {} {project}", end_words(reason)),
                    None => format!("finished. {project}"),
                }
            }
            Ending::Open(SessionState::Ended { reason }) => {
                format!("{} The session is open.", end_words(*reason))
            }
            Ending::Open(SessionState::Paused { reason }) => {
                format!("paused. {}", pause_words(reason))
                    .trim_end()
                    .to_owned()
            }
            Ending::Open(_) => "left open.".to_owned(),
            Ending::Interrupted => "interrupted. The project was put back.".to_owned(),
            Ending::Failed(error) => format!("failed.\n{}", console::render_error(error)),
        }
    }
}

const fn end_words(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Completed => "The agent ended its run.",
        EndReason::Loop => "The agent was ended by loop detection.",
    }
}

const fn test_word(outcome: TestOutcome) -> &'static str {
    match outcome {
        TestOutcome::Passed => "passed",
        TestOutcome::Failed => "failed",
        TestOutcome::TimedOut => "timed out",
        TestOutcome::Cancelled => "stopped",
    }
}

/// Why a session waits, in words; errors with what to do.
fn pause_words(reason: &PauseReason) -> String {
    match reason {
        PauseReason::Requested => "A pause was asked for.".to_owned(),
        PauseReason::StepFailed => "A step failed (auto_pause_on_error).".to_owned(),
        PauseReason::AfterSteps { steps } => {
            format!("{steps} steps were made (auto_pause_after_steps).")
        }
        PauseReason::Loop { count } => {
            format!("The agent made the same call {count} times in a row (loop_detection).")
        }
        PauseReason::MaxSteps { steps } => {
            format!("The limit of {steps} steps is reached (max_steps).")
        }
        PauseReason::ContextNearlyFull {
            used_tokens,
            window_tokens,
        } => format!(
            "{used_tokens} of the model's {window_tokens} tokens are used (live_agent.context). \
             Resume to go on, or roll back to an earlier step."
        ),
        PauseReason::ProviderFailed { error }
        | PauseReason::CheckpointFailed { error }
        | PauseReason::AgentDied { error } => format!("\n{}", console::render_error(error)),
        PauseReason::RecordingEnded { instructions } if instructions.is_empty() => {
            "The recording has no turn here.".to_owned()
        }
        PauseReason::RecordingEnded { instructions } => format!(
            "The recording has no turn here. It knows these instructions: {}",
            instructions.join(" | ")
        ),
        PauseReason::RolledBack => "Files were rolled back and nothing went on.".to_owned(),
        PauseReason::Stopped => "The agent was stopped.".to_owned(),
        PauseReason::Recovered => "The session was read back and nothing went on.".to_owned(),
        PauseReason::NotStarted => "The agent was not started.".to_owned(),
    }
}

/// A word that a shell reads as it stands.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
