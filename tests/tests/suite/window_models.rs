//! Choosing and getting a model in the real window.

use espalier_tests::ollama_server::{
    CUT_OFF, Gate, IN_THE_LIBRARY, MODEL, MODEL_WITHOUT_TOOLS, OllamaServer, Reply,
};
use espalier_tests::project::Workspace;
use espalier_tests::window::Window;
use serde_json::json;

async fn open(server: &OllamaServer, model: &str) -> (Workspace, Window) {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let config = workspace.configure(
        &format!(
            "  backend: ollama\n  model: \"{model}\"\n  ollama:\n    host: {}\n",
            server.host()
        ),
        &json!({}),
    );
    let window = Window::open(&workspace.data(), &["open", config.to_str().unwrap()]).await;
    window.find("model-panel").await;
    (workspace, window)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_missing_is_got_and_works() {
    let server = OllamaServer::start([Reply::say("Done.")]).await;
    let (_workspace, window) = open(&server, IN_THE_LIBRARY).await;
    window.click("model-pull").await;
    window
        .until(
            "the model is there",
            "!document.querySelector('[data-testid=\"model-pull\"]') && !document.querySelector('[data-testid=\"model-pulling\"]')",
        )
        .await;
    assert!(server.asked().contains(&"POST /api/pull".to_owned()));
    window.click("task-start").await;
    window.find("session-screen").await;
    window.click("pause-resume").await;
    window
        .until(
            "the end",
            "document.querySelector('[data-testid=\"session-state\"][data-state=\"ended\"]')",
        )
        .await;
    assert_eq!(server.chats()[0]["model"], IN_THE_LIBRARY);
    window.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_tools_is_told_before_anything_starts() {
    let server = OllamaServer::start([]).await;
    let (workspace, window) = open(&server, MODEL_WITHOUT_TOOLS).await;
    window
        .until(
            "the reason",
            "document.body.innerText.includes('cannot call tools')",
        )
        .await;
    window
        .until(
            "a start that is refused",
            "document.querySelector('[data-testid=\"task-start\"][aria-disabled=\"true\"]')",
        )
        .await;
    assert!(server.chats().is_empty());
    assert!(!workspace.data().join("checkpoints").exists());
    window.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_stops_in_the_middle_is_no_model() {
    let server = OllamaServer::start([]).await;
    let (_workspace, window) = open(&server, CUT_OFF).await;
    window.click("model-pull").await;
    window
        .until(
            "the failure",
            "document.body.innerText.includes('stopped before it was complete')",
        )
        .await;
    window
        .until(
            "a start that is refused",
            "document.querySelector('[data-testid=\"task-start\"][aria-disabled=\"true\"]')",
        )
        .await;
    window.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_is_changed_in_the_window() {
    let gate = Gate::default();
    let server = OllamaServer::start([
        Reply::call("bash", json!({"command": "echo first"})).held_after(0, &gate),
        Reply::say("Done."),
    ])
    .await;
    let (workspace, window) = open(&server, MODEL).await;
    window.click("task-start").await;
    window.find("session-screen").await;
    window.click("pause-resume").await;
    server.until_chats(1).await;
    window.click("pause-resume").await;
    window
        .until(
            "the pause that is asked for",
            "document.querySelector('[data-testid=\"session-state\"][data-state=\"pausing\"]')",
        )
        .await;
    gate.open();
    window.click("call-edit").await;
    let field = "[data-testid=\"call-field\"]";
    let name = window.find_css(field).await;
    name.clear().await.unwrap();
    name.send_keys("echo changed > made.txt").await.unwrap();
    window.click("call-confirm").await;
    window
        .find_css("[data-testid=\"proposed-call\"][data-edited=\"true\"]")
        .await;
    window.click("pause-resume").await;
    window
        .until(
            "the end",
            "document.querySelector('[data-testid=\"session-state\"][data-state=\"ended\"]')",
        )
        .await;
    assert_eq!(workspace.read("made.txt"), "changed\n");
    window.quit().await;
}
