//! The event log: beginning a session, appending to it, reading it.

use crate::annotations;
use crate::connection::begin;
use crate::{Result, Store, StoreError};
use espalier_protocol::session::PauseReason;
use espalier_protocol::{
    Event, EventBody, Millis, Persistence, SessionId, SessionMeta, SessionState, WorktreeId,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

/// Rows per statement; one statement of a hundred rows is twenty times faster than a hundred.
const ROWS: usize = 100;

/// An event made ready before the database is locked for it.
struct Prepared {
    kind: &'static str,
    body: String,
}

/// What a batch of events changes in the session's row.
struct Change {
    state: Option<String>,
    steps: u32,
    branches: u32,
}

impl Store {
    /// Begins a session: its description becomes event 1 of its log.
    pub async fn create_session(&self, meta: &SessionMeta) -> Result<Event> {
        let event = Event {
            session: meta.id.clone(),
            seq: 1,
            at: meta.created_at,
            worktree: WorktreeId::default(),
            body: EventBody::SessionCreated {
                meta: Box::new(meta.clone()),
            },
        };
        let prepared = [prepare(&event.body)?];
        let state = json(&SessionState::Paused {
            reason: PauseReason::NotStarted,
        })?;
        self.patiently(|| self.create_once(meta, &state, &prepared))
            .await?;
        Ok(event)
    }

    async fn create_once(
        &self,
        meta: &SessionMeta,
        state: &str,
        prepared: &[Prepared],
    ) -> Result<()> {
        let failed = |error| self.classify(error);
        let mut writer = self.writer().await?;
        let mut transaction = begin(&mut writer.connection).await.map_err(failed)?;
        let made = sqlx::query(
            "INSERT INTO sessions (id, task, task_name, annotator, config_path, project_dir, state,
                                   last_seq, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?8)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(meta.id.as_str())
        .bind(meta.task.id.as_str())
        .bind(&meta.settings.task_name)
        .bind(&meta.annotator)
        .bind(&meta.config_path)
        .bind(&meta.task.project_dir)
        .bind(state)
        .bind(meta.created_at.0)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        if made.rows_affected() == 0 {
            return Err(StoreError::SessionExists(meta.id.clone()));
        }
        insert_events(
            &mut transaction,
            &meta.id,
            WorktreeId::default(),
            1,
            meta.created_at,
            prepared,
        )
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        writer.is_idle = true;
        Ok(())
    }

    /// Appends events in one transaction and returns them with their numbers. When it returns, they
    /// outlive the process. Refuses events that are only shown, and the one that begins a session.
    pub async fn append(
        &self,
        session: &SessionId,
        worktree: WorktreeId,
        bodies: Vec<EventBody>,
        at: Millis,
    ) -> Result<Vec<Event>> {
        if bodies.is_empty() {
            return Ok(Vec::new());
        }
        let refused = bodies.iter().find(|body| {
            body.persistence() == Persistence::Shown
                || matches!(body, EventBody::SessionCreated { .. })
        });
        if let Some(body) = refused {
            return Err(StoreError::NotForTheLog(body.name()));
        }
        let prepared: Vec<Prepared> = bodies.iter().map(prepare).collect::<Result<_>>()?;
        let answers = annotations::prepare(&bodies)?;
        let change = change(&bodies)?;
        let first = self
            .patiently(|| self.append_once(session, worktree, &prepared, &answers, &change, at))
            .await?;
        Ok((first..)
            .zip(bodies)
            .map(|(seq, body)| Event {
                session: session.clone(),
                seq,
                at,
                worktree,
                body,
            })
            .collect())
    }

    /// The number of the first event.
    async fn append_once(
        &self,
        session: &SessionId,
        worktree: WorktreeId,
        prepared: &[Prepared],
        answers: &[annotations::Prepared<'_>],
        change: &Change,
        at: Millis,
    ) -> Result<u32> {
        let failed = |error| self.classify(error);
        let count = i64::try_from(prepared.len()).map_err(unfit)?;
        let mut writer = self.writer().await?;
        let mut transaction = begin(&mut writer.connection).await.map_err(failed)?;
        let last: Option<i64> = sqlx::query_scalar(
            "UPDATE sessions
             SET last_seq = last_seq + ?2, updated_at = max(updated_at, ?3),
                 state = coalesce(?4, state), steps = steps + ?5, branches = branches + ?6
             WHERE id = ?1
             RETURNING last_seq",
        )
        .bind(session.as_str())
        .bind(count)
        .bind(at.0)
        .bind(&change.state)
        .bind(change.steps)
        .bind(change.branches)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        let last = last.ok_or_else(|| StoreError::UnknownSession(session.clone()))?;
        let first = u32::try_from(last - count + 1).map_err(unfit)?;
        insert_events(&mut transaction, session, worktree, first, at, prepared)
            .await
            .map_err(failed)?;
        annotations::insert(&mut transaction, session, first, at, answers)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        writer.is_idle = true;
        Ok(first)
    }

    /// A session's events from that number on, in order; nothing for a session that is not there.
    pub async fn events(&self, session: &SessionId, from_seq: u32) -> Result<Vec<Event>> {
        let rows = sqlx::query(
            "SELECT seq, at, worktree, body FROM events WHERE session = ?1 AND seq >= ?2 ORDER BY seq",
        )
        .bind(session.as_str())
        .bind(from_seq)
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(|error| self.classify(error))?;
        let store = self.clone();
        let session = session.clone();
        // A long session is many megabytes of JSON.
        tokio::task::spawn_blocking(move || {
            rows.iter()
                .map(|row| store.event_of(&session, row))
                .collect()
        })
        .await
        .map_err(|error| StoreError::Cut(error.to_string()))?
    }

    fn event_of(&self, session: &SessionId, row: &SqliteRow) -> Result<Event> {
        let failed = |error| self.classify(error);
        let seq: u32 = row.try_get("seq").map_err(failed)?;
        let body: &str = row.try_get("body").map_err(failed)?;
        Ok(Event {
            session: session.clone(),
            seq,
            at: Millis(row.try_get("at").map_err(failed)?),
            worktree: WorktreeId(row.try_get("worktree").map_err(failed)?),
            body: serde_json::from_str(body).map_err(|error| StoreError::Unreadable {
                session: session.clone(),
                seq,
                detail: error.to_string(),
            })?,
        })
    }
}

fn prepare(body: &EventBody) -> Result<Prepared> {
    Ok(Prepared {
        kind: body.name(),
        body: json(body)?,
    })
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(unfit)
}

pub(crate) fn unfit(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unfit(error.to_string())
}

fn change(bodies: &[EventBody]) -> Result<Change> {
    let mut change = Change {
        state: None,
        steps: 0,
        branches: 0,
    };
    for body in bodies {
        match body {
            EventBody::StateChanged { state } => change.state = Some(json(state)?),
            EventBody::StepStarted { .. } => change.steps += 1,
            EventBody::BranchCreated { .. } | EventBody::TailAbandoned { .. } => {
                change.branches += 1;
            }
            _ => {}
        }
    }
    Ok(change)
}

async fn insert_events(
    connection: &mut SqliteConnection,
    session: &SessionId,
    worktree: WorktreeId,
    first: u32,
    at: Millis,
    prepared: &[Prepared],
) -> sqlx::Result<()> {
    let mut seq = first;
    for part in prepared.chunks(ROWS) {
        let mut insert: QueryBuilder<Sqlite> =
            QueryBuilder::new("INSERT INTO events (session, seq, at, worktree, kind, body) ");
        insert.push_values(part, |mut row, event| {
            row.push_bind(session.as_str())
                .push_bind(seq)
                .push_bind(at.0)
                .push_bind(worktree.0)
                .push_bind(event.kind)
                .push_bind(event.body.as_str());
            seq += 1;
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}
