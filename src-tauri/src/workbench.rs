//! A data folder with what works on it: the database, the checkpoints and the session engine.

use espalier_checkpoint::CheckpointReader;
use espalier_engine::{
    AgentProgram, Engine, EngineOptions, Looking, ModelList, OpenMode, SessionHandle,
};
use espalier_protocol::view::SessionSummary;
use espalier_protocol::{AppError, ErrorCode, SessionId};
use espalier_store::Store;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a key is read from where the configuration is gone.
const KEY_VARIABLE: &str = "ANTHROPIC_API_KEY";

/// An open data folder.
#[derive(Clone)]
pub struct Workbench {
    pub data_dir: PathBuf,
    pub store: Store,
    pub engine: Engine,
}

impl Workbench {
    /// Opens a data folder, made where there is none.
    pub async fn open(data_dir: PathBuf) -> Result<Self, AppError> {
        Self::open_telling(data_dir, Arc::new(|_, _| {})).await
    }

    /// Opens a data folder; how far the first look at a project's files is, is told to `looking`.
    pub async fn open_telling(data_dir: PathBuf, looking: Looking) -> Result<Self, AppError> {
        let store = Store::open(&data_dir)
            .await
            .map_err(|error| error.to_app())?;
        let program = std::env::current_exe().map_err(|error| {
            AppError::new(
                ErrorCode::Io,
                format!("Espalier cannot find its own program file: {error}"),
                "",
            )
        })?;
        let models = ModelList::open(&data_dir).map_err(|error| error.to_app())?;
        let engine = Engine::new(EngineOptions {
            data_dir: data_dir.clone(),
            store: store.clone(),
            agent: AgentProgram {
                program,
                args: vec!["agent".to_owned()],
            },
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            looking,
            models: Arc::new(models),
        });
        Ok(Self {
            data_dir,
            store,
            engine,
        })
    }

    /// All sessions, latest first.
    pub async fn sessions(&self) -> Result<Vec<SessionSummary>, AppError> {
        let mut sessions = self
            .store
            .sessions()
            .await
            .map_err(|error| error.to_app())?;
        sessions.sort_by_key(|session| std::cmp::Reverse(session.updated_at));
        Ok(sessions)
    }

    /// One session's entry in the list.
    pub async fn session(&self, id: &SessionId) -> Result<SessionSummary, AppError> {
        self.sessions()
            .await?
            .into_iter()
            .find(|session| session.id == *id)
            .ok_or_else(|| {
                AppError::new(
                    ErrorCode::Unknown,
                    format!("There is no session {id}."),
                    "espalier sessions",
                )
            })
    }

    /// Opens a stored session again. Its settings are those it began with; the key, which is
    /// never stored, is read from its configuration once more.
    pub async fn open_session(&self, id: &SessionId) -> Result<SessionHandle, AppError> {
        let session = self.session(id).await?;
        let config_path = PathBuf::from(session.config_path);
        let api_key = tokio::task::spawn_blocking(move || api_key(&config_path))
            .await
            .map_err(|error| AppError::new(ErrorCode::Internal, error.to_string(), ""))?;
        self.engine
            .open(id, OpenMode { api_key })
            .await
            .map_err(|error| error.to_app())
    }

    /// The session's handle, if it is open in this process.
    pub async fn live(&self, id: &SessionId) -> Option<SessionHandle> {
        let live = self.engine.live().await;
        live.into_iter().find(|handle| handle.id() == id)
    }

    /// Reads a session's checkpoints, whether it is open or not.
    pub async fn reader(&self, id: &SessionId) -> Result<CheckpointReader, AppError> {
        if let Some(handle) = self.live(id).await {
            return handle.reader().map_err(|error| error.to_app());
        }
        let session = self.session(id).await?;
        CheckpointReader::open(
            Path::new(&session.project_dir),
            &self.engine.checkpoint_store(),
        )
        .map_err(|error| error.to_app())
    }
}

/// The key as the configuration gives it now. One that no longer loads is no obstacle: the session
/// goes on with the settings it began with, and says so itself where it lacks the key.
fn api_key(config_path: &Path) -> Option<String> {
    match espalier_config::load_project(config_path) {
        Ok(project) => project.secrets.api_key,
        Err(error) => {
            tracing::warn!(config = %config_path.display(), %error, "the configuration no longer loads");
            std::env::var(KEY_VARIABLE)
                .ok()
                .filter(|key| !key.is_empty())
        }
    }
}

/// The data folder: the one asked for, else the platform's.
pub fn data_dir(asked: Option<PathBuf>) -> Result<PathBuf, AppError> {
    let asked = asked.filter(|folder| !folder.as_os_str().is_empty());
    let Some(folder) = asked.or_else(default_data_dir) else {
        return Err(AppError::new(
            ErrorCode::Usage,
            "This platform names no folder for application data.",
            "espalier --data-dir DIR",
        ));
    };
    std::path::absolute(&folder).map_err(|error| {
        AppError::new(
            ErrorCode::Usage,
            format!("{} is no folder: {error}", folder.display()),
            "espalier --data-dir DIR",
        )
    })
}

/// The platform's data folder for Espalier.
pub fn default_data_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("org", "Espalier", "Espalier")
        .map(|dirs| dirs.data_dir().to_owned())
}

/// The name sessions are recorded under when none is given.
pub fn default_annotator() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .filter_map(|variable| std::env::var(variable).ok())
        .find_map(|name| check_annotator(&name).ok())
        .unwrap_or_else(|| "annotator".to_owned())
}

/// The name without surrounding space, if it can stand in a file name, as the output folder needs it.
pub fn check_annotator(name: &str) -> Result<String, AppError> {
    let name = name.trim();
    let strange = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    if name.is_empty() || name.starts_with('.') || name.contains(strange) || name.len() > 100 {
        return Err(AppError::new(
            ErrorCode::Usage,
            "An annotator's name becomes a file name: no slashes, no leading dot, at most 100 bytes.",
            "",
        ));
    }
    Ok(name.to_owned())
}
