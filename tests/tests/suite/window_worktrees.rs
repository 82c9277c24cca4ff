//! Branches that run at the same time, in the real window.

use espalier_tests::project::{Workspace, write as write_any};
use espalier_tests::recording::{bash, branch, record, say, write};
use espalier_tests::window::Window;
use serde_json::json;

async fn state(window: &Window, state: &str) {
    let css = format!(
        "document.querySelector('[data-testid=\"session-state\"][data-state=\"{state}\"]')"
    );
    window.until(&format!("the state {state}"), &css).await;
}

async fn work_on(window: &Window, branch: &str) {
    window.click("branch-switch").await;
    window
        .click_css(&format!(
            "[data-testid=\"branch-option\"][data-branch=\"{branch}\"]"
        ))
        .await;
    window
        .until(
            &format!("the branch {branch}"),
            &format!(
                "document.querySelector('[data-testid=\"branch-switch\"][data-branch=\"{branch}\"]')"
            ),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_branches_run_at_once_and_the_window_turns_from_one_to_the_other() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let root = workspace.root().to_owned();
    let until = |name: &str| {
        bash(&format!(
            "echo waiting; until [ -e '{}/{name}' ]; do sleep 0.02; done; echo went on",
            root.display()
        ))
    };
    record(
        &root,
        &[write("a.txt", "main\n"), until("main"), say("Done.")],
        &[branch(
            "other",
            "main",
            0,
            "Go another way",
            &[until("branch"), write("a.txt", "other\n"), say("Went.")],
        )],
    );
    let config = workspace.configure(
        "  backend: replay\n  replay:\n    recording: recording.json\n    pace: 0\n  git_checkpoints:\n    worktrees: true\n",
        &json!({"test_command": "cat a.txt"}),
    );
    let window = Window::open(&workspace.data(), &["open", config.to_str().unwrap()]).await;
    window.find("project-screen").await;
    window.click("task-start").await;
    window.find("session-screen").await;
    state(&window, "paused").await;
    window.click("pause-resume").await;
    window
        .until(
            "the waiting command",
            "document.querySelector('[data-testid=\"step\"][data-index=\"1\"]')",
        )
        .await;

    // The branch starts while the command of main still waits.
    window
        .click_css("[data-testid=\"step\"][data-index=\"0\"]")
        .await;
    window
        .click_css("[data-testid=\"step\"][data-index=\"0\"] [data-testid=\"step-branch\"]")
        .await;
    window
        .type_into("branch-instruction", "Go another way")
        .await;
    window.click("branch-confirm").await;
    window.find("branches-running").await;

    // What one does is not the other's.
    write_any(&root.join("branch"), "");
    state(&window, "ended").await;
    work_on(&window, "main").await;
    state(&window, "running").await;
    write_any(&root.join("main"), "");
    state(&window, "ended").await;

    window.click("compare").await;
    window.click("compare-test-both").await;
    window
        .until(
            "both tested",
            "!document.querySelector('[data-testid=\"compare-test-both\"][aria-busy=\"true\"]')",
        )
        .await;
    assert_eq!(workspace.read("a.txt"), "zero\n");
    window.quit().await;
}
