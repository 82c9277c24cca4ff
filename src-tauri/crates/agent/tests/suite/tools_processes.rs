//! Nothing that a command started survives it: time-out, cancellation, normal end, lost caller.

use super::tools_desk::{Desk, FOR_EVER, pids, runs};
use espalier_protocol::worker::{ToolOutcome, Touched};
use espalier_protocol::{StepStatus, ToolName};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time-outs to try until one comes after the command has started all that it starts.
const LIMITS: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(12),
    Duration::from_secs(72),
];

/// Ways to leave something running; each writes the ids of what it leaves to `pids` and goes on
/// once they are all there.
pub const WAYS: &[(&str, &str)] = &[
    ("a job", "sleep 1000 & echo $! > pids"),
    ("nohup", "nohup sleep 1000 >/dev/null 2>&1 & echo $! > pids"),
    (
        "setsid",
        "setsid sh -c 'echo $$ > pids; exec sleep 1000' & until [ -s pids ]; do sleep 0.01; done",
    ),
    (
        "a daemon, forked twice",
        "(setsid sh -c 'sleep 1000 >/dev/null 2>&1 & echo $! > pids' &) ; until [ -s pids ]; do sleep 0.01; done",
    ),
    (
        "deaf to the polite signal",
        "setsid bash -c 'trap \"\" TERM HUP INT; echo $$ > pids; while :; do sleep 1000; done' & until [ -s pids ]; do sleep 0.01; done",
    ),
    (
        "a name that could be read as a line of the process table",
        "cp \"$(command -v sleep)\" ') Z 1 1 ('; './) Z 1 1 (' 1000 & echo $! > pids",
    ),
    ("stopped", "sleep 1000 & echo $! > pids; kill -STOP $!"),
    (
        "a tree",
        ": > pids.new; for i in 1 2 3; do (sleep 1000 & echo $! >> pids.new; sleep 1000 & echo $! >> pids.new; wait) & done; until [ \"$(wc -l < pids.new)\" = 6 ]; do sleep 0.01; done; mv pids.new pids",
    ),
];

/// Commands that fork on and on until they are stopped, and say `begun` once they are at it. Should
/// a test fail they end by themselves: every process knows how many may follow it, and there are
/// fewer than a hundred at a time.
pub const BOMBS: &[(&str, &str)] = &[
    (
        "chains of forks, each in a session of its own",
        "cat > bomb.sh <<'END'\n[ $1 -gt 0 ] || exit\necho $$ >> pids\nsleep 0.02\nsetsid bash bomb.sh $(($1 - 1)) &\nEND\nfor i in 1 2 3; do bash bomb.sh 50 & done; until [ -s pids ] && [ \"$(wc -l < pids)\" -ge 20 ]; do sleep 0.01; done",
    ),
    (
        "a tree of forks, deaf to the polite signal",
        "cat > bomb.sh <<'END'\ntrap '' TERM\necho $$ >> pids\nif [ $1 -gt 0 ]; then bash bomb.sh $(($1 - 1)) & bash bomb.sh $(($1 - 1)) & fi\nexec sleep 1000\nEND\nbash bomb.sh 5 & until [ -s pids ] && [ \"$(wc -l < pids)\" -ge 20 ]; do sleep 0.01; done",
    ),
];

pub fn none_runs(desk_project: &Path, way: &str) {
    let left: Vec<i32> = pids(&desk_project.join("pids"))
        .into_iter()
        .filter(|pid| runs(*pid))
        .collect();
    assert!(left.is_empty(), "{way}: {left:?} still run");
}

#[tokio::test]
async fn what_a_finished_command_left_is_stopped_and_told() {
    let mut runs = tokio::task::JoinSet::new();
    for (way, command) in WAYS {
        runs.spawn(async move {
            let desk = Desk::new();
            let input = json!({"command": format!("{command}; echo done")});
            let outcome = desk.run("bash", input).await;
            none_runs(&desk.project, way);
            let text = outcome.content;
            assert_eq!(outcome.status, StepStatus::Ok, "{way}: {text}");
            assert!(text.starts_with("done\n[Exit code 0]\n"), "{way}: {text}");
            assert!(
                text.contains("that the command left running: "),
                "{way}: {text}"
            );
            assert!(text.contains(" 1000"), "{way}: {text}");
        });
    }
    while let Some(run) = runs.join_next().await {
        run.unwrap();
    }
}

