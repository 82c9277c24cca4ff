//! The `.env` file beside a configuration.

use crate::issues::{Issues, Position, unreadable};
use std::collections::HashMap;
use std::io::{Cursor, ErrorKind};
use std::path::Path;

/// Reads the `.env` file of a folder; none is fine. The first of two equal names counts.
///
/// Messages name the line and never quote it, for it may hold a key.
pub(crate) fn read(folder: &Path, issues: &mut Issues) -> HashMap<String, String> {
    let file = folder.join(".env");
    let mut variables = HashMap::new();
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        // Some keep a virtual environment in a folder of that name.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            return variables;
        }
        Err(error) => {
            issues.whole_file(&file, unreadable(&error));
            return variables;
        }
    };
    let text = text.trim_start_matches('\u{feff}');
    for item in dotenvy::Iter::new(Cursor::new(text.as_bytes())) {
        match item {
            Ok((name, value)) => {
                variables.entry(name).or_insert(value);
            }
            Err(dotenvy::Error::LineParse(written, _)) => {
                issues.at(&file, place_of(&written, text), "", "expected NAME=value");
            }
            Err(error) => {
                issues.whole_file(&file, format!("cannot be read: {error}"));
                break;
            }
        }
    }
    variables
}

/// The line that the reader stumbled over. It hands out what it could not read, at times only
/// the part after the `=`.
fn place_of(written: &str, text: &str) -> Position {
    let first = written.lines().next().unwrap_or("").trim();
    let found = text.lines().position(|line| line.contains(first));
    match found {
        Some(index) if !first.is_empty() => Position {
            line: index + 1,
            column: 1,
        },
        _ => Position::WHOLE,
    }
}
