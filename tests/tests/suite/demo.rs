//! The embedded demo, as a newcomer runs it.

use espalier_tests::program::run;
use espalier_tests::project::{Workspace, repository, write};
use serde_json::Value;
use std::path::Path;

/// A copy of the demo with its project in a repository of its own, at full speed.
fn demo() -> Workspace {
    let mut files = Vec::new();
    let project = repository().join("data/demo-project");
    collect(&project, &project, &mut files);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(p, c)| (p.as_str(), c.as_str()))
        .collect();
    let workspace = Workspace::new(&files);
    for name in [
        "demo_tasks.jsonl",
        "demo_steering.jsonl",
        "recordings/demo.json",
    ] {
        let text = std::fs::read_to_string(repository().join("data").join(name)).unwrap();
        write(
            &workspace.root().join("data").join(name),
            &text.replace("\"demo-project\"", "\"../project\""),
        );
    }
    let config = std::fs::read_to_string(repository().join("config/demo.yaml")).unwrap();
    assert!(config.contains("pace: 1"));
    write(
        &workspace.root().join("config/demo.yaml"),
        &config.replace("pace: 1", "pace: 0"),
    );
    workspace
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("__pycache__") {
                collect(root, &path, files);
            }
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

fn steered(workspace: &Workspace) {
    let config = workspace.root().join("config/demo.yaml");
    let script = workspace.root().join("data/demo_steering.jsonl");
    let args = [
        "run".as_ref(),
        config.as_os_str(),
        "--script".as_ref(),
        script.as_os_str(),
        "--annotator".as_ref(),
        "observer_01".as_ref(),
    ];
    run(&workspace.data(), args).expect_code(0);
}

fn line(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text.trim()).unwrap()
}

#[test]
fn the_steered_demo_leaves_the_document_s_tree_and_the_user_s_repository_as_it_was() {
    let workspace = demo();
    workspace.write("notes.txt", "stashed\n");
    workspace.git(&["stash", "push", "-q", "-u"]);
    let before = (
        workspace.git(&["rev-parse", "HEAD"]),
        workspace.git(&["symbolic-ref", "HEAD"]),
        std::fs::read(workspace.project().join(".git/index")).unwrap(),
        workspace.git(&["stash", "list"]),
        workspace.read("src/parser.py"),
    );
    steered(&workspace);
    let after = (
        workspace.git(&["rev-parse", "HEAD"]),
        workspace.git(&["symbolic-ref", "HEAD"]),
        std::fs::read(workspace.project().join(".git/index")).unwrap(),
        workspace.git(&["stash", "list"]),
        workspace.read("src/parser.py"),
    );
    assert!(before == after, "the user's repository changed");
    assert_eq!(
        workspace.git(&["--no-optional-locks", "status", "--porcelain"]),
        ""
    );

    let tree = line(&workspace.root().join("output/observer_01.jsonl"));
    assert_eq!(tree["id"], "demo_001");
    assert_eq!(tree["annotator"], "observer_01");
    let root = &tree["root_branch"];
    assert_eq!(root["branch_id"], "main");
    assert_eq!(root["steps"][1]["type"], "edit");
    assert_eq!(root["steps"][1]["file"], "src/parser.py");
    assert_eq!(root["steps"][1]["rating"], "Incorrect");
    assert_eq!(root["steps"][2]["type"], "terminal");
    let children = root["children"].as_array().unwrap();
    assert_eq!(children.len(), 2);
    for (child, name) in children.iter().zip(["branch_1", "branch_2"]) {
        assert_eq!(child["branch_id"], name);
        assert_eq!(child["branch_point"], 1);
        assert_eq!(child["steps"][0]["step"], 2);
        assert_eq!(child["outcome"], "Fully Complete");
        assert_eq!(child["children"], serde_json::json!([]));
    }
    assert_eq!(
        children[0]["instruction"],
        "Try a different approach -- use a try/except block instead"
    );
    assert_eq!(tree["branch_preference"], "Branch B");
    assert!(
        tree["observation_notes"]
            .as_str()
            .unwrap()
            .starts_with("Both branches")
    );
}

#[test]
fn the_demo_s_branches_read_as_the_document_says() {
    let workspace = demo();
    steered(&workspace);
    let branches = workspace.git(&["branch", "--format=%(refname:short)"]);
    let session: Vec<&str> = branches
        .lines()
        .filter(|name| name.starts_with("potato-session-"))
        .collect();
    assert_eq!(session.len(), 3, "{branches}");
    let main = session
        .iter()
        .find(|name| !name.contains("branch_"))
        .unwrap();
    let log = workspace.git(&["log", "--format=%s", main]);
    assert_eq!(log, "Step 1: edit_file src/parser.py\nInitial commit");
    for (suffix, number) in [("branch_1", 2), ("branch_2", 3)] {
        let branch = format!("{main}-{suffix}");
        let log = workspace.git(&["log", "--format=%s", &branch]);
        let expected = format!(
            "Step {number}: edit_file src/parser.py\nStep 1: edit_file src/parser.py\nInitial commit"
        );
        assert_eq!(log, expected);
        // The result on the branch really passes the project's tests.
        let checkout = workspace.root().join(suffix);
        workspace.git(&["worktree", "add", "-q", checkout.to_str().unwrap(), &branch]);
        let tests = std::process::Command::new("python3")
            .args(["-m", "unittest", "-q"])
            .current_dir(&checkout)
            .output()
            .unwrap();
        assert!(
            tests.status.success(),
            "{}",
            String::from_utf8_lossy(&tests.stderr)
        );
    }
}

#[test]
fn the_demo_s_output_folder_alone_exports_one_preference_pair() {
    let workspace = demo();
    steered(&workspace);
    let file = workspace.root().join("pairs.jsonl");
    let output = workspace.root().join("output");
    let args = [
        "export".as_ref(),
        "-i".as_ref(),
        output.as_os_str(),
        "-f".as_ref(),
        "branching_dpo".as_ref(),
        "-o".as_ref(),
        file.as_os_str(),
    ];
    // Another laptop: nothing but the folder.
    run(&workspace.root().join("other-data"), args).expect_code(0);
    let pair = line(&file);
    assert_eq!(pair["prompt"][0]["role"], "system");
    for side in ["chosen", "rejected"] {
        let turn = &pair[side][0];
        assert_eq!(turn["role"], "assistant", "{side}");
    }
    assert_eq!(
        pair["chosen"][0]["tool_calls"][0]["function"]["name"],
        "read_file"
    );
    assert_eq!(
        pair["rejected"][0]["tool_calls"][0]["function"]["name"],
        "edit_file"
    );
}

#[test]
fn without_a_script_the_demo_runs_to_its_end_and_is_finished() {
    let workspace = demo();
    let config = workspace.root().join("config/demo.yaml");
    let ran = run(
        &workspace.data(),
        ["run".as_ref(), config.as_os_str(), "--json".as_ref()],
    )
    .expect_code(0);
    let events = ran.events();
    let last_state = events
        .iter()
        .rev()
        .find(|event| event["body"]["type"] == "state_changed")
        .unwrap();
    assert_eq!(last_state["body"]["state"]["state"], "finished");
    let tests = events
        .iter()
        .find(|event| event["body"]["type"] == "test_finished")
        .unwrap();
    // The recorded agent made the test expect its own fault; the tests pass, which is the trap.
    assert_eq!(tests["body"]["outcome"], "passed");
}
