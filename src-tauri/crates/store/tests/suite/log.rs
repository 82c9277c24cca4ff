//! The log gives back what was put in, in order, and cannot be changed.

use super::session::{meta, notice, notices};
use espalier_protocol::{ErrorCode, EventBody, Millis, SessionId};
use espalier_store::{DATABASE, Store, StoreError};
use sqlx::{Connection, SqliteConnection};
use tempfile::tempdir;

#[tokio::test]
async fn a_session_is_read_back_as_it_was_written() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = meta("s1");
    let mut written = vec![store.create_session(&meta).await.unwrap()];
    let bodies = vec![notice("one"), notice("two — 한국어 \u{0} \"quoted\"")];
    written.extend(
        store
            .append(
                &meta.id,
                espalier_protocol::WorktreeId::default(),
                bodies,
                Millis(2_000),
            )
            .await
            .unwrap(),
    );
    written.extend(
        store
            .append(
                &meta.id,
                espalier_protocol::WorktreeId::default(),
                vec![notice("three")],
                Millis(3_000),
            )
            .await
            .unwrap(),
    );
    let seqs: Vec<u32> = written.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
    assert_eq!(store.events(&meta.id, 0).await.unwrap(), written);
    assert_eq!(store.events(&meta.id, 3).await.unwrap(), written[2..]);
    drop(store);
    let again = Store::open(dir.path()).await.unwrap();
    assert_eq!(again.events(&meta.id, 0).await.unwrap(), written);
}

#[tokio::test]
async fn a_batch_larger_than_one_statement_goes_in_whole() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = meta("s1");
    store.create_session(&meta).await.unwrap();
    let bodies: Vec<EventBody> = (0..250).map(|n| notice(n.to_string())).collect();
    let events = store
        .append(
            &meta.id,
            espalier_protocol::WorktreeId::default(),
            bodies,
            Millis(1),
        )
        .await
        .unwrap();
    assert_eq!(events.last().unwrap().seq, 251);
    assert_eq!(store.events(&meta.id, 2).await.unwrap(), events);
}

#[tokio::test]
async fn appenders_of_one_session_are_served_one_after_the_other() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = meta("s1");
    store.create_session(&meta).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (store, id) = (store.clone(), meta.id.clone());
            tokio::spawn(async move {
                for n in 0..20 {
                    let bodies = vec![notice(format!("{task} {n}")), notice(format!("{task}"))];
                    let events = store
                        .append(
                            &id,
                            espalier_protocol::WorktreeId::default(),
                            bodies,
                            Millis(1),
                        )
                        .await
                        .unwrap();
                    assert_eq!(events[0].seq + 1, events[1].seq);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let events = store.events(&meta.id, 0).await.unwrap();
    let seqs: Vec<u32> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=321).collect::<Vec<u32>>());
    for task in 0..8 {
        let of_task: Vec<String> = notices(&events)
            .into_iter()
            .filter(|text| text.starts_with(&format!("{task} ")))
            .collect();
        let expected: Vec<String> = (0..20).map(|n| format!("{task} {n}")).collect();
        assert_eq!(of_task, expected);
    }
}

#[tokio::test]
async fn what_is_only_shown_is_refused_with_the_whole_batch() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = meta("s1");
    store.create_session(&meta).await.unwrap();
    let bodies = vec![notice("fine"), EventBody::DeltasReset];
    let error = store
        .append(
            &meta.id,
            espalier_protocol::WorktreeId::default(),
            bodies,
            Millis(1),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::NotForTheLog("deltas_reset")));
    let again = EventBody::SessionCreated {
        meta: Box::new(meta.clone()),
    };
    assert!(
        store
            .append(
                &meta.id,
                espalier_protocol::WorktreeId::default(),
                vec![again],
                Millis(1)
            )
            .await
            .is_err()
    );
    assert_eq!(store.events(&meta.id, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_is_made_once_and_must_be_there() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = meta("s1");
    let nobody = SessionId::new("nobody");
    let error = store
        .append(
            &nobody,
            espalier_protocol::WorktreeId::default(),
            vec![notice("lost")],
            Millis(1),
        )
        .await
        .unwrap_err();
    assert_eq!(error.to_app().code, ErrorCode::Unknown);
    assert!(store.events(&nobody, 0).await.unwrap().is_empty());
    store.create_session(&meta).await.unwrap();
    assert!(matches!(
        store.create_session(&meta).await.unwrap_err(),
        StoreError::SessionExists(_)
    ));
    assert!(
        store
            .append(
                &meta.id,
                espalier_protocol::WorktreeId::default(),
                Vec::new(),
                Millis(1)
            )
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_log() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = meta("s1");
    store.create_session(&meta).await.unwrap();
    store
        .append(
            &meta.id,
            espalier_protocol::WorktreeId::default(),
            vec![notice("one")],
            Millis(1),
        )
        .await
        .unwrap();
    let url = format!("sqlite://{}", dir.path().join(DATABASE).display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for statement in [
        "UPDATE events SET body = '{}' WHERE seq = 2",
        "DELETE FROM events WHERE seq = 2",
        "DELETE FROM events",
        "DELETE FROM sessions",
        "INSERT OR REPLACE INTO events (session, seq, at, kind, body) VALUES ('s1', 2, 1, 'notice', '{}')",
        "INSERT INTO events (session, seq, at, kind, body) VALUES ('s1', 4, 1, 'notice', '{}')",
    ] {
        let refused = sqlx::query(statement).execute(&mut connection).await;
        assert!(refused.is_err(), "{statement}");
    }
    assert_eq!(notices(&store.events(&meta.id, 0).await.unwrap()), ["one"]);
}
