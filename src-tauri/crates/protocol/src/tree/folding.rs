//! Taking events in.

use super::{
    Answer, Branch, InterventionRecord, Message, PathItem, SessionTree, TestRecord, UndoPoint,
    index_of,
};
use crate::event::{CheckpointCause, Event, EventBody, Intervention, NewBranch};
use crate::ids::{BranchId, CheckpointId, Millis, StepId};
use crate::op::{Actor, AnnotationTarget, Place};
use crate::session::{PauseReason, SessionState};

impl SessionTree {
    /// Folds a session's stored events, in order.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut tree = Self::default();
        for event in events {
            tree.apply(event);
        }
        tree
    }

    /// Takes one event in. Events that are only shown change nothing.
    pub fn apply(&mut self, event: &Event) {
        use crate::event::Persistence;
        if event.body.persistence() == Persistence::Shown {
            return;
        }
        self.last_seq = event.seq;
        self.updated_at = event.at;
        let back = self.worktree;
        self.enter(event.worktree);
        self.take(&event.body, event.at);
        match event.body {
            EventBody::WorktreeFocused => {}
            _ => self.enter(back),
        }
        if event.body == EventBody::WorktreeClosed {
            self.others.remove(&event.worktree);
        }
    }

    fn take(&mut self, body: &EventBody, at: Millis) {
        match body {
            EventBody::SessionCreated { meta } => {
                self.meta = Some((**meta).clone());
                self.state = Some(SessionState::Paused {
                    reason: PauseReason::NotStarted,
                });
            }
            EventBody::StateChanged { state } => self.change_state(state),
            EventBody::WorktreeOpened { at, checkpoint } => self.open_worktree(at, checkpoint),
            EventBody::BranchCreated { branch } => self.add_branch(branch, at),
            EventBody::TailAbandoned {
                branch,
                after_step,
                abandoned,
            } => self.abandon_tail(branch, *after_step, abandoned, at),
            EventBody::CursorMoved { to } => self.cursor = Some(to.clone()),
            EventBody::MessageCompleted {
                message_id,
                blocks,
                usage,
                model_ms,
                ..
            } => {
                self.messages_made += 1;
                self.messages.insert(
                    message_id.clone(),
                    Message {
                        id: message_id.clone(),
                        blocks: blocks.clone(),
                        usage: *usage,
                        model_ms: *model_ms,
                    },
                );
            }
            EventBody::ContextCompacted { branch, cleared } => {
                if let Some(branch) = self.branch_mut(branch) {
                    branch.items.push(PathItem::Compaction(cleared.clone()));
                }
            }
            EventBody::StepStarted { step } => {
                self.steps_started += 1;
                self.pending_rollback = None;
                if let Some(branch) = self.branch_mut(&step.branch) {
                    branch.items.push(PathItem::Step(step.id.clone()));
                }
                self.cursor = Some(Place {
                    branch: step.branch.clone(),
                    step: index_of(step),
                });
                if let Some(checkpoint) = &self.last_checkpoint {
                    self.began_from
                        .insert(step.id.clone(), checkpoint.tree.clone());
                }
                self.steps.insert(step.id.clone(), (**step).clone());
            }
            EventBody::StepFinished {
                step,
                result,
                checkpoint,
                conversation_hash,
            } => {
                let mut branch = None;
                if let Some(step) = self.steps.get_mut(step) {
                    step.result = Some(result.clone());
                    step.checkpoint.clone_from(checkpoint);
                    step.conversation_hash.clone_from(conversation_hash);
                    step.finished_at = Some(at);
                    branch = Some(step.branch.clone());
                }
                if let Some(checkpoint) = checkpoint {
                    self.last_checkpoint = Some(checkpoint.clone());
                    if let Some(branch) = branch.and_then(|id| self.branch_mut(&id)) {
                        branch.tip = Some(checkpoint.clone());
                    }
                }
            }
            EventBody::CheckpointRecorded {
                cause,
                at: place,
                checkpoint,
            } => {
                if *cause == CheckpointCause::Base {
                    self.base = Some(checkpoint.clone());
                }
                self.last_checkpoint = Some(checkpoint.clone());
                self.kept.insert(checkpoint.id.clone(), checkpoint.clone());
                // Without automatic checkpoints, one made on request is the step's.
                if *cause == CheckpointCause::Asked
                    && let Some(step) = self.own_step_at(place).cloned()
                    && let Some(step) = self.steps.get_mut(&step)
                    && step.checkpoint.is_none()
                {
                    step.checkpoint = Some(checkpoint.clone());
                }
                if *cause != CheckpointCause::BeforeRestore
                    && let Some(branch) = self.branch_mut(&place.branch)
                {
                    branch.tip = Some(checkpoint.clone());
                }
            }
            EventBody::RestoreStarted {
                from,
                to,
                before,
                target,
            } => {
                self.open_restore =
                    Some((from.clone(), to.clone(), before.clone(), target.clone()));
            }
            EventBody::RestoreFinished { .. } => {
                if let Some((_, _, _, target)) = self.open_restore.take() {
                    self.stand_on(&target);
                }
            }
            EventBody::Intervened { by, intervention } => self.intervene(*by, intervention, at),
            EventBody::Annotated {
                by,
                annotator,
                target,
                scheme,
                value,
                revision,
            } => self.annotate(
                target,
                scheme,
                Answer {
                    value: value.clone(),
                    by: *by,
                    annotator: annotator.clone(),
                    at,
                    revision: *revision,
                },
            ),
            EventBody::TestFinished {
                branch,
                after_step,
                command,
                outcome,
                result,
            } => {
                let record = TestRecord {
                    after_step: *after_step,
                    command: command.clone(),
                    outcome: *outcome,
                    result: result.clone(),
                    at,
                };
                if let Some(branch) = self.branch_mut(branch) {
                    branch.tests.push(record);
                }
            }
            EventBody::Notice { code, text } => {
                self.notices.push((at, code.clone(), text.clone()));
            }
            EventBody::RunStarted { .. }
            | EventBody::WorktreeClosed
            | EventBody::WorktreeFocused
            | EventBody::ProviderFailed { .. }
            | EventBody::Failed { .. }
            | EventBody::TextDelta { .. }
            | EventBody::ThinkingDelta { .. }
            | EventBody::DeltasReset
            | EventBody::OutputDelta { .. }
            | EventBody::Progress { .. } => {}
        }
    }

    pub(super) fn add_branch(&mut self, new: &NewBranch, at: Millis) {
        self.pending_rollback = None;
        let mut branch = Branch::new(new, at);
        if let Some(text) = &new.instruction {
            branch.items.push(PathItem::Instruction {
                text: text.clone(),
                inject_as: self.inject_as(),
                by: Actor::Person,
                at,
            });
        }
        self.cursor = Some(Place {
            branch: new.id.clone(),
            step: new.branch_point,
        });
        self.branches.push(branch);
    }

    pub(super) fn abandon_tail(
        &mut self,
        id: &BranchId,
        after_step: i32,
        new: &NewBranch,
        at: Millis,
    ) {
        self.pending_rollback = None;
        let keep = self
            .branch(id)
            .map_or(0, |branch| self.items_until(branch, after_step));
        let mut abandoned = Branch::new(new, at);
        if let Some(branch) = self.branch_mut(id) {
            abandoned.items = branch.items.split_off(keep);
            let (stay, go) = std::mem::take(&mut branch.tests)
                .into_iter()
                .partition(|test| test.after_step <= after_step);
            branch.tests = stay;
            abandoned.tests = go;
            abandoned.tip = branch.tip.clone();
        }
        let tip = self.checkpoint_at(&Place {
            branch: id.clone(),
            step: after_step,
        });
        let tip = tip.cloned();
        if let Some(branch) = self.branch_mut(id) {
            branch.tip = tip;
        }
        for item in &abandoned.items {
            if let PathItem::Step(step) = item
                && let Some(step) = self.steps.get_mut(step)
            {
                step.branch = new.id.clone();
            }
        }
        self.move_standings(id, after_step, &new.id);
        for record in &mut self.interventions {
            if record.place.branch == *id && belongs_to_tail(record, after_step) {
                record.place.branch = new.id.clone();
            }
        }
        for child in &mut self.branches {
            if child.parent.as_ref() == Some(id) && child.branch_point > after_step {
                child.parent = Some(new.id.clone());
            }
        }
        self.branches.push(abandoned);
    }

    pub(super) fn intervene(&mut self, by: Actor, intervention: &Intervention, at: Millis) {
        let place = self.cursor.clone().unwrap_or(Place {
            branch: BranchId::main(),
            step: -1,
        });
        match intervention {
            Intervention::Instruct { text, inject_as } => {
                if let Some(branch) = self.branch_mut(&place.branch) {
                    branch.items.push(PathItem::Instruction {
                        text: text.clone(),
                        inject_as: *inject_as,
                        by,
                        at,
                    });
                }
            }
            Intervention::Rollback { from, to } => {
                self.push_undo(from);
                // Going back to where one stands leaves nothing behind.
                self.pending_rollback = (from != to).then(|| (from.clone(), to.clone()));
            }
            // A branch in a worktree of its own left nothing: what it branched from goes on.
            Intervention::Branch { .. } if self.branch_has_own_worktree() => {}
            Intervention::Branch { from, .. } => self.push_undo(from),
            Intervention::UndoRollback { .. } => {
                self.undo.pop();
                self.pending_rollback = None;
            }
            Intervention::Pause
            | Intervention::Resume
            | Intervention::Stop
            | Intervention::EditByHand { .. }
            | Intervention::EditCall { .. }
            | Intervention::RefuseCall { .. }
            | Intervention::ContinueWith { .. } => {}
        }
        self.interventions.push(InterventionRecord {
            at,
            by,
            place,
            intervention: intervention.clone(),
        });
    }

    pub(super) fn push_undo(&mut self, from: &Place) {
        let step = self.own_step_at(from).cloned();
        let before = self
            .last_checkpoint
            .as_ref()
            .map_or_else(|| CheckpointId::new(""), |checkpoint| checkpoint.id.clone());
        self.undo.push(UndoPoint {
            from: from.clone(),
            step,
            before,
        });
    }

    pub(super) fn annotate(&mut self, target: &AnnotationTarget, scheme: &str, answer: Answer) {
        let answers = self.answers.entry(target.clone()).or_default();
        if answer.value.is_null() {
            answers.remove(scheme);
        } else {
            answers.insert(scheme.to_owned(), answer);
        }
        let empty = answers.is_empty();
        if let AnnotationTarget::Comparison { a, b } = target {
            self.comparisons.retain(|pair| (&pair.0, &pair.1) != (a, b));
            if !empty {
                self.comparisons.push((a.clone(), b.clone()));
            }
        }
    }

    /// After a restore the files are those of `target`: what is recorded next goes on top of it.
    pub(super) fn stand_on(&mut self, target: &CheckpointId) {
        let known = self
            .steps
            .values()
            .filter_map(|step| step.checkpoint.as_ref())
            .chain(self.kept.values())
            .find(|checkpoint| checkpoint.id == *target)
            .cloned();
        if known.is_some() {
            self.last_checkpoint = known;
        }
    }

    /// Bytes of what a step returned, as the model reads it.
    pub fn content_length(&self, id: &StepId) -> usize {
        let result = self.steps.get(id).and_then(|step| step.result.as_ref());
        result.map_or(0, |result| result.content.len())
    }

    /// Lets go of what a step returned, to keep a long session's memory flat. The log still has it;
    /// a tree that forgot no longer makes conversations.
    pub fn forget_content(&mut self, id: &StepId) {
        if let Some(result) = self.steps.get_mut(id).and_then(|step| step.result.as_mut()) {
            result.content = String::new();
        }
    }

    pub(super) fn branch_mut(&mut self, id: &BranchId) -> Option<&mut Branch> {
        self.branches.iter_mut().find(|branch| branch.id == *id)
    }
}

/// Whether an intervention goes with the tail after `after_step`: what happened on it, and what was
/// done at its start that only the tail was made from.
fn belongs_to_tail(record: &InterventionRecord, after_step: i32) -> bool {
    record.place.step > after_step
        || (record.place.step == after_step
            && matches!(
                record.intervention,
                Intervention::Instruct { .. } | Intervention::EditByHand { .. }
            ))
}
