//! Files and large texts of a session, as its checkpoints hold them. Works on sessions that are
//! open and on those that are not.

use crate::app::Desk;
use espalier_checkpoint::{CheckpointError, CheckpointReader};
use espalier_protocol::view::{FileDiff, TextPage, TreeFile};
use espalier_protocol::{
    AppError, BlobId, CheckpointId, ErrorCode, SessionId, SessionTree, StepId,
};
use tauri::State;

/// Bytes of one page of a text.
const PAGE: u32 = 256 * 1024;
/// Bytes of a file that are shown.
const FILE_SHOWN: usize = 2 * 1024 * 1024;
/// A file with a zero byte this near to its beginning is not text.
const BINARY_PROBE: usize = 8000;

/// What a step changed.
#[tauri::command]
#[specta::specta]
pub async fn step_diff(
    desk: State<'_, Desk>,
    session: SessionId,
    step: StepId,
) -> Result<Vec<FileDiff>, AppError> {
    if let Some(handle) = desk.bench.live(&session).await {
        return handle.step_diff(step).await.map_err(|error| error.to_app());
    }
    let events = desk.bench.store.events(&session, 0).await;
    let tree = SessionTree::fold(&events.map_err(|error| error.to_app())?);
    let checkpoint = tree
        .steps
        .get(&step)
        .and_then(|step| step.checkpoint.clone());
    match checkpoint {
        Some(checkpoint) if checkpoint.created => {
            read(&desk, session, move |reader| {
                reader.step_diff(&checkpoint.id)
            })
            .await
        }
        _ => Ok(Vec::new()),
    }
}

/// What differs between two checkpoints; without `from`, everything in `to` is new.
#[tauri::command]
#[specta::specta]
pub async fn checkpoint_diff(
    desk: State<'_, Desk>,
    session: SessionId,
    from: Option<CheckpointId>,
    to: CheckpointId,
) -> Result<Vec<FileDiff>, AppError> {
    read(&desk, session, move |reader| {
        reader.diff(from.as_ref(), &to)
    })
    .await
}

/// The files of a checkpoint.
#[tauri::command]
#[specta::specta]
pub async fn tree_at(
    desk: State<'_, Desk>,
    session: SessionId,
    checkpoint: CheckpointId,
) -> Result<Vec<TreeFile>, AppError> {
    read(&desk, session, move |reader| reader.tree(&checkpoint)).await
}

/// A file as a checkpoint holds it. Of a binary file only the size is told: the text is empty.
#[tauri::command]
#[specta::specta]
pub async fn file_at(
    desk: State<'_, Desk>,
    session: SessionId,
    checkpoint: CheckpointId,
    path: String,
) -> Result<TextPage, AppError> {
    let bytes = read(&desk, session, move |reader| {
        reader.file(&checkpoint, &path)
    })
    .await?;
    Ok(file_page(&bytes))
}

/// A page of a large text, from a byte offset.
#[tauri::command]
#[specta::specta]
pub async fn text_page(
    desk: State<'_, Desk>,
    blob: BlobId,
    offset: u32,
) -> Result<TextPage, AppError> {
    let page = desk.bench.store.text_page(&blob, offset, PAGE).await;
    page.map_err(|error| error.to_app())
}

/// Reads checkpoints on a thread that may block.
async fn read<T: Send + 'static>(
    desk: &Desk,
    session: SessionId,
    work: impl FnOnce(&CheckpointReader) -> Result<T, CheckpointError> + Send + 'static,
) -> Result<T, AppError> {
    let reader = desk.bench.reader(&session).await?;
    tokio::task::spawn_blocking(move || work(&reader))
        .await
        .map_err(|error| AppError::new(ErrorCode::Internal, error.to_string(), ""))?
        .map_err(|error| error.to_app())
}

fn file_page(bytes: &[u8]) -> TextPage {
    let total_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let shown = &bytes[..bytes.len().min(FILE_SHOWN)];
    let text = if bytes[..bytes.len().min(BINARY_PROBE)].contains(&0) {
        String::new()
    } else {
        String::from_utf8_lossy(shown).into_owned()
    };
    TextPage {
        text,
        next_offset: None,
        total_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_file_shows_its_size_only() {
        let page = file_page(b"\x7fELF\0\0");
        assert_eq!((page.text.as_str(), page.total_bytes), ("", 6));
    }

    #[test]
    fn a_long_file_is_cut_and_tells_its_length() {
        let page = file_page(&vec![b'a'; FILE_SHOWN + 5]);
        assert_eq!(page.text.len(), FILE_SHOWN);
        assert_eq!(page.total_bytes as usize, FILE_SHOWN + 5);
    }
}
