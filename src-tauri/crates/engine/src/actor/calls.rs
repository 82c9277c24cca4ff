//! What a person does to a call before it runs: change its arguments, or refuse it.

use super::{Phase, Proposal, SessionActor};
use crate::error::EngineError;
use espalier_protocol::event::{EventBody, Intervention};
use espalier_protocol::session::SessionState;
use espalier_protocol::worker::ToAgent;
use espalier_protocol::{Actor, AppError, ErrorCode};
use serde_json::Value;
use std::path::Path;

/// Arguments that say what a call is about, in the order in which they are looked for.
const TARGETS: [&str; 6] = [
    "path",
    "file_path",
    "notebook_path",
    "command",
    "pattern",
    "url",
];

impl Proposal {
    /// Takes other arguments, and what the call is about with them.
    pub(super) fn change(&mut self, input: &Value, dir: &Path) {
        let named = TARGETS.iter().find_map(|name| input[*name].as_str());
        if let Some(target) = named {
            // Claude Code's tools take whole paths.
            let within = Path::new(target).strip_prefix(dir).ok();
            let target = within.and_then(Path::to_str).unwrap_or(target);
            target.clone_into(&mut self.target);
        }
        self.input = input.clone();
    }
}

impl SessionActor {
    /// Lets the call that waits run with other arguments once it runs.
    pub(super) async fn edit_call(
        &mut self,
        by: Actor,
        call_id: Option<String>,
        input: Value,
    ) -> Result<(), EngineError> {
        let proposal = self.waiting_call(call_id.as_deref())?;
        if let Err(wrong) = espalier_agent::check_arguments(&proposal.name, &input) {
            return Err(EngineError::Part(AppError::new(
                ErrorCode::NotNow,
                format!("{} cannot be called like that: {wrong}", proposal.name),
                "Correct the arguments; nothing has run.",
            )));
        }
        let Proposal {
            call_id,
            name,
            input: before,
            ..
        } = proposal;
        self.lane.edited = (input != before).then(|| (call_id.clone(), input.clone()));
        let intervention = Intervention::EditCall {
            call_id,
            name,
            before,
            after: input,
        };
        self.record(by, intervention).await
    }

    /// The call that waits becomes a step that was refused. The session stays as it is.
    pub(super) async fn refuse_call(
        &mut self,
        by: Actor,
        call_id: Option<String>,
        reason: String,
    ) -> Result<(), EngineError> {
        let proposal = self.waiting_call(call_id.as_deref())?;
        self.lane.edited = None;
        let (call_id, name) = (proposal.call_id.clone(), proposal.name.clone());
        self.record(
            by,
            Intervention::RefuseCall {
                call_id: call_id.clone(),
                name,
                reason: reason.clone(),
            },
        )
        .await?;
        let step = self.new_step(&proposal);
        let id = step.id.clone();
        self.emit(vec![EventBody::StepStarted {
            step: Box::new(step),
        }])
        .await?;
        self.lane.phase = Phase::Stepping(id);
        self.say(ToAgent::Refuse { call_id, reason }).await
    }

    /// The call that waits for an answer while the session is paused.
    fn waiting_call(&self, call_id: Option<&str>) -> Result<Proposal, EngineError> {
        let waiting = match &self.lane.phase {
            Phase::Proposed(proposal) if matches!(self.state(), SessionState::Paused { .. }) => {
                Some(proposal)
            }
            _ => None,
        };
        waiting
            .filter(|proposal| call_id.is_none_or(|wanted| wanted == proposal.call_id))
            .cloned()
            .ok_or_else(|| {
                EngineError::not_now(
                    "No such call waits.",
                    "Pause the agent: the call it wants to make next then waits.",
                )
            })
    }
}
