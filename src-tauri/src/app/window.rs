//! The window and what happens to it.

use super::{Desk, closing};
use crate::commands::project::AppEvent;
use std::path::Path;
use tauri::webview::{PageLoadEvent, WebviewWindowBuilder};
use tauri::{AppHandle, DragDropEvent, Manager, Window, WindowEvent};

/// Opens the window that the configuration of the app describes.
pub fn open(app: &AppHandle) -> tauri::Result<()> {
    let desk = app.state::<Desk>();
    // The page keeps its few preferences with the rest of the data.
    let storage = desk.bench.data_dir.join("webview");
    for window in &app.config().app.windows {
        WebviewWindowBuilder::from_config(app, window)?
            .data_directory(storage.clone())
            .on_navigation(|url| {
                url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost")
            })
            .on_page_load(|window, payload| {
                if payload.event() == PageLoadEvent::Started {
                    window.state::<Desk>().unpump_all();
                }
            })
            .build()?;
    }
    Ok(())
}

/// Reacts to what people do with the window itself.
pub fn on_event(window: &Window, event: &WindowEvent) {
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            closing::on_request(window.app_handle(), api);
        }
        WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) => {
            if let Some(path) = paths.iter().find(|path| is_config(path)) {
                window.state::<Desk>().tell(AppEvent::ConfigDropped {
                    path: path.display().to_string(),
                });
            }
        }
        _ => {}
    }
}

fn is_config(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
    })
}
