//! The list of sessions, and which of them an output folder holds.

use crate::{Result, Store, StoreError};
use espalier_protocol::view::SessionSummary;
use espalier_protocol::{Millis, SessionId, TaskId};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

impl Store {
    /// All sessions, the one that changed last first.
    pub async fn sessions(&self) -> Result<Vec<SessionSummary>> {
        let rows = sqlx::query(
            "SELECT id, task, task_name, annotator, config_path, project_dir, state, steps,
                    branches, last_seq, created_at, updated_at
             FROM sessions
             ORDER BY updated_at DESC, id",
        )
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(|error| self.classify(error))?;
        rows.iter().map(|row| self.summary_of(row)).collect()
    }

    fn summary_of(&self, row: &SqliteRow) -> Result<SessionSummary> {
        let failed = |error| self.classify(error);
        let id = SessionId(row.try_get("id").map_err(failed)?);
        let state: &str = row.try_get("state").map_err(failed)?;
        let state = serde_json::from_str(state).map_err(|error| StoreError::Unreadable {
            session: id.clone(),
            seq: row.try_get("last_seq").unwrap_or(0),
            detail: error.to_string(),
        })?;
        Ok(SessionSummary {
            id,
            task: TaskId(row.try_get("task").map_err(failed)?),
            task_name: row.try_get("task_name").map_err(failed)?,
            annotator: row.try_get("annotator").map_err(failed)?,
            config_path: row.try_get("config_path").map_err(failed)?,
            project_dir: row.try_get("project_dir").map_err(failed)?,
            state,
            steps: row.try_get("steps").map_err(failed)?,
            branches: row.try_get("branches").map_err(failed)?,
            created_at: Millis(row.try_get("created_at").map_err(failed)?),
            updated_at: Millis(row.try_get("updated_at").map_err(failed)?),
        })
    }

    /// Whether there is such a session.
    pub async fn session_exists(&self, session: &SessionId) -> Result<bool> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?1)")
            .bind(session.as_str())
            .fetch_one(&mut *self.reader().await?)
            .await
            .map_err(|error| self.classify(error))
    }

    /// Notes that an output folder holds the session up to its event of the time `at`. An earlier
    /// time than the one noted changes nothing.
    pub async fn mark_exported(&self, session: &SessionId, at: Millis) -> Result<()> {
        self.patiently(|| self.mark_once(session, at)).await
    }

    async fn mark_once(&self, session: &SessionId, at: Millis) -> Result<()> {
        let mut writer = self.writer().await?;
        let marked = sqlx::query(
            "UPDATE sessions SET exported_at = max(coalesce(exported_at, ?2), ?2) WHERE id = ?1",
        )
        .bind(session.as_str())
        .bind(at.0)
        .execute(&mut writer.connection)
        .await
        .map_err(|error| self.classify(error))?;
        writer.is_idle = true;
        if marked.rows_affected() == 0 {
            return Err(StoreError::UnknownSession(session.clone()));
        }
        Ok(())
    }

    /// The time up to which an output folder holds the session; nothing where none does.
    pub async fn exported_at(&self, session: &SessionId) -> Result<Option<Millis>> {
        let found: Option<Option<i64>> =
            sqlx::query_scalar("SELECT exported_at FROM sessions WHERE id = ?1")
                .bind(session.as_str())
                .fetch_optional(&mut *self.reader().await?)
                .await
                .map_err(|error| self.classify(error))?;
        Ok(found.flatten().map(Millis))
    }

    /// The sessions with answers that no output folder holds yet.
    pub async fn unexported(&self) -> Result<Vec<SessionId>> {
        let found: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM sessions WHERE EXISTS (
                 SELECT 1 FROM annotations
                 WHERE session = sessions.id AND at > coalesce(sessions.exported_at, -1))",
        )
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(|error| self.classify(error))?;
        Ok(found.into_iter().map(SessionId).collect())
    }

    /// Whether an output folder holds all of the session.
    pub async fn is_exported(&self, session: &SessionId) -> Result<bool> {
        let found: Option<bool> = sqlx::query_scalar(
            "SELECT coalesce(exported_at >= updated_at, 0) FROM sessions WHERE id = ?1",
        )
        .bind(session.as_str())
        .fetch_optional(&mut *self.reader().await?)
        .await
        .map_err(|error| self.classify(error))?;
        Ok(found.unwrap_or(false))
    }
}
