//! `espalier export`.

use crate::commands::dataset::{self, ExportFormat};
use crate::console;
use crate::exit::Exit;
use espalier_protocol::AppError;
use std::path::Path;

/// Exports and tells what was written.
pub async fn export(input: &Path, format: ExportFormat, file: &Path) -> Result<Exit, AppError> {
    let report = dataset::export(input, format, file).await?;
    let counted = |count: u32, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    console::tell(format!(
        "{} of {} in {}",
        counted(report.records, "record"),
        counted(report.sessions, "session"),
        report.file
    ));
    for note in &report.notes {
        console::tell(format!("  {note}"));
    }
    Ok(Exit::Done)
}
