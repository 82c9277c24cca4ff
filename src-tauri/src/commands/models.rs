//! The models of an Ollama server.

use crate::app::Desk;
use espalier_protocol::AppError;
use espalier_protocol::view::{OllamaModel, PullProgress};
use tauri::State;
use tauri::ipc::Channel;

/// The models that the server at `host` has.
#[tauri::command]
#[specta::specta]
pub async fn ollama_models(host: String) -> Result<Vec<OllamaModel>, AppError> {
    espalier_agent::ollama_models(&host)
        .await
        .map_err(|error| error.to_app())
}

/// Lets the server get a model and tells how far it is. Returns whether it is there; not when it
/// was stopped.
#[tauri::command]
#[specta::specta]
pub async fn ollama_pull(
    desk: State<'_, Desk>,
    host: String,
    model: String,
    channel: Channel<PullProgress>,
) -> Result<bool, AppError> {
    let stopped = desk.begin_pull();
    let mut tell = move |progress| {
        if let Err(error) = channel.send(progress) {
            tracing::debug!(%error, "the window no longer listens");
        }
    };
    tokio::select! {
        pulled = espalier_agent::ollama_pull(&host, &model, &mut tell) => {
            pulled.map(|()| true).map_err(|error| error.to_app())
        }
        () = stopped.cancelled() => Ok(false),
    }
}

/// Stops getting a model; what was loaded so far is used the next time.
#[tauri::command]
#[specta::specta]
pub async fn ollama_stop_pull(desk: State<'_, Desk>) -> Result<(), AppError> {
    desk.stop_pull();
    Ok(())
}
