//! Steering a session by script: what a person's actions leave behind.

use espalier_tests::program::{Ran, run};
use espalier_tests::project::{Workspace, write};
use espalier_tests::recording::{REPLAY, bash, branch, calls, record, say, write as write_file};
use serde_json::{Value, json};

fn drive(workspace: &Workspace, live_agent: &str, script: &[Value]) -> Ran {
    let config = workspace.configure(&format!("{REPLAY}{live_agent}"), &json!({}));
    let path = workspace.root().join("script.jsonl");
    let lines: Vec<String> = script.iter().map(Value::to_string).collect();
    write(&path, &lines.join("\n"));
    run(
        &workspace.data(),
        [
            "run".as_ref(),
            config.as_os_str(),
            "--script".as_ref(),
            path.as_os_str(),
            "--annotator".as_ref(),
            "ann".as_ref(),
            "--json".as_ref(),
        ],
    )
}

fn tree(workspace: &Workspace) -> Value {
    let text = std::fs::read_to_string(workspace.output().join("ann.jsonl")).unwrap();
    serde_json::from_str(text.lines().next_back().unwrap()).unwrap()
}

/// Branch ids with their steps' numbers, children behind their parent.
fn shape(branch: &Value) -> Vec<(String, Vec<u64>)> {
    let steps = branch["steps"].as_array().unwrap();
    let numbers = steps
        .iter()
        .map(|step| step["step"].as_u64().unwrap())
        .collect();
    let mut all = vec![(branch["branch_id"].as_str().unwrap().to_owned(), numbers)];
    for child in branch["children"].as_array().unwrap() {
        all.extend(shape(child));
    }
    all
}

fn three_writes() -> [Value; 4] {
    [
        write_file("a.txt", "one\n"),
        write_file("a.txt", "two\n"),
        write_file("b.txt", "three\n"),
        say("Done."),
    ]
}

#[test]
fn a_rollback_alone_leaves_an_abandoned_tail_and_exact_files() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(workspace.root(), &three_writes(), &[]);
    drive(
        &workspace,
        "",
        &[
            json!({"after_step": 2, "do": "pause"}),
            json!({"do": "rollback", "to_step": 0}),
            json!({"do": "resume"}),
            json!({"after": "end", "do": "finish", "keep": true}),
        ],
    )
    .expect_code(0);
    let tree = tree(&workspace);
    assert_eq!(
        shape(&tree["root_branch"]),
        [
            ("main".to_owned(), vec![0, 1, 2, 3]),
            ("abandoned_1".to_owned(), vec![1, 2]),
        ]
    );
    let abandoned = &tree["root_branch"]["children"][0];
    assert_eq!(abandoned["branch_point"], 0);
    assert!(abandoned.get("instruction").is_none());
    assert_eq!(workspace.read("a.txt"), "two\n");
}

