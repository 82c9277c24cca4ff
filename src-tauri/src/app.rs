//! The desktop app: the window, what it may do, and how it ends.

mod closing;
mod desk;
mod window;

pub use desk::{Desk, Watcher};

use crate::workbench::Workbench;
use crate::{commands, logging};
use espalier_protocol::{AppError, ErrorCode};
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// Opens the window and returns when it is closed and every session is saved.
pub fn run(runtime: &Runtime, data_dir: PathBuf, config: Option<PathBuf>) -> Result<(), AppError> {
    display()?;
    logging::to_file(&data_dir).map_err(|error| {
        AppError::new(
            ErrorCode::Io,
            format!("{} cannot be written: {error}", data_dir.display()),
            "espalier --data-dir DIR",
        )
    })?;
    tauri::async_runtime::set(runtime.handle().clone());
    let watcher = Watcher::default();
    let looking = Desk::looking(&watcher);
    let bench = runtime.block_on(Workbench::open_telling(data_dir, looking))?;
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_window_state::Builder::default().build())
        .manage(Desk::new(bench, config, watcher))
        .invoke_handler(commands::builder().invoke_handler())
        .setup(|app| {
            window::open(app.handle())?;
            closing::on_signals(app.handle().clone());
            Ok(())
        })
        .on_window_event(window::on_event)
        .build(tauri::generate_context!())
        .map_err(|error| {
            AppError::new(
                ErrorCode::Internal,
                format!("The window could not be opened: {error}"),
                "espalier run CONFIG works without a window.",
            )
        })?;
    match app.run_return(|_, _| {}) {
        0 => Ok(()),
        code => Err(AppError::new(
            ErrorCode::Internal,
            format!("The window ended with code {code}."),
            "",
        )),
    }
}

/// The screen the window would appear on.
pub fn display() -> Result<String, AppError> {
    if cfg!(not(target_os = "linux")) {
        return Ok("the desktop".to_owned());
    }
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .into_iter()
        .filter_map(|variable| std::env::var(variable).ok())
        .find(|display| !display.is_empty())
        .ok_or_else(|| {
            AppError::new(
                ErrorCode::Usage,
                "There is no display to open a window on.",
                "espalier run CONFIG works without a window.",
            )
        })
}
