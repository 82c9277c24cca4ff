//! `write_file`.

use super::tools_desk::Desk;
use espalier_protocol::StepStatus;
use espalier_protocol::worker::Touched;
use serde_json::json;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn touched(path: &str) -> Touched {
    Touched::Paths {
        paths: vec![path.to_owned()],
    }
}

#[tokio::test]
async fn a_new_file_is_created_with_its_directories() {
    let desk = Desk::new();
    let input = json!({"path": "./a/b/../b/c.py", "content": "x = 1\ny = 2"});
    let outcome = desk.run("write_file", input).await;
    assert_eq!(outcome.status, StepStatus::Ok);
    assert_eq!(outcome.content, "Created `a/b/c.py`: 11 bytes, 2 lines.");
    assert_eq!(outcome.touched, touched("a/b/c.py"));
    assert_eq!(desk.bytes("a/b/c.py"), b"x = 1\ny = 2");
    assert_eq!(std::fs::read_dir(desk.path("a/b")).unwrap().count(), 1);
}

#[tokio::test]
async fn an_existing_file_is_overwritten_and_keeps_its_mode() {
    let desk = Desk::new();
    desk.write("run.sh", "#!/bin/sh\necho a very long line\n");
    std::fs::set_permissions(desk.path("run.sh"), PermissionsExt::from_mode(0o751)).unwrap();
    let outcome = desk
        .run(
            "write_file",
            json!({"path": "run.sh", "content": "#!/bin/sh\n"}),
        )
        .await;
    assert_eq!(outcome.content, "Overwrote `run.sh`: 10 bytes, 1 line.");
    assert_eq!(outcome.touched, touched("run.sh"));
    assert_eq!(desk.bytes("run.sh"), b"#!/bin/sh\n");
    let mode = std::fs::metadata(desk.path("run.sh")).unwrap().mode() & 0o7777;
    assert_eq!(mode, 0o751);
    assert_eq!(desk.entries(), ["run.sh"]);
}

#[tokio::test]
async fn the_same_content_again_writes_nothing() {
    let desk = Desk::new();
    desk.write("a.txt", "same");
    let before = std::fs::metadata(desk.path("a.txt")).unwrap();
    let outcome = desk
        .run("write_file", json!({"path": "a.txt", "content": "same"}))
        .await;
    assert_eq!(outcome.status, StepStatus::Ok);
    assert_eq!(outcome.touched, Touched::Nothing);
    let after = std::fs::metadata(desk.path("a.txt")).unwrap();
    assert_eq!(before.ino(), after.ino());
}

#[tokio::test]
async fn what_is_no_file_or_read_only_is_refused() {
    let desk = Desk::new();
    desk.write("dir/a.txt", "a");
    desk.write("locked.txt", "a");
    std::fs::set_permissions(desk.path("locked.txt"), PermissionsExt::from_mode(0o444)).unwrap();
    for path in ["dir", "dir/", "new/", "."] {
        let said = desk
            .fails("write_file", json!({"path": path, "content": "x"}))
            .await;
        assert!(said.contains("needs the path of a file"), "{path}: {said}");
    }
    let said = desk
        .fails("write_file", json!({"path": "locked.txt", "content": "x"}))
        .await;
    assert!(said.contains("read-only"), "{said}");
    assert_eq!(desk.bytes("locked.txt"), b"a");
    assert!(!desk.path("new").exists());
}

#[tokio::test]
async fn a_write_that_fails_half_way_says_what_it_may_have_touched() {
    let desk = Desk::new();
    let name = "n".repeat(300);
    let outcome = desk
        .run(
            "write_file",
            json!({"path": format!("made/{name}"), "content": "x"}),
        )
        .await;
    assert_eq!(outcome.status, StepStatus::ToolError);
    assert_eq!(outcome.touched, touched(&format!("made/{name}")));
    assert_eq!(std::fs::read_dir(desk.path("made")).unwrap().count(), 0);
}
