//! Answers to annotation schemes, every revision, as rows that can be asked for.

use crate::log::json;
use crate::{Result, Store, StoreError};
use espalier_protocol::op::AnnotationTarget;
use espalier_protocol::{Actor, BranchId, EventBody, Millis, SessionId, StepId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// One answer, as it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnotationRow {
    /// The event that it was given in.
    pub seq: u32,
    pub target: AnnotationTarget,
    pub scheme: String,
    /// Null takes the answer back.
    pub value: serde_json::Value,
    pub revision: u32,
    pub by: Actor,
    pub annotator: String,
    pub at: Millis,
    /// Whether it is the present answer: the last about its target and scheme, and not taken back.
    pub current: bool,
}

impl Store {
    /// All answers of a session with their revisions, in the order in which they were given.
    pub async fn annotations(&self, session: &SessionId) -> Result<Vec<AnnotationRow>> {
        let rows = sqlx::query(
            "SELECT a.seq, a.target_kind, a.target_a, a.target_b, a.scheme, a.value, a.revision,
                    a.actor, a.annotator, a.at, p.seq IS NOT NULL AS present
             FROM annotations AS a
             LEFT JOIN answers AS p ON p.session = a.session AND p.seq = a.seq
             WHERE a.session = ?1
             ORDER BY a.seq",
        )
        .bind(session.as_str())
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(|error| self.classify(error))?;
        rows.iter()
            .map(|row| self.annotation_of(session, row))
            .collect()
    }

    fn annotation_of(&self, session: &SessionId, row: &SqliteRow) -> Result<AnnotationRow> {
        let failed = |error| self.classify(error);
        let seq: u32 = row.try_get("seq").map_err(failed)?;
        let unreadable = |detail: String| StoreError::Unreadable {
            session: session.clone(),
            seq,
            detail,
        };
        let a: String = row.try_get("target_a").map_err(failed)?;
        let b: String = row.try_get("target_b").map_err(failed)?;
        let target = match row.try_get("target_kind").map_err(failed)? {
            "step" => AnnotationTarget::Step { step: StepId(a) },
            "branch" => AnnotationTarget::Branch {
                branch: BranchId(a),
            },
            "comparison" => AnnotationTarget::Comparison {
                a: BranchId(a),
                b: BranchId(b),
            },
            "session" => AnnotationTarget::Session,
            other => return Err(unreadable(format!("unknown target {other}"))),
        };
        let value: &str = row.try_get("value").map_err(failed)?;
        let actor: &str = row.try_get("actor").map_err(failed)?;
        Ok(AnnotationRow {
            seq,
            target,
            scheme: row.try_get("scheme").map_err(failed)?,
            value: serde_json::from_str(value).map_err(|error| unreadable(error.to_string()))?,
            revision: row.try_get("revision").map_err(failed)?,
            by: serde_json::from_value(serde_json::Value::from(actor))
                .map_err(|error| unreadable(error.to_string()))?,
            annotator: row.try_get("annotator").map_err(failed)?,
            at: Millis(row.try_get("at").map_err(failed)?),
            current: row.try_get("present").map_err(failed)?,
        })
    }
}

/// An answer made ready for its row.
pub(crate) struct Prepared<'a> {
    /// Its event's place in the batch.
    offset: u32,
    kind: &'static str,
    a: &'a str,
    b: &'a str,
    scheme: &'a str,
    value: String,
    revision: u32,
    actor: String,
    annotator: &'a str,
}

/// The answers that a batch of events gives.
pub(crate) fn prepare(bodies: &[EventBody]) -> Result<Vec<Prepared<'_>>> {
    let mut answers = Vec::new();
    for (offset, body) in (0..).zip(bodies) {
        let EventBody::Annotated {
            by,
            annotator,
            target,
            scheme,
            value,
            revision,
        } = body
        else {
            continue;
        };
        let (kind, a, b) = match target {
            AnnotationTarget::Step { step } => ("step", step.as_str(), ""),
            AnnotationTarget::Branch { branch } => ("branch", branch.as_str(), ""),
            AnnotationTarget::Comparison { a, b } => ("comparison", a.as_str(), b.as_str()),
            AnnotationTarget::Session => ("session", "", ""),
        };
        answers.push(Prepared {
            offset,
            kind,
            a,
            b,
            scheme,
            value: json(value)?,
            revision: *revision,
            actor: json(by)?,
            annotator,
        });
    }
    Ok(answers)
}

/// Keeps the answers of a batch whose first event has the number `first`.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    session: &SessionId,
    first: u32,
    at: Millis,
    answers: &[Prepared<'_>],
) -> sqlx::Result<()> {
    for answer in answers {
        sqlx::query(
            "INSERT INTO annotations (session, seq, target_kind, target_a, target_b, scheme, value,
                                      revision, actor, annotator, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .bind(session.as_str())
        .bind(first + answer.offset)
        .bind(answer.kind)
        .bind(answer.a)
        .bind(answer.b)
        .bind(answer.scheme)
        .bind(&answer.value)
        .bind(answer.revision)
        .bind(answer.actor.trim_matches('"'))
        .bind(answer.annotator)
        .bind(at.0)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
