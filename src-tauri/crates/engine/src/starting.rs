//! What a session is before anything has happened in it: whether it can start, and its beginning.

use crate::clock::now;
use crate::engine::NewSession;
use crate::error::EngineError;
use espalier_protocol::session::{BackendSettings, SessionMeta};
use espalier_protocol::{AppError, ErrorCode, ProjectTask, SessionId};

/// The task, if a session can be started on it.
pub(crate) fn startable<'a>(new: &NewSession<'a>) -> Result<&'a ProjectTask, EngineError> {
    let project = new.project;
    if !project.not_built.is_empty() {
        return Err(EngineError::NotBuilt {
            keys: project
                .not_built
                .iter()
                .map(|key| key.key.clone())
                .collect(),
            reasons: project
                .not_built
                .iter()
                .map(|key| format!("line {}: {}: {}", key.line, key.key, key.why))
                .collect(),
        });
    }
    if matches!(project.settings.backend, BackendSettings::Anthropic { .. })
        && project.secrets.api_key.is_none()
    {
        return Err(EngineError::Part(AppError::new(
            ErrorCode::BackendAuth,
            "ANTHROPIC_API_KEY environment variable not set",
            "export ANTHROPIC_API_KEY=\"sk-ant-...\"",
        )));
    }
    project
        .tasks
        .iter()
        .find(|task| task.id == *new.task)
        .ok_or_else(|| EngineError::Unknown {
            what: "task",
            name: new.task.to_string(),
        })
}

/// How the session begins.
pub(crate) fn meta(
    new: &NewSession<'_>,
    task: &ProjectTask,
    app_version: &str,
) -> Result<SessionMeta, EngineError> {
    let settings = new.project.settings.clone();
    Ok(SessionMeta {
        id: new_session_id(),
        task: task.clone(),
        annotator: new.annotator.clone(),
        config_path: new.project.config_path.display().to_string(),
        tool_definitions: espalier_agent::tool_definitions(&settings.tools),
        opening: espalier_agent::opening(
            &settings.backend,
            settings.system_prompt.as_deref(),
            task,
            &settings.tools,
        )?,
        settings,
        app_version: app_version.to_owned(),
        created_at: now(),
    })
}

/// Ten lower-case letters and digits: the random tail of a UUID.
fn new_session_id() -> SessionId {
    let random = uuid::Uuid::now_v7().as_u128();
    let mut id = String::with_capacity(10);
    let mut rest = random & ((1 << 62) - 1);
    for _ in 0..10 {
        let digit = u32::try_from(rest % 36).unwrap_or(0);
        id.push(char::from_digit(digit, 36).unwrap_or('0'));
        rest /= 36;
    }
    SessionId(id)
}
