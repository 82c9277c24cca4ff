//! Finding the turn that belongs to a place on a session's path.

use super::{RecordedBranch, RecordedCall, RecordedTurn, Recording};
use crate::backend::PathSoFar;

/// What a recording has at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Place<'a> {
    Turn(Next<'a>),
    /// No turn is recorded here.
    Ended {
        why: Ended,
        /// The instructions that lead on from here; else those that the branch knows elsewhere.
        instructions: Vec<String>,
    },
}

/// Why there is no turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    UnknownInstruction,
    NoMoreTurns,
}

/// The turn to play, or what is left of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Next<'a> {
    pub turn: &'a RecordedTurn,
    /// Calls of the turn that were made before; with any, its thinking and text were said.
    pub made: usize,
}

impl<'a> Next<'a> {
    /// The calls that are still to be made.
    pub fn calls(&self) -> &'a [RecordedCall] {
        self.turn.calls.get(self.made..).unwrap_or_default()
    }

    /// Whether nothing of the turn was played yet.
    pub fn is_whole(&self) -> bool {
        self.made == 0
    }
}

/// An instruction as it is compared.
pub(super) fn folded(instruction: &str) -> String {
    instruction.trim().to_lowercase()
}

impl Recording {
    /// What the recording has at the end of a path.
    pub fn at(&self, path: &PathSoFar) -> Place<'_> {
        let Some(mut branch) = self.branches.first() else {
            return ended(Ended::NoMoreTurns, Vec::new());
        };
        for given in &path.instructions {
            let wanted = folded(&given.text);
            let taken = self.leaving(branch).find(|child| {
                child.after_step == Some(given.after_step)
                    && child.instruction.as_deref().map(folded) == Some(wanted.clone())
            });
            match taken {
                Some(child) => branch = child,
                None => {
                    let known = self.instructions(branch, given.after_step);
                    return ended(Ended::UnknownInstruction, known);
                }
            }
        }
        let next = i64::from(path.next_step);
        match turn_at(branch, next - i64::from(branch.first_step())) {
            Some(next) => Place::Turn(next),
            None => {
                let after = i32::try_from(next - 1).unwrap_or(i32::MAX);
                ended(Ended::NoMoreTurns, self.instructions(branch, after))
            }
        }
    }

    /// What the call that made a step of the path returned when it was recorded.
    pub fn result_of(&self, path: &PathSoFar, step: u32) -> Option<&str> {
        let before = |after: i32| i64::from(after) < i64::from(step);
        let given = path.instructions.iter();
        let path = PathSoFar {
            next_step: step,
            instructions: given
                .filter(|given| before(given.after_step))
                .cloned()
                .collect(),
        };
        match self.at(&path) {
            Place::Turn(next) => next.calls().first()?.result.as_deref(),
            Place::Ended { .. } => None,
        }
    }

    fn leaving<'a>(
        &'a self,
        branch: &'a RecordedBranch,
    ) -> impl Iterator<Item = &'a RecordedBranch> {
        let parent = branch.id.as_str();
        let branches = self.branches.iter();
        branches.filter(move |child| child.parent.as_deref() == Some(parent))
    }

    /// The recorded instructions after that step of a branch, else all of the branch.
    fn instructions(&self, branch: &RecordedBranch, after_step: i32) -> Vec<String> {
        let (here, elsewhere): (Vec<_>, Vec<_>) = self
            .leaving(branch)
            .partition(|child| child.after_step == Some(after_step));
        let best = if here.is_empty() { elsewhere } else { here };
        best.into_iter()
            .filter_map(|child| child.instruction.clone())
            .collect()
    }
}

fn ended(why: Ended, instructions: Vec<String>) -> Place<'static> {
    Place::Ended { why, instructions }
}

/// The turn that makes the step `offset` steps after the branch's first.
fn turn_at(branch: &RecordedBranch, offset: i64) -> Option<Next<'_>> {
    let mut left = u32::try_from(offset).ok()?;
    for turn in &branch.turns {
        if left < turn.steps() {
            let made = usize::try_from(left).ok()?;
            return Some(Next { turn, made });
        }
        left -= turn.steps();
    }
    None
}
