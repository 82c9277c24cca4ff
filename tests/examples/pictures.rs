//! Takes the documents' pictures: the embedded demo in the real window, screen by screen.
//!
//! `cargo run -p espalier-tests --example pictures -- docs/screenshots`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a developer's program: what fails here fails loudly"
)]

use espalier_tests::project::git;
use espalier_tests::window::Window;
use std::path::{Path, PathBuf};
use std::process::Command;

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("where the pictures go"));
    std::fs::create_dir_all(&folder).unwrap();
    // Its path is in the pictures.
    let place = std::env::temp_dir().join("espalier-demo");
    drop(std::fs::remove_dir_all(&place));
    std::fs::create_dir(&place).unwrap();
    let config = copy_demo(&place);
    let data = place.join("app");

    let window = Window::open(&data, &[]).await;
    window.find_css("[data-testid=\"start-doctor\"] li").await;
    window.find_css("footer").await;
    window.picture(&folder.join("start.png")).await;
    window.close().await;

    let window = Window::open(&data, &["open", &config]).await;
    window.find("project-screen").await;
    let annotator = window.find("annotator").await;
    annotator.clear().await.unwrap();
    annotator.send_keys("ann").await.unwrap();
    window.picture(&folder.join("project.png")).await;
    session(&window, &folder).await;
    window.close().await;
}

async fn session(window: &Window, folder: &Path) {
    window.click("task-start").await;
    state(window, "paused").await;
    window.click("pause-resume").await;
    state(window, "ended").await;
    for (step, label) in [("s0", "Good"), ("s1", "Incorrect"), ("s2", "Good")] {
        rate(window, step, label).await;
    }
    window.picture(&folder.join("session.png")).await;

    branch(
        window,
        "Try a different approach -- use a try/except block instead",
        Some(&folder.join("branch.png")),
    )
    .await;
    window
        .until(
            "a live step",
            "document.querySelector('[data-testid=\"live\"]')",
        )
        .await;
    window.picture(&folder.join("live.png")).await;
    state(window, "ended").await;
    choose(window, "theme", "dark").await;
    branch(
        window,
        "Read the test file first to understand expected behavior",
        None,
    )
    .await;
    state(window, "ended").await;
    window.picture(&folder.join("session-dark.png")).await;

    compare(window, &folder.join("compare-dark.png")).await;
    choose(window, "language", "ko").await;
    window.picture(&folder.join("session-ko.png")).await;
    choose(window, "language", "en").await;
    choose(window, "theme", "light").await;
    compare(window, &folder.join("compare.png")).await;
    window.click("finish").await;
    window.find("finish-dialog").await;
    window.picture(&folder.join("finish.png")).await;
}

async fn compare(window: &Window, file: &Path) {
    window.click("compare").await;
    window
        .find_css("[data-testid=\"compare-screen\"] .figures")
        .await;
    window.picture(file).await;
    window.click("compare-back").await;
}

async fn branch(window: &Window, instruction: &str, picture: Option<&Path>) {
    window
        .click_css("[data-testid=\"step\"][data-index=\"1\"]")
        .await;
    window
        .click_css("[data-testid=\"step\"][data-index=\"1\"] [data-testid=\"step-branch\"]")
        .await;
    window.type_into("branch-instruction", instruction).await;
    if let Some(file) = picture {
        window.picture(file).await;
    }
    window.click("branch-confirm").await;
    state(window, "running").await;
}

async fn rate(window: &Window, step: &str, label: &str) {
    let css =
        format!("[data-testid=\"step-rating\"][data-step=\"{step}\"] [data-value=\"{label}\"]");
    window.click_css(&css).await;
}

/// Chooses an entry of a menu, and waits until the menu is gone again.
async fn choose(window: &Window, menu: &str, value: &str) {
    window.click(menu).await;
    let entry = format!("[role=\"menuitemcheckbox\"][data-value=\"{value}\"]");
    window.click_css(&entry).await;
    window
        .until(
            "the menu's end",
            "!document.querySelector('[role=\"menuitemcheckbox\"]')",
        )
        .await;
}

async fn state(window: &Window, state: &str) {
    let css = format!(
        "document.querySelector('[data-testid=\"session-state\"][data-state=\"{state}\"]')"
    );
    window.until(&format!("the state {state}"), &css).await;
}

/// The demo in a repository of its own, so that taking pictures leaves nothing in this one.
fn copy_demo(place: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for folder in ["config", "data"] {
        let copied = Command::new("cp")
            .args(["-R", folder])
            .arg(place)
            .current_dir(root)
            .status();
        assert!(copied.unwrap().success());
    }
    git(place, &["init", "-q", "-b", "main"]);
    git(place, &["config", "user.name", "Demo"]);
    git(place, &["config", "user.email", "demo@example.org"]);
    git(place, &["add", "-A"]);
    git(place, &["commit", "-q", "-m", "The demo"]);
    place.join("config/demo.yaml").to_str().unwrap().to_owned()
}
