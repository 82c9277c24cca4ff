//! One whole session in the real window: start, pause, instruct, roll back, branch, rate, compare,
//! finish, and what is on disk afterwards.

use espalier_tests::ollama_server::{MODEL, OllamaServer, Reply};
use espalier_tests::project::Workspace;
use espalier_tests::recording::{branch, record, say, write};
use espalier_tests::window::Window;
use serde_json::{Value, json};

/// A turn the model takes long for, so that there is time to pause.
fn slow(turn: Value) -> Value {
    let mut turn = turn;
    turn["text"] = json!("I am thinking about this for a while before I write the file.");
    turn["ms"] = json!(4000);
    turn
}

fn workspace() -> (Workspace, String) {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    record(
        workspace.root(),
        &[
            write("a.txt", "one\n"),
            slow(write("b.txt", "main\n")),
            say("Done."),
        ],
        &[
            branch(
                "closer",
                "main",
                0,
                "Look closer",
                &[write("b.txt", "closer\n"), say("Looked closer.")],
            ),
            branch(
                "other",
                "main",
                0,
                "Go another way",
                &[write("c.txt", "other\n"), say("Went another way.")],
            ),
        ],
    );
    let config = workspace.configure(
        "  backend: replay\n  replay:\n    recording: recording.json\n    pace: 1\n",
        &json!({"test_command": "test -f b.txt"}),
    );
    let config = config.to_str().unwrap().to_owned();
    (workspace, config)
}

async fn state(window: &Window, state: &str) {
    let css = format!(
        "document.querySelector('[data-testid=\"session-state\"][data-state=\"{state}\"]')"
    );
    window.until(&format!("the state {state}"), &css).await;
}

/// Confirms once the preview is there: before, the dialog still changes its size and the button its
/// place.
async fn confirm_rollback(window: &Window) {
    window.find("rollback-files").await;
    window.click("rollback-confirm").await;
}

