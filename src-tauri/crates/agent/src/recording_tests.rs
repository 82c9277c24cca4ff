#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use crate::backend::PathSoFar;
use espalier_protocol::worker::GivenInstruction;
use serde_json::{Value, json};

fn recording(branches: &Value) -> Result<Recording, Vec<String>> {
    let text = json!({"format": FORMAT, "title": "t", "model": "m", "branches": branches});
    Recording::parse(&text.to_string())
}

/// Main: step 0, then steps 1 to 3 of one message, then the closing step 4.
fn branching() -> Recording {
    let call = json!({"tool": "bash", "input": {}});
    recording(&json!([
        {"id": "main", "turns": [
            {"text": "one", "calls": [call]},
            {"text": "three", "calls": [call, call, call]},
            {"text": "end"},
        ]},
        {"id": "a", "parent": "main", "after_step": 1, "instruction": "Look again",
         "turns": [{"text": "looked"}]},
        {"id": "b", "parent": "a", "after_step": 2, "instruction": "And again",
         "turns": [{"text": "looked twice"}]},
    ]))
    .unwrap()
}

fn path(next_step: u32, instructions: &[(i32, &str)]) -> PathSoFar {
    PathSoFar {
        next_step,
        instructions: instructions
            .iter()
            .map(|(after_step, text)| GivenInstruction {
                after_step: *after_step,
                text: (*text).to_owned(),
            })
            .collect(),
    }
}

#[test]
fn a_place_within_a_message_has_the_rest_of_its_calls() {
    let recording = branching();
    let at = |step| match recording.at(&path(step, &[])) {
        Place::Turn(next) => (next.turn.text.clone().unwrap(), next.calls().len()),
        Place::Ended { .. } => panic!("step {step}"),
    };
    assert_eq!(at(0), ("one".to_owned(), 1));
    assert_eq!(at(1), ("three".to_owned(), 3));
    assert_eq!(at(2), ("three".to_owned(), 2));
    assert_eq!(at(3), ("three".to_owned(), 1));
    assert_eq!(at(4), ("end".to_owned(), 0));
}

#[test]
fn instructions_lead_to_branches_and_to_theirs() {
    let recording = branching();
    let said = |path: &PathSoFar| match recording.at(path) {
        Place::Turn(next) => next.turn.text.clone().unwrap(),
        Place::Ended { why, .. } => panic!("{why:?}"),
    };
    assert_eq!(said(&path(2, &[(1, " look AGAIN\n")])), "looked");
    let twice = [(1, "Look again"), (2, "And again")];
    assert_eq!(said(&path(3, &twice)), "looked twice");
}

#[test]
fn where_nothing_is_recorded_the_known_instructions_are_named() {
    let recording = branching();
    let ended = |why, instructions: &[&str]| Place::Ended {
        why,
        instructions: instructions.iter().map(ToString::to_string).collect(),
    };
    let unknown = path(2, &[(1, "Something else")]);
    assert_eq!(
        recording.at(&unknown),
        ended(Ended::UnknownInstruction, &["Look again"])
    );
    let elsewhere = path(1, &[(0, "Look again")]);
    assert_eq!(
        recording.at(&elsewhere),
        ended(Ended::UnknownInstruction, &["Look again"])
    );
    assert_eq!(
        recording.at(&path(5, &[])),
        ended(Ended::NoMoreTurns, &["Look again"])
    );
    let leaf = path(4, &[(1, "Look again"), (2, "And again")]);
    assert_eq!(recording.at(&leaf), ended(Ended::NoMoreTurns, &[]));
}

#[test]
fn every_problem_is_named_with_its_place() {
    let wrong = recording(&json!([
        {"id": "start", "after_step": 1, "turns": []},
        {"id": "a", "parent": "nowhere", "after_step": 0, "instruction": "x", "turns": []},
        {"id": "b", "parent": "start", "after_step": 9, "instruction": " ", "turns": []},
        {"id": "b", "turns": []},
    ]))
    .unwrap_err();
    let parts = [
        "branches[0] `start`: the first branch is `main`",
        "branches[0] `start`: the first branch has no",
        "branches[1] `a`: there is no branch `nowhere`",
        "branches[2] `b`: `instruction` is empty",
        "branches[2] `b`: `after_step` is 9",
        "branches[3] `b`: a branch needs",
        "branches[3] `b`: another branch has this id",
    ];
    assert_eq!(wrong.len(), parts.len(), "{wrong:#?}");
    for (problem, part) in wrong.iter().zip(parts) {
        assert!(problem.starts_with(part), "{problem}");
    }
    assert!(recording(&json!([])).unwrap_err()[0].contains("`branches` is empty"));
    let broken = Recording::parse("{\n  \"format\": 1}").unwrap_err();
    assert!(broken[0].starts_with("line 2, column "), "{broken:?}");
}

#[test]
fn two_ways_on_from_one_place_differ_in_their_instruction() {
    let branch = |id: &str, told: &str| json!({"id": id, "parent": "main", "after_step": 0, "instruction": told, "turns": []});
    let main = json!({"id": "main", "turns": [{"text": "hello"}]});
    let wrong = recording(&json!([main, branch("a", "Go on"), branch("b", "go on ")]));
    assert_eq!(
        wrong.unwrap_err(),
        ["branches[2] `b`: leaves like `a`, with the same instruction"]
    );
    recording(&json!([main, branch("a", "Go on"), branch("b", "Go back")])).unwrap();
}
