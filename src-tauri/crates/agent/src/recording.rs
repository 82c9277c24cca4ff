//! Recordings: a model's turns, with the branches that instructions lead to.

use crate::error::AgentError;
use espalier_protocol::worker::GivenInstruction;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// What `format` says.
pub const FORMAT: &str = "espalier-recording/1";

/// A recording file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    pub format: String,
    pub title: String,
    pub model: String,
    pub branches: Vec<RecordedBranch>,
}

/// The turns of a branch; the first branch is `main`, the others leave from a parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedBranch {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_step: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    pub turns: Vec<Turn>,
}

/// One model message. With calls it is as many steps; without, the closing message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<RecordedCall>,
    /// How long the model took, in milliseconds.
    #[serde(default)]
    pub ms: u32,
    #[serde(default)]
    pub input_tokens: u32,
    #[serde(default)]
    pub output_tokens: u32,
}

/// A recorded tool call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCall {
    pub tool: String,
    pub input: Value,
}

/// Where a conversation stands in a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// This turn is next; calls before `from_call` were made already.
    Turn { turn: Turn, from_call: usize },
    /// Nothing is recorded here; these instructions are known at this place.
    Unknown { instructions: Vec<String> },
}

impl Recording {
    /// Reads a recording and checks that its branches fit together.
    pub fn load(path: &Path) -> Result<Self, AgentError> {
        let fail = |why: String| AgentError::Recording {
            path: path.to_path_buf(),
            why,
        };
        let text = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
        let recording: Self =
            serde_json::from_slice(&text).map_err(|error| fail(error.to_string()))?;
        recording.check().map_err(fail)?;
        Ok(recording)
    }

    fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("its format is {}, not {FORMAT}", self.format));
        }
        for (index, branch) in self.branches.iter().enumerate() {
            if self.branches[..index]
                .iter()
                .any(|other| other.id == branch.id)
            {
                return Err(format!("there are two branches {}", branch.id));
            }
            match (&branch.parent, branch.after_step, &branch.instruction) {
                (None, None, None) if index == 0 => {}
                (Some(parent), Some(_), Some(_)) if index > 0 => {
                    if !self.branches[..index]
                        .iter()
                        .any(|other| other.id == *parent)
                    {
                        return Err(format!(
                            "branch {} has no parent {parent} before it",
                            branch.id
                        ));
                    }
                }
                _ => {
                    return Err(format!(
                        "branch {} needs parent, after_step and instruction (the first branch has none of them)",
                        branch.id
                    ));
                }
            }
        }
        if self.branches.is_empty() {
            return Err("it has no branches".to_owned());
        }
        Ok(())
    }

    /// The turn for step `next_step` after these instructions.
    pub fn place(&self, next_step: u32, instructions: &[GivenInstruction]) -> Place {
        let Some(mut branch) = self.branches.first() else {
            return Place::Unknown {
                instructions: Vec::new(),
            };
        };
        for given in instructions {
            match self.child(branch, given) {
                Some(child) => branch = child,
                None => {
                    return Place::Unknown {
                        instructions: self.known_at(branch, given.after_step),
                    };
                }
            }
        }
        let mut step = branch.after_step.map_or(0, |after| after + 1);
        let wanted = i32::try_from(next_step).unwrap_or(i32::MAX);
        // A place above the branch's own turns belongs to its ancestors.
        if wanted < step {
            return Place::Unknown {
                instructions: self.known_at(branch, wanted - 1),
            };
        }
        for turn in &branch.turns {
            let steps = i32::try_from(turn.calls.len().max(1)).unwrap_or(i32::MAX);
            if wanted < step + steps {
                return Place::Turn {
                    turn: turn.clone(),
                    from_call: usize::try_from(wanted - step).unwrap_or(0),
                };
            }
            step += steps;
        }
        Place::Unknown {
            instructions: self.known_at(branch, wanted - 1),
        }
    }

    fn child(&self, parent: &RecordedBranch, given: &GivenInstruction) -> Option<&RecordedBranch> {
        self.branches.iter().find(|branch| {
            branch.parent.as_ref() == Some(&parent.id)
                && branch.after_step == Some(given.after_step)
                && branch
                    .instruction
                    .as_ref()
                    .is_some_and(|text| same_text(text, &given.text))
        })
    }

    /// The instructions recorded at a place; those of the whole branch where there are none.
    fn known_at(&self, parent: &RecordedBranch, after_step: i32) -> Vec<String> {
        let children = || {
            self.branches
                .iter()
                .filter(|branch| branch.parent.as_ref() == Some(&parent.id))
        };
        let here: Vec<String> = children()
            .filter(|branch| branch.after_step == Some(after_step))
            .filter_map(|branch| branch.instruction.clone())
            .collect();
        if !here.is_empty() {
            return here;
        }
        children()
            .filter_map(|branch| {
                let text = branch.instruction.as_ref()?;
                Some(format!("{text} (after step {})", branch.after_step?))
            })
            .collect()
    }
}

fn same_text(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}
