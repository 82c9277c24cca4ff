//! `bash`: output, caps, environment, exit codes.

use super::tools_desk::{Desk, FOR_EVER};
use espalier_protocol::event::OutputStream;
use espalier_protocol::worker::{ToolOutcome, Touched};
use espalier_protocol::{StepStatus, ToolName};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

async fn bash(desk: &Desk, command: &str) -> ToolOutcome {
    desk.run("bash", json!({"command": command})).await
}

/// Runs a command and collects what would have been shown live.
async fn live(desk: &Desk, command: &str) -> (ToolOutcome, Vec<(OutputStream, String)>) {
    let mut pieces = Vec::new();
    let outcome = desk
        .toolbox
        .run(
            "call_1",
            "bash",
            &json!({"command": command}),
            &mut |stream, text| pieces.push((stream, text)),
            CancellationToken::new(),
        )
        .await;
    (outcome, pieces)
}

#[tokio::test]
async fn output_and_errors_come_in_their_true_order_with_the_exit_code() {
    let desk = Desk::new();
    let outcome = bash(&desk, "echo one; echo two >&2; echo three; pwd; exit 3").await;
    assert_eq!(
        outcome.content,
        format!("one\ntwo\nthree\n{}\n[Exit code 3]", desk.project.display())
    );
    assert_eq!(outcome.status, StepStatus::CommandFailed);
    assert_eq!(outcome.exit_code, Some(3));
    assert_eq!(outcome.touched, Touched::Anything);
    assert_eq!(outcome.spool_file, None);
    assert_eq!(
        outcome.output_bytes as usize,
        outcome.content.len() - "[Exit code 3]".len()
    );
    let quiet = bash(&desk, "true").await;
    assert_eq!(
        (quiet.status, quiet.content.as_str()),
        (StepStatus::Ok, "[Exit code 0]")
    );
}

#[tokio::test]
async fn bash_syntax_and_odd_commands_work() {
    let desk = Desk::new();
    let array = bash(&desk, "a=(x y z); echo ${a[1]}\ncat <<'END'\n$HOME\nEND").await;
    assert_eq!(array.content, "y\n$HOME\n[Exit code 0]");
    let dashed = bash(&desk, "-n echo").await;
    assert_eq!(dashed.exit_code, Some(127), "{}", dashed.content);
    let input = bash(
        &desk,
        "read x || echo no input; [ -t 0 ] || echo no terminal",
    )
    .await;
    assert_eq!(input.content, "no input\nno terminal\n[Exit code 0]");
    let terminal = bash(&desk, "echo x 2>/dev/null >/dev/tty || echo none").await;
    assert!(terminal.content.contains("none\n"), "{}", terminal.content);
    let nul = bash(&desk, "echo \0").await;
    assert_eq!(nul.status, StepStatus::ToolError);
    let long = bash(&desk, &format!("echo {}", "x".repeat(300_000))).await;
    assert_eq!(long.status, StepStatus::ToolError);
    assert_eq!(long.touched, Touched::Nothing);
    assert!(long.content.contains("write_file"), "{}", long.content);
}

#[tokio::test]
async fn a_signal_is_told() {
    let desk = Desk::new();
    let outcome = bash(&desk, "echo before; kill -SEGV $$").await;
    assert_eq!(outcome.status, StepStatus::CommandFailed);
    assert_eq!(outcome.exit_code, Some(139));
    assert!(
        outcome.content.starts_with("before\n[Ended by signal 11"),
        "{}",
        outcome.content
    );
}

#[tokio::test]
async fn output_is_shown_while_the_command_runs() {
    let desk = Desk::new();
    let gate = desk.path("go");
    // The command ends only when the listener has answered its first line.
    let mut pieces = String::new();
    let outcome = desk
        .toolbox
        .run(
            "call_1",
            "bash",
            &json!({"command": "printf '\\033[31mred\\033[0m\\n'; until [ -e go ]; do sleep 0.01; done; echo end"}),
            &mut |_, text| {
                pieces.push_str(&text);
                std::fs::write(&gate, "").unwrap();
            },
            CancellationToken::new(),
        )
        .await;
    assert_eq!(pieces, "\u{1b}[31mred\u{1b}[0m\nend\n");
    assert_eq!(outcome.content, format!("{pieces}[Exit code 0]"));
}

#[tokio::test]
async fn characters_cut_by_the_pipe_are_put_together() {
    let desk = Desk::new();
    let command =
        "printf '\\xed\\x95'; sleep 0.05; printf '\\x9c\\xff'; sleep 0.05; printf '\\xea\\xb8'";
    let (outcome, pieces) = live(&desk, command).await;
    let shown: String = pieces.into_iter().map(|(_, text)| text).collect();
    assert_eq!(shown, "한\u{fffd}\u{fffd}");
    assert_eq!(outcome.content, "한\u{fffd}\u{fffd}\n[Exit code 0]");
    assert_eq!(outcome.output_bytes, 6);
}

