//! Espalier killed in the middle: what was stored is there, and the session goes on.

use espalier_tests::program::{run, start};
use espalier_tests::project::Workspace;
use espalier_tests::recording::{REPLAY, bash, record, say, write};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};

#[test]
fn a_killed_session_is_resumed_from_its_last_checkpoint() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[
            write("a.txt", "one\n"),
            bash("echo half > half.txt; echo started; exec sleep 300"),
            write("b.txt", "two\n"),
            say("Done."),
        ],
        &[],
    );
    let config = workspace.configure(REPLAY, &json!({}));
    let mut child = start(
        &workspace.data(),
        ["run".as_ref(), config.as_os_str(), "--json".as_ref()],
    );
    let mut seen: Vec<Value> = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let half_way = event["body"]["type"] == "output_delta";
        seen.push(event);
        if half_way {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let session = seen[0]["session"].as_str().unwrap().to_owned();
    let stored = seen
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .max()
        .unwrap();

    let listed = run(&workspace.data(), ["sessions", "--json"]).expect_code(0);
    assert!(listed.stdout.contains(&session), "{}", listed.stdout);

    let ran = run(
        &workspace.data(),
        ["run", "--resume", &session, "--json", "--keep"],
    )
    .expect_code(0);
    let resumed = ran.events();
    let seqs: Vec<u64> = resumed
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert!(seqs.iter().any(|seq| *seq > stored), "nothing was added");
    // What the interrupted command had written is not in the project, and the rest is.
    assert!(!workspace.project().join("half.txt").exists());
    assert_eq!(workspace.read("a.txt"), "one\n");
    assert_eq!(workspace.read("b.txt"), "two\n");
}
