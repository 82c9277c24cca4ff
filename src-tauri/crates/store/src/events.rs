//! The event log.

use crate::{Store, StoreError};
use espalier_protocol::event::Persistence;
use espalier_protocol::session::SessionMeta;
use espalier_protocol::{Event, EventBody, Millis, SessionId};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

impl Store {
    /// Stores a session's first event, which has number 1.
    pub async fn create_session(&self, meta: &SessionMeta) -> Result<Event, StoreError> {
        let body = EventBody::SessionCreated {
            meta: Box::new(meta.clone()),
        };
        let state = serde_json::to_string(&espalier_protocol::SessionState::Preparing)?;
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO sessions (id, task, task_name, annotator, config_path, project_dir, state, created_at, updated_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(meta.id.as_str())
        .bind(meta.task.id.as_str())
        .bind(&meta.settings.task_name)
        .bind(&meta.annotator)
        .bind(&meta.config_path)
        .bind(&meta.task.project_dir)
        .bind(state)
        .bind(meta.created_at.0)
        .bind(meta.created_at.0)
        .execute(&mut *transaction)
        .await?;
        let events = write(&mut transaction, &meta.id, vec![body], meta.created_at).await?;
        transaction.commit().await?;
        events
            .into_iter()
            .next()
            .ok_or_else(|| StoreError::NoSession(meta.id.to_string()))
    }

    /// Stores events in one transaction, with consecutive numbers. Only kinds that are stored.
    pub async fn append(
        &self,
        session: &SessionId,
        bodies: Vec<EventBody>,
        at: Millis,
    ) -> Result<Vec<Event>, StoreError> {
        if let Some(shown) = bodies
            .iter()
            .find(|body| body.persistence() == Persistence::Shown)
        {
            return Err(StoreError::NotStored(shown.name()));
        }
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let events = write(&mut transaction, session, bodies, at).await?;
        transaction.commit().await?;
        Ok(events)
    }

    /// A session's events from that number on, in order.
    pub async fn events(
        &self,
        session: &SessionId,
        from_seq: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, at, body FROM events WHERE session = ? AND seq >= ? ORDER BY seq",
        )
        .bind(session.as_str())
        .bind(from_seq)
        .fetch_all(&self.readers)
        .await?;
        if rows.is_empty() && from_seq <= 1 {
            return Err(StoreError::NoSession(session.to_string()));
        }
        rows.into_iter()
            .map(|row| {
                Ok(Event {
                    session: session.clone(),
                    seq: row.try_get("seq")?,
                    at: Millis(row.try_get("at")?),
                    body: serde_json::from_str(row.try_get("body")?)?,
                })
            })
            .collect()
    }
}

/// Numbers and writes events, and what is kept beside the log.
async fn write(
    connection: &mut SqliteConnection,
    session: &SessionId,
    bodies: Vec<EventBody>,
    at: Millis,
) -> Result<Vec<Event>, StoreError> {
    let (last,): (i64,) =
        sqlx::query_as("SELECT COALESCE(MAX(seq), 0) FROM events WHERE session = ?")
            .bind(session.as_str())
            .fetch_one(&mut *connection)
            .await?;
    let first = u32::try_from(last).unwrap_or(0) + 1;
    let events: Vec<Event> = (first..)
        .zip(bodies)
        .map(|(seq, body)| Event {
            session: session.clone(),
            seq,
            at,
            body,
        })
        .collect();
    if events.is_empty() {
        return Ok(events);
    }
    let texts = events
        .iter()
        .map(|event| serde_json::to_string(&event.body))
        .collect::<Result<Vec<_>, _>>()?;
    let mut insert =
        QueryBuilder::<Sqlite>::new("INSERT INTO events (session, seq, at, type, body) ");
    insert.push_values(events.iter().zip(&texts), |mut row, (event, text)| {
        row.push_bind(session.as_str())
            .push_bind(event.seq)
            .push_bind(event.at.0)
            .push_bind(event.body.name())
            .push_bind(text);
    });
    insert.build().execute(&mut *connection).await?;
    for event in &events {
        beside(connection, event).await?;
    }
    sqlx::query("UPDATE sessions SET updated_at = ? WHERE id = ?")
        .bind(at.0)
        .bind(session.as_str())
        .execute(&mut *connection)
        .await?;
    Ok(events)
}

/// What of an event can be asked for without reading the log.
async fn beside(connection: &mut SqliteConnection, event: &Event) -> Result<(), StoreError> {
    let session = event.session.as_str();
    match &event.body {
        EventBody::StateChanged { state } => {
            sqlx::query("UPDATE sessions SET state = ? WHERE id = ?")
                .bind(serde_json::to_string(state)?)
                .bind(session)
                .execute(connection)
                .await?;
        }
        EventBody::StepStarted { .. } => {
            sqlx::query("UPDATE sessions SET steps = steps + 1 WHERE id = ?")
                .bind(session)
                .execute(connection)
                .await?;
        }
        EventBody::BranchCreated { .. } | EventBody::TailAbandoned { .. } => {
            sqlx::query("UPDATE sessions SET branches = branches + 1 WHERE id = ?")
                .bind(session)
                .execute(connection)
                .await?;
        }
        EventBody::Annotated {
            annotator,
            target,
            scheme,
            value,
            revision,
            ..
        } => {
            sqlx::query(
                "INSERT INTO annotations (session, target, scheme, revision, value, annotator, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(session)
            .bind(serde_json::to_string(target)?)
            .bind(scheme)
            .bind(revision)
            .bind(value.to_string())
            .bind(annotator)
            .bind(event.at.0)
            .execute(connection)
            .await?;
        }
        _ => {}
    }
    Ok(())
}
