//! `espalier run`: sessions without a window.

mod follow;
mod summary;

use super::RunArgs;
use crate::exit::Exit;
use crate::output::{OutputWriter, Report};
use crate::workbench::{self, Workbench};
use crate::{console, project, signals};
use espalier_config::Project;
use espalier_engine::script::{self, Action, Line, ScriptEnd};
use espalier_engine::{NewSession, SessionHandle};
use espalier_protocol::session::SessionState;
use espalier_protocol::{Actor, AppError, ErrorCode, Op, TaskId};
use follow::Follower;
use std::path::Path;
use std::sync::Arc;
use summary::{Ending, Summary};
use tokio_util::sync::CancellationToken;

/// What holds for all sessions of one `run`.
struct Run {
    bench: Workbench,
    script: Option<Vec<Line>>,
    json: bool,
    keep: bool,
    interrupt: CancellationToken,
}

/// Runs or continues sessions; tells about each when it is over.
pub async fn run(bench: Workbench, args: RunArgs) -> Result<Exit, AppError> {
    let run = Run {
        script: args
            .script
            .as_deref()
            .map(|file| read_script(file, args.keep))
            .transpose()?,
        json: args.json,
        keep: args.keep,
        interrupt: interrupted(),
        bench,
    };
    if let Some(id) = args.resume {
        let handle = run.bench.open_session(&id).await?;
        return run.session(&handle).await;
    }
    let Some(config) = args.config else {
        return Err(AppError::new(
            ErrorCode::Usage,
            "Which configuration is to be run?",
            "espalier run CONFIG.yaml",
        ));
    };
    let project = project::load(&config).await?;
    let annotator = args.annotator.unwrap_or_else(workbench::default_annotator);
    run.tasks(&project, chosen(&project, args.tasks)?, annotator)
        .await
}

impl Run {
    /// One session for each task, one after the other. A task that fails does not keep the others
    /// from running; a backend that is not there does.
    async fn tasks(
        &self,
        project: &Project,
        tasks: Vec<TaskId>,
        annotator: String,
    ) -> Result<Exit, AppError> {
        let mut worst = Exit::Done;
        for task in tasks {
            let created = self.bench.engine.create(NewSession {
                project,
                task: &task,
                annotator: annotator.clone(),
            });
            let ended = match created.await.map_err(|error| error.to_app()) {
                Ok(handle) => self.session(&handle).await,
                Err(error) => Err(error),
            };
            let exit = ended.unwrap_or_else(|error| {
                console::tell(format!("Task {task}"));
                console::tell_error(&error);
                Exit::of_error(&error)
            });
            worst = worst.max(exit);
            if exit == Exit::Backend || self.interrupt.is_cancelled() {
                break;
            }
        }
        Ok(worst)
    }

    /// Drives one open session to where it goes no further, lays it aside and tells about it.
    async fn session(&self, handle: &SessionHandle) -> Result<Exit, AppError> {
        let follower = Follower::start(handle, self.json).await?;
        let report: Report = Arc::new(|error| console::tell_error(&error));
        let output = OutputWriter::start(handle, self.bench.store.clone(), report).await?;
        let ending = tokio::select! {
            ending = self.steer(handle, &follower) => ending,
            () = self.interrupt.cancelled() => Ok(Ending::Interrupted),
        };
        // Parks what is not finished: the agent ends and the project is put back.
        let closed = handle.close().await.map_err(|error| error.to_app());
        let record = follower.finish().await;
        if let Some(output) = output {
            output.finish().await;
        }
        let ending = match (ending, closed) {
            (Ok(Ending::Interrupted), Err(error)) => {
                console::tell_error(&error);
                Ending::Interrupted
            }
            (Ok(ending), Ok(())) => ending,
            (Err(error), _) | (Ok(_), Err(error)) => Ending::Failed(error),
        };
        let summary = Summary {
            meta: &handle.meta(),
            record: &record,
            ending: &ending,
            data_dir: other_data_dir(&self.bench.data_dir),
        };
        for line in summary.lines() {
            console::tell(line);
        }
        Ok(ending.exit(&record))
    }

    async fn steer(&self, handle: &SessionHandle, follower: &Follower) -> Result<Ending, AppError> {
        let Some(lines) = &self.script else {
            return self.run_to_the_end(handle, follower).await;
        };
        let end = script::drive(handle, lines.clone())
            .await
            .map_err(|error| error.to_app())?;
        Ok(match end {
            ScriptEnd::Finished => Ending::Finished,
            ScriptEnd::Open(state) | ScriptEnd::PausedByItself(state) => Ending::Open(state),
        })
    }

    /// Without a script the agent runs to its end and the session is finished.
    async fn run_to_the_end(
        &self,
        handle: &SessionHandle,
        follower: &Follower,
    ) -> Result<Ending, AppError> {
        let told = |error: espalier_engine::EngineError| error.to_app();
        let before = handle.tree().await.map_err(told)?;
        if !matches!(before.state, Some(SessionState::Ended { .. })) {
            handle.op(Actor::App, Op::Resume).await.map_err(told)?;
        }
        let now = handle.tree().await.map_err(told)?;
        let state = match now.state {
            Some(state) if !state.is_active() => state,
            _ => follower.rest_after(now.last_seq).await?,
        };
        if !matches!(state, SessionState::Ended { .. }) {
            return Ok(Ending::Open(state));
        }
        handle
            .op(Actor::App, Op::Finish { keep: self.keep })
            .await
            .map_err(told)?;
        Ok(Ending::Finished)
    }
}

/// The tasks asked for, or all.
fn chosen(project: &Project, asked: Vec<TaskId>) -> Result<Vec<TaskId>, AppError> {
    let known: Vec<&TaskId> = project.tasks.iter().map(|task| &task.id).collect();
    if let Some(unknown) = asked.iter().find(|task| !known.contains(task)) {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        return Err(AppError::new(
            ErrorCode::Usage,
            format!("The configuration has no task {unknown}."),
            format!("Its tasks are: {}", known.join(", ")),
        ));
    }
    if asked.is_empty() {
        return Ok(known.into_iter().cloned().collect());
    }
    Ok(asked)
}

/// The token is cancelled by the first Ctrl-C; the second ends at once.
fn interrupted() -> CancellationToken {
    let token = CancellationToken::new();
    let first = token.clone();
    tokio::spawn(async move {
        signals::asked_to_end().await;
        console::tell(
            "Stopping: the session is saved and the project put back. Once more ends at once.",
        );
        first.cancel();
        signals::asked_to_end().await;
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    token
}

/// Reads a script; with `--keep` its `finish` leaves the result in the project.
fn read_script(file: &Path, keep_result: bool) -> Result<Vec<Line>, AppError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        AppError::new(
            ErrorCode::Usage,
            format!("The script {} cannot be read: {error}", file.display()),
            "",
        )
    })?;
    let mut lines = script::parse(&text).map_err(|error| AppError {
        code: ErrorCode::Usage,
        message: format!("{}: {error}", file.display()),
        ..error.to_app()
    })?;
    for line in &mut lines {
        if let Action::Finish { keep } = &mut line.action {
            *keep |= keep_result;
        }
    }
    Ok(lines)
}

/// The data folder, where a command must name it.
fn other_data_dir(data_dir: &Path) -> Option<&Path> {
    (workbench::default_data_dir().as_deref() != Some(data_dir)).then_some(data_dir)
}
