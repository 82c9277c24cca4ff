//! Starting the agent, letting it go on, and holding it.

use super::context::unread_bytes;
use super::{Phase, SessionActor};
use crate::agent_process::AgentProcess;
use crate::error::EngineError;
use espalier_protocol::event::{BranchKind, EventBody, Intervention, NewBranch};
use espalier_protocol::op::Place;
use espalier_protocol::session::{EndReason, NearlyFull, PauseReason, SessionState};
use espalier_protocol::tree::{PathItem, Trailing};
use espalier_protocol::worker::{AgentSetup, ToAgent};
use espalier_protocol::{Actor, BranchId, ConversationItem, SessionTree, StepKind};

impl SessionActor {
    /// Answers the agent if it waits for an answer and nothing holds it.
    pub(super) async fn advance(&mut self) -> Result<(), EngineError> {
        if !matches!(self.lane.phase, Phase::Proposed(_) | Phase::Ready) {
            return Ok(());
        }
        match self.state() {
            SessionState::Running => {}
            SessionState::Pausing => return self.pause(PauseReason::Requested).await,
            _ => return Ok(()),
        }
        let cursor = self.cursor();
        if let Some(hold) = self.lane.hold_after
            && cursor.step >= i32::try_from(hold).unwrap_or(i32::MAX)
        {
            return Ok(());
        }
        let made = u32::try_from(cursor.step + 1).unwrap_or(0);
        if made >= self.step_limit() {
            return self.pause(PauseReason::MaxSteps { steps: made }).await;
        }
        if let Err(error) = self.keep_hand_edits().await {
            if super::is_fatal(&error) {
                return Err(error);
            }
            let error = error.to_app();
            return self.pause(PauseReason::CheckpointFailed { error }).await;
        }
        if matches!(self.lane.phase, Phase::Ready) && !self.make_room().await? {
            return Ok(());
        }
        match std::mem::replace(&mut self.lane.phase, Phase::Asking) {
            // An instruction given in the middle of a message is heeded now: what the model had
            // still wanted to do with the old one vanishes from the message.
            Phase::Proposed(proposal) if self.lane.untold.is_empty() => self.go(proposal).await,
            _ => {
                let items = std::mem::take(&mut self.lane.untold);
                self.show(EventBody::DeltasReset);
                self.say(ToAgent::Continue { items }).await
            }
        }
    }

    /// `max_steps`, and as many again each time the annotator goes on at the limit.
    fn step_limit(&self) -> u32 {
        self.meta
            .settings
            .max_steps
            .saturating_add(self.lane.allowed_beyond)
    }

    pub(super) async fn say(&mut self, line: ToAgent) -> Result<(), EngineError> {
        match self.lane.agent.as_mut() {
            Some(agent) => agent.say(&line).await,
            None => Err(EngineError::Internal(
                "There is no agent process to speak to.".to_owned(),
            )),
        }
    }

    /// Starts an agent process at the cursor, with the conversation that belongs there.
    pub(super) async fn start_agent(&mut self) -> Result<(), EngineError> {
        let cursor = self.cursor();
        // The actor's own tree has let go of what tools returned; the log has it.
        let events = self.store.events(self.id(), 0).await?;
        let tree = SessionTree::fold(&events);
        drop(events);
        let setup = AgentSetup {
            backend: Some(self.lane.backend.clone()),
            api_key: self.api_key.clone(),
            project_dir: self.lane.dir.display().to_string(),
            spool_dir: self.lane_spool_dir().display().to_string(),
            tools: self.meta.settings.tools.clone(),
            step_timeout_seconds: self.meta.settings.step_timeout_seconds,
            compacts: self.meta.settings.context.when_nearly_full == NearlyFull::Compact,
            conversation: tree.conversation(&cursor, Trailing::Include),
            next_step: u32::try_from(cursor.step + 1).unwrap_or(0),
            instructions: tree.instructions(&cursor, Trailing::Include),
        };
        self.lane.unread_bytes = unread_bytes(&tree, &cursor);
        self.lane.untold.clear();
        self.lane.message = None;
        self.lane.edited = None;
        self.lane.agent = Some(AgentProcess::start(&self.program, setup).await?);
        self.lane.phase = Phase::Settling;
        self.emit(vec![EventBody::RunStarted {
            branch: cursor.branch,
            backend: self.lane.backend.clone(),
        }])
        .await
    }

