//! The command line as a person or a build server uses it.

use espalier_tests::program::{run, start};
use espalier_tests::project::{Workspace, repository, write as write_file};
use espalier_tests::recording::{REPLAY, bash, record, say, write};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Reads events until one is of that type, and leaves the rest in the pipe.
fn until(child: &mut Child, kind: &str) -> (Value, impl BufRead + use<>) {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    loop {
        let mut line = String::new();
        assert!(out.read_line(&mut line).unwrap() > 0, "no {kind}");
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["body"]["type"] == kind {
            return (event, out);
        }
    }
}

#[test]
fn validate_tells_every_mistake_at_once_with_its_place() {
    let workspace = Workspace::new(&[]);
    let config = workspace.root().join("project.yaml");
    write_file(
        &config,
        "task_name: Test\ntask_dir: .\ndata_files: [missing.jsonl]\n\
         live_agent:\n  backendd: ollama\n  max_steps: many\n",
    );
    let ran = run(&workspace.data(), ["validate", text(&config)]).expect_code(2);
    let told = ran.stdout + &ran.stderr;
    assert!(told.contains("project.yaml:5:"), "{told}");
    assert!(told.contains("backend"), "{told}");
    assert!(told.contains("project.yaml:6:"), "{told}");
    assert!(told.contains("missing.jsonl"), "{told}");
}

#[test]
fn validate_accepts_the_configurations_that_come_with_espalier() {
    let workspace = Workspace::new(&[]);
    let config = repository().join("config/demo.yaml");
    run(&workspace.data(), ["validate", text(&config)]).expect_code(0);
}

#[test]
fn the_schema_that_is_printed_is_the_one_that_editors_are_pointed_to() {
    let workspace = Workspace::new(&[]);
    let ran = run(&workspace.data(), ["schema"]).expect_code(0);
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    let file = repository().join("config/espalier.schema.json");
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(printed, committed);
}

#[test]
fn doctor_names_the_command_that_mends_what_is_missing() {
    let workspace = Workspace::new(&[("a.txt", "a\n")]);
    let config = workspace.configure(
        "  backend: ollama\n  ollama:\n    host: http://127.0.0.1:9\n    model: some-model\n",
        &json!({}),
    );
    let ran = run(&workspace.data(), ["doctor", text(&config)]).expect_code(3);
    assert!(ran.stdout.contains("MISSING Ollama"), "{}", ran.stdout);
    assert!(ran.stdout.contains("ollama serve"), "{}", ran.stdout);
    assert!(ran.stdout.contains("ok      git"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("ok      checkpoints   none yet"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_export_of_nothing_says_why_and_writes_no_file() {
    let workspace = Workspace::new(&[]);
    let empty = workspace.root().join("output");
    std::fs::create_dir_all(&empty).unwrap();
    let file = workspace.root().join("pairs.jsonl");
    let args = [
        "export",
        "-i",
        text(&empty),
        "-f",
        "branching_dpo",
        "-o",
        text(&file),
    ];
    let ran = run(&workspace.data(), args).expect_code(2);
    assert!(ran.stderr.contains(text(&empty)), "{}", ran.stderr);
    assert!(!file.exists());

    // A session without a comparison is no pair either.
    record(
        workspace.root(),
        &[write("a.txt", "a\n"), say("Done.")],
        &[],
    );
    let config = workspace.configure(REPLAY, &json!({}));
    run(&workspace.data(), ["run", text(&config)]).expect_code(0);
    let ran = run(&workspace.data(), args).expect_code(2);
    assert!(
        ran.stderr.contains("no branch comparison"),
        "{}",
        ran.stderr
    );
    assert!(!file.exists());
}

#[test]
fn an_interrupt_ends_what_runs_and_leaves_a_session_to_go_on_with() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let marker = format!("3{}", std::process::id());
    let sleeper = format!("echo started; (setsid sleep {marker} &) ; exec sleep {marker}");
    record(
        workspace.root(),
        &[write("a.txt", "one\n"), bash(&sleeper), say("Done.")],
        &[],
    );
    let config = workspace.configure(REPLAY, &json!({}));
    let mut child = start(&workspace.data(), ["run", text(&config), "--json"]);
    let (event, mut rest) = until(&mut child, "output_delta");
    let session = event["session"].as_str().unwrap().to_owned();
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let mut left = String::new();
    rest.read_to_string(&mut left).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let sleeping = Command::new("pgrep")
        .args(["-f", &format!("sleep {marker}")])
        .output();
    assert_eq!(String::from_utf8_lossy(&sleeping.unwrap().stdout), "");
    // The project is as it was until the session goes on.
    assert_eq!(workspace.read("a.txt"), "zero\n");

    record(
        workspace.root(),
        &[write("a.txt", "one\n"), bash("true"), say("Done.")],
        &[],
    );
    run(&workspace.data(), ["run", "--resume", &session, "--keep"]).expect_code(0);
    assert_eq!(workspace.read("a.txt"), "one\n");
}

#[test]
fn clean_up_shows_first_keeps_what_is_young_and_removes_all_on_demand() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[write("a.txt", "one\n"), say("Done.")],
        &[],
    );
    let config = workspace.configure(REPLAY, &json!({}));
    run(&workspace.data(), ["run", text(&config)]).expect_code(0);
    let branches = || workspace.git(&["branch", "--list", "potato-session-*"]);
    let before = branches();
    assert!(!before.is_empty());

    let project = workspace.project();
    let clean = |more: &[&str]| {
        let mut args = vec!["cleanup-sessions", "--project", text(&project)];
        args.extend(more);
        run(&workspace.data(), args).expect_code(0)
    };
    assert!(
        clean(&["--all", "--dry-run"])
            .stdout
            .contains("would remove")
    );
    clean(&["--older-than", "7d"]);
    assert_eq!(branches(), before);
    let ran = clean(&["--all"]);
    assert!(ran.stdout.contains("removed"), "{}", ran.stdout);
    assert_eq!(branches(), "");
    assert_eq!(workspace.git(&["status", "--porcelain"]), "");
}

#[test]
fn without_a_terminal_nothing_but_the_end_is_told() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[write("a.txt", "one\n"), say("Done.")],
        &[],
    );
    let config = workspace.configure(REPLAY, &json!({}));
    let ran = run(&workspace.data(), ["run", text(&config)]).expect_code(0);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.starts_with("task_1: finished."),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}

#[test]
fn two_runs_on_one_project_do_not_mix() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[bash("echo started; exec sleep 300"), say("Done.")],
        &[],
    );
    let config = workspace.configure(REPLAY, &json!({}));
    let mut first = start(&workspace.data(), ["run", text(&config), "--json"]);
    let (_, rest) = until(&mut first, "output_delta");
    let ran = run(&workspace.data(), ["run", text(&config)]);
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("in use by session"), "{}", ran.stderr);
    drop(rest);
    first.kill().unwrap();
    first.wait().unwrap();
}
