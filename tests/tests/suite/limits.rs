//! Limits and automatic pauses: a stated outcome, never a success.

use espalier_tests::program::{Ran, run};
use espalier_tests::project::Workspace;
use espalier_tests::recording::{REPLAY, bash, record, say, write};
use serde_json::{Value, json};

fn run_plain(workspace: &Workspace, live_agent: &str) -> Ran {
    let config = workspace.configure(&format!("{REPLAY}{live_agent}"), &json!({}));
    run(
        &workspace.data(),
        ["run".as_ref(), config.as_os_str(), "--json".as_ref()],
    )
}

/// Why the session waits, as the last `paused` state says.
fn pause_reason(ran: &Ran) -> String {
    ran.events()
        .iter()
        .rev()
        .find(|event| event["body"]["state"]["state"] == "paused")
        .map(|event| {
            event["body"]["state"]["reason"]["kind"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .unwrap_or_default()
}

fn steps(ran: &Ran) -> usize {
    ran.events()
        .iter()
        .filter(|event| event["body"]["type"] == "step_finished")
        .count()
}

#[test]
fn max_steps_ends_with_code_4_and_the_project_as_it_was() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[
            write("a.txt", "1\n"),
            write("a.txt", "2\n"),
            write("a.txt", "3\n"),
            say("Done."),
        ],
        &[],
    );
    let ran = run_plain(&workspace, "  max_steps: 2\n").expect_code(4);
    assert_eq!(steps(&ran), 2);
    assert_eq!(pause_reason(&ran), "max_steps");
    assert!(ran.stderr.contains("--resume"), "{}", ran.stderr);
    assert_eq!(workspace.read("a.txt"), "zero\n");
}

#[test]
fn a_parked_session_goes_on_where_it_was() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[
            write("a.txt", "1\n"),
            write("b.txt", "2\n"),
            bash("cat a.txt b.txt"),
            say("Done."),
        ],
        &[],
    );
    let first = run_plain(&workspace, "  max_steps: 2\n").expect_code(4);
    assert!(!workspace.project().join("b.txt").exists());
    let session = first.events()[0]["session"].as_str().unwrap().to_owned();
    let second = run(
        &workspace.data(),
        ["run", "--resume", &session, "--json", "--keep"],
    )
    .expect_code(0);
    assert_eq!(workspace.read("b.txt"), "2\n");
    let read = second.events().iter().any(|event| {
        let content = &event["body"]["result"]["content"];
        content.as_str().is_some_and(|text| text.contains("1\n2"))
    });
    assert!(read, "the command saw the files of both steps before");
}

#[test]
fn a_failing_command_pauses_where_the_configuration_says_so() {
    let turns = [bash("exit 3"), say("Done.")];
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(workspace.root(), &turns, &[]);
    let ran = run_plain(&workspace, "").expect_code(4);
    assert_eq!(pause_reason(&ran), "step_failed");

    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(workspace.root(), &turns, &[]);
    let off = "  controls:\n    pause_resume:\n      auto_pause_on_error: false\n";
    run_plain(&workspace, off).expect_code(0);
}

#[test]
fn auto_pause_after_steps_pauses() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[bash("true"), bash("echo 1"), bash("echo 2"), say("Done.")],
        &[],
    );
    let every = "  controls:\n    pause_resume:\n      auto_pause_after_steps: 2\n";
    let ran = run_plain(&workspace, every).expect_code(4);
    assert_eq!(steps(&ran), 2);
    assert_eq!(pause_reason(&ran), "after_steps");
}

#[test]
fn three_identical_calls_are_a_loop() {
    let same: Vec<Value> = (0..5)
        .map(|_| bash("cat a.txt"))
        .chain([say("Done.")])
        .collect();
    for (action, expected) in [("pause", "loop"), ("terminate", "")] {
        let workspace = Workspace::new(&[("a.txt", "zero\n")]);
        record(workspace.root(), &same, &[]);
        let lines = format!("  loop_detection:\n    threshold: 3\n    action: {action}\n");
        let ran = run_plain(&workspace, &lines).expect_code(4);
        assert_eq!(steps(&ran), 3);
        if expected.is_empty() {
            let ended = ran
                .events()
                .into_iter()
                .find(|event| event["body"]["state"]["state"] == "ended")
                .unwrap();
            assert_eq!(ended["body"]["state"]["reason"], "loop");
        } else {
            assert_eq!(pause_reason(&ran), expected);
        }
    }
}

#[test]
fn a_step_over_its_time_is_stopped_with_all_it_started() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let marker = format!("espalier-test-{}", std::process::id());
    let command = format!(
        "(setsid bash -c 'exec -a {marker} sleep 300' &) ; setsid bash -c 'exec -a {marker} sleep 300' & exec -a {marker} sleep 300"
    );
    record(workspace.root(), &[bash(&command), say("Done.")], &[]);
    let ran = run_plain(&workspace, "  step_timeout_seconds: 1\n").expect_code(4);
    let finished = ran
        .events()
        .into_iter()
        .find(|event| event["body"]["type"] == "step_finished")
        .unwrap();
    assert_eq!(finished["body"]["result"]["status"], "timed_out");
    let running: Vec<String> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|cmdline| String::from_utf8_lossy(&cmdline).into_owned())
        .filter(|cmdline| cmdline.starts_with(&marker))
        .collect();
    assert!(running.is_empty(), "{running:?}");
}

#[test]
fn dirty_work_is_refused_with_the_files_or_carried() {
    let turns = [write("b.txt", "agent\n"), say("Done.")];
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(workspace.root(), &turns, &[]);
    workspace.write("a.txt", "my own work\n");
    workspace.write("new.txt", "untracked\n");
    let ran = run_plain(&workspace, "").expect_code(2);
    assert!(
        ran.stderr.contains("a.txt") && ran.stderr.contains("new.txt"),
        "{}",
        ran.stderr
    );

    let allowed = "  git_checkpoints:\n    require_clean_working_dir: false\n";
    run_plain(&workspace, allowed).expect_code(0);
    assert_eq!(workspace.read("a.txt"), "my own work\n");
    assert_eq!(workspace.read("new.txt"), "untracked\n");
    assert!(!workspace.project().join("b.txt").exists());
}

#[test]
fn a_project_that_is_no_repository_gets_the_document_s_message() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(workspace.root(), &[say("Done.")], &[]);
    std::fs::remove_dir_all(workspace.project().join(".git")).unwrap();
    let ran = run_plain(&workspace, "").expect_code(2);
    assert!(
        ran.stderr
            .contains("Project directory is not a git repository"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("git init"), "{}", ran.stderr);
}
