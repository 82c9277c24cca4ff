#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use super::*;
use std::os::unix::fs::PermissionsExt as _;

fn program(path: &Path, version: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\necho '{version}'\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn it_is_looked_for_on_the_path_then_where_installers_put_it_then_in_python_environments() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("venv/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("python3"), "").unwrap();
    let packages = folder.path().join("venv/lib/python3.12");
    std::fs::create_dir_all(&packages).unwrap();
    let home = folder.path().join("home");
    let here = Surroundings {
        path: vec![bin.clone()],
        home: Some(home.clone()),
        environment: None,
    };
    let bundled = packages.join("site-packages").join(BUNDLED);
    let found = || candidates(&here).into_iter().find(|path| is_program(path));
    assert_eq!(found(), None);
    program(&bundled, "2.1.330");
    assert_eq!(found(), Some(bundled));
    program(&home.join(".claude/local/claude"), "2.1.330");
    assert_eq!(found(), Some(home.join(".claude/local/claude")));
    program(&home.join(".local/bin/claude"), "2.1.330");
    assert_eq!(found(), Some(home.join(".local/bin/claude")));
    program(&bin.join("claude"), "2.1.330");
    assert_eq!(found(), Some(bin.join("claude")));
}

#[tokio::test]
async fn the_version_is_read_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claude");
    program(&path, "2.1.330 (Claude Code)");
    let cli = find_claude(Some(&path)).await.unwrap();
    assert_eq!(cli.version.to_string(), "2.1.330");
    program(&path, "2.0.9 (Claude Code)");
    let old = find_claude(Some(&path)).await.unwrap_err().to_app();
    assert!(
        old.message.contains("2.0.9") && old.message.contains("too old"),
        "{old:?}"
    );
    assert!(
        old.hint.contains("pip install -U claude-agent-sdk"),
        "{old:?}"
    );
    program(&path, "another program");
    let other = find_claude(Some(&path)).await.unwrap_err().to_app();
    assert!(
        other.message.contains("no working Claude Code"),
        "{other:?}"
    );
}

#[tokio::test]
async fn a_setting_may_name_a_python_environment() {
    let folder = tempfile::tempdir().unwrap();
    let missing = find_claude(Some(folder.path())).await.unwrap_err().to_app();
    assert!(
        missing.hint.contains("pip install claude-agent-sdk"),
        "{missing:?}"
    );
    let bundled = folder
        .path()
        .join("lib/python3.11/site-packages")
        .join(BUNDLED);
    program(&bundled, "2.1.330 (Claude Code)");
    let cli = find_claude(Some(folder.path())).await.unwrap();
    assert_eq!(cli.path, bundled);
}
