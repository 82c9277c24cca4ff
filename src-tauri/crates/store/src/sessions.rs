//! What can be asked about sessions without reading their logs.

use crate::{Store, StoreError};
use espalier_protocol::view::SessionSummary;
use espalier_protocol::{Millis, SessionId, TaskId};
use sqlx::Row;

/// One answer in its revisions.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnotationRow {
    /// JSON of an `AnnotationTarget`.
    pub target: String,
    pub scheme: String,
    pub revision: u32,
    pub value: serde_json::Value,
    pub annotator: String,
    pub at: Millis,
}

impl Store {
    /// All sessions, the latest first.
    pub async fn sessions(&self) -> Result<Vec<SessionSummary>, StoreError> {
        let rows = sqlx::query("SELECT * FROM sessions ORDER BY updated_at DESC, id")
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(SessionSummary {
                    id: SessionId::new(row.try_get::<String, _>("id")?),
                    task: TaskId::new(row.try_get::<String, _>("task")?),
                    task_name: row.try_get("task_name")?,
                    annotator: row.try_get("annotator")?,
                    config_path: row.try_get("config_path")?,
                    project_dir: row.try_get("project_dir")?,
                    state: serde_json::from_str(row.try_get("state")?)?,
                    steps: row.try_get("steps")?,
                    branches: row.try_get("branches")?,
                    created_at: Millis(row.try_get("created_at")?),
                    updated_at: Millis(row.try_get("updated_at")?),
                })
            })
            .collect()
    }

    /// Whether there is such a session.
    pub async fn session_exists(&self, session: &SessionId) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM sessions WHERE id = ?")
            .bind(session.as_str())
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.is_some())
    }

    /// Every revision of every answer of a session, in order.
    pub async fn annotations(&self, session: &SessionId) -> Result<Vec<AnnotationRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM annotations WHERE session = ? ORDER BY at, rowid")
            .bind(session.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(AnnotationRow {
                    target: row.try_get("target")?,
                    scheme: row.try_get("scheme")?,
                    revision: row.try_get("revision")?,
                    value: serde_json::from_str(row.try_get("value")?)?,
                    annotator: row.try_get("annotator")?,
                    at: Millis(row.try_get("at")?),
                })
            })
            .collect()
    }

    /// Notes that a session's annotations were exported.
    pub async fn mark_exported(&self, session: &SessionId, at: Millis) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET exported_at = ? WHERE id = ?")
            .bind(at.0)
            .bind(session.as_str())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The sessions with answers that no output or export holds yet.
    pub async fn unexported(&self) -> Result<Vec<SessionId>, StoreError> {
        let rows = sqlx::query(
            "SELECT id FROM sessions WHERE EXISTS (SELECT 1 FROM annotations \
             WHERE session = sessions.id AND at > COALESCE(sessions.exported_at, -1))",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| Ok(SessionId::new(row.try_get::<String, _>("id")?)))
            .collect()
    }

    /// When a session's annotations were exported last.
    pub async fn exported_at(&self, session: &SessionId) -> Result<Option<Millis>, StoreError> {
        let row = sqlx::query("SELECT exported_at FROM sessions WHERE id = ?")
            .bind(session.as_str())
            .fetch_optional(&self.readers)
            .await?;
        let at: Option<i64> = row
            .map(|row| row.try_get("exported_at"))
            .transpose()?
            .flatten();
        Ok(at.map(Millis))
    }
}