#[tokio::test]
async fn at_the_time_out_all_are_gone() {
    let mut runs = tokio::task::JoinSet::new();
    for (way, command) in WAYS {
        runs.spawn(async move {
            let (desk, outcome) = timed_out(command).await;
            none_runs(&desk.project, way);
            assert_eq!(
                outcome.status,
                StepStatus::TimedOut,
                "{way}: {}",
                outcome.content
            );
        });
    }
    while let Some(run) = runs.join_next().await {
        run.unwrap();
    }
}

/// Runs a command into a time-out that comes after it has started all it starts, however slow the
/// machine is.
async fn timed_out(command: &str) -> (Desk, ToolOutcome) {
    let input = json!({"command": format!("{command}; echo begun; sleep 1000")});
    for limit in LIMITS {
        let desk = Desk::with(&ToolName::ALL, limit);
        let outcome = desk.run("bash", input.clone()).await;
        if outcome.content.starts_with("begun\n") {
            return (desk, outcome);
        }
    }
    panic!("the command does not begin: {command}");
}

#[tokio::test]
async fn at_a_cancellation_all_are_gone() {
    for (way, command) in WAYS {
        let desk = Desk::new();
        let outcome = cancelled(&desk, command).await;
        none_runs(&desk.project, way);
        assert_eq!(
            outcome.status,
            StepStatus::Cancelled,
            "{way}: {}",
            outcome.content
        );
        assert!(
            outcome.content.starts_with("begun\n[Cancelled;"),
            "{way}: {}",
            outcome.content
        );
    }
}

/// Cancels a command as soon as it has started all it starts.
async fn cancelled(desk: &Desk, command: &str) -> ToolOutcome {
    let cancel = CancellationToken::new();
    let seen = cancel.clone();
    desk.toolbox
        .run(
            "call_1",
            "bash",
            &json!({"command": format!("{command}; echo begun; sleep 1000")}),
            &mut |_, text| {
                if text.contains("begun") {
                    seen.cancel();
                }
            },
            cancel,
        )
        .await
}

#[tokio::test]
async fn fork_bombs_are_caught() {
    for (way, command) in BOMBS {
        let desk = Desk::new();
        let outcome = cancelled(&desk, command).await;
        none_runs(&desk.project, way);
        let text = outcome.content;
        assert_eq!(outcome.status, StepStatus::Cancelled, "{way}: {text}");
        assert!(!text.contains("Could not be stopped"), "{way}: {text}");
    }
}

#[tokio::test]
async fn a_command_with_too_many_processes_is_stopped() {
    let desk = Desk::of(&ToolName::ALL, FOR_EVER, 60);
    let command = "for i in {1..150}; do sleep 1000 & echo $! >> pids; done; wait";
    let outcome = desk.run("bash", json!({"command": command})).await;
    none_runs(&desk.project, "too many");
    assert_eq!(outcome.status, StepStatus::CommandFailed);
    assert!(
        outcome.content.contains("more than 60 processes"),
        "{}",
        outcome.content
    );
}

#[tokio::test]
async fn a_flood_does_not_hold_up_a_cancellation() {
    let desk = Desk::new();
    let cancel = CancellationToken::new();
    let seen = cancel.clone();
    let mut bytes = 0;
    let outcome = desk
        .toolbox
        .run(
            "call_1",
            "bash",
            &json!({"command": "echo $$ > pids; yes"}),
            &mut |_, text| {
                bytes += text.len();
                if bytes > 1 << 20 {
                    seen.cancel();
                }
            },
            cancel,
        )
        .await;
    none_runs(&desk.project, "yes");
    assert_eq!(outcome.status, StepStatus::Cancelled);
}

#[tokio::test]
async fn a_reader_of_the_output_may_finish_its_work() {
    let desk = Desk::new();
    let command = "echo one > >(cat > copied); echo two";
    let outcome = desk.run("bash", json!({"command": command})).await;
    assert_eq!(outcome.content, "two\n[Exit code 0]");
    assert_eq!(desk.bytes("copied"), b"one\n");
}