#[test]
fn a_rollback_restores_files_and_can_be_undone() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(workspace.root(), &three_writes(), &[]);
    let ran = drive(
        &workspace,
        "",
        &[
            json!({"after_step": 2, "do": "pause"}),
            json!({"do": "rollback", "to_step": -1}),
            json!({"do": "undo_rollback"}),
            json!({"do": "finish", "keep": true}),
        ],
    )
    .expect_code(0);
    assert_eq!(workspace.read("a.txt"), "two\n");
    assert_eq!(workspace.read("b.txt"), "three\n");
    assert_eq!(
        shape(&tree(&workspace)["root_branch"]),
        [("main".to_owned(), vec![0, 1, 2])]
    );
    let kinds: Vec<String> = ran
        .events()
        .iter()
        .filter(|event| event["body"]["type"] == "intervened")
        .map(|event| {
            event["body"]["intervention"]["kind"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(kinds, ["pause", "rollback", "undo_rollback"]);
}

#[test]
fn an_undo_after_the_agent_went_on_returns_to_the_abandoned_tail() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(workspace.root(), &three_writes(), &[]);
    drive(
        &workspace,
        "",
        &[
            json!({"after_step": 2, "do": "rollback", "to_step": 0}),
            json!({"do": "resume"}),
            json!({"after_step": 1, "do": "pause"}),
            json!({"do": "undo_rollback"}),
            json!({"do": "finish", "keep": true}),
        ],
    )
    .expect_code(0);
    assert_eq!(workspace.read("b.txt"), "three\n");
    assert_eq!(
        shape(&tree(&workspace)["root_branch"]),
        [
            ("main".to_owned(), vec![0, 1]),
            ("abandoned_1".to_owned(), vec![1, 2]),
        ]
    );
}

#[test]
fn a_rollback_with_an_instruction_is_a_branch_and_keeps_the_old_path_whole() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let other = branch(
        "other",
        "main",
        0,
        "Write b.txt instead",
        &[write_file("b.txt", "other\n"), say("Done otherwise.")],
    );
    record(workspace.root(), &three_writes(), &[other]);
    drive(
        &workspace,
        "",
        &[
            json!({"after_step": 1, "do": "pause"}),
            json!({"do": "rollback", "to_step": 0}),
            json!({"do": "instruct", "text": "Write b.txt instead"}),
            json!({"do": "resume"}),
            json!({"after": "end", "do": "finish", "keep": true}),
        ],
    )
    .expect_code(0);
    let tree = tree(&workspace);
    assert_eq!(
        shape(&tree["root_branch"]),
        [
            ("main".to_owned(), vec![0, 1]),
            ("branch_1".to_owned(), vec![1, 2]),
        ]
    );
    let child = &tree["root_branch"]["children"][0];
    assert_eq!(child["instruction"], "Write b.txt instead");
    assert_eq!(workspace.read("a.txt"), "one\n");
    assert_eq!(workspace.read("b.txt"), "other\n");
}

#[test]
fn a_rollback_between_two_calls_of_one_message_keeps_the_first() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let two = calls(&[
        ("write_file", json!({"path": "a.txt", "content": "first\n"})),
        (
            "write_file",
            json!({"path": "b.txt", "content": "second\n"}),
        ),
    ]);
    let other = branch("other", "main", 0, "Stop there", &[say("I stop.")]);
    record(workspace.root(), &[two, say("Done.")], &[other]);
    let ran = drive(
        &workspace,
        "",
        &[
            json!({"after_step": 1, "do": "pause"}),
            json!({"do": "branch", "from": "main", "step": 0, "instruction": "Stop there"}),
            json!({"after": "end", "do": "finish", "keep": true}),
        ],
    )
    .expect_code(0);
    assert_eq!(workspace.read("a.txt"), "first\n");
    assert!(!workspace.project().join("b.txt").exists());
    let steps: Vec<Value> = ran
        .events()
        .into_iter()
        .filter(|event| event["body"]["type"] == "step_started")
        .map(|event| event["body"]["step"].clone())
        .collect();
    assert_eq!(steps[0]["message_id"], steps[1]["message_id"]);
    assert_eq!(
        shape(&tree(&workspace)["root_branch"]),
        [
            ("main".to_owned(), vec![0, 1]),
            ("branch_1".to_owned(), vec![1]),
        ]
    );
}

#[test]
fn rolling_back_above_a_fork_continues_as_a_new_branch_of_the_ancestor() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let other = branch(
        "other",
        "main",
        1,
        "Go on",
        &[write_file("c.txt", "c\n"), say("Done.")],
    );
    record(workspace.root(), &three_writes(), &[other]);
    drive(
        &workspace,
        "",
        &[
            json!({"after_step": 1, "do": "branch", "from": "main", "step": 1, "instruction": "Go on"}),
            json!({"after": "end", "do": "rollback", "to_step": 0}),
            json!({"do": "resume"}),
            json!({"after": "end", "do": "finish"}),
        ],
    )
    .expect_code(0);
    assert_eq!(
        shape(&tree(&workspace)["root_branch"]),
        [
            ("main".to_owned(), vec![0, 1]),
            ("branch_1".to_owned(), vec![2, 3]),
            ("branch_2".to_owned(), vec![1, 2, 3]),
        ]
    );
}

