//! Sessions: starting, opening, following and steering them.

use crate::app::Desk;
use crate::project;
use crate::workbench::{self, Workbench};
use espalier_engine::{EngineError, NewSession, SessionHandle, Subscription};
use espalier_protocol::op::Place;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::view::{ComparisonView, RestorePreview, SessionSummary};
use espalier_protocol::{Actor, AppError, BranchId, ErrorCode, Event, Op, SessionId, TaskId};
use std::path::Path;
use tauri::State;
use tauri::ipc::Channel;
use tokio::sync::mpsc;

/// Makes a session for a task; it stands paused, before its first step. `model` is another one of the
/// configured Ollama server's.
#[tauri::command]
#[specta::specta]
pub async fn start_session(
    desk: State<'_, Desk>,
    config_path: String,
    task: TaskId,
    annotator: String,
    model: Option<String>,
) -> Result<SessionId, AppError> {
    let annotator = workbench::check_annotator(&annotator)?;
    let mut project = project::load(Path::new(&config_path)).await?;
    if let (Some(chosen), BackendSettings::Ollama { model, .. }) =
        (model, &mut project.settings.backend)
    {
        *model = chosen;
    }
    let new = NewSession {
        project: &project,
        task: &task,
        annotator,
    };
    let handle = desk.bench.engine.create(new).await.map_err(told)?;
    desk.keep_output(&handle).await?;
    Ok(handle.id().clone())
}

/// Reads a session back and brings its files again.
#[tauri::command]
#[specta::specta]
pub async fn open_session(desk: State<'_, Desk>, session: SessionId) -> Result<(), AppError> {
    let handle = desk.bench.open_session(&session).await?;
    desk.keep_output(&handle).await
}

/// All sessions in the database, latest first.
#[tauri::command]
#[specta::specta]
pub async fn list_sessions(desk: State<'_, Desk>) -> Result<Vec<SessionSummary>, AppError> {
    desk.bench.sessions().await
}

/// Sends the session's events, from its first, to the window until `unsubscribe`. Of a session that
/// is not open there is only a past.
#[tauri::command]
#[specta::specta]
pub async fn subscribe(
    desk: State<'_, Desk>,
    session: SessionId,
    channel: Channel<Vec<Event>>,
) -> Result<(), AppError> {
    let subscription = match desk.bench.live(&session).await {
        Some(handle) => handle.subscribe().await.map_err(told)?,
        None => {
            let past = desk.bench.store.events(&session, 0).await;
            Subscription {
                past: past.map_err(|error| error.to_app())?,
                live: mpsc::unbounded_channel().1,
            }
        }
    };
    desk.pump(session, subscription, channel);
    Ok(())
}

/// Ends what the oldest `subscribe` of that session began.
#[tauri::command]
#[specta::specta]
pub async fn unsubscribe(desk: State<'_, Desk>, session: SessionId) -> Result<(), AppError> {
    desk.unpump(&session);
    Ok(())
}

/// Carries out an operation on a session as the annotator.
#[tauri::command]
#[specta::specta]
pub async fn send_op(desk: State<'_, Desk>, session: SessionId, op: Op) -> Result<(), AppError> {
    let handle = open(&desk.bench, &session).await?;
    handle.op(Actor::Person, op).await.map_err(told)
}

/// What a rollback to `place` would do.
#[tauri::command]
#[specta::specta]
pub async fn preview_rollback(
    desk: State<'_, Desk>,
    session: SessionId,
    place: Place,
) -> Result<RestorePreview, AppError> {
    let handle = open(&desk.bench, &session).await?;
    handle.preview_rollback(place).await.map_err(told)
}

/// Two branches side by side.
#[tauri::command]
#[specta::specta]
pub async fn compare(
    desk: State<'_, Desk>,
    session: SessionId,
    a: BranchId,
    b: BranchId,
) -> Result<ComparisonView, AppError> {
    let handle = open(&desk.bench, &session).await?;
    handle.compare(a, b).await.map_err(told)
}

/// The handle of a session that is open.
async fn open(bench: &Workbench, session: &SessionId) -> Result<SessionHandle, AppError> {
    bench.live(session).await.ok_or_else(|| {
        AppError::new(
            ErrorCode::NotNow,
            format!("Session {session} is not open."),
            "Open the session again.",
        )
    })
}

fn told(error: EngineError) -> AppError {
    error.to_app()
}