/// The tree as it lies on disk.
fn tree(workspace: &Workspace) -> Option<Value> {
    let text = std::fs::read_to_string(workspace.output().join("ann.jsonl")).ok()?;
    serde_json::from_str(text.lines().next_back()?).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_session_in_the_window() {
    let (workspace, config) = workspace();
    let window = Window::open(&workspace.data(), &["open", &config]).await;

    window.find("project-screen").await;
    let annotator = window.find("annotator").await;
    annotator.clear().await.unwrap();
    annotator.send_keys("ann").await.unwrap();
    window.click("task-start").await;
    window.find("session-screen").await;
    state(&window, "paused").await;
    window.click("pause-resume").await;

    // Pause while the model is at its second turn: the call it proposes is held.
    window
        .until(
            "the first step",
            "document.querySelector('[data-testid=\"step\"][data-index=\"0\"][data-status=\"ok\"]')",
        )
        .await;
    window.click("pause-resume").await;
    state(&window, "paused").await;
    assert!(!workspace.project().join("b.txt").exists());

    // An instruction changes what comes next.
    window.type_into("instruct-box", "Look closer").await;
    window.click("instruct-send-resume").await;
    state(&window, "ended").await;
    assert_eq!(workspace.read("b.txt"), "closer\n");

    // Back to the first step, and undone again.
    window
        .click_css("[data-testid=\"step\"][data-index=\"0\"]")
        .await;
    window
        .click_css("[data-testid=\"step\"][data-index=\"0\"] [data-testid=\"step-rollback\"]")
        .await;
    confirm_rollback(&window).await;
    state(&window, "paused").await;
    assert!(!workspace.project().join("b.txt").exists());
    window.click("undo-rollback").await;
    state(&window, "ended").await;
    assert_eq!(workspace.read("b.txt"), "closer\n");

    // Another way from the same step.
    window
        .click_css("[data-testid=\"step\"][data-index=\"0\"] [data-testid=\"step-branch\"]")
        .await;
    window
        .type_into("branch-instruction", "Go another way")
        .await;
    window.click("branch-confirm").await;
    state(&window, "running").await;
    state(&window, "ended").await;
    assert_eq!(workspace.read("c.txt"), "other\n");
    assert!(!workspace.project().join("b.txt").exists());

    // Rate the first step.
    window
        .click_css("[data-testid=\"step-rating\"][data-step=\"s0\"] [data-value=\"Good\"]")
        .await;

    // Compare, and say which is better.
    window.click("compare").await;
    window.find("compare-screen").await;
    window
        .click_css("[data-scheme=\"branch_preference\"] [data-value=\"Branch A\"]")
        .await;
    window.click("compare-back").await;

    window.click("finish").await;
    window.click("finish-confirm").await;
    state(&window, "finished").await;
    window.close().await;

    let tree = tree(&workspace).unwrap();
    assert_eq!(tree["annotator"], "ann");
    assert_eq!(tree["branch_preference"], "Branch A");
    let root = &tree["root_branch"];
    assert_eq!(root["steps"][0]["rating"], "Good");
    assert_eq!(root["children"][0]["instruction"], "Go another way");
    let tests = &root["espalier"]["tests"][0];
    assert_eq!(tests["outcome"], "passed");
    // The project is as it was.
    assert_eq!(workspace.read("a.txt"), "zero\n");
    assert!(!workspace.project().join("c.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_start_screen_opens_the_embedded_demo_which_plays() {
    let workspace = Workspace::new(&[]);
    let window = Window::open(&workspace.data(), &[]).await;
    window.click("start-demo").await;
    window.find("recording-banner").await;
    window.click("task-start").await;
    state(&window, "paused").await;
    window.click("pause-resume").await;
    state(&window, "ended").await;
    window.find("test-result").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_with_mistakes_is_told_with_line_and_key() {
    let workspace = Workspace::new(&[]);
    let config = workspace.root().join("project.yaml");
    std::fs::write(&config, "agentic:\n  live_agent:\n    backendd: ollama\n").unwrap();
    let window = Window::open(&workspace.data(), &["open", config.to_str().unwrap()]).await;
    window.find("start-error").await;
    window
        .until(
            "the mistake",
            "document.body.innerText.includes('project.yaml:3:')",
        )
        .await;
    window
        .until(
            "the nearest key",
            "document.body.innerText.includes('backend')",
        )
        .await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instruction_the_recording_does_not_know_shows_the_ways_it_does() {
    let (workspace, config) = workspace();
    let window = Window::open(&workspace.data(), &["open", &config]).await;
    window.click("task-start").await;
    state(&window, "paused").await;
    window.click("pause-resume").await;
    window
        .until(
            "the first step",
            "document.querySelector('[data-testid=\"step\"][data-index=\"0\"][data-status=\"ok\"]')",
        )
        .await;
    window.click("pause-resume").await;
    state(&window, "paused").await;
    window.type_into("instruct-box", "Sing a song").await;
    window.click("instruct-send-resume").await;
    window.find("continue-live").await;
    window
        .click_css("[data-testid=\"recorded-way\"][data-value=\"Go another way\"]")
        .await;
    state(&window, "ended").await;
    assert_eq!(workspace.read("c.txt"), "other\n");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_window_puts_the_project_back_and_the_session_goes_on_at_the_next_start() {
    let (workspace, config) = workspace();
    let window = Window::open(&workspace.data(), &["open", &config]).await;
    window.click("task-start").await;
    state(&window, "paused").await;
    window.click("pause-resume").await;
    window
        .until(
            "the first step",
            "document.querySelector('[data-testid=\"step\"][data-index=\"0\"][data-status=\"ok\"]')",
        )
        .await;
    window.click("pause-resume").await;
    state(&window, "paused").await;
    assert_eq!(workspace.read("a.txt"), "one\n");
    window.quit().await;
    assert_eq!(workspace.read("a.txt"), "zero\n");

    let window = Window::open(&workspace.data(), &[]).await;
    window.click("start-session").await;
    state(&window, "paused").await;
    assert_eq!(workspace.read("a.txt"), "one\n");
    window.click("pause-resume").await;
    state(&window, "ended").await;
    assert_eq!(workspace.read("b.txt"), "main\n");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_edits_while_the_agent_waits_is_kept_and_comes_back() {
    let (workspace, config) = workspace();
    let window = Window::open(&workspace.data(), &["open", &config]).await;
    window.click("task-start").await;
    state(&window, "paused").await;
    window.click("pause-resume").await;
    window
        .until(
            "the first step",
            "document.querySelector('[data-testid=\"step\"][data-index=\"0\"][data-status=\"ok\"]')",
        )
        .await;
    window.click("pause-resume").await;
    state(&window, "paused").await;
    workspace.write("a.txt", "by hand\n");
    workspace.write("notes.txt", "mine\n");
    window.click("pause-resume").await;
    state(&window, "ended").await;
    assert_eq!(workspace.read("a.txt"), "by hand\n");

    window
        .click_css("[data-testid=\"step\"][data-index=\"0\"]")
        .await;
    window
        .click_css("[data-testid=\"step\"][data-index=\"0\"] [data-testid=\"step-rollback\"]")
        .await;
    confirm_rollback(&window).await;
    state(&window, "paused").await;
    assert_eq!(workspace.read("a.txt"), "one\n");
    assert!(!workspace.project().join("notes.txt").exists());
    window.click("undo-rollback").await;
    state(&window, "ended").await;
    assert_eq!(workspace.read("a.txt"), "by hand\n");
    assert_eq!(workspace.read("notes.txt"), "mine\n");
    window.quit().await;
    // Put back: the user's commit, without the session's and without what was typed meanwhile.
    assert_eq!(workspace.read("a.txt"), "zero\n");
    assert_eq!(workspace.git(&["status", "--porcelain"]), "");
    let branch = workspace.git(&["branch", "--list", "--format=%(refname:short)", "potato-*"]);
    assert_eq!(
        workspace.git(&["show", &format!("{branch}:notes.txt")]),
        "mine"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_ended_goes_on_with_a_live_model() {
    let (workspace, config) = workspace();
    let server = OllamaServer::start([
        Reply::call(
            "write_file",
            json!({"path": "live.txt", "content": "live\n"}),
        ),
        Reply::say("Sang it."),
    ])
    .await;
    let window = Window::open(&workspace.data(), &["open", &config]).await;
    window.click("task-start").await;
    state(&window, "paused").await;
    window.type_into("instruct-box", "Sing a song").await;
    window.click("instruct-send-resume").await;
    window.click("continue-live").await;
    for (field, text) in [
        ("continue-host", server.host()),
        ("continue-model", MODEL.to_owned()),
    ] {
        let field = window.find(field).await;
        field.clear().await.unwrap();
        field.send_keys(&text).await.unwrap();
    }
    window.click("continue-confirm").await;
    state(&window, "ended").await;
    assert_eq!(workspace.read("live.txt"), "live\n");
    assert!(server.chats()[0].to_string().contains("Sing a song"));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_without_git_is_made_a_repository_only_when_asked_to() {
    let (workspace, config) = workspace();
    let git = workspace.project().join(".git");
    std::fs::remove_dir_all(&git).unwrap();
    let window = Window::open(&workspace.data(), &["open", &config]).await;
    window.find("project-screen").await;
    window.click("task-start").await;
    window.find("initialise-dialog").await;
    assert!(!git.exists());
    window.click("initialise-confirm").await;
    window.find("session-screen").await;
    state(&window, "paused").await;
    assert_eq!(workspace.git(&["log", "--format=%s"]), "Initial commit");
    assert_eq!(workspace.git(&["status", "--porcelain"]), "");
    assert_eq!(workspace.read("a.txt"), "zero\n");
    window.quit().await;
}
