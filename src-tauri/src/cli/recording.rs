//! `espalier save-recording`.

use crate::console;
use crate::exit::Exit;
use crate::workbench::Workbench;
use espalier_protocol::{AppError, ErrorCode, SessionId, SessionTree};
use std::path::{Path, PathBuf};

/// Saves a session's recording and tells what it does not have.
pub async fn save(data_dir: PathBuf, session: &SessionId, file: &Path) -> Result<Exit, AppError> {
    let bench = Workbench::open(data_dir).await?;
    let events = bench
        .store
        .events(session, 0)
        .await
        .map_err(|error| error.to_app())?;
    let tree = SessionTree::fold(&events);
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
    std::fs::write(file, text + "\n").map_err(|error| {
        AppError::new(
            ErrorCode::Io,
            format!("{} was not written: {error}", file.display()),
            "",
        )
    })?;
    console::tell(format!(
        "Recording of session {session} in {}",
        file.display()
    ));
    if saved.redacted > 0 {
        console::tell(format!("  {} secrets were taken out.", saved.redacted));
    }
    for note in &saved.left_out {
        console::tell(format!("  {note}"));
    }
    Ok(Exit::Done)
}
