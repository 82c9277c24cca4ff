//! Several processes on one data folder: the window and the command line.

use super::session::{meta, notice, notices};
use espalier_protocol::{Millis, SessionId};
use espalier_store::Store;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::tempdir;

const FOLDER: &str = "ESPALIER_STORE_TEST_SHARED";
const ROUNDS: i64 = 40;

/// What each process does: opens the folder (which may not be there yet), and appends to a session
/// of its own and to the shared one.
async fn work(dir: &Path, name: &str) {
    let store = Store::open(dir).await.unwrap();
    let own = meta(name);
    store.create_session(&own).await.unwrap();
    let shared = SessionId::new("shared");
    // Whoever comes first makes it.
    if store.create_session(&meta("shared")).await.is_err() {
        assert!(store.session_exists(&shared).await.unwrap());
    }
    for round in 0..ROUNDS {
        let text = format!("{name} {round}");
        for id in [&own.id, &shared] {
            store
                .append(
                    id,
                    espalier_protocol::WorktreeId::default(),
                    vec![notice(&text)],
                    Millis(round),
                )
                .await
                .unwrap();
        }
        store.put_text(text.repeat(1_000).as_bytes()).await.unwrap();
    }
    store.close().await.unwrap();
}

/// The other process: this test, run again by the one below.
#[tokio::test]
async fn other_process() {
    if let Some(dir) = std::env::var_os(FOLDER) {
        work(Path::new(&dir), &format!("process{}", std::process::id())).await;
    }
}

#[tokio::test]
async fn processes_share_a_folder_from_its_first_moment() {
    let dir = tempdir().unwrap();
    let data = dir.path().join("not there yet");
    let mut children: Vec<_> = (0..3)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "suite::processes::other_process"])
                .env(FOLDER, &data)
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    work(&data, "parent").await;
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let store = Store::open(&data).await.unwrap();
    let sessions = store.sessions().await.unwrap();
    assert_eq!(sessions.len(), 5, "four of their own and the shared one");
    let events = store.events(&"shared".into(), 0).await.unwrap();
    let seqs: Vec<u32> = events.iter().map(|event| event.seq).collect();
    let expected: Vec<u32> = (1..=u32::try_from(4 * ROUNDS + 1).unwrap()).collect();
    assert_eq!(seqs, expected);
    for session in sessions.iter().filter(|s| s.id.as_str() != "shared") {
        let name = session.id.as_str();
        let expected: Vec<String> = (0..ROUNDS).map(|round| format!("{name} {round}")).collect();
        let own = store.events(&session.id, 0).await.unwrap();
        assert_eq!(notices(&own), expected);
        let mut in_shared = notices(&events);
        in_shared.retain(|text| text.split(' ').next() == Some(name));
        assert_eq!(in_shared, expected, "each in its own order");
    }
}
