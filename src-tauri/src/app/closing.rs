//! Ending the app: every open session is saved and its project put back first.

use super::Desk;
use super::desk::Closing;
use crate::commands::project::AppEvent;
use crate::signals;
use espalier_protocol::AppError;
use std::time::Duration;
use tauri::{AppHandle, CloseRequestApi, Manager};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind};
use tokio::time::timeout;

/// How long the last state of the sessions may take to reach the output folders. What is missing
/// there is written when the session is opened again.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(60);

/// Keeps the window until all is saved, and sees to it that this is soon.
pub fn on_request(app: &AppHandle, api: &CloseRequestApi) {
    let desk = app.state::<Desk>();
    match desk.set_closing(Closing::Underway) {
        Closing::No => {
            api.prevent_close();
            tauri::async_runtime::spawn(close(app.clone()));
        }
        Closing::Underway => {
            api.prevent_close();
            ask(
                app,
                Closing::Underway,
                "Projects are still being put back. Close all the same? The sessions can be opened again; until then their files stay as they are.",
            );
        }
        Closing::Done => drop(desk.set_closing(Closing::Done)),
    }
}

/// Ends the app in the same way when it is asked to from outside.
pub fn on_signals(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        signals::asked_to_end().await;
        if app.state::<Desk>().set_closing(Closing::Underway) == Closing::No {
            tauri::async_runtime::spawn(close(app.clone()));
        }
        signals::asked_to_end().await;
        end(&app);
    });
}

async fn close(app: AppHandle) {
    let desk = app.state::<Desk>();
    let sessions = desk.bench.engine.live().await;
    if !sessions.is_empty() {
        desk.tell(AppEvent::Closing {
            sessions: u32::try_from(sessions.len()).unwrap_or(u32::MAX),
        });
    }
    let mut failures: Vec<AppError> = Vec::new();
    for session in sessions {
        if let Err(error) = session.close().await {
            tracing::error!(session = %session.id(), %error, "a session was not parked");
            failures.push(error.to_app());
        }
    }
    if timeout(OUTPUT_PATIENCE, desk.finish_output())
        .await
        .is_err()
    {
        tracing::error!("the output folders were not written to the end");
    }
    if failures.is_empty() {
        return end(&app);
    }
    let told: Vec<String> = failures.iter().map(crate::console::render_error).collect();
    ask(
        &app,
        Closing::No,
        &format!(
            "Not every project was put back.\n\n{}\n\nClose all the same? The sessions can be opened again.",
            told.join("\n")
        ),
    );
}

/// Asks whether to end in spite of something; without a yes ending is as far as `otherwise`.
fn ask(app: &AppHandle, otherwise: Closing, text: &str) {
    let asker = app.clone();
    app.dialog()
        .message(text)
        .title("Espalier")
        .kind(MessageDialogKind::Warning)
        .buttons(MessageDialogButtons::OkCancelCustom(
            "Close".to_owned(),
            "Keep open".to_owned(),
        ))
        .show(move |close| {
            if close {
                end(&asker);
            } else {
                asker.state::<Desk>().set_closing(otherwise);
            }
        });
}

fn end(app: &AppHandle) {
    app.state::<Desk>().set_closing(Closing::Done);
    app.exit(0);
}
