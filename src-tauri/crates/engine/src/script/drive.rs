//! Carrying a script out.

use super::{Action, Line, ScriptError, When};
use crate::error::EngineError;
use crate::handle::SessionHandle;
use espalier_protocol::op::{AnnotationTarget, Place};
use espalier_protocol::session::{PauseReason, SchemeTarget, SessionState};
use espalier_protocol::{Actor, BranchId, Event, Op, SessionTree};
use tokio::sync::mpsc;

/// How a script ended.
#[derive(Debug, Clone, PartialEq)]
pub enum ScriptEnd {
    /// Its `finish` was carried out.
    Finished,
    /// All lines are done; the session is open in this state.
    Open(SessionState),
    /// The session paused by itself and no further line can end that.
    PausedByItself(SessionState),
}

/// Starts the agent and carries the lines out, in order.
pub async fn drive(handle: &SessionHandle, lines: Vec<Line>) -> Result<ScriptEnd, ScriptError> {
    let subscription = handle.subscribe().await.map_err(ScriptError::Session)?;
    let mut driver = Driver {
        handle,
        tree: SessionTree::fold(&subscription.past),
        live: subscription.live,
        held_after: None,
    };
    driver.hold(next_hold(&lines)).await?;
    if matches!(driver.state(), SessionState::Paused { .. }) {
        driver.op(Op::Resume).await.map_err(ScriptError::Session)?;
    }
    for (index, line) in lines.iter().enumerate() {
        let after = next_hold(&lines[index + 1..]);
        if let Some(end) = driver.wait_for(line).await? {
            return Ok(end);
        }
        // While the line acts, the agent may pass neither this line's step nor the next one's.
        let own = match line.when {
            When::AfterStep(step) => Some(step),
            When::Now | When::AfterEnd => None,
        };
        driver.hold(own.into_iter().chain(after).min()).await?;
        if let Some(end) = driver.act(line).await? {
            return Ok(end);
        }
        driver.hold(after).await?;
    }
    let state = driver.rest().await?;
    let by_itself = matches!(&state, SessionState::Paused { reason } if is_by_itself(reason));
    Ok(if by_itself {
        ScriptEnd::PausedByItself(state)
    } else {
        ScriptEnd::Open(state)
    })
}

/// The step at which the agent must wait for the lines to come.
fn next_hold(lines: &[Line]) -> Option<u32> {
    lines.iter().find_map(|line| match line.when {
        When::Now => None,
        When::AfterStep(step) => Some(Some(step)),
        When::AfterEnd => Some(None),
    })?
}

/// Whether the session paused without the script's doing.
fn is_by_itself(reason: &PauseReason) -> bool {
    !matches!(
        reason,
        PauseReason::Requested
            | PauseReason::RolledBack
            | PauseReason::Stopped
            | PauseReason::NotStarted
            | PauseReason::Recovered
    )
}

struct Driver<'a> {
    handle: &'a SessionHandle,
    tree: SessionTree,
    live: mpsc::UnboundedReceiver<Event>,
    /// Where the agent is held now.
    held_after: Option<u32>,
}

