//! Answers with their revisions.

use super::session::{meta, notice};
use espalier_protocol::op::AnnotationTarget;
use espalier_protocol::{Actor, EventBody, Millis};
use espalier_store::Store;
use serde_json::{Value, json};
use tempfile::tempdir;

fn answer(target: AnnotationTarget, scheme: &str, value: Value, revision: u32) -> EventBody {
    EventBody::Annotated {
        by: Actor::Script,
        annotator: "observer_01".to_owned(),
        target,
        scheme: scheme.to_owned(),
        value,
        revision,
    }
}

#[tokio::test]
async fn every_revision_is_kept_and_the_last_one_counts() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = meta("s1");
    store.create_session(&meta).await.unwrap();
    let step = AnnotationTarget::Step { step: "s3".into() };
    let comparison = AnnotationTarget::Comparison {
        a: "branch_1".into(),
        b: "branch_2".into(),
    };
    let session = AnnotationTarget::Session;
    let branch = AnnotationTarget::Branch {
        branch: "main".into(),
    };
    let given = vec![
        answer(step.clone(), "quality", json!("Good"), 1),
        answer(step.clone(), "quality", json!("Incorrect"), 2),
        answer(step.clone(), "other", json!(["a", "b"]), 1),
        answer(comparison.clone(), "preference", json!("Branch B"), 1),
        answer(session.clone(), "notes", json!("Well \"done\""), 1),
        answer(branch.clone(), "outcome", json!(4), 1),
        answer(branch.clone(), "outcome", Value::Null, 2),
        notice("no answer"),
        // After an answer was taken back the count may begin again.
        answer(branch.clone(), "outcome", json!(5), 1),
    ];
    store
        .append(
            &meta.id,
            espalier_protocol::WorktreeId::default(),
            given,
            Millis(7),
        )
        .await
        .unwrap();
    let rows = store.annotations(&meta.id).await.unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.seq,
                &row.target,
                row.value.clone(),
                row.revision,
                row.current,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (2, &step, json!("Good"), 1, false),
            (3, &step, json!("Incorrect"), 2, true),
            (4, &step, json!(["a", "b"]), 1, true),
            (5, &comparison, json!("Branch B"), 1, true),
            (6, &session, json!("Well \"done\""), 1, true),
            (7, &branch, json!(4), 1, false),
            (8, &branch, Value::Null, 2, false),
            (10, &branch, json!(5), 1, true),
        ]
    );
    assert_eq!(rows[0].by, Actor::Script);
    assert_eq!(rows[0].annotator, "observer_01");
    assert_eq!(rows[0].at, Millis(7));
}

#[tokio::test]
async fn an_answer_and_its_event_are_kept_together_or_not_at_all() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = meta("s1");
    store.create_session(&meta).await.unwrap();
    let bodies = vec![
        answer(AnnotationTarget::Session, "notes", json!("x"), 1),
        EventBody::DeltasReset,
    ];
    assert!(
        store
            .append(
                &meta.id,
                espalier_protocol::WorktreeId::default(),
                bodies,
                Millis(1)
            )
            .await
            .is_err()
    );
    assert!(store.annotations(&meta.id).await.unwrap().is_empty());
    assert_eq!(store.events(&meta.id, 0).await.unwrap().len(), 1);
}
