//! Exports, from the window and from the command line.

use espalier_protocol::AppError;
use serde::{Deserialize, Serialize};
use specta::Type;
use std::path::Path;

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
