//! Cost and context window in the real window.

use espalier_tests::anthropic_server::{AnthropicServer, KEY, MODEL, Reply};
use espalier_tests::project::{Workspace, write};
use espalier_tests::window::Window;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn cost_and_fill_are_shown_and_a_nearly_full_window_is_gone_on_with() {
    let call = |path: &str| {
        Reply::say("I write it.").and_call("write_file", json!({"path": path, "content": "x\n"}))
    };
    let server = AnthropicServer::start([call("b.txt"), Reply::say("Done.")]).await;
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let list = json!({
        "source": "our contract", "as_of": "2026-11-01",
        "models": [{"id": "claude-scripted", "input": 4, "output": 20,
            "cache_write_5m": 5, "cache_write_1h": 8, "cache_read": 0.2}],
    });
    write(&workspace.data().join("models.json"), &list.to_string());
    write(
        &workspace.root().join(".env"),
        &format!("ANTHROPIC_API_KEY={KEY}\n"),
    );
    let config = workspace.configure(
        &format!(
            "  backend: anthropic\n  anthropic:\n    base_url: {}\n    model: {MODEL}\n  context: {{window: 1550}}\n",
            server.url()
        ),
        &json!({}),
    );
    let window = Window::open(&workspace.data(), &["open", config.to_str().unwrap()]).await;
    window.click("task-start").await;
    window.find("session-screen").await;
    window.click("pause-resume").await;
    window
        .until(
            "the pause",
            "document.querySelector('[data-testid=\"session-state\"][data-state=\"paused\"]') && document.body.innerText.includes('Window nearly full')",
        )
        .await;
    window
        .until(
            "how full it is",
            "Number(document.querySelector('[data-testid=\"context-fill\"]').ariaValueNow) > 1395",
        )
        .await;
    window
        .until(
            "what it cost",
            "Number(document.querySelector('[data-testid=\"session-cost\"]').dataset.value) > 5000",
        )
        .await;
    if let Some(folder) = std::env::var_os("ESPALIER_PICTURES") {
        window
            .picture(&std::path::PathBuf::from(folder).join("context.png"))
            .await;
    }
    assert_eq!(server.chats().len(), 1);
    window.click("pause-resume").await;
    window
        .until(
            "the end",
            "document.querySelector('[data-testid=\"session-state\"][data-state=\"ended\"]')",
        )
        .await;
    assert_eq!(server.chats().len(), 2);
    // What a session was can be kept as a recording; where, the system's own dialog asks.
    window.click("recording-save").await;
    window.find("recording-run").await;
    let text = window.text().await;
    assert!(text.contains("taken out"), "{text}");
    if let Some(folder) = std::env::var_os("ESPALIER_PICTURES") {
        window
            .picture(&std::path::PathBuf::from(folder).join("recording.png"))
            .await;
    }
    window.quit().await;
}
