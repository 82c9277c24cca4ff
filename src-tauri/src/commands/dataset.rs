//! Exports and recordings, from the window and from the command line.

use crate::app::Desk;
use espalier_protocol::{AppError, ErrorCode, SessionId, SessionTree};
use espalier_store::Store;
use serde::{Deserialize, Serialize};
use specta::Type;
use std::path::Path;
use tauri::State;

/// Formats that sessions can be exported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum ExportFormat {
    /// The tree of branches, one session a line.
    TrajectoryTree,
    /// Preference pairs that TRL loads, one a line.
    BranchingDpo,
}

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ExportReport {
    pub file: String,
    pub sessions: u32,
    pub records: u32,
    /// What was left out and why, in words.
    pub notes: Vec<String>,
}

/// Exports the sessions of an output folder, or of a data folder, to a file.
#[tauri::command]
#[specta::specta]
pub async fn export_dataset(
    input_dir: String,
    format: ExportFormat,
    file: String,
) -> Result<ExportReport, AppError> {
    export(Path::new(&input_dir), format, Path::new(&file)).await
}

/// Exports the sessions of an output folder, or of a data folder, to a file.
pub async fn export(
    input: &Path,
    format: ExportFormat,
    file: &Path,
) -> Result<ExportReport, AppError> {
    let format = match format {
        ExportFormat::TrajectoryTree => espalier_dataset::Format::TrajectoryTree,
        ExportFormat::BranchingDpo => espalier_dataset::Format::BranchingDpo,
    };
    let report = espalier_dataset::export(input, format, file)
        .await
        .map_err(|error| error.to_app())?;
    Ok(ExportReport {
        file: file.display().to_string(),
        sessions: report.sessions,
        records: report.records,
        notes: report.notes,
    })
}

/// What became of a session that was saved as a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SavedRecording {
    pub file: String,
    /// Secrets that were taken out of its texts.
    pub redacted: u32,
    /// What it does not have, in words.
    pub left_out: Vec<String>,
}

/// Saves a session as a recording that can be played again.
#[tauri::command]
#[specta::specta]
pub async fn save_recording(
    desk: State<'_, Desk>,
    session: SessionId,
    file: String,
) -> Result<SavedRecording, AppError> {
    save(&desk.bench.store, &session, Path::new(&file)).await
}

/// Saves a session as a recording that can be played again.
pub async fn save(
    store: &Store,
    session: &SessionId,
    file: &Path,
) -> Result<SavedRecording, AppError> {
    let events = store.events(session, 0).await;
    let tree = SessionTree::fold(&events.map_err(|error| error.to_app())?);
    if tree.meta.is_none() {
        return Err(AppError::new(
            ErrorCode::Unknown,
            format!("There is no session {session}."),
            "espalier sessions lists them.",
        ));
    }
    let saved = espalier_dataset::recording(&tree);
    let text = serde_json::to_string_pretty(&saved.recording)
        .map_err(|error| AppError::new(ErrorCode::Internal, error.to_string(), ""))?;
    let written = tokio::fs::write(file, text + "\n").await;
    written.map_err(|error| {
        AppError::new(
            ErrorCode::Io,
            format!("{} was not written: {error}", file.display()),
            "Check the path, its permissions and the space that is left.",
        )
    })?;
    Ok(SavedRecording {
        file: file.display().to_string(),
        redacted: saved.redacted,
        left_out: saved.left_out,
    })
}
