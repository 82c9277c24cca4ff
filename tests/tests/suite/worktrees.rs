//! Branches in worktrees: they run at the same time, and the project is nobody's but the user's.

use espalier_tests::program::{Ran, run, start};
use espalier_tests::project::{Workspace, write};
use espalier_tests::recording::{REPLAY, bash, branch, record, say, write as write_file};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

const WORKTREES: &str =
    "  git_checkpoints:\n    worktrees: true\n    require_clean_working_dir: false\n";

fn drive(workspace: &Workspace, live_agent: &str, task: &Value, script: &[Value]) -> Ran {
    let config = workspace.configure(&format!("{REPLAY}{WORKTREES}{live_agent}"), task);
    let path = workspace.root().join("script.jsonl");
    let lines: Vec<String> = script.iter().map(Value::to_string).collect();
    write(&path, &lines.join("\n"));
    run(&workspace.data(), arguments(&config, &path))
}

fn arguments(config: &std::path::Path, script: &std::path::Path) -> Vec<std::ffi::OsString> {
    vec![
        "run".into(),
        config.into(),
        "--script".into(),
        script.into(),
        "--annotator".into(),
        "ann".into(),
        "--json".into(),
    ]
}

/// A command that ends only when another one with the other name runs at the same time.
fn meet(workspace: &Workspace, me: &str, other: &str) -> String {
    let root = workspace.root().display();
    format!("touch '{root}/{me}'; until [ -e '{root}/{other}' ]; do sleep 0.02; done; cat a.txt")
}

fn bodies<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["body"]["type"] == kind)
        .collect()
}

fn worktrees(workspace: &Workspace) -> Vec<PathBuf> {
    let Ok(sessions) = std::fs::read_dir(workspace.data().join("worktrees")) else {
        return Vec::new();
    };
    sessions
        .flat_map(|session| std::fs::read_dir(session.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path().join("files"))
        .collect()
}

/// Two branches whose commands wait for each other.
fn two_that_meet(workspace: &Workspace) {
    record(
        workspace.root(),
        &[
            write_file("a.txt", "main\n"),
            bash(&meet(workspace, "main_runs", "branch_runs")),
            say("Done."),
        ],
        &[branch(
            "other",
            "main",
            0,
            "Try otherwise",
            &[
                write_file("a.txt", "branch\n"),
                bash(&meet(workspace, "branch_runs", "main_runs")),
                say("Done otherwise."),
            ],
        )],
    );
}

fn branch_and_wait_for_both() -> Vec<Value> {
    vec![
        json!({"after_step": 0, "do": "branch", "from": "main", "step": 0, "instruction": "Try otherwise"}),
        json!({"after": "end", "do": "focus", "branch": "main"}),
        json!({"after": "end", "do": "focus", "branch": "branch_1"}),
    ]
}

#[test]
fn two_branches_run_at_the_same_time_and_the_project_stays_as_it_is() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    workspace.write("notes.txt", "not committed\n");
    let before = (
        workspace.git(&["status", "--porcelain"]),
        workspace.git(&["rev-parse", "HEAD"]),
    );
    two_that_meet(&workspace);
    let mut script = branch_and_wait_for_both();
    script.push(json!({"do": "finish"}));
    // Each command waits for the other one: one after the other they would never end.
    let ran = drive(&workspace, "", &json!({}), &script).expect_code(0);
    let events = ran.events();
    let outputs: Vec<&str> = bodies(&events, "step_finished")
        .iter()
        .filter_map(|event| event["body"]["result"]["content"].as_str())
        .filter(|content| {
            ["main\n", "branch\n"]
                .iter()
                .any(|end| content.contains(end.trim()))
        })
        .collect();
    assert!(
        outputs.iter().any(|text| text.contains("main")),
        "{outputs:?}"
    );
    assert!(
        outputs.iter().any(|text| text.contains("branch")),
        "{outputs:?}"
    );
    assert_eq!(workspace.read("a.txt"), "zero\n");
    assert_eq!(workspace.read("notes.txt"), "not committed\n");
    assert_eq!(
        before,
        (
            workspace.git(&["status", "--porcelain"]),
            workspace.git(&["rev-parse", "HEAD"])
        )
    );
    let branches = workspace.git(&[
        "branch",
        "--list",
        "--format=%(refname:short)",
        "potato-session-*",
    ]);
    let shown: Vec<&str> = branches.lines().collect();
    assert_eq!(shown.len(), 2, "{branches}");
    for (name, content) in [(shown[0], "main"), (shown[1], "branch")] {
        assert_eq!(workspace.git(&["show", &format!("{name}:a.txt")]), content);
        assert_eq!(
            workspace.git(&["show", &format!("{name}:notes.txt")]),
            "not committed"
        );
    }
    assert_eq!(worktrees(&workspace), Vec::<PathBuf>::new());
}

