#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::{DATABASE, Patience, Store, StoreError};
use espalier_protocol::{ErrorCode, EventBody, Millis, SessionId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;
use std::time::Duration;
use tempfile::tempdir;

fn notice(text: &str) -> EventBody {
    EventBody::Notice {
        code: "test".to_owned(),
        text: text.to_owned(),
    }
}

/// A session without its description, which these tests do not need.
async fn with_session(store: &Store, id: &str) -> SessionId {
    let mut writer = store.writer().await.unwrap();
    sqlx::query(
        "INSERT INTO sessions (id, task, task_name, annotator, config_path, project_dir, state,
                               last_seq, created_at, updated_at)
         VALUES (?1, '', '', '', '', '', '{}', 0, 0, 0)",
    )
    .bind(id)
    .execute(&mut writer.connection)
    .await
    .unwrap();
    SessionId::new(id)
}

async fn other_program(dir: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(dir.join(DATABASE))
        .connect()
        .await
        .unwrap()
}

const IMPATIENT: Patience = Patience {
    busy_timeout: Duration::from_millis(1),
    tries: 2,
};

#[tokio::test]
async fn a_lock_that_stays_is_told_and_nothing_is_stored() {
    let dir = tempdir().unwrap();
    let store = Store::open_with(dir.path(), IMPATIENT).await.unwrap();
    let id = with_session(&store, "s1").await;
    let mut other = other_program(dir.path()).await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = store
        .append(
            &id,
            espalier_protocol::WorktreeId::default(),
            vec![notice("x")],
            Millis(1),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    let error = error.to_app();
    assert_eq!(error.code, ErrorCode::StoreFailed);
    assert!(error.retryable);
    assert!(
        store.events(&id, 0).await.unwrap().is_empty(),
        "reading works"
    );
    lock.rollback().await.unwrap();
    let events = store
        .append(
            &id,
            espalier_protocol::WorktreeId::default(),
            vec![notice("x")],
            Millis(1),
        )
        .await
        .unwrap();
    assert_eq!(events[0].seq, 1);
}

#[tokio::test]
async fn a_lock_that_goes_away_is_waited_for() {
    let dir = tempdir().unwrap();
    let patience = Patience {
        tries: u32::MAX,
        ..IMPATIENT
    };
    let store = Store::open_with(dir.path(), patience).await.unwrap();
    let id = with_session(&store, "s1").await;
    let mut other = other_program(dir.path()).await;
    let mut lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let body = vec![notice("x")];
    let (events, ()) = tokio::join!(
        store.append(
            &id,
            espalier_protocol::WorktreeId::default(),
            body,
            Millis(1)
        ),
        async {
            for _ in 0..100 {
                sqlx::query("SELECT count(*) FROM sessions")
                    .fetch_one(&mut *lock)
                    .await
                    .unwrap();
            }
            lock.rollback().await.unwrap();
        }
    );
    assert_eq!(events.unwrap()[0].seq, 1);
}

/// SQLite's own limit, in pages: writing beyond it fails as on a full disk. A limit below the
/// present size is the present size.
async fn limit(store: &Store, pages: u32) {
    let mut writer = store.writer().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "PRAGMA max_page_count = {pages}"
    )))
    .execute(&mut writer.connection)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_log_goes_on_when_there_is_room() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let id = with_session(&store, "s1").await;
    store
        .append(
            &id,
            espalier_protocol::WorktreeId::default(),
            vec![notice("fits")],
            Millis(1),
        )
        .await
        .unwrap();
    limit(&store, 1).await;
    let large = "x".repeat(100_000);
    let bodies = vec![notice("small"), notice(&large)];
    let error = store
        .append(
            &id,
            espalier_protocol::WorktreeId::default(),
            bodies.clone(),
            Millis(2),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    let error = error.to_app();
    assert_eq!(error.code, ErrorCode::DiskFull);
    assert!(error.hint.contains("df -h"), "{error:?}");
    limit(&store, 1).await;
    let mut noise = vec![0; 1 << 20];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    let error = store.put_text(&noise).await.unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    assert_eq!(store.events(&id, 0).await.unwrap().len(), 1);
    limit(&store, 1_000_000).await;
    let events = store
        .append(
            &id,
            espalier_protocol::WorktreeId::default(),
            bodies,
            Millis(3),
        )
        .await
        .unwrap();
    assert_eq!(events[0].seq, 2, "the failed batch left no gap");
    assert_eq!(store.events(&id, 2).await.unwrap(), events);
}

#[tokio::test]
async fn an_append_that_is_dropped_half_way_leaves_nothing_locked() {
    let dir = tempdir().unwrap();
    let store = Store::open_with(dir.path(), IMPATIENT).await.unwrap();
    let id = with_session(&store, "s1").await;
    for polls in 1..12 {
        let append = store.append(
            &id,
            espalier_protocol::WorktreeId::default(),
            vec![notice("a"), notice("b")],
            Millis(1),
        );
        let mut append = Box::pin(append);
        for _ in 0..polls {
            let once = std::future::poll_fn(|context| {
                std::task::Poll::Ready(append.as_mut().poll(context).is_ready())
            });
            if once.await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let before = store.events(&id, 0).await.unwrap().len();
    assert_eq!(before % 2, 0, "no half batch");
    let events = store
        .append(
            &id,
            espalier_protocol::WorktreeId::default(),
            vec![notice("on")],
            Millis(1),
        )
        .await
        .unwrap();
    assert_eq!(events[0].seq as usize, before + 1);
}