#[tokio::test]
async fn a_long_output_is_cut_in_the_middle_and_kept_whole() {
    let desk = Desk::new();
    let outcome = bash(&desk, "seq 1 20000").await;
    assert_eq!(outcome.status, StepStatus::Ok);
    let text = &outcome.content;
    assert!(text.len() < 31_000);
    assert!(text.starts_with("1\n2\n3\n") && text.ends_with("\n20000\n[Exit code 0]"));
    let (head, tail) = text.split_once("[… ").unwrap();
    let last_of_head: u64 = head.lines().last().unwrap().parse().unwrap();
    let (notice, tail) = tail.split_once("]\n").unwrap();
    let first_of_tail: u64 = tail.lines().next().unwrap().parse().unwrap();
    let left_out = first_of_tail - last_of_head - 1;
    let digits: String = notice
        .chars()
        .take_while(|c| *c != ' ')
        .filter(|c| *c != ',')
        .collect();
    assert_eq!(digits.parse::<u64>().unwrap(), left_out);
    let spooled = std::fs::read(outcome.spool_file.unwrap()).unwrap();
    let whole: String = (1..=20000).map(|n| format!("{n}\n")).collect();
    assert_eq!(spooled, whole.as_bytes());
    assert_eq!(outcome.output_bytes as usize, whole.len());
}

#[tokio::test]
async fn an_output_that_just_fits_is_read_whole() {
    let desk = Desk::new();
    let fits = bash(&desk, "head -c 30000 /dev/zero | tr '\\0' x").await;
    assert_eq!(
        fits.content,
        format!("{}\n[Exit code 0]", "x".repeat(30_000))
    );
    assert_eq!(fits.spool_file, None);
    assert_eq!(std::fs::read_dir(&desk.spool).unwrap().count(), 0);
    let over = bash(&desk, "head -c 30001 /dev/zero | tr '\\0' x").await;
    assert!(over.content.contains("left out here"), "{}", over.content);
    assert_eq!(
        std::fs::metadata(over.spool_file.unwrap()).unwrap().len(),
        30_001
    );
}

#[tokio::test]
async fn a_flood_is_kept_whole_in_flat_memory() {
    let desk = Desk::new();
    let size = 300 * 1024 * 1024;
    let before = peak_memory();
    let (outcome, pieces) = live(&desk, &format!("yes 0123456789 | head -c {size}")).await;
    assert_eq!(outcome.status, StepStatus::Ok);
    assert_eq!(outcome.output_bytes, size);
    assert!(outcome.content.len() < 31_000);
    let spool = std::fs::metadata(outcome.spool_file.unwrap()).unwrap();
    assert_eq!(spool.len(), u64::from(size));
    let shown: usize = pieces.iter().map(|(_, text)| text.len()).sum();
    assert!(shown < 5 << 20, "{shown}");
    let (_, note) = pieces.last().unwrap();
    assert!(note.contains("too long to be shown"), "{note}");
    assert!(peak_memory() - before < 100 << 20);
}

/// The most memory this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}

#[tokio::test]
async fn an_output_that_cannot_be_kept_is_told() {
    let desk = Desk::new();
    std::fs::remove_dir(&desk.spool).unwrap();
    let outcome = bash(&desk, "seq 1 20000").await;
    assert_eq!(outcome.status, StepStatus::Ok);
    assert_eq!(outcome.spool_file, None);
    assert!(outcome.content.contains("\n20000\n"));
    assert!(
        outcome.content.contains("could not be kept"),
        "{}",
        outcome.content
    );
}

#[tokio::test]
async fn commands_see_a_clean_environment() {
    let desk = Desk::new();
    let outcome = bash(&desk, "env; echo cwd=$PWD").await;
    let text = outcome.content;
    assert!(
        text.contains("\nPATH=") || text.starts_with("PATH="),
        "{text}"
    );
    assert!(text.contains("TERM=xterm-256color\n"), "{text}");
    assert!(
        text.contains(&format!("cwd={}\n", desk.project.display())),
        "{text}"
    );
    // Cargo sets these for its tests; they stand for all that nobody listed.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(!text.contains("CARGO_MANIFEST_DIR"), "{text}");
    for line in text.lines() {
        assert!(
            !line.starts_with("GIT_") && !line.contains("_API_KEY="),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_timeout_can_be_lowered_not_raised() {
    let desk = Desk::with(&ToolName::ALL, Duration::from_secs(1));
    let input = json!({"command": "echo begun; exec sleep 1000", "timeout_seconds": 5000});
    let outcome = desk.run("bash", input).await;
    assert_eq!(outcome.status, StepStatus::TimedOut);
    assert_eq!(outcome.exit_code, None);
    assert_eq!(
        outcome.content,
        "begun\n[Timed out after 1 s; the command and all that it started were stopped.]"
    );
    let patient = Desk::with(&ToolName::ALL, FOR_EVER);
    let input = json!({"command": "exec sleep 1000", "timeout_seconds": 1});
    let outcome = patient.run("bash", input).await;
    assert_eq!(outcome.status, StepStatus::TimedOut);
}

#[tokio::test]
async fn a_command_of_the_app_runs_whatever_tools_are_offered() {
    let desk = Desk::with(&[ToolName::ReadFile], FOR_EVER);
    let mut shown = String::new();
    let outcome = desk
        .toolbox
        .run_command(
            "echo tested; exit 1",
            FOR_EVER,
            &mut |_, text| shown.push_str(&text),
            CancellationToken::new(),
        )
        .await;
    assert_eq!(shown, "tested\n");
    assert_eq!(outcome.status, StepStatus::CommandFailed);
    assert_eq!(outcome.exit_code, Some(1));
}
