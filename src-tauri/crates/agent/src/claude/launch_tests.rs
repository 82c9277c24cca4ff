#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use super::*;

fn settings(mode: &str) -> Settings {
    Settings {
        cli: None,
        model: Some("--dangerous".into()),
        max_turns: Some(7),
        permission_mode: mode.into(),
        enable_thinking: false,
        tools: vec![ToolName::ReadFile, ToolName::Bash],
        limit: Duration::from_secs(60),
        compacts: false,
    }
}

#[test]
fn every_setting_is_mapped_and_no_value_can_be_taken_for_a_flag() {
    let anchor = Anchor {
        session: "s-1".into(),
        uuid: "u-1".into(),
        has: Vec::new(),
    };
    let arguments = settings("plan").arguments(Some("Be brief."), Some(&anchor));
    for wanted in [
        "--model=--dangerous",
        "--max-turns=7",
        "--permission-mode=plan",
        "--thinking=disabled",
        "--tools=Read,Bash",
        "--append-system-prompt=Be brief.",
        "--resume=s-1",
        "--resume-session-at=u-1",
        "--fork-session",
        "--setting-sources=",
    ] {
        assert!(
            arguments.iter().any(|given| given == wanted),
            "{wanted}: {arguments:?}"
        );
    }
    assert!(arguments.iter().all(|argument| argument.starts_with("--")));
}

#[test]
fn what_root_may_not_do_is_mapped_and_said() {
    let settings = settings("bypassPermissions");
    assert_eq!(settings.mode(false), ("bypassPermissions", None));
    let (mode, notice) = settings.mode(true);
    assert_eq!(mode, "default");
    assert!(notice.unwrap().text.contains("root"));
    for root in [true, false] {
        assert_eq!(self::settings("auto").mode(root), ("default", None));
        assert_eq!(
            self::settings("acceptEdits").mode(root),
            ("acceptEdits", None)
        );
    }
}
