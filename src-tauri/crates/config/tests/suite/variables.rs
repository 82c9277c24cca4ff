//! `${VAR}`, `.env` and the API key.

use super::support::{Folder, WHOLE};
use espalier_config::load_project;

const ANTHROPIC: &str = "\
data_files: [tasks.jsonl]
live_agent:
  backend: anthropic
  model: some-model
";

fn env(name: &str) -> Option<String> {
    match name {
        "NAME" => Some("a: [b, *c] # \"d\" \u{1f980}".to_owned()),
        "STEPS" => Some(" 7 ".to_owned()),
        "OFF" => Some("off".to_owned()),
        "WORD" => Some("seven".to_owned()),
        "EMPTY" => Some(String::new()),
        "ANTHROPIC_API_KEY" => Some("sk-ant-secret".to_owned()),
        _ => None,
    }
}

#[test]
fn a_value_stays_one_text_whatever_it_holds() {
    let yaml = format!("task_name: x ${{NAME}} ${{EMPTY}}y $HOME $${{NAME}} $5\n{WHOLE}");
    let project = Folder::new().load_with(yaml, &env).unwrap();
    assert_eq!(
        project.settings.task_name,
        "x a: [b, *c] # \"d\" \u{1f980} y $HOME ${NAME} $5"
    );
}

#[test]
fn a_variable_may_stand_for_a_number_or_a_truth_value() {
    let yaml =
        format!("{WHOLE}  max_steps: ${{STEPS}}\n  loop_detection: {{enabled: \"${{OFF}}\"}}\n");
    let settings = Folder::new().load_with(yaml, &env).unwrap().settings;
    assert_eq!(settings.max_steps, 7);
    assert!(!settings.controls.loop_detection);
}

#[test]
fn messages_quote_what_is_written_not_what_it_stands_for() {
    let folder = Folder::new();
    let yaml = format!(
        "{WHOLE}  max_steps: ${{WORD}}\n  step_timeout_seconds: ${{UNSET_A}}${{UNSET_B}}\n  system_prompt: ${{1x}}\n"
    );
    let errors = folder.load_with(yaml, &env).unwrap_err();
    assert_eq!(
        folder.report(&errors),
        "project.yaml:5:14: live_agent.max_steps: expected a whole number, found the text \"${WORD}\"\n\
         project.yaml:6:25: live_agent.step_timeout_seconds: the environment variable UNSET_A is not set; set it, or put it in the .env file beside the configuration\n\
         project.yaml:6:25: live_agent.step_timeout_seconds: the environment variable UNSET_B is not set; set it, or put it in the .env file beside the configuration\n\
         project.yaml:7:18: live_agent.system_prompt: ${1x} does not name a variable; write $${ where the text is meant as it stands"
    );
}

#[test]
fn the_key_comes_from_the_configuration_or_from_its_usual_variable() {
    let folder = Folder::new();
    let key = |block: &str| {
        let project = folder
            .load_with(format!("{ANTHROPIC}{block}"), &env)
            .unwrap();
        (project.secrets.api_key, project.secrets.missing_variable)
    };
    let usual = Some("sk-ant-secret".to_owned());
    assert_eq!(key(""), (usual.clone(), None));
    assert_eq!(
        key("  anthropic: {api_key: '${ANTHROPIC_API_KEY}'}\n"),
        (usual, None)
    );
    assert_eq!(
        key("  anthropic: {api_key: own}\n"),
        (Some("own".to_owned()), None)
    );
    assert_eq!(
        key("  anthropic: {api_key: '${OTHER_KEY}'}\n"),
        (None, Some("OTHER_KEY".to_owned()))
    );
    assert_eq!(
        key("  anthropic: {api_key: '${EMPTY}'}\n"),
        (None, Some("ANTHROPIC_API_KEY".to_owned()))
    );
}

#[test]
fn a_backend_that_needs_no_key_is_given_none() {
    let project = Folder::new()
        .load_with(
            format!("{WHOLE}  anthropic: {{api_key: '${{UNSET}}'}}\n"),
            &env,
        )
        .unwrap();
    assert_eq!(project.secrets.api_key, None);
    assert_eq!(project.secrets.missing_variable, None);
}

#[test]
fn a_key_is_in_no_setting_no_debug_output_and_no_message() {
    let folder = Folder::new();
    let project = folder
        .load_with(
            format!("{ANTHROPIC}  anthropic: {{api_key: sk-hidden}}\n"),
            &env,
        )
        .unwrap();
    let stored = serde_json::to_string(&project.settings).unwrap();
    assert!(!stored.contains("sk-hidden"));
    assert!(!format!("{project:?}").contains("sk-hidden"));
    for wrong in [
        "[sk-hidden]",
        "'${sk-hidden}'",
        "{sk-hidden: 1}",
        "48151623",
    ] {
        let yaml = format!("{ANTHROPIC}  anthropic: {{api_key: {wrong}}}\n");
        let errors = folder.load_with(yaml, &env).unwrap_err().to_string();
        assert!(
            !errors.contains("hidden") && !errors.contains("48151623"),
            "{errors}"
        );
    }
}

#[test]
fn an_address_that_holds_a_password_is_refused() {
    let errors = Folder::new().errors(format!(
        "{WHOLE}  ollama: {{host: 'http://me:pw@gpu:11434'}}\n"
    ));
    assert_eq!(
        errors,
        "project.yaml:5:18: live_agent.ollama.host: an address must not hold a user name or a password, for it is stored"
    );
}

#[test]
fn the_dot_env_file_beside_the_configuration_is_read_and_the_environment_goes_before_it() {
    let folder = Folder::new();
    let set = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    folder.write(
        ".env",
        "\u{feff}# comment\nexport ESPALIER_TEST_ONLY_HERE=\"from file\"\r\nCARGO_MANIFEST_DIR=wrong\n",
    );
    let config = folder.write(
        "project.yaml",
        format!("task_name: ${{ESPALIER_TEST_ONLY_HERE}}, ${{CARGO_MANIFEST_DIR}}\n{WHOLE}"),
    );
    let project = load_project(&config).unwrap();
    assert_eq!(project.settings.task_name, format!("from file, {set}"));
}

#[test]
fn a_folder_named_dot_env_is_no_obstacle() {
    let folder = Folder::new();
    folder.write(".env/bin/python", "");
    let config = folder.write("project.yaml", WHOLE);
    assert!(load_project(&config).is_ok());
}

#[test]
fn a_broken_line_of_dot_env_is_named_but_not_quoted() {
    let folder = Folder::new();
    folder.write(".env", "GOOD=1\n\nsk-ant secret\nLAST=${\n");
    let config = folder.write("project.yaml", WHOLE);
    let errors = load_project(&config).unwrap_err();
    let report = folder.report(&errors);
    assert_eq!(
        report,
        ".env:3:1: expected NAME=value\n.env:4:1: expected NAME=value"
    );
}
