//! A killed process loses nothing that was returned to it.

use super::session::{meta, notice, notices};
use espalier_protocol::{Millis, SessionId};
use espalier_store::Store;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::tempdir;

const FOLDER: &str = "ESPALIER_STORE_TEST_KILLED";
const STORED: &str = "stored ";

/// The process that is killed: appends for ever and says what came back.
#[tokio::test]
async fn killed_process() {
    let Some(dir) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = Store::open(Path::new(&dir)).await.unwrap();
    let meta = meta("s1");
    store.create_session(&meta).await.unwrap();
    for round in 0_i64.. {
        let bodies = vec![notice(format!("a{round}")), notice(format!("b{round}"))];
        let events = store
            .append(
                &meta.id,
                espalier_protocol::WorktreeId::default(),
                bodies,
                Millis(round),
            )
            .await
            .unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{STORED}{}", events[1].seq).unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn what_append_returned_is_there_after_a_kill() {
    for stored_before in [1, 7, 40] {
        let dir = tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "suite::kill::killed_process", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix(STORED)?.parse::<u32>().ok());
        let mut last = 0;
        for _ in 0..stored_before {
            last = told.next().unwrap();
        }
        child.kill().unwrap();
        last = told.last().unwrap_or(last);
        assert!(!child.wait().unwrap().success());

        let store = Store::open(dir.path()).await.unwrap();
        let id = SessionId::new("s1");
        let events = store.events(&id, 0).await.unwrap();
        assert!(events.len() >= last as usize, "{} of {last}", events.len());
        let batches = (events.len() - 1) / 2;
        let expected: Vec<String> = (0..batches)
            .flat_map(|round| [format!("a{round}"), format!("b{round}")])
            .collect();
        assert_eq!(notices(&events), expected, "no half batch, no gap");
        let next = store
            .append(
                &id,
                espalier_protocol::WorktreeId::default(),
                vec![notice("on")],
                Millis(1),
            )
            .await
            .unwrap();
        assert_eq!(next[0].seq as usize, events.len() + 1);
    }
}
