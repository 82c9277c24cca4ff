//! Recordings: what a model said on the branches of a session, to be played again.
//!
//! The file is JSON, format `espalier-recording/1`. A turn with n calls is n steps, a turn without
//! calls is one, the closing message. Steps are numbered along the path from 0; a branch's turns
//! begin at `after_step` + 1.

use crate::error::AgentError;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

mod place;

pub use place::{Ended, Next, Place};

/// The only format so far.
pub const FORMAT: &str = "espalier-recording/1";
/// How long a turn takes that does not say, in milliseconds.
const DEFAULT_MS: u32 = 1000;

/// A recording that can be played.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    pub format: String,
    pub title: String,
    /// The model that said it.
    pub model: String,
    pub branches: Vec<RecordedBranch>,
}

/// One branch; the root has no parent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedBranch {
    pub id: String,
    pub parent: Option<String>,
    /// The step it leaves its parent after; -1 is before the first step. The root has none.
    pub after_step: Option<i32>,
    /// What it was told there. The root has none.
    pub instruction: Option<String>,
    pub turns: Vec<RecordedTurn>,
}

/// One message of the model.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedTurn {
    pub thinking: Option<String>,
    pub text: Option<String>,
    #[serde(default)]
    pub calls: Vec<RecordedCall>,
    /// How long it took, in milliseconds.
    #[serde(default = "default_ms")]
    pub ms: u32,
    #[serde(default)]
    pub input_tokens: u32,
    #[serde(default)]
    pub output_tokens: u32,
}

/// One tool call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCall {
    pub tool: String,
    pub input: serde_json::Value,
    /// What the model read of it. Where it reads something else now, that is told.
    pub result: Option<String>,
}

const fn default_ms() -> u32 {
    DEFAULT_MS
}

impl RecordedTurn {
    /// Steps that the turn makes.
    pub fn steps(&self) -> u32 {
        u32::try_from(self.calls.len()).unwrap_or(u32::MAX).max(1)
    }
}

impl RecordedBranch {
    /// Number of its first step.
    pub fn first_step(&self) -> i32 {
        self.after_step.map_or(0, |step| step.saturating_add(1))
    }

    /// Number of its last step; that of the step before it where it has none.
    pub fn last_step(&self) -> i32 {
        let steps: u32 = self.turns.iter().map(RecordedTurn::steps).sum();
        let steps = i32::try_from(steps).unwrap_or(i32::MAX);
        self.first_step().saturating_add(steps) - 1
    }
}

impl Recording {
    /// Reads and checks a recording.
    ///
    /// # Errors
    /// The file cannot be read, or is not a recording; then every problem is named with its place.
    pub fn load(file: &Path) -> Result<Self, AgentError> {
        let text = std::fs::read_to_string(file).map_err(|source| AgentError::RecordingFile {
            file: file.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|problems| AgentError::Recording {
            file: file.to_owned(),
            problems: problems
                .into_iter()
                .map(|problem| format!("{}: {problem}", file.display()))
                .collect(),
        })
    }

    /// Reads and checks the text of a recording.
    ///
    /// # Errors
    /// Every problem with its place in the text.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let recording: Self = serde_json::from_str(text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or_default();
            vec![format!("{place}: {why}")]
        })?;
        let problems = recording.problems();
        if problems.is_empty() {
            Ok(recording)
        } else {
            Err(problems)
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.format != FORMAT {
            problems.push(format!(
                "`format` is \"{}\"; this version plays \"{FORMAT}\"",
                self.format
            ));
        }
        let mut known: HashMap<&str, &RecordedBranch> = HashMap::new();
        let mut ways: HashMap<(&str, i32, String), &str> = HashMap::new();
        for (at, branch) in self.branches.iter().enumerate() {
            let name = format!("branches[{at}] `{}`", branch.id);
            if at == 0 {
                root_problems(branch, &name, &mut problems);
            } else {
                branch_problems(branch, &name, &known, &mut ways, &mut problems);
            }
            if known.insert(&branch.id, branch).is_some() {
                problems.push(format!("{name}: another branch has this id"));
            }
        }
        if self.branches.is_empty() {
            problems.push("`branches` is empty; the first one is `main`".to_owned());
        }
        problems
    }
}

fn root_problems(branch: &RecordedBranch, name: &str, problems: &mut Vec<String>) {
    if branch.id != "main" {
        problems.push(format!("{name}: the first branch is `main`"));
    }
    if branch.parent.is_some() || branch.after_step.is_some() || branch.instruction.is_some() {
        problems.push(format!(
            "{name}: the first branch has no `parent`, `after_step` or `instruction`"
        ));
    }
}

fn branch_problems<'a>(
    branch: &'a RecordedBranch,
    name: &str,
    known: &HashMap<&str, &'a RecordedBranch>,
    ways: &mut HashMap<(&'a str, i32, String), &'a str>,
    problems: &mut Vec<String>,
) {
    let (Some(parent), Some(after), Some(instruction)) =
        (&branch.parent, branch.after_step, &branch.instruction)
    else {
        let needs = "a branch needs `parent`, `after_step` and `instruction`";
        problems.push(format!("{name}: {needs}"));
        return;
    };
    if instruction.trim().is_empty() {
        problems.push(format!("{name}: `instruction` is empty"));
    }
    let Some(parent_branch) = known.get(parent.as_str()) else {
        problems.push(format!("{name}: there is no branch `{parent}` before it"));
        return;
    };
    let (first, last) = (parent_branch.first_step() - 1, parent_branch.last_step());
    if !(first..=last).contains(&after) {
        problems.push(format!(
            "{name}: `after_step` is {after}; a branch leaves `{parent}` after step {first} to {last}"
        ));
    }
    let way = (parent.as_str(), after, place::folded(instruction));
    if let Some(other) = ways.insert(way, &branch.id) {
        problems.push(format!(
            "{name}: leaves like `{other}`, with the same instruction"
        ));
    }
}

#[cfg(test)]
#[path = "recording_tests.rs"]
mod tests;
