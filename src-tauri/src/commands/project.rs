//! The app itself and project configurations.

use crate::app::Desk;
use crate::{project, recent, workbench};
use espalier_protocol::view::{DoctorLine, ProjectView};
use espalier_protocol::{AppError, ErrorCode, SessionId, TaskId};
use serde::{Deserialize, Serialize};
use specta::Type;
use std::path::{Path, PathBuf};
use tauri::State;
use tauri::ipc::Channel;

/// What the window shows about the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AppInfo {
    pub version: String,
    pub data_dir: String,
    /// Name offered for the annotator.
    pub annotator: String,
    /// The configuration given on the command line.
    pub initial_config: Option<String>,
}

/// What concerns the app and not one session's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AppEvent {
    /// A configuration was dropped on the window.
    ConfigDropped { path: String },
    /// How far the first look at a project's files is.
    Looking { done: u32, total: Option<u32> },
    /// The window closes once so many sessions are saved and their projects put back.
    Closing { sessions: u32 },
    /// Something failed outside a session's own log (an output folder that cannot be written).
    Problem {
        session: Option<SessionId>,
        error: AppError,
    },
}

/// Tells what this app is and where it keeps its data.
#[tauri::command]
#[specta::specta]
pub async fn app_info(desk: State<'_, Desk>) -> Result<AppInfo, AppError> {
    let text = |path: PathBuf| path.display().to_string();
    Ok(AppInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: text(desk.bench.data_dir.clone()),
        annotator: workbench::default_annotator(),
        initial_config: desk.initial_config.clone().map(text),
    })
}

/// Sends app events to the window from now on; a second call replaces the first.
#[tauri::command]
#[specta::specta]
pub async fn watch_app(desk: State<'_, Desk>, channel: Channel<AppEvent>) -> Result<(), AppError> {
    desk.watch(channel);
    Ok(())
}

/// Loads a project configuration with what was done on its tasks so far.
#[tauri::command]
#[specta::specta]
pub async fn open_project(desk: State<'_, Desk>, path: String) -> Result<ProjectView, AppError> {
    let project = project::load(Path::new(&path)).await?;
    let view = project::view(&desk.bench, project).await?;
    if let Err(error) = recent::remember(&desk.bench.data_dir, &view.config_path) {
        tracing::warn!(%error, "the list of recent projects was not written");
    }
    Ok(view)
}

/// Unpacks the embedded demo where that is still to do, and tells its configuration's path.
#[tauri::command]
#[specta::specta]
pub async fn demo_config(desk: State<'_, Desk>) -> Result<String, AppError> {
    let data_dir = desk.bench.data_dir.clone();
    let config = tokio::task::spawn_blocking(move || crate::demo::unpack(&data_dir)).await;
    match config {
        Ok(config) => Ok(config?.display().to_string()),
        Err(error) => Err(AppError::new(
            ErrorCode::Internal,
            format!("The demo was not unpacked: {error}"),
            "",
        )),
    }
}

/// Makes a task's project directory a git repository with one commit. Only ever called when the
/// person asked for it.
#[tauri::command]
#[specta::specta]
pub async fn initialise_repository(config_path: String, task: TaskId) -> Result<(), AppError> {
    let project = project::load(Path::new(&config_path)).await?;
    let Some(task) = project.tasks.into_iter().find(|known| known.id == task) else {
        return Err(AppError::new(
            ErrorCode::Unknown,
            format!("The configuration has no task {task}."),
            "",
        ));
    };
    let made = tokio::task::spawn_blocking(move || {
        espalier_checkpoint::initialise(Path::new(&task.project_dir), "Initial commit")
    });
    match made.await {
        Ok(made) => made.map_err(|error| error.to_app()),
        Err(error) => Err(AppError::new(ErrorCode::Internal, error.to_string(), "")),
    }
}

/// Configurations opened before, latest first.
#[tauri::command]
#[specta::specta]
pub async fn recent_projects(desk: State<'_, Desk>) -> Result<Vec<String>, AppError> {
    Ok(recent::list(&desk.bench.data_dir))
}

/// Checks what this machine has, and what a configuration needs of it.
#[tauri::command]
#[specta::specta]
pub async fn doctor(
    desk: State<'_, Desk>,
    config_path: Option<String>,
) -> Result<Vec<DoctorLine>, AppError> {
    let project = match config_path {
        Some(path) => Some(project::load(Path::new(&path)).await?),
        None => None,
    };
    Ok(crate::doctor::lines(&desk.bench.data_dir, project.as_ref()).await)
}
