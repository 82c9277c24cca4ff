//! `espalier sessions`.

use crate::console;
use crate::exit::Exit;
use crate::workbench::Workbench;
use espalier_protocol::session::SessionState;
use espalier_protocol::view::SessionSummary;
use espalier_protocol::{AppError, ErrorCode, Millis};
use std::path::PathBuf;

/// Lists the sessions of a data folder, latest first.
pub async fn list(data_dir: PathBuf, json: bool) -> Result<Exit, AppError> {
    let sessions = Workbench::open(data_dir).await?.sessions().await?;
    if json {
        for session in &sessions {
            let line = serde_json::to_string(session)
                .map_err(|error| AppError::new(ErrorCode::Internal, error.to_string(), ""))?;
            console::answer(line);
        }
        return Ok(Exit::Done);
    }
    if sessions.is_empty() {
        console::tell("There are no sessions yet.");
        return Ok(Exit::Done);
    }
    for line in table(&sessions) {
        console::answer(line);
    }
    Ok(Exit::Done)
}

fn table(sessions: &[SessionSummary]) -> Vec<String> {
    let heads = [
        "SESSION",
        "TASK",
        "ANNOTATOR",
        "STATE",
        "STEPS",
        "BRANCHES",
        "LAST EVENT",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(sessions.iter().map(|session| {
        [
            session.id.to_string(),
            session.task.to_string(),
            session.annotator.clone(),
            state_word(&session.state).to_owned(),
            session.steps.to_string(),
            session.branches.to_string(),
            moment(session.updated_at),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..heads.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths);
            let line: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            line.join("  ").trim_end().to_owned()
        })
        .collect()
}

/// A moment in local time, to the minute.
fn moment(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| {
            at.to_zoned(jiff::tz::TimeZone::system())
                .strftime("%Y-%m-%d %H:%M")
                .to_string()
        })
        .unwrap_or_default()
}

const fn state_word(state: &SessionState) -> &'static str {
    match state {
        SessionState::Preparing => "preparing",
        SessionState::Running => "running",
        SessionState::Pausing => "pausing",
        SessionState::Paused { .. } => "paused",
        SessionState::Restoring => "restoring",
        SessionState::Testing => "testing",
        SessionState::Ended { .. } => "ended",
        SessionState::Parked => "parked",
        SessionState::Finished { .. } => "finished",
    }
}
