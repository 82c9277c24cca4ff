#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use super::*;
use serde_json::json;

#[test]
fn an_edit_touches_the_file_it_reaches_also_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    std::fs::create_dir_all(project.join("src")).unwrap();
    std::fs::write(project.join("src/a.py"), "").unwrap();
    std::fs::write(folder.path().join("outside"), "").unwrap();
    std::os::unix::fs::symlink("src", project.join("link")).unwrap();
    let edit = |path: &Path| touched("Edit", &json!({"file_path": path}), &project);
    let paths = Touched::Paths {
        paths: vec!["src/a.py".into()],
    };
    assert_eq!(edit(&project.join("src/a.py")), paths);
    assert_eq!(edit(&project.join("link/a.py")), paths);
    assert_eq!(edit(Path::new("src/a.py")), paths);
    assert_eq!(edit(&folder.path().join("outside")), Touched::Anything);
    assert_eq!(edit(&project.join("gone")), Touched::Anything);
    assert_eq!(touched("Read", &json!({}), &project), Touched::Nothing);
    assert_eq!(touched("WebFetch", &json!({}), &project), Touched::Anything);
}

#[test]
fn a_call_is_named_by_what_it_is_about() {
    let project = Path::new("/project");
    let target = |name: &str, input: Value| target(name, &input, project);
    assert_eq!(
        target("Read", json!({"file_path": "/project/a/b.py"})),
        "a/b.py"
    );
    assert_eq!(
        target("Read", json!({"file_path": "/etc/passwd"})),
        "/etc/passwd"
    );
    assert_eq!(
        target("Bash", json!({"command": "make\nmake test"})),
        "make …"
    );
    assert_eq!(target("Grep", json!({"pattern": "x+"})), "x+");
    assert_eq!(target("Unheard", json!({})), "");
}

#[test]
fn a_failed_command_tells_its_exit_code() {
    assert_eq!(exit_code("Bash", false, "all well"), Some(0));
    assert_eq!(exit_code("Bash", true, "Exit code 3\nno"), Some(3));
    assert_eq!(exit_code("Bash", true, "The call was rejected."), None);
    assert_eq!(exit_code("Read", true, "Exit code 3"), None);
}