    /// Waits, for that reason, with what is waited for on record.
    pub(super) async fn pause(&mut self, reason: PauseReason) -> Result<(), EngineError> {
        self.keep_checkpoint_at_pause().await?;
        self.set_state(SessionState::Paused { reason }).await
    }

    /// With `auto_commit: false` a pause is when a checkpoint is made.
    async fn keep_checkpoint_at_pause(&mut self) -> Result<(), EngineError> {
        if self.lane.checkpoints.is_none() || self.meta.settings.checkpoints.auto_commit {
            return Ok(());
        }
        match self.checkpoint_now().await {
            Err(error) if !super::is_fatal(&error) => {
                self.emit(vec![EventBody::Failed {
                    error: error.to_app(),
                }])
                .await
            }
            other => other,
        }
    }

    /// Lets the agent go on, or starts it.
    pub(super) async fn resume(&mut self, by: Actor) -> Result<(), EngineError> {
        let reason = match self.state() {
            SessionState::Paused { reason } => reason.clone(),
            SessionState::Pausing => {
                self.record(by, Intervention::Resume).await?;
                return self.set_state(SessionState::Running).await;
            }
            SessionState::Ended { .. } => {
                if self.lane.untold.is_empty() && !self.instruction_waits() {
                    return Err(EngineError::not_now(
                        "The agent has ended its run on this branch.",
                        "Send an instruction, roll back, branch, or finish the session.",
                    ));
                }
                PauseReason::Requested
            }
            _ => {
                return Err(EngineError::not_now(
                    "The agent is already at work.",
                    "Pause it first.",
                ));
            }
        };
        if reason != PauseReason::NotStarted {
            self.record(by, Intervention::Resume).await?;
        }
        let cursor = self.cursor();
        let made = u32::try_from(cursor.step + 1).unwrap_or(0);
        if made >= self.step_limit() {
            self.lane.allowed_beyond = made;
        }
        if matches!(
            reason,
            PauseReason::Loop { .. } | PauseReason::AfterSteps { .. }
        ) {
            self.lane.counted_from = cursor.step;
        }
        self.allow_fuller(&reason);
        self.settle_rollback(None).await?;
        self.set_state(SessionState::Running).await?;
        self.start_or_advance().await
    }

    /// The agent goes on: a new process where there is none.
    pub(super) async fn start_or_advance(&mut self) -> Result<(), EngineError> {
        if self.lane.agent.is_none() {
            self.start_agent().await
        } else {
            self.advance().await
        }
    }

    /// Whether the path ends with an instruction the model has not answered.
    fn instruction_waits(&self) -> bool {
        let cursor = self.cursor();
        let path = self.tree.path(&cursor, Trailing::Include);
        path.iter()
            .rev()
            .take_while(|item| item.step().is_none())
            .any(|item| matches!(item, PathItem::Instruction { .. }))
    }

    /// Tells the agent something; it reads it when it goes on.
    pub(super) async fn instruct(&mut self, by: Actor, text: String) -> Result<(), EngineError> {
        if !self.meta.settings.controls.instruct {
            return Err(EngineError::ControlOff {
                what: "Sending instructions",
                key: "controls.send_instructions",
            });
        }
        if text.trim().is_empty() {
            return Err(EngineError::not_now(
                "The instruction is empty.",
                "Type what the agent should do.",
            ));
        }
        if !matches!(
            self.state(),
            SessionState::Paused { .. } | SessionState::Ended { .. }
        ) {
            return Err(EngineError::not_now(
                "Instructions can be sent while the agent is paused.",
                "Pause it first.",
            ));
        }
        if self.tree.pending_rollback.is_some() {
            return self.settle_rollback(Some((text, None))).await;
        }
        let inject_as = self.tree.inject_as();
        self.record(
            by,
            Intervention::Instruct {
                text: text.clone(),
                inject_as,
            },
        )
        .await?;
        if self.lane.agent.is_some() {
            self.lane
                .untold
                .push(ConversationItem::instruction(text, inject_as));
        }
        Ok(())
    }