#[test]
fn what_the_annotator_edits_by_hand_is_a_checkpoint_of_its_own() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[
            write_file("a.txt", "one\n"),
            // The agent's own command plays the annotator's editor between two steps.
            bash("(sleep 0.2; true) && cat a.txt"),
            say("Done."),
        ],
        &[],
    );
    let ran = drive(&workspace, "", &[json!({"after": "end", "do": "finish"})]).expect_code(0);
    let created: Vec<bool> = ran
        .events()
        .iter()
        .filter(|event| event["body"]["type"] == "step_finished")
        .map(|event| event["body"]["checkpoint"]["created"].as_bool().unwrap())
        .collect();
    assert_eq!(created, [true, false, false]);
}

#[test]
fn a_shell_command_s_changes_are_a_checkpoint_too() {
    let workspace = Workspace::new(&[("a.txt", "zero\n"), ("gone.txt", "x\n")]);
    record(
        workspace.root(),
        &[
            bash("mkdir -p deep/er && echo hi > deep/er/new.txt && rm gone.txt && chmod +x a.txt"),
            say("Done."),
        ],
        &[],
    );
    let ran = drive(
        &workspace,
        "",
        &[
            json!({"after_step": 0, "do": "rollback", "to_step": -1}),
            json!({"do": "undo_rollback"}),
            json!({"do": "finish", "keep": true}),
        ],
    )
    .expect_code(0);
    let finished = ran
        .events()
        .into_iter()
        .find(|event| event["body"]["type"] == "step_finished")
        .unwrap();
    let mut paths: Vec<String> = finished["body"]["checkpoint"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["path"].as_str().unwrap().to_owned())
        .collect();
    paths.sort();
    assert_eq!(paths, ["a.txt", "deep/er/new.txt", "gone.txt"]);
    assert_eq!(workspace.read("deep/er/new.txt"), "hi\n");
    assert!(!workspace.project().join("gone.txt").exists());
}

#[test]
fn a_branch_over_the_limit_is_refused_with_the_line() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let again = |n: usize| {
        branch(
            &format!("b{n}"),
            "main",
            0,
            &format!("Again {n}"),
            &[say("Yes.")],
        )
    };
    record(workspace.root(), &three_writes(), &[again(1), again(2)]);
    let ran = drive(
        &workspace,
        "  controls:\n    branch:\n      max_branches: 1\n",
        &[
            json!({"after_step": 1, "do": "branch", "from": "main", "step": 0, "instruction": "Again 1"}),
            json!({"after": "end", "do": "branch", "from": "main", "step": 0, "instruction": "Again 2"}),
            json!({"do": "finish"}),
        ],
    )
    .expect_code(2);
    assert!(ran.stderr.contains("Line 2"), "{}", ran.stderr);
    assert!(ran.stderr.contains("max_branches"), "{}", ran.stderr);
}

#[test]
fn a_line_whose_condition_is_past_fails_with_its_number() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(workspace.root(), &three_writes(), &[]);
    let ran = drive(
        &workspace,
        "",
        &[
            json!({"after_step": 2, "do": "pause"}),
            json!({"after_step": 1, "do": "resume"}),
        ],
    )
    .expect_code(2);
    assert!(ran.stderr.contains("Line 2"), "{}", ran.stderr);
}

#[test]
fn an_instruction_the_recording_does_not_know_shows_those_it_knows() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let known = branch("k", "main", 0, "Write b.txt instead", &[say("Yes.")]);
    record(workspace.root(), &three_writes(), &[known]);
    let ran = drive(
        &workspace,
        "",
        &[
            json!({"after_step": 1, "do": "branch", "from": "main", "step": 0, "instruction": "Sing"}),
            json!({"after": "end", "do": "finish"}),
        ],
    );
    let paused = ran
        .events()
        .into_iter()
        .rev()
        .find(|event| event["body"]["state"]["reason"]["kind"] == "recording_ended")
        .unwrap();
    assert_eq!(
        paused["body"]["state"]["reason"]["instructions"],
        json!(["Write b.txt instead"])
    );
}
