//! What the window can ask: one list, from which both the handler and the TypeScript bindings come.

pub mod dataset;
pub mod files;
pub mod models;
pub mod project;
pub mod session;

use tauri::Wry;
use tauri_specta::{Builder, collect_commands};

// Tauri itself (an unknown command, an argument of the wrong shape) rejects with a bare string;
// the window knows one form of error only.
const TYPED_ERROR: &str = r#"async function typedError<T, E>(result: Promise<T>): Promise<{ status: "ok"; data: T } | { status: "error"; error: E }> {
    try {
        return { status: "ok", data: await result };
    } catch (e) {
        if (e instanceof Error) throw e;
        if (typeof e !== "string") return { status: "error", error: e as E };
        const fault: AppError = { code: "internal", message: e, hint: "", details: [], retryable: false };
        return { status: "error", error: fault as E };
    }
}"#;

/// The commands and every type that crosses to the window.
pub fn builder() -> Builder<Wry> {
    // Serde attributes are the same in both directions everywhere, so one form of each type is enough.
    Builder::<Wry>::new()
        .disable_serde_phases()
        .typed_error_impl(TYPED_ERROR)
        .commands(collect_commands![
            project::app_info,
            project::watch_app,
            project::open_project,
            project::demo_config,
            project::initialise_repository,
            project::recent_projects,
            project::doctor,
            models::ollama_models,
            models::ollama_pull,
            models::ollama_stop_pull,
            session::start_session,
            session::open_session,
            session::list_sessions,
            session::subscribe,
            session::unsubscribe,
            session::send_op,
            session::preview_rollback,
            session::compare,
            files::step_diff,
            files::checkpoint_diff,
            files::tree_at,
            files::file_at,
            files::text_page,
            dataset::export_dataset,
            dataset::save_recording,
        ])
}