    /// Decides what a rollback becomes: with an instruction a new branch; without one the old path
    /// gives up its tail, or, from above a fork, a new branch of the ancestor goes on.
    pub(super) async fn settle_rollback(
        &mut self,
        instruction: Option<(String, Option<BranchId>)>,
    ) -> Result<(), EngineError> {
        let Some((from, to)) = self.tree.pending_rollback.clone() else {
            return Ok(());
        };
        if let Some((text, name)) = instruction {
            return self.new_branch(&to, Some(text), name).await;
        }
        if to.branch != from.branch && self.is_ancestor(&to.branch, &from.branch) {
            return self.new_branch(&to, None, None).await;
        }
        if self.tree.tip_step(&to.branch) <= to.step {
            return Ok(());
        }
        let id = self.tree.next_branch_id(BranchKind::Abandoned);
        let abandoned = NewBranch {
            git_branch: self.git_branch(&id),
            id,
            kind: BranchKind::Abandoned,
            parent: Some(to.branch.clone()),
            branch_point: to.step,
            instruction: None,
        };
        self.emit(vec![EventBody::TailAbandoned {
            branch: to.branch.clone(),
            after_step: to.step,
            abandoned: abandoned.clone(),
        }])
        .await?;
        self.publish_branch(&abandoned.id)?;
        self.publish_branch(&to.branch)
    }

    pub(super) fn is_ancestor(&self, ancestor: &BranchId, of: &BranchId) -> bool {
        let mut id = of.clone();
        while let Some(parent) = self
            .tree
            .branch(&id)
            .and_then(|branch| branch.parent.clone())
        {
            if parent == *ancestor {
                return true;
            }
            id = parent;
        }
        false
    }

    /// Makes a branch at a place where the files already are.
    pub(super) async fn new_branch(
        &mut self,
        at: &Place,
        instruction: Option<String>,
        name: Option<BranchId>,
    ) -> Result<(), EngineError> {
        self.check_branch_limit(at)?;
        let kind = if instruction.is_some() {
            BranchKind::Instructed
        } else {
            BranchKind::Continued
        };
        let id = name.unwrap_or_else(|| self.tree.next_branch_id(kind));
        let branch = NewBranch {
            git_branch: self.git_branch(&id),
            id,
            kind,
            parent: Some(at.branch.clone()),
            branch_point: at.step,
            instruction,
        };
        self.emit(vec![EventBody::BranchCreated { branch }]).await?;
        self.publish_tip()
    }

    pub(super) fn check_branch_limit(&self, at: &Place) -> Result<(), EngineError> {
        let count = self.tree.branches_at(at);
        if count >= self.meta.settings.controls.max_branches {
            return Err(EngineError::BranchLimit { count });
        }
        Ok(())
    }

    pub(super) fn git_branch(&self, id: &BranchId) -> String {
        let prefix = &self.meta.settings.checkpoints.branch_prefix;
        let session = self.id();
        if *id == BranchId::main() {
            format!("{prefix}-{session}")
        } else {
            format!("{prefix}-{session}-{id}")
        }
    }

    /// Shows the current branch in the user's repository.
    pub(super) fn publish_tip(&self) -> Result<(), EngineError> {
        self.publish_branch(&self.cursor().branch)
    }

    pub(super) fn publish_branch(&self, id: &BranchId) -> Result<(), EngineError> {
        let (Some(checkpoints), Some(branch)) = (self.publisher(), self.tree.branch(id)) else {
            return Ok(());
        };
        let place = Place {
            branch: id.clone(),
            step: self.tree.tip_step(id),
        };
        let tip = branch
            .tip
            .as_ref()
            .or_else(|| self.tree.checkpoint_at(&place));
        match tip {
            Some(tip) => checkpoints.publish(branch.git_branch.clone(), tip.id.clone()),
            None => Ok(()),
        }
    }

    /// The state to rest in at the cursor: a branch whose agent has ended stays ended.
    pub(super) fn resting_state(&self, reason: PauseReason) -> SessionState {
        let closed = self
            .tree
            .step_at(&self.cursor())
            .is_some_and(|step| step.kind == StepKind::Message)
            && !self.instruction_waits()
            && self.tree.pending_rollback.is_none();
        if closed {
            SessionState::Ended {
                reason: EndReason::Completed,
            }
        } else {
            SessionState::Paused { reason }
        }
    }

    pub(super) async fn record(
        &mut self,
        by: Actor,
        intervention: Intervention,
    ) -> Result<(), EngineError> {
        self.emit(vec![EventBody::Intervened { by, intervention }])
            .await
    }
}
