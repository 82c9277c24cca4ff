//! `espalier save-recording`.

use crate::commands::dataset;
use crate::console;
use crate::exit::Exit;
use crate::workbench::Workbench;
use espalier_protocol::{AppError, SessionId};
use std::path::{Path, PathBuf};

/// Saves a session's recording and tells what it does not have.
pub async fn save(data_dir: PathBuf, session: &SessionId, file: &Path) -> Result<Exit, AppError> {
    let bench = Workbench::open(data_dir).await?;
    let saved = dataset::save(&bench.store, session, file).await?;
    console::tell(format!("Recording of session {session} in {}", saved.file));
    if saved.redacted > 0 {
        console::tell(format!("  {} secrets were taken out.", saved.redacted));
    }
    for note in &saved.left_out {
        console::tell(format!("  {note}"));
    }
    Ok(Exit::Done)
}