#[tokio::test]
async fn a_polite_signal_comes_first() {
    let command = "trap 'echo tidied > tidy; exit' TERM; echo begun; while :; do sleep 0.01; done";
    let (desk, _) = timed_out(command).await;
    assert_eq!(desk.bytes("tidy"), b"tidied\n");
}

#[tokio::test]
async fn a_lost_caller_leaves_nothing_running() {
    let desk = Desk::new();
    let (sender, begun) = tokio::sync::oneshot::channel();
    let mut sender = Some(sender);
    let toolbox = desk.toolbox.clone();
    let task = tokio::spawn(async move {
        let command = "setsid sleep 1000 & echo $! > pids; echo $$ >> pids; echo begun; sleep 1000";
        toolbox
            .run(
                "call_1",
                "bash",
                &json!({"command": command}),
                &mut |_, _| {
                    if let Some(sender) = sender.take() {
                        sender.send(()).unwrap();
                    }
                },
                CancellationToken::new(),
            )
            .await
    });
    begun.await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    none_runs(&desk.project, "abort");
}

#[tokio::test]
async fn everything_can_be_killed_and_other_toolboxes_go_on() {
    let (one, other) = (Desk::new(), Desk::new());
    let command = "setsid sleep 1000 & echo $! > pids; echo $$ >> pids; touch begun; wait";
    let input = json!({"command": command});
    let other_input =
        json!({"command": format!("{command}; until [ -e go ]; do sleep 0.01; done")});
    let first = one.run("bash", input);
    let second = other.run("bash", other_input);
    let killer = async {
        for desk in [&one, &other] {
            while !desk.path("begun").exists() {
                tokio::task::yield_now().await;
            }
        }
        let toolbox = one.toolbox.clone();
        let killed = tokio::task::spawn_blocking(move || toolbox.kill_everything())
            .await
            .unwrap();
        assert_eq!(killed, 2);
        none_runs(&one.project, "kill_everything");
        let others = pids(&other.path("pids"));
        assert!(others.iter().all(|pid| runs(*pid)), "{others:?}");
        other.toolbox.kill_everything();
    };
    let (first, second, ()) = tokio::join!(first, second, killer);
    assert_eq!(first.exit_code, Some(137), "{}", first.content);
    assert_eq!(second.exit_code, Some(137), "{}", second.content);
}

#[tokio::test]
async fn slow_tools_stop_when_told() {
    let desk = Desk::new();
    // Sparse, so it costs no disk, and long to search.
    let file = std::fs::File::create(desk.path("long.txt")).unwrap();
    std::io::Write::write_all(&mut &file, b"text\n".repeat(4000).as_slice()).unwrap();
    file.set_len(1 << 40).unwrap();
    let stopped = CancellationToken::new();
    stopped.cancel();
    for (tool, input) in [
        (
            "read_file",
            json!({"path": "long.txt", "offset": 1_000_000_000}),
        ),
        ("grep", json!({"pattern": "nowhere"})),
        ("glob", json!({"pattern": "*"})),
        ("bash", json!({"command": "touch ran; sleep 1000"})),
        ("write_file", json!({"path": "new.txt", "content": "x"})),
    ] {
        let outcome = desk
            .toolbox
            .run("call_1", tool, &input, &mut |_, _| {}, stopped.clone())
            .await;
        assert_eq!(
            outcome.status,
            StepStatus::Cancelled,
            "{tool}: {}",
            outcome.content
        );
        assert_eq!(outcome.touched, Touched::Nothing, "{tool}");
    }
    assert_eq!(desk.entries(), ["long.txt"]);
    let hasty = Desk::with(&ToolName::ALL, Duration::from_millis(200));
    std::fs::hard_link(desk.path("long.txt"), hasty.path("long.txt")).unwrap();
    let input = json!({"path": "long.txt", "offset": 1_000_000_000});
    let outcome = hasty.run("read_file", input).await;
    assert_eq!(outcome.status, StepStatus::TimedOut, "{}", outcome.content);
    assert_eq!(outcome.touched, Touched::Nothing);
    assert_eq!(outcome.content, "Timed out after 0.2 s.");
}
