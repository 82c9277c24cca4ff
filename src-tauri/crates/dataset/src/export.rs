//! Writing an export file.

use crate::error::{DatasetError, at};
use crate::load::load;
use crate::output::replace;
use crate::pairs::{Pairs, branching_dpo};
use crate::tree::trajectory_tree;
use std::path::Path;

/// What an export is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    TrajectoryTree,
    BranchingDpo,
}

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportReport {
    pub sessions: u32,
    pub records: u32,
    /// What was left out and why, in words.
    pub notes: Vec<String>,
}

/// Exports the sessions of an output or data folder. The file is replaced as a whole; nothing to
/// export is an error that says why.
pub async fn export(
    input: &Path,
    format: Format,
    file: &Path,
) -> Result<ExportReport, DatasetError> {
    let records = load(input).await?;
    if records.is_empty() {
        return Err(DatasetError::Empty(format!(
            "{} has no sessions",
            input.display()
        )));
    }
    let mut lines = Vec::new();
    let mut notes = Vec::new();
    for record in &records {
        match format {
            Format::TrajectoryTree => lines.push(trajectory_tree(&record.tree)),
            Format::BranchingDpo => {
                let Pairs {
                    pairs,
                    notes: why_not,
                } = branching_dpo(&record.tree);
                lines.extend(pairs);
                notes.extend(why_not);
            }
        }
    }
    if lines.is_empty() {
        return Err(DatasetError::Empty(notes.join("; ")));
    }
    let mut text = Vec::new();
    for line in &lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
    }
    replace(file, &text)?;
    Ok(ExportReport {
        sessions: u32::try_from(records.len()).unwrap_or(u32::MAX),
        records: u32::try_from(lines.len()).unwrap_or(u32::MAX),
        notes,
    })
}
