//! Data files and what their tasks name.

use super::support::{Folder, WHOLE};
#[cfg(unix)]
use std::os::unix::fs::symlink;

fn errors(folder: &Folder) -> String {
    folder.errors(WHOLE)
}

fn ids(folder: &Folder, yaml: &str) -> Vec<String> {
    let project = folder
        .load(yaml)
        .unwrap_or_else(|errors| panic!("{errors}"));
    project.tasks.into_iter().map(|task| task.id.0).collect()
}

fn task(id: &str) -> String {
    format!(r#"{{"id": {id}, "task_description": "Do it", "project_dir": "project"}}"#)
}

#[test]
fn json_lines_an_array_and_one_object_all_load() {
    let folder = Folder::new();
    let (a, b) = (task(r#""a""#), task(r#""b""#));
    for (name, text, expected) in [
        (
            "lines.jsonl",
            format!("\u{feff}{a}\r\n\r\n  {b}\r\n"),
            vec!["a", "b"],
        ),
        ("lines.json", format!("{a}\n{b}"), vec!["a", "b"]),
        (
            "array.json",
            format!("[\n  {a},\n  {b}\n]\n"),
            vec!["a", "b"],
        ),
        ("array.jsonl", format!("[{a},{b}]"), vec!["a", "b"]),
        ("object.json", a.replace(',', ",\n"), vec!["a"]),
    ] {
        folder.write(name, text);
        let yaml = WHOLE.replace("tasks.jsonl", name);
        assert_eq!(ids(&folder, &yaml), expected, "{name}");
    }
}

#[test]
fn tasks_of_several_files_come_in_order() {
    let folder = Folder::new();
    folder.write("more.json", task("\"b\""));
    let yaml = WHOLE.replace("[tasks.jsonl]", "[more.json, tasks.jsonl]");
    assert_eq!(ids(&folder, &yaml), ["b", "task_001"]);
}

#[test]
fn every_wrong_task_is_named_by_file_line_and_column() {
    let folder = Folder::new();
    folder.write("project/readme.md", "");
    let lines = [
        r#"{"id": "good", "task_description": "x", "project_dir": "project", "extra": {"k": [1]}}"#,
        r#"{"id": "no_text", "task_descripton": "x", "project_dir": "project"}"#,
        r#"{"id": 7, "task_description": "  ", "project_dir": 3}"#,
        r#"{"id": "good", "task_description": "x", "project_dir": "nowhere"}"#,
        r#"{"id": ["a"], "task_description": "한글", "project_dir": "project/readme.md"}"#,
        r#"{"id": "", "task_description": null}"#,
        r#"["id"]"#,
        r#"{"id": "cut", "task_description": "#,
        r#"{"id": "f", "task_description": "x", "project_dir": "project", "start_file": ["a"], "test_command": 5, "context_files": "readme.md"}"#,
        r#"{"id": "g", "task_description": "x", "project_dir": "project", "start_file": "src", "context_files": ["readme.md", 3, "", "gone.py"]}"#,
        r#"{"id": "h", "id": "i", "task_description": "x", "project_dir": "project"}"#,
        r#"{"id": "j", "task_description": "\ud800", "project_dir": "project"}"#,
    ];
    folder.write("tasks.jsonl", lines.join("\n"));
    insta::assert_snapshot!(errors(&folder));
}

#[test]
fn errors_of_the_configuration_and_of_its_tasks_are_told_together() {
    let folder = Folder::new();
    folder.write("tasks.jsonl", "{}\n");
    assert_eq!(
        folder.errors(format!("{WHOLE}  max_stepz: 3\n")),
        "project.yaml:5:3: live_agent.max_stepz: unknown key (did you mean max_steps?)\n\
         tasks.jsonl:1:1: id: this key is missing\n\
         tasks.jsonl:1:1: task_description: this key is missing\n\
         tasks.jsonl:1:1: project_dir: this key is missing"
    );
}

#[test]
fn an_id_is_given_once_across_all_files() {
    let folder = Folder::new();
    folder.write("one.jsonl", format!("{}\n{}\n", task("\"a\""), task("7")));
    folder.write(
        "two.json",
        format!("[\n{},\n{}\n]", task("\"b\""), task("\"7\"")),
    );
    assert_eq!(
        folder.errors(WHOLE.replace("tasks.jsonl", "one.jsonl, two.json")),
        "two.json:3:8: id: \"7\" is the id of the task on line 2 of one.jsonl already"
    );
}

#[test]
fn the_keys_of_id_and_text_are_as_item_properties_says() {
    let folder = Folder::new();
    folder.write(
        "tasks.jsonl",
        r#"{"nr": 12, "설명": "고쳐 주세요", "project_dir": "project"}"#,
    );
    let yaml = format!("{WHOLE}item_properties: {{id_key: nr, text_key: 설명}}\n");
    let tasks = folder.load(yaml).unwrap().tasks;
    assert_eq!(tasks[0].id.as_str(), "12");
    assert_eq!(tasks[0].description, "고쳐 주세요");
}

#[test]
fn null_and_empty_count_as_absent_where_a_key_may_be_absent() {
    let folder = Folder::new();
    folder.write(
        "tasks.jsonl",
        r#"{"id": "a", "task_description": "x", "project_dir": "project", "start_file": null, "test_command": "", "context_files": null}"#,
    );
    let task = folder.load(WHOLE).unwrap().tasks.remove(0);
    assert_eq!((task.start_file, task.test_command), (None, None));
    assert!(task.context_files.is_empty());
}

#[cfg(unix)]
#[test]
fn files_outside_the_project_are_refused_however_they_are_written() {
    let folder = Folder::new();
    folder.write("secret.txt", "s");
    folder.write("project/src/inner.py", "");
    symlink(folder.path("secret.txt"), folder.path("project/link.txt")).unwrap();
    symlink(folder.path(""), folder.path("project/up")).unwrap();
    let files = serde_json::json!([
        "../secret.txt",
        "src/../../secret.txt",
        "link.txt",
        "up/secret.txt",
        folder.path("secret.txt"),
        "../gone.txt",
        "src/gone.py",
    ]);
    let task = serde_json::json!({
        "id": "a", "task_description": "x", "project_dir": "project", "context_files": files
    });
    folder.write("tasks.jsonl", task.to_string());
    let report = errors(&folder);
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 7, "{report}");
    for line in &lines[..6] {
        assert!(line.contains("lies outside project_dir"), "{line}");
    }
    assert!(lines[6].ends_with("context_files[6]: there is no file \"src/gone.py\" in project"));
}

#[cfg(unix)]
#[test]
fn files_inside_the_project_are_named_from_its_directory() {
    let folder = Folder::new();
    folder.write("project/src/inner.py", "");
    symlink("inner.py", folder.path("project/src/alias.py")).unwrap();
    let task = serde_json::json!({
        "id": "a", "task_description": "x", "project_dir": "./project/../project",
        "start_file": folder.path("project/src/inner.py"),
        "context_files": ["./src/inner.py", "src/../src/inner.py", "src/alias.py"],
    });
    folder.write("tasks.jsonl", task.to_string());
    let task = folder.load(WHOLE).unwrap().tasks.remove(0);
    assert_eq!(
        task.project_dir,
        folder.path("project").display().to_string()
    );
    assert_eq!(task.start_file.as_deref(), Some("src/inner.py"));
    assert_eq!(
        task.context_files,
        ["src/inner.py", "src/inner.py", "src/alias.py"]
    );
}

#[test]
fn a_data_file_that_holds_no_task_says_so() {
    let folder = Folder::new();
    for text in ["", "\n\n", "[]"] {
        folder.write("tasks.jsonl", text);
        assert_eq!(errors(&folder), "tasks.jsonl: the file holds no tasks");
    }
    for (text, error) in [
        (
            "id,task\n1,x\n",
            "tasks.jsonl:1:1: not JSON: expected value",
        ),
        (
            "[\n {\"id\": 1},\n {\"id\" 2}\n]",
            "tasks.jsonl:3:8: not JSON: expected `:`",
        ),
        (
            "{\n  \"id\": \"a\"\n  \"project_dir\": \"c\"\n}\n",
            "tasks.jsonl:3:3: not JSON: expected `,` or `}`",
        ),
        ("5", "tasks.jsonl:1:1: expected a task: an object in braces"),
    ] {
        folder.write("tasks.jsonl", text);
        assert_eq!(errors(&folder), error);
    }
    folder.write("tasks.jsonl", b"{\"id\": 1}\n\n{\"id\": \"\xff\"}\n");
    assert_eq!(
        errors(&folder),
        "tasks.jsonl:3:1: not UTF-8 text; save the file as UTF-8"
    );
}

#[test]
fn a_hundred_thousand_tasks_load_also_on_one_line() {
    let folder = Folder::new();
    let tasks: Vec<String> = (0..100_000).map(|n| task(&n.to_string())).collect();
    folder.write("tasks.jsonl", tasks.join("\n"));
    assert_eq!(folder.load(WHOLE).unwrap().tasks.len(), 100_000);
    folder.write("tasks.jsonl", format!("[{}]", tasks.join(",")));
    assert_eq!(folder.load(WHOLE).unwrap().tasks.len(), 100_000);
}

#[test]
fn a_fault_in_every_line_is_counted_and_the_first_hundred_are_named() {
    let folder = Folder::new();
    folder.write(
        "tasks.jsonl",
        "{\"id\": 1, \"project_dir\": \"project\"}\n".repeat(20_000),
    );
    let report = errors(&folder);
    assert_eq!(report.lines().count(), 101);
    assert_eq!(
        report.lines().next(),
        Some("tasks.jsonl: 39999 errors; these are the first 100")
    );
    assert!(report.ends_with("tasks.jsonl:51:1: task_description: this key is missing"));
}

#[test]
fn errors_that_are_only_in_the_tasks_are_task_errors_at_the_boundary() {
    let folder = Folder::new();
    folder.write("tasks.jsonl", "{}\n");
    let error = folder.load(WHOLE).unwrap_err().to_app();
    assert_eq!(error.code, espalier_protocol::ErrorCode::TaskInvalid);
    assert_eq!(error.details.len(), 3);
    let error = folder.load("task_name: a\n").unwrap_err().to_app();
    assert_eq!(error.code, espalier_protocol::ErrorCode::ConfigInvalid);
    assert!(
        error.message.ends_with("project.yaml."),
        "{}",
        error.message
    );
}