impl Driver<'_> {
    fn state(&self) -> SessionState {
        self.tree.state.clone().unwrap_or(SessionState::Preparing)
    }

    fn cursor(&self) -> Place {
        self.tree.cursor.clone().unwrap_or(Place {
            branch: BranchId::main(),
            step: -1,
        })
    }

    async fn hold(&mut self, step: Option<u32>) -> Result<(), ScriptError> {
        self.handle
            .hold_after(step)
            .await
            .map_err(ScriptError::Session)?;
        self.held_after = step;
        self.catch_up();
        Ok(())
    }

    /// Takes in what was told before the session's last answer.
    fn catch_up(&mut self) {
        while let Ok(event) = self.live.try_recv() {
            self.take(&event);
        }
    }

    async fn op(&mut self, op: Op) -> Result<(), EngineError> {
        self.handle.op(Actor::Script, op).await?;
        self.catch_up();
        Ok(())
    }

    fn take(&mut self, event: &Event) {
        self.tree.apply(event);
        if let espalier_protocol::EventBody::StepFinished { step, .. } = &event.body {
            self.tree.forget_content(step);
        }
    }

    async fn next(&mut self) -> Result<(), ScriptError> {
        match self.live.recv().await {
            Some(event) => {
                self.take(&event);
                Ok(())
            }
            None => Err(ScriptError::Session(EngineError::Closed(
                self.handle.id().clone(),
            ))),
        }
    }

    /// Waits until nothing happens by itself any more, in any worktree.
    async fn rest(&mut self) -> Result<SessionState, ScriptError> {
        while self.tree.is_active() {
            self.next().await?;
        }
        Ok(self.state())
    }

    /// Waits for the pause that an instruction needs; one that the script itself holds off cannot come.
    async fn wait_for_pause(&mut self, line: &Line) -> Result<(), ScriptError> {
        while self.state().is_active() {
            let cursor = self.cursor();
            let held = self
                .held_after
                .is_some_and(|step| cursor.step >= i32::try_from(step).unwrap_or(i32::MAX));
            let stepping = self
                .tree
                .step_at(&cursor)
                .is_some_and(|step| step.result.is_none());
            if held && !stepping && matches!(self.state(), SessionState::Running) {
                return Err(ScriptError::Never {
                    line: line.number,
                    why: format!(
                        "the session is not paused, and is held after step {}; pause it first",
                        cursor.step
                    ),
                });
            }
            self.next().await?;
        }
        Ok(())
    }

    /// Waits until the line's condition holds. Returns how the script ends when the session
    /// paused by itself before.
    async fn wait_for(&mut self, line: &Line) -> Result<Option<ScriptEnd>, ScriptError> {
        loop {
            let state = self.state();
            let done = match line.when {
                When::Now => true,
                When::AfterEnd => matches!(state, SessionState::Ended { .. }),
                When::AfterStep(step) => self.stands_after(line, step)?,
            };
            if done {
                return Ok(None);
            }
            match &state {
                SessionState::Paused { reason } if is_by_itself(reason) => {
                    return Ok(Some(ScriptEnd::PausedByItself(state)));
                }
                state if !state.is_active() => {
                    return Err(ScriptError::Never {
                        line: line.number,
                        why: format!("the session waits after step {}", self.cursor().step),
                    });
                }
                _ => self.next().await?,
            }
        }
    }

    /// Whether that step of the current branch is done and nothing went on from it.
    fn stands_after(&self, line: &Line, step: u32) -> Result<bool, ScriptError> {
        let cursor = self.cursor();
        let step = i32::try_from(step).unwrap_or(i32::MAX);
        if cursor.step > step {
            return Err(ScriptError::Never {
                line: line.number,
                why: format!(
                    "step {step} is already past; {} stands after step {}",
                    cursor.branch, cursor.step
                ),
            });
        }
        let returned = self
            .tree
            .step_at(&cursor)
            .is_some_and(|step| step.result.is_some());
        Ok(cursor.step == step && returned && !matches!(self.state(), SessionState::Restoring))
    }

    async fn act(&mut self, line: &Line) -> Result<Option<ScriptEnd>, ScriptError> {
        if matches!(line.action, Action::Instruct { .. } | Action::Resume {}) {
            self.wait_for_pause(line).await?;
        }
        let op = self
            .op_of(&line.action)
            .map_err(|error| ScriptError::Refused {
                line: line.number,
                error,
            })?;
        let finishes = matches!(op, Op::Finish { .. });
        let pauses = matches!(op, Op::Pause);
        self.op(op).await.map_err(|error| ScriptError::Refused {
            line: line.number,
            error,
        })?;
        if pauses {
            while self.state().is_active() {
                self.next().await?;
            }
        }
        Ok(finishes.then_some(ScriptEnd::Finished))
    }

    fn op_of(&self, action: &Action) -> Result<Op, EngineError> {
        Ok(match action {
            Action::Pause {} => Op::Pause,
            Action::Resume {} => Op::Resume,
            Action::Stop {} => Op::Stop,
            Action::Checkpoint {} => Op::CheckpointNow,
            Action::RunTests {} => Op::RunTests,
            Action::EditCall { input } => Op::EditCall {
                call_id: None,
                input: input.clone(),
            },
            Action::RefuseCall { reason } => Op::RefuseCall {
                call_id: None,
                reason: reason.clone(),
            },
            Action::Focus { branch } => Op::Focus {
                branch: BranchId::new(branch),
            },
            Action::CloseWorktree { branch } => Op::CloseWorktree {
                branch: BranchId::new(branch),
            },
            Action::Instruct { text } => Op::Instruct { text: text.clone() },
            Action::Rollback { to_step, branch } => Op::Rollback {
                to: Place {
                    branch: branch
                        .as_ref()
                        .map_or_else(|| self.cursor().branch, BranchId::new),
                    step: *to_step,
                },
            },
            Action::UndoRollback {} => Op::UndoRollback,
            Action::Branch {
                from,
                step,
                instruction,
                name,
            } => Op::Branch {
                from: Place {
                    branch: BranchId::new(from),
                    step: *step,
                },
                instruction: instruction.clone(),
                name: name.clone(),
            },
            Action::Rate {
                branch,
                step,
                scheme,
                value,
            } => self.rate(branch, *step, scheme.as_deref(), value)?,
            Action::Annotate {
                branch,
                scheme,
                value,
            } => Op::Annotate {
                target: match branch {
                    Some(branch) => AnnotationTarget::Branch {
                        branch: BranchId::new(branch),
                    },
                    None => AnnotationTarget::Session,
                },
                scheme: scheme.clone(),
                value: value.clone(),
            },
            Action::Prefer {
                a,
                b,
                scheme,
                value,
            } => Op::Annotate {
                target: AnnotationTarget::Comparison {
                    a: BranchId::new(a),
                    b: BranchId::new(b),
                },
                scheme: self.scheme(scheme.as_deref(), SchemeTarget::Comparison)?,
                value: value.clone(),
            },
            Action::Finish { keep } => Op::Finish { keep: *keep },
        })
    }

    fn rate(
        &self,
        branch: &str,
        step: u32,
        scheme: Option<&str>,
        value: &serde_json::Value,
    ) -> Result<Op, EngineError> {
        let place = Place {
            branch: BranchId::new(branch),
            step: i32::try_from(step).unwrap_or(i32::MAX),
        };
        let found = self
            .tree
            .step_at(&place)
            .ok_or_else(|| EngineError::Unknown {
                what: "step",
                name: format!("{step} on {branch}"),
            })?;
        Ok(Op::Annotate {
            target: AnnotationTarget::Step {
                step: found.id.clone(),
            },
            scheme: self.scheme(scheme, SchemeTarget::Step)?,
            value: value.clone(),
        })
    }

    /// The named scheme, or the first that is asked about such a target.
    fn scheme(&self, name: Option<&str>, target: SchemeTarget) -> Result<String, EngineError> {
        if let Some(name) = name {
            return Ok(name.to_owned());
        }
        self.handle
            .meta
            .settings
            .schemes
            .iter()
            .find(|scheme| scheme.target == target)
            .map(|scheme| scheme.name.clone())
            .ok_or_else(|| EngineError::Unknown {
                what: "annotation scheme",
                name: "for this".to_owned(),
            })
    }
}
