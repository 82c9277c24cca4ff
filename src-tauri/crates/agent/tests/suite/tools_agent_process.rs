//! The same in a stand-in for the agent process: this test binary started again, as a child
//! subreaper, with one call to make. There descendants are found by ancestry alone.

use super::tools_desk::{Desk, FOR_EVER, pids, runs};
use super::tools_processes::{BOMBS, WAYS, none_runs};
use espalier_agent::tools::{
    MAX_PROCESSES, Toolbox, ToolboxOptions, adopt_descendants, kill_left_behind, kill_process_tree,
};
use espalier_protocol::worker::ToolOutcome;
use espalier_protocol::{StepStatus, ToolName};
use serde_json::json;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// Only in the agent process: found by ancestry although nothing else tells whose they are.
const NAMELESS: &[(&str, &str)] = &[(
    "a daemon without environment",
    "(env -i setsid sh -c 'sleep 1000 >/dev/null 2>&1 & echo $! > pids' &) ; until [ -s pids ]; do sleep 0.01; done",
)];

/// The stand-in's orders: project directory and command. It cancels the command when that says
/// `begun`.
const ORDERS: &str = "ESPALIER_TEST_ORDERS";

/// Does nothing unless it was started by `in_agent_process`.
#[test]
fn agent_process_stand_in() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let (dir, command) = orders.split_once('\n').unwrap();
    adopt_descendants().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outcome = runtime.block_on(async {
        let toolbox = Toolbox::open(ToolboxOptions {
            project_dir: dir.into(),
            spool_dir: Path::new(dir).join("../spool"),
            tools: ToolName::ALL.to_vec(),
            timeout: FOR_EVER,
            max_processes: MAX_PROCESSES,
            secret: espalier_agent::Secret::default(),
        })
        .unwrap();
        let input = json!({"command": command});
        let cancel = CancellationToken::new();
        let seen = cancel.clone();
        let mut sink = |_, text: String| {
            if text.contains("begun") {
                seen.cancel();
            }
        };
        toolbox
            .run("call_1", "bash", &input, &mut sink, cancel)
            .await
    });
    std::fs::write(
        Path::new(dir).join("outcome.json"),
        serde_json::to_vec(&outcome).unwrap(),
    )
    .unwrap();
    let this = std::process::id();
    let children = std::fs::read_to_string(format!("/proc/{this}/task/{this}/children"));
    assert_eq!(children.unwrap_or_default(), "", "zombies are left");
}

/// A stand-in that runs. Whatever a test comes to, it and all under it end.
struct StandIn(std::process::Child);

impl Drop for StandIn {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            kill_process_tree(self.0.id());
            let _ = self.0.wait();
        }
        kill_left_behind(self.0.id());
    }
}

fn stand_in(desk: &Desk, command: &str) -> StandIn {
    let said = std::fs::File::create(desk.outside.join("said")).unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "suite::tools_agent_process::agent_process_stand_in",
            "--nocapture",
        ])
        .env(ORDERS, format!("{}\n{command}", desk.project.display()))
        .stdin(std::process::Stdio::null())
        .stdout(said.try_clone().unwrap())
        .stderr(said)
        .spawn();
    StandIn(child.unwrap())
}

fn in_agent_process(desk: &Desk, command: &str) -> ToolOutcome {
    let mut agent = stand_in(desk, command);
    let ended = agent.0.wait().unwrap();
    let said = std::fs::read(desk.outside.join("said")).unwrap();
    assert!(ended.success(), "{}", String::from_utf8_lossy(&said));
    serde_json::from_slice(&desk.bytes("outcome.json")).unwrap()
}

/// Waits for the file that a command makes once it has started all that it starts.
fn await_file(path: &Path, agent: &mut StandIn) {
    while !path.exists() {
        let ended = agent.0.try_wait().unwrap();
        assert!(ended.is_none(), "the stand-in ended early: {ended:?}");
        std::thread::yield_now();
    }
}

#[test]
fn the_agent_process_finds_what_a_finished_command_left_without_any_mark() {
    for (way, command) in WAYS.iter().chain(NAMELESS) {
        let desk = Desk::new();
        let outcome = in_agent_process(&desk, command);
        none_runs(&desk.project, way);
        assert_eq!(outcome.status, StepStatus::Ok, "{way}: {}", outcome.content);
        assert!(
            outcome.content.contains("left running: "),
            "{way}: {}",
            outcome.content
        );
    }
}

#[test]
fn the_agent_process_finds_its_descendants_without_any_mark() {
    for (way, command) in BOMBS.iter().chain(NAMELESS) {
        let desk = Desk::new();
        let outcome = in_agent_process(&desk, &format!("{command}; echo begun; sleep 1000"));
        none_runs(&desk.project, way);
        assert_eq!(
            outcome.status,
            StepStatus::Cancelled,
            "{way}: {}",
            outcome.content
        );
    }
}

#[test]
fn an_agent_process_is_killed_with_all_that_it_started() {
    for (way, command) in WAYS.iter().chain(NAMELESS) {
        let desk = Desk::new();
        let mut agent = stand_in(&desk, &format!("{command}; touch started; sleep 1000"));
        await_file(&desk.path("started"), &mut agent);
        assert!(kill_process_tree(agent.0.id()) >= 3, "{way}");
        none_runs(&desk.project, way);
        assert!(!agent.0.wait().unwrap().success());
    }
}

#[test]
fn what_a_dead_agent_process_left_is_found_by_its_mark() {
    let desk = Desk::new();
    let command = "setsid sleep 1000 & echo $! > pids; echo $$ >> pids; touch started; wait";
    let mut agent = stand_in(&desk, command);
    await_file(&desk.path("started"), &mut agent);
    agent.0.kill().unwrap();
    agent.0.wait().unwrap();
    assert!(pids(&desk.path("pids")).iter().all(|pid| runs(*pid)));
    // `touch` may still be on its way out.
    assert!(kill_left_behind(agent.0.id()) >= 2);
    none_runs(&desk.project, "orphans");
}
