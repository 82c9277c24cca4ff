//! Which databases are opened, and which are left alone.

use super::session::meta;
use espalier_protocol::ErrorCode;
use espalier_store::{DATABASE, Store, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::path::Path;
use tempfile::tempdir;

/// Runs statements as some other program would, and leaves no write-ahead log behind.
async fn run(database: &Path, statements: &[&'static str]) {
    let mut connection = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    for statement in statements {
        sqlx::query(*statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

async fn refusal(dir: &Path) -> StoreError {
    match Store::open(dir).await {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_not_written_to() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    store.create_session(&meta("s1")).await.unwrap();
    store.close().await.unwrap();
    let database = dir.path().join(DATABASE);
    run(
        &database,
        &[
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9000, 'from the future', 1, x'00', 0)",
        ],
    )
    .await;
    let before = std::fs::read(&database).unwrap();
    let error = refusal(dir.path()).await.to_app();
    assert_eq!(error.code, ErrorCode::StoreTooNew);
    assert!(error.message.contains("9000"), "{error:?}");
    assert!(error.hint.contains("--data-dir"), "{error:?}");
    assert!(std::fs::read(&database).unwrap() == before, "untouched");
}

#[tokio::test]
async fn an_older_schema_is_brought_up_to_date() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    store.create_session(&meta("s1")).await.unwrap();
    store.close().await.unwrap();
    // As a version that knew only the first migration left it.
    run(
        &dir.path().join(DATABASE),
        &[
            "DROP TABLE text_parts",
            "DROP TABLE texts",
            "DROP TABLE text_chunks",
            "ALTER TABLE events DROP COLUMN worktree",
            "DELETE FROM _sqlx_migrations WHERE version > 1",
        ],
    )
    .await;
    let store = Store::open(dir.path()).await.unwrap();
    assert_eq!(store.events(&"s1".into(), 0).await.unwrap().len(), 1);
    let id = store.put_text(b"now there is room").await.unwrap();
    assert_eq!(store.text(&id).await.unwrap(), b"now there is room");
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let dir = tempdir().unwrap();
    let database = dir.path().join(DATABASE);
    run(&database, &["CREATE TABLE recipes (name TEXT)"]).await;
    let before = std::fs::read(&database).unwrap();
    let error = refusal(dir.path()).await;
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    assert!(std::fs::read(&database).unwrap() == before, "untouched");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_as_damage_with_a_way_out() {
    let dir = tempdir().unwrap();
    let database = dir.path().join(DATABASE);
    std::fs::write(&database, "this is not a database at all, ".repeat(100)).unwrap();
    let error = refusal(dir.path()).await.to_app();
    assert_eq!(error.code, ErrorCode::StoreFailed);
    assert!(error.hint.contains(".recover"), "{error:?}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let error = refusal(&file.join("data")).await.to_app();
    assert_eq!(error.code, ErrorCode::StoreFailed);
    assert!(error.message.contains("file"), "{error:?}");
}
