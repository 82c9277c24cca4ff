//! What is wrong with a configuration or its data, each with its place.

use espalier_protocol::{AppError, ErrorCode};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigIssue {
    /// The configuration, its `.env`, or a data file.
    pub file: PathBuf,
    /// Counted from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// In characters, counted from 1; 0 where the file as a whole is meant.
    pub column: usize,
    /// Full path of the key (`live_agent.controls.branch.max_branches`); empty where there is none.
    pub key: String,
    /// What is wrong, for people, without the place.
    pub message: String,
    /// The nearest thing that would be right.
    pub nearest: Option<String>,
}

impl fmt::Display for ConfigIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " {}", self.message)?;
        match &self.nearest {
            Some(nearest) => write!(f, " (did you mean {nearest}?)"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a configuration, in the order of the files and their lines.
///
/// Displays as one line an issue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    /// Never empty.
    pub issues: Vec<ConfigIssue>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, issue) in self.issues.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{issue}")?;
        }
        Ok(())
    }
}

impl ConfigErrors {
    /// The errors as they cross a boundary: one sentence, and each issue as a line of detail.
    pub fn to_app(&self) -> AppError {
        let first = self.issues.first().map(|issue| issue.file.as_path());
        let only_tasks = self.issues.iter().all(|issue| is_data_file(&issue.file));
        let (code, what) = if only_tasks {
            (ErrorCode::TaskInvalid, "The tasks do not load")
        } else {
            (ErrorCode::ConfigInvalid, "The configuration does not load")
        };
        let count = match self.issues.len() {
            1 => "1 error".to_owned(),
            count => format!("{count} errors"),
        };
        let place = first.map_or(String::new(), |file| {
            let others = self.issues.iter().any(|issue| issue.file != file);
            let more = if others { " and other files" } else { "" };
            format!(" in {}{more}", file.display())
        });
        AppError::new(
            code,
            format!("{what}: {count}{place}."),
            "Mend the lines named below, then open the configuration again. \
             To check it alone: espalier validate CONFIG",
        )
        .with_details(self.issues.iter().map(ToString::to_string).collect())
    }
}

fn is_data_file(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("json" | "jsonl" | "ndjson"))
}

/// Why a file cannot be read, in words for people.
pub(crate) fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "you may not read this file".to_owned(),
        ErrorKind::IsADirectory => "this is a directory, not a file".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// A line and a column, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Position {
    /// The beginning of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
    /// The file as a whole.
    pub(crate) const WHOLE: Self = Self { line: 0, column: 0 };
}

/// Collects issues over all stages of loading.
#[derive(Default)]
pub(crate) struct Issues {
    issues: Vec<ConfigIssue>,
}

impl Issues {
    /// Notes an issue.
    pub(crate) fn push(&mut self, issue: ConfigIssue) {
        self.issues.push(issue);
    }

    /// Notes an issue about a file as a whole.
    pub(crate) fn whole_file(&mut self, file: &Path, message: impl Into<String>) {
        self.at(file, Position::WHOLE, "", message);
    }

    /// Notes an issue at a place.
    pub(crate) fn at(
        &mut self,
        file: &Path,
        position: Position,
        key: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.issues.push(ConfigIssue {
            file: file.to_owned(),
            line: position.line,
            column: position.column,
            key: key.into(),
            message: message.into(),
            nearest: None,
        });
    }

    /// The value, or everything that is wrong. Nothing wrong and no value cannot be: whoever
    /// gives no value has noted why.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        match value {
            Some(value) if self.issues.is_empty() => Ok(value),
            _ => Err(ConfigErrors {
                issues: in_order(self.issues),
            }),
        }
    }
}

/// Files in the order in which they were first named, lines within them from the top.
fn in_order(mut issues: Vec<ConfigIssue>) -> Vec<ConfigIssue> {
    let mut files: Vec<PathBuf> = Vec::new();
    for issue in &issues {
        if !files.contains(&issue.file) {
            files.push(issue.file.clone());
        }
    }
    let rank = |file: &PathBuf| files.iter().position(|known| known == file);
    issues.sort_by_key(|issue| (rank(&issue.file), issue.line, issue.column));
    issues.dedup();
    issues
}