#[test]
fn the_tests_run_on_both_tips_at_once() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[
            write_file("a.txt", "main\n"),
            bash(&meet(&workspace, "m", "b")),
            say("Done."),
        ],
        &[branch(
            "other",
            "main",
            0,
            "Try otherwise",
            &[
                write_file("a.txt", "branch\n"),
                bash(&meet(&workspace, "b", "m")),
                say("Done."),
            ],
        )],
    );
    // Passes when both tips are under test at the same moment.
    let root = workspace.root().display().to_string();
    let test = format!(
        "touch \"{root}/tested_$(cat a.txt)\"; until [ -e '{root}/tested_main' ] && [ -e '{root}/tested_branch' ]; do sleep 0.02; done"
    );
    let mut script = branch_and_wait_for_both();
    script.push(json!({"do": "finish"}));
    let ran = drive(&workspace, "", &json!({"test_command": test}), &script).expect_code(0);
    let events = ran.events();
    let tested: Vec<(&str, &str)> = bodies(&events, "test_finished")
        .iter()
        .map(|event| {
            (
                event["body"]["branch"].as_str().unwrap(),
                event["body"]["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(tested.contains(&("main", "passed")), "{tested:?}");
    assert!(tested.contains(&("branch_1", "passed")), "{tested:?}");
}

#[test]
fn what_is_kept_goes_into_the_project_beside_what_the_user_did_there_meanwhile() {
    let workspace = Workspace::new(&[("a.txt", "zero\n"), ("b.txt", "zero\n")]);
    let elsewhere = workspace.project().join("mine.txt");
    record(
        workspace.root(),
        &[
            write_file("a.txt", "main\n"),
            bash(&format!("echo mine > '{}'", elsewhere.display())),
            say("Done."),
        ],
        &[],
    );
    drive(
        &workspace,
        "",
        &json!({}),
        &[json!({"after": "end", "do": "finish", "keep": true})],
    )
    .expect_code(0);
    assert_eq!(workspace.read("a.txt"), "main\n");
    assert_eq!(workspace.read("b.txt"), "zero\n");
    assert_eq!(workspace.read("mine.txt"), "mine\n");
    assert_eq!(
        workspace.git(&["status", "--porcelain"]),
        " M a.txt\n?? mine.txt"
    );
}

#[test]
fn ignored_files_are_carried_and_the_agents_git_reaches_only_its_worktree() {
    let workspace = Workspace::new(&[("a.txt", "zero\n"), (".gitignore", "node_modules/\n.env\n")]);
    workspace.write("node_modules/left-pad/index.js", "module.exports = 1\n");
    workspace.write(".env", "TOKEN=1\n");
    let before = workspace.git(&["for-each-ref"]);
    record(
        workspace.root(),
        &[
            bash("cat node_modules/left-pad/index.js .env; test ! -e other"),
            bash(
                "echo changed > node_modules/left-pad/index.js; git checkout -q -b agents && git commit -q --allow-empty -m agents && git stash list && git tag agents",
            ),
            say("Done."),
        ],
        &[],
    );
    let ran = drive(
        &workspace,
        "    carry: [node_modules, {path: .env, by: copy}, .venv]\n",
        &json!({}),
        &[json!({"after": "end", "do": "finish"})],
    )
    .expect_code(0);
    let events = ran.events();
    let finished = bodies(&events, "step_finished");
    let first = finished[0]["body"]["result"]["content"].as_str().unwrap();
    assert!(
        first.contains("module.exports = 1") && first.contains("TOKEN=1"),
        "{first}"
    );
    assert_eq!(
        finished[1]["body"]["result"]["status"], "ok",
        "{}",
        finished[1]
    );
    assert_eq!(
        workspace.read("node_modules/left-pad/index.js"),
        "module.exports = 1\n"
    );
    let after: Vec<String> = workspace
        .git(&["for-each-ref"])
        .lines()
        .filter(|line| !line.contains("potato-session"))
        .map(str::to_owned)
        .collect();
    assert_eq!(after.join("\n"), before);
    let told: Vec<&str> = bodies(&events, "notice")
        .iter()
        .filter_map(|event| event["body"]["text"].as_str())
        .collect();
    assert!(
        told.iter().any(|text| text.ends_with("worktree: .venv.")),
        "{told:?}"
    );
}

#[test]
fn a_project_in_a_subdirectory_has_its_surroundings_in_the_worktree() {
    let workspace = Workspace::new(&[("app/a.txt", "zero\n"), ("shared/lib.txt", "shared\n")]);
    workspace.write("app/a.txt", "not committed\n");
    record(
        workspace.root(),
        &[
            bash("cat a.txt ../shared/lib.txt"),
            write_file("a.txt", "main\n"),
            say("Done."),
        ],
        &[],
    );
    let ran = drive(
        &workspace,
        "",
        &json!({"project_dir": "project/app"}),
        &[json!({"after": "end", "do": "finish", "keep": true})],
    )
    .expect_code(0);
    let events = ran.events();
    let content = &bodies(&events, "step_finished")[0]["body"]["result"]["content"];
    assert!(
        content
            .as_str()
            .unwrap()
            .starts_with("not committed\nshared\n"),
        "{content}"
    );
    assert_eq!(workspace.read("app/a.txt"), "main\n");
}

#[test]
fn both_branches_go_on_after_the_app_was_killed() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    two_that_meet(&workspace);
    let config = workspace.configure(&format!("{REPLAY}{WORKTREES}"), &json!({}));
    // The second rendezvous is missed: it is killed while both wait.
    let path = workspace.root().join("script.jsonl");
    let script = branch_and_wait_for_both();
    let lines: Vec<String> = script.iter().map(Value::to_string).collect();
    write(&path, &lines.join("\n"));
    let mut child = start(&workspace.data(), arguments(&config, &path));
    let mut session = String::new();
    let mut ended = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        event["session"].as_str().unwrap().clone_into(&mut session);
        let body = &event["body"];
        ended += usize::from(body["type"] == "step_finished" && body["result"]["content"] != "");
        if ended >= 3 {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(worktrees(&workspace).len(), 2);
    let rest = workspace.root().join("rest.jsonl");
    let lines = [
        json!({"after": "end", "do": "focus", "branch": "main"}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish"}),
    ];
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    write(&rest, &lines.join("\n"));
    run(
        &workspace.data(),
        [
            "run".as_ref(),
            "--resume".as_ref(),
            std::ffi::OsStr::new(&session),
            "--script".as_ref(),
            rest.as_os_str(),
        ],
    )
    .expect_code(0);
    let branches = workspace.git(&[
        "branch",
        "--list",
        "--format=%(refname:short)",
        "potato-session-*",
    ]);
    let shown: Vec<&str> = branches.lines().collect();
    assert_eq!(
        workspace.git(&["show", &format!("{}:a.txt", shown[0])]),
        "main"
    );
    assert_eq!(
        workspace.git(&["show", &format!("{}:a.txt", shown[1])]),
        "branch"
    );
    assert_eq!(workspace.read("a.txt"), "zero\n");
}

#[test]
fn a_branch_is_not_moved_to_while_another_worktree_stands_on_it() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    two_that_meet(&workspace);
    let mut script = branch_and_wait_for_both();
    script.push(json!({"do": "focus", "branch": "main"}));
    script.push(json!({"do": "rollback", "to_step": 1, "branch": "branch_1"}));
    let ran = drive(&workspace, "", &json!({}), &script).expect_code(2);
    assert!(
        ran.stderr
            .contains("Branch branch_1 is open in another worktree."),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_closed_worktree_is_opened_again_at_its_branchs_tip() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    two_that_meet(&workspace);
    let mut script = branch_and_wait_for_both();
    script.extend([
        json!({"do": "close_worktree", "branch": "main"}),
        json!({"do": "focus", "branch": "main"}),
        json!({"do": "finish", "keep": true}),
    ]);
    drive(&workspace, "", &json!({}), &script).expect_code(0);
    assert_eq!(workspace.read("a.txt"), "main\n");
}
