use super::*;
use espalier_protocol::event::{BranchKind, NewBranch};
use espalier_protocol::{Millis, SessionId, StepStatus};

fn record(bodies: Vec<EventBody>) -> Record {
    let mut record = Record::default();
    for (seq, body) in (1..).zip(bodies) {
        record.apply(&Event {
            session: SessionId::new("session"),
            seq,
            at: Millis(0),
            worktree: espalier_protocol::WorktreeId::default(),
            body,
        });
    }
    record
}

fn state(state: SessionState) -> EventBody {
    EventBody::StateChanged { state }
}

fn branch(id: &str) -> NewBranch {
    NewBranch {
        id: BranchId::new(id),
        kind: BranchKind::Root,
        parent: None,
        branch_point: -1,
        instruction: None,
        git_branch: format!("potato-session-s-{id}"),
    }
}

fn test(branch: &str, outcome: TestOutcome) -> EventBody {
    EventBody::TestFinished {
        branch: BranchId::new(branch),
        after_step: 0,
        command: "true".to_owned(),
        outcome,
        result: espalier_protocol::StepResult {
            status: StepStatus::Ok,
            content: String::new(),
            full_output: None,
            output_bytes: 0,
            exit_code: Some(0),
            duration_ms: 1,
        },
    }
}

#[test]
fn the_reason_of_a_pause_survives_parking() {
    let paused = PauseReason::MaxSteps { steps: 3 };
    let record = record(vec![
        state(SessionState::Running),
        state(SessionState::Paused {
            reason: paused.clone(),
        }),
        state(SessionState::Parked),
    ]);
    assert_eq!(record.paused, Some(paused));
    assert_eq!(record.state, Some(SessionState::Parked));
}

#[test]
fn going_on_makes_an_earlier_pause_and_end_void() {
    let record = record(vec![
        state(SessionState::Ended {
            reason: EndReason::Loop,
        }),
        state(SessionState::Paused {
            reason: PauseReason::RolledBack,
        }),
        state(SessionState::Running),
        EventBody::RunStarted {
            branch: BranchId::main(),
            backend: espalier_protocol::session::BackendSettings::Replay {
                recording: String::new(),
                pace: 0.0,
            },
        },
    ]);
    assert_eq!((record.paused, record.ended), (None, None));
}

#[test]
fn branches_and_their_last_tests_are_known() {
    let record = record(vec![
        EventBody::BranchCreated {
            branch: branch("main"),
        },
        test("main", TestOutcome::Failed),
        EventBody::TailAbandoned {
            branch: BranchId::main(),
            after_step: 0,
            abandoned: branch("abandoned_1"),
        },
        test("main", TestOutcome::Passed),
    ]);
    let names: Vec<&str> = record.branches.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(names, ["main", "abandoned_1"]);
    assert_eq!(record.tests, [(BranchId::main(), TestOutcome::Passed)]);
}
