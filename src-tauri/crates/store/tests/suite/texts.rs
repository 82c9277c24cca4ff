//! Large texts come back whole and page by page.

use espalier_protocol::{BlobId, ErrorCode};
use espalier_store::{DATABASE, Store};
use sqlx::{Connection, SqliteConnection};
use std::path::Path;
use tempfile::tempdir;

/// Lines that compress, but are all different; a character of each length at odd places.
fn long_text(lines: usize) -> String {
    (0..lines)
        .map(|n| format!("{n}: é한🦀 output of a test that talks a lot\n"))
        .collect()
}

/// Bytes that do not compress.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    noise
}

async fn rows(dir: &Path, table: &str) -> i64 {
    let url = format!("sqlite://{}", dir.join(DATABASE).display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_text_of_many_pieces_comes_back_and_is_named_by_its_hash() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let text = long_text(30_000);
    assert!(text.len() > 1 << 20);
    let file = dir.path().join("spooled");
    std::fs::write(&file, &text).unwrap();
    let id = store.put_text_file(&file).await.unwrap();
    assert_eq!(id.as_str(), blake3::hash(text.as_bytes()).to_hex().as_str());
    assert_eq!(store.text(&id).await.unwrap(), text.as_bytes());
    let mut offset = Some(0);
    let mut pages = String::new();
    while let Some(from) = offset {
        let page = store.text_page(&id, from, 100_001).await.unwrap();
        assert_eq!(page.total_bytes as usize, text.len());
        assert!(page.text.len() <= 100_001);
        assert!(!page.text.contains('\u{fffd}'), "no character is cut");
        pages.push_str(&page.text);
        offset = page.next_offset;
    }
    assert_eq!(pages, text);
}

#[tokio::test]
async fn the_same_text_is_kept_once() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let text = long_text(10_000);
    let first = store.put_text(text.as_bytes()).await.unwrap();
    let file = dir.path().join("again");
    std::fs::write(&file, &text).unwrap();
    assert_eq!(store.put_text_file(&file).await.unwrap(), first);
    assert_eq!(rows(dir.path(), "texts").await, 1);
    let chunks = rows(dir.path(), "text_chunks").await;
    // A text that begins like it shares the pieces.
    store
        .put_text(format!("{text}and more").as_bytes())
        .await
        .unwrap();
    assert_eq!(rows(dir.path(), "text_chunks").await, chunks + 1);
}

#[tokio::test]
async fn bytes_that_are_no_text_and_no_bytes_at_all_are_kept_too() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let raw: Vec<u8> = noise(700_000);
    let id = store.put_text(&raw).await.unwrap();
    assert_eq!(store.text(&id).await.unwrap(), raw);
    let page = store.text_page(&id, 300_000, 1_000).await.unwrap();
    assert!(page.text.contains('\u{fffd}'));
    let empty = store.put_text(b"").await.unwrap();
    let page = store.text_page(&empty, 0, 10).await.unwrap();
    assert_eq!((page.text.as_str(), page.next_offset), ("", None));
    assert!(store.text(&empty).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_there_and_what_is_damaged_are_told_apart() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let none = store.text_page(&BlobId::new("0"), 0, 10).await.unwrap_err();
    assert_eq!(none.to_app().code, ErrorCode::Unknown);
    let missing = store.put_text_file(&dir.path().join("gone")).await;
    assert_eq!(missing.unwrap_err().to_app().code, ErrorCode::StoreFailed);
    let id = store.put_text(b"kept with care").await.unwrap();
    let url = format!("sqlite://{}", dir.path().join(DATABASE).display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("UPDATE text_chunks SET data = zeroblob(20)")
        .execute(&mut connection)
        .await
        .unwrap();
    let damaged = store.text(&id).await.unwrap_err().to_app();
    assert_eq!(damaged.code, ErrorCode::StoreFailed);
    assert!(damaged.hint.contains(".recover"), "{damaged:?}");
}

#[tokio::test]
async fn events_are_stored_while_a_long_text_goes_in() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = super::session::meta("s1");
    store.create_session(&meta).await.unwrap();
    let text = long_text(100_000);
    let (put, appended) = tokio::join!(store.put_text(text.as_bytes()), async {
        for n in 0..20 {
            let body = super::session::notice(n.to_string());
            store
                .append(
                    &meta.id,
                    espalier_protocol::WorktreeId::default(),
                    vec![body],
                    espalier_protocol::Millis(n),
                )
                .await
                .unwrap();
        }
        store.events(&meta.id, 2).await.unwrap()
    });
    assert_eq!(appended.len(), 20);
    assert_eq!(store.text(&put.unwrap()).await.unwrap(), text.as_bytes());
}
