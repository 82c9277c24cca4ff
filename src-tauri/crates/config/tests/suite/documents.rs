//! YAML itself: what is accepted, and how its own errors are told.

use super::support::{Folder, WHOLE, repository};
use espalier_config::load_project_with;

fn first_error(text: impl AsRef<[u8]>) -> String {
    let errors = Folder::new().errors(text);
    errors.lines().next().unwrap().to_owned()
}

#[test]
fn a_tab_as_indentation_is_named_as_such() {
    assert_eq!(
        first_error("live_agent:\n\tbackend: ollama\n"),
        "project.yaml:2:2: not valid YAML: a tab indents this line; YAML is indented with spaces"
    );
}

#[test]
fn yaml_errors_name_line_and_column() {
    for (text, error) in [
        (
            "a: b: c\n",
            "project.yaml:1:5: not valid YAML: mapping values are not allowed in this context",
        ),
        (
            "task_name: fine\ntask_dir: \"x\n",
            "project.yaml:2:11: not valid YAML: unclosed quote",
        ),
        (
            "live_agent: *nowhere\n",
            "project.yaml:1:13: not valid YAML: alias references unknown anchor",
        ),
        (
            "a: &a [*a]\n",
            "project.yaml:1:8: not valid YAML: an alias stands within what it stands for",
        ),
        (
            "task_name: a\n---\ntask_name: b\n",
            "project.yaml:3:1: not valid YAML: a second document begins here; a configuration is one",
        ),
        (
            "? [a]\n: b\n",
            "project.yaml:1:3: not valid YAML: a key has to be a text",
        ),
        (
            "task_name: !vault x\n",
            "project.yaml:1:19: not valid YAML: unsupported tag `!vault`",
        ),
    ] {
        assert_eq!(first_error(text), error, "{text}");
    }
}

#[test]
fn a_file_without_settings_says_so() {
    assert_eq!(first_error(""), "project.yaml: the file is empty");
    assert_eq!(first_error("  \n"), "project.yaml: the file is empty");
    assert_eq!(
        first_error("# later\n"),
        "project.yaml: the file holds nothing but comments"
    );
    assert_eq!(
        first_error("- a\n"),
        "project.yaml:1:1: expected keys with values, as in task_name: \"…\""
    );
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = Folder::new();
    let load = |name: &str| {
        let errors = load_project_with(&folder.path(name), &|_| None).unwrap_err();
        folder.report(&errors)
    };
    assert_eq!(load("none.yaml"), "none.yaml: there is no such file");
    assert_eq!(load("project"), "project: this is a directory, not a file");
    folder.write("latin.yaml", b"task_name: a\ntask_dir: caf\xe9\n");
    assert_eq!(
        load("latin.yaml"),
        "latin.yaml:2:1: not UTF-8 text; save the file as UTF-8"
    );
    folder.write("huge.yaml", "# 5 MB\n".repeat(800_000));
    assert!(load("huge.yaml").contains("this is not a configuration"));
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    let text = format!(
        "task_name: \"두\r\n  줄\"\r\n{}",
        WHOLE.replace('\n', "\r\n")
    );
    let project = Folder::new().load(format!("\u{feff}{text}")).unwrap();
    assert_eq!(project.settings.task_name, "두 줄");

    let wrong = text.replace("model:", "modle:");
    assert_eq!(
        first_error(format!("\u{feff}{wrong}")),
        "project.yaml:4:1: live_agent.model: this key is missing: the ollama backend needs the name of a model"
    );
    assert!(
        Folder::new()
            .errors(wrong)
            .contains("project.yaml:6:3: live_agent.modle: unknown key (did you mean model?)")
    );
}

#[test]
fn text_of_any_language_comes_through_and_columns_count_characters() {
    let folder = Folder::new();
    let project = folder
        .load(format!(
            "{WHOLE}annotation_schemes:\n  - {{annotation_type: radio, name: 평가, labels: [좋음, 나쁨]}}\n"
        ))
        .unwrap();
    assert_eq!(project.settings.schemes[0].labels, ["좋음", "나쁨"]);
    assert_eq!(
        folder.errors(format!(
            "{WHOLE}item_properties: {{text_key: 설명, 키: x}}\n"
        )),
        "project.yaml:5:33: item_properties.키: unknown key\n\
         tasks.jsonl:1:1: 설명: this key is missing"
    );
}

#[test]
fn anchors_aliases_and_merge_keys_work_and_errors_point_at_what_is_written() {
    let folder = Folder::new();
    let project = folder
        .load(format!(
            "{WHOLE}  controls:\n    rollback: &off {{enabled: false}}\n    pause_resume: *off\n    branch:\n      <<: *off\n      max_branches: 7\n"
        ))
        .unwrap();
    let controls = &project.settings.controls;
    assert!(!controls.pause && !controls.rollback && !controls.branch);
    assert_eq!(controls.max_branches, 7);

    let errors = folder.errors(format!(
        "{WHOLE}  controls:\n    rollback: &off {{enabled: 3}}\n    pause_resume: *off\n"
    ));
    assert_eq!(
        errors,
        "project.yaml:6:30: live_agent.controls.rollback.enabled: expected true or false, found the number 3\n\
         project.yaml:6:30: live_agent.controls.pause_resume.enabled: expected true or false, found the number 3"
    );
}

#[test]
fn a_few_lines_that_stand_for_billions_of_values_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    let refusal =
        "not valid YAML: the document is too large, nests too deep or repeats too much by aliases";
    assert!(first_error(bomb).ends_with(refusal));

    let stairs: String = (0..200)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert!(first_error(stairs).ends_with(refusal));
    assert!(first_error("[".repeat(100_000)).contains("not valid YAML"));
}

#[test]
fn a_key_given_twice_is_refused_wherever_it_stands() {
    let errors = Folder::new().errors(format!(
        "{WHOLE}  max_steps: 1\n  max_steps: 2\n  sandbox:\n    network: off\n    network: on\n"
    ));
    assert_eq!(
        errors,
        "project.yaml:6:3: live_agent.max_steps: this key is given twice, first on line 5\n\
         project.yaml:9:5: live_agent.sandbox.network: this key is given twice, first on line 8"
    );
}

#[test]
fn truth_values_of_older_yaml_are_understood_where_a_truth_value_is_asked_for() {
    let folder = Folder::new();
    let yaml = format!(
        "{WHOLE}  loop_detection: {{enabled: off}}\nannotation_schemes:\n  - {{annotation_type: radio, name: ok, labels: [Yes, No, 1.10]}}\n"
    );
    let settings = folder.load(yaml).unwrap().settings;
    assert!(!settings.controls.loop_detection);
    assert_eq!(settings.schemes[0].labels, ["Yes", "No", "1.10"]);
    assert_eq!(
        folder.errors(format!("{WHOLE}  loop_detection: {{enabled: \"off\"}}\n")),
        "project.yaml:5:29: live_agent.loop_detection.enabled: expected true or false, found the text \"off\""
    );
}

#[test]
fn a_configuration_that_is_being_typed_is_read_or_refused_in_words() {
    let folder = Folder::new();
    let whole = std::fs::read_to_string(repository().join("config/reference.yaml")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    for index in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(index);
        let cut = lines[index].chars().count() / 2;
        let half: String = lines[index].chars().take(cut).collect();
        let typed = format!("{}\n{half}", lines[..index].join("\n"));
        for text in [without.join("\n"), typed] {
            if let Err(errors) = folder.load(text) {
                assert!(!errors.issues.is_empty());
                assert!(errors.issues.iter().all(|issue| !issue.message.is_empty()));
            }
        }
    }
}
