#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_configuration_alone_opens_the_window() {
    let cli = parse("espalier project.yaml").unwrap();
    assert_eq!(cli.config, Some("project.yaml".into()));
    assert!(cli.command.is_none());
    assert!(parse("espalier").unwrap().command.is_none());
}

#[test]
fn the_data_folder_stands_before_or_after_the_command() {
    for line in [
        "espalier --data-dir /d run c.yaml",
        "espalier run c.yaml --data-dir /d",
    ] {
        let cli = parse(line).unwrap();
        assert_eq!(cli.data_dir, Some("/d".into()), "{line}");
        assert!(matches!(cli.command, Some(Command::Run(_))), "{line}");
    }
}

#[test]
fn run_takes_a_configuration_or_a_session() {
    assert!(parse("espalier run").is_err());
    assert!(parse("espalier run c.yaml --resume abc").is_err());
    let Some(Command::Run(args)) = parse("espalier run --resume abc").unwrap().command else {
        panic!("run is expected");
    };
    assert_eq!(args.resume, Some(SessionId::new("abc")));
    let Some(Command::Run(args)) = parse("espalier run c.yaml --task a --task b --annotator me")
        .unwrap()
        .command
    else {
        panic!("run is expected");
    };
    assert_eq!(args.tasks, [TaskId::new("a"), TaskId::new("b")]);
    assert_eq!(args.annotator.as_deref(), Some("me"));
}

#[test]
fn an_annotator_is_a_file_name() {
    assert!(parse("espalier run c.yaml --annotator ../evil").is_err());
    assert!(parse("espalier run c.yaml --annotator .hidden").is_err());
}

#[test]
fn clean_up_wants_to_know_which() {
    assert!(parse("espalier cleanup-sessions").is_err());
    assert!(parse("espalier cleanup-sessions --all --older-than 7d").is_err());
    assert!(parse("espalier cleanup-sessions --older-than soon").is_err());
    assert!(parse("espalier cleanup-sessions --older-than 7d --dry-run").is_ok());
    assert!(parse("espalier cleanup-sessions --all --project /p").is_ok());
}

#[test]
fn hidden_commands_are_not_in_the_help() {
    let help = Cli::command().render_long_help().to_string();
    assert!(help.contains("cleanup-sessions"));
    assert!(!help.contains("export-bindings") && !help.contains("agent process"));
}
