#![allow(clippy::unwrap_used, reason = "tests end at the first surprise")]

use crate::conversation::{Block, ConversationItem, InjectAs, Usage};
use crate::event::{BranchKind, CheckpointCause, Event, EventBody, Intervention, NewBranch};
use crate::ids::{BranchId, CheckpointId, MessageId, Millis, SessionId, StepId, WorktreeId};
use crate::op::{Actor, Place};
use crate::session::SessionState;
use crate::step::{Checkpoint, Step, StepKind, StepResult, StepStatus};
use crate::tree::{SessionTree, Trailing};
use serde_json::json;

/// A session that grows event by event.
struct Log {
    tree: SessionTree,
    seq: u32,
}

impl Log {
    fn new() -> Self {
        let mut log = Self {
            tree: SessionTree::default(),
            seq: 0,
        };
        log.add(EventBody::BranchCreated {
            branch: new_branch("main", BranchKind::Root, None, -1, None),
        });
        log.add(EventBody::CheckpointRecorded {
            cause: CheckpointCause::Base,
            at: place("main", -1),
            checkpoint: checkpoint("base"),
        });
        log
    }

    fn add(&mut self, body: EventBody) {
        self.add_in(WorktreeId::default(), body);
    }

    fn add_in(&mut self, worktree: WorktreeId, body: EventBody) {
        self.seq += 1;
        self.tree.apply(&Event {
            session: SessionId::new("s"),
            seq: self.seq,
            at: Millis(i64::from(self.seq)),
            worktree,
            body,
        });
    }

    /// A message with these calls; each is a step that runs, up to `ran`.
    fn message(&mut self, calls: &[&str], ran: usize) {
        let message_id = self.tree.next_message_id();
        let blocks = std::iter::once(Block::Text {
            text: format!("message {message_id}"),
            raw: None,
        })
        .chain(calls.iter().map(|call| Block::ToolCall {
            call_id: (*call).to_owned(),
            name: "bash".to_owned(),
            input: json!({"command": call}),
            raw: None,
        }))
        .collect();
        let branch = self.tree.cursor.clone().unwrap().branch;
        self.add(EventBody::MessageCompleted {
            message_id: message_id.clone(),
            branch,
            blocks,
            usage: Usage::default(),
            model_ms: 0,
        });
        for (index, call) in calls.iter().take(ran).enumerate() {
            self.step(&message_id, u32::try_from(index).unwrap(), call);
        }
    }

    fn step(&mut self, message_id: &MessageId, call_index: u32, call: &str) {
        let cursor = self.tree.cursor.clone().unwrap();
        let id = self.tree.next_step_id();
        self.add(EventBody::StepStarted {
            step: Box::new(Step {
                id: id.clone(),
                branch: cursor.branch,
                index: u32::try_from(cursor.step + 1).unwrap(),
                kind: StepKind::Terminal,
                message_id: message_id.clone(),
                call_index,
                call_id: call.to_owned(),
                tool: "bash".to_owned(),
                input: json!({"command": call}),
                target: call.to_owned(),
                started_at: Millis(0),
                model_ms: 0,
                usage: Usage::default(),
                result: None,
                checkpoint: None,
                conversation_hash: String::new(),
                finished_at: None,
            }),
        });
        let result = result(call);
        let conversation_hash = self.tree.hash_of_step(&id, &result);
        self.add(EventBody::StepFinished {
            step: id,
            result,
            checkpoint: Some(checkpoint(call)),
            conversation_hash,
        });
    }

    fn rollback(&mut self, to: Place) {
        let from = self.tree.cursor.clone().unwrap();
        let before = self.tree.last_checkpoint.clone().unwrap().id;
        let target = self.tree.checkpoint_at(&to).unwrap().id.clone();
        self.add(EventBody::Intervened {
            by: Actor::Person,
            intervention: Intervention::Rollback {
                from: from.clone(),
                to: to.clone(),
            },
        });
        self.add(EventBody::RestoreStarted {
            from,
            to: to.clone(),
            before,
            target,
        });
        self.add(EventBody::RestoreFinished {
            changed: 1,
            left_alone: Vec::new(),
        });
        self.add(EventBody::CursorMoved { to });
    }

    fn calls(&self, branch: &str, trailing: Trailing) -> Vec<String> {
        let place = place(branch, self.tree.tip_step(&BranchId::new(branch)));
        self.tree
            .conversation(&place, trailing)
            .into_iter()
            .map(|item| match item {
                ConversationItem::System { text } => format!("system {text}"),
                ConversationItem::User { text } => format!("user {text}"),
                ConversationItem::Assistant { blocks, .. } => blocks
                    .iter()
                    .filter_map(|block| match block {
                        Block::ToolCall { call_id, .. } => Some(call_id.as_str()),
                        _ => None,
                    })
                    .collect::<Vec<_>>()
                    .join("+"),
                ConversationItem::ToolResult { content, .. } => content,
            })
            .collect()
    }
}

fn place(branch: &str, step: i32) -> Place {
    Place {
        branch: BranchId::new(branch),
        step,
    }
}

fn new_branch(
    id: &str,
    kind: BranchKind,
    parent: Option<&str>,
    branch_point: i32,
    instruction: Option<&str>,
) -> NewBranch {
    NewBranch {
        id: BranchId::new(id),
        kind,
        parent: parent.map(BranchId::new),
        branch_point,
        instruction: instruction.map(str::to_owned),
        git_branch: id.to_owned(),
    }
}

fn checkpoint(name: &str) -> Checkpoint {
    Checkpoint {
        id: CheckpointId::new(name),
        tree: name.to_owned(),
        created: true,
        changes: Vec::new(),
        uncaptured: Vec::new(),
        uncaptured_total: 0,
        full_scan: false,
    }
}

fn result(call: &str) -> StepResult {
    StepResult {
        status: StepStatus::Ok,
        content: format!("out {call}"),
        full_output: None,
        output_bytes: 0,
        exit_code: Some(0),
        duration_ms: 1,
    }
}

#[test]
fn a_cut_inside_a_message_keeps_its_text_and_the_calls_up_to_there() {
    let mut log = Log::new();
    log.message(&["a"], 1);
    log.message(&["b", "c", "d"], 3);
    let cut = log.tree.conversation(&place("main", 2), Trailing::Exclude);
    let ConversationItem::Assistant { blocks, .. } = &cut[2] else {
        panic!("{cut:?}");
    };
    assert_eq!(blocks.len(), 3, "text, b and c: {blocks:?}");
    assert_eq!(cut.len(), 5);
    assert_eq!(
        log.calls("main", Trailing::Exclude),
        ["a", "out a", "b+c+d", "out b", "out c", "out d"]
    );
}

#[test]
fn a_call_that_never_ran_is_not_in_the_conversation() {
    let mut log = Log::new();
    log.message(&["a", "b"], 1);
    assert_eq!(log.calls("main", Trailing::Include), ["a", "out a"]);
}

#[test]
fn an_abandoned_tail_takes_its_steps_tests_and_forks_with_it() {
    let mut log = Log::new();
    for call in ["a", "b", "c"] {
        log.message(&[call], 1);
    }
    log.add(EventBody::BranchCreated {
        branch: new_branch(
            "branch_1",
            BranchKind::Instructed,
            Some("main"),
            1,
            Some("x"),
        ),
    });
    log.message(&["d"], 1);
    log.rollback(place("main", 2));
    log.rollback(place("main", 0));
    log.add(EventBody::TailAbandoned {
        branch: BranchId::main(),
        after_step: 0,
        abandoned: new_branch("abandoned_1", BranchKind::Abandoned, Some("main"), 0, None),
    });
    log.add(EventBody::CursorMoved {
        to: place("main", 0),
    });
    log.message(&["e"], 1);
    assert_eq!(
        log.calls("main", Trailing::Include),
        ["a", "out a", "e", "out e"]
    );
    assert_eq!(
        log.calls("abandoned_1", Trailing::Include),
        ["a", "out a", "b", "out b", "c", "out c"]
    );
    assert_eq!(
        log.tree.branch(&BranchId::new("branch_1")).unwrap().parent,
        Some(BranchId::new("abandoned_1"))
    );
    assert_eq!(
        log.calls("branch_1", Trailing::Include),
        ["a", "out a", "b", "out b", "system x", "d", "out d"]
    );
    assert_eq!(
        log.tree.locate(&StepId::new("s1")),
        Some(place("abandoned_1", 1))
    );
}

#[test]
fn an_instruction_stands_where_it_was_given_and_a_cut_before_it_drops_it() {
    let mut log = Log::new();
    log.message(&["a"], 1);
    log.add(EventBody::Intervened {
        by: Actor::Person,
        intervention: Intervention::Instruct {
            text: "look".to_owned(),
            inject_as: InjectAs::UserMessage,
        },
    });
    let here = place("main", 0);
    assert_eq!(
        log.tree.instructions(&here, Trailing::Include)[0].after_step,
        0
    );
    assert!(log.tree.instructions(&here, Trailing::Exclude).is_empty());
    log.message(&["b"], 1);
    assert_eq!(
        log.calls("main", Trailing::Include),
        ["a", "out a", "user look", "b", "out b"]
    );
}

#[test]
fn an_abandoned_tail_takes_what_was_done_on_it_and_what_it_was_made_from() {
    let mut log = Log::new();
    log.message(&["a"], 1);
    let pause = |log: &mut Log| {
        log.add(EventBody::Intervened {
            by: Actor::Person,
            intervention: Intervention::Pause,
        });
    };
    pause(&mut log);
    log.add(EventBody::Intervened {
        by: Actor::Person,
        intervention: Intervention::EditByHand {
            paths: vec!["notes.txt".to_owned()],
        },
    });
    log.message(&["b"], 1);
    pause(&mut log);
    log.rollback(place("main", 0));
    log.add(EventBody::TailAbandoned {
        branch: BranchId::main(),
        after_step: 0,
        abandoned: new_branch("abandoned_1", BranchKind::Abandoned, Some("main"), 0, None),
    });
    let places: Vec<&str> = log
        .tree
        .interventions
        .iter()
        .map(|record| record.place.branch.as_str())
        .collect();
    // The pause after the shared step; the edit, the pause and the rollback on the tail.
    assert_eq!(
        places,
        ["main", "abandoned_1", "abandoned_1", "abandoned_1"]
    );
}

#[test]
fn a_step_begins_from_the_files_that_were_last_kept_or_restored() {
    let mut log = Log::new();
    log.message(&["a"], 1);
    log.add(EventBody::CheckpointRecorded {
        cause: CheckpointCause::ByHand,
        at: place("main", 0),
        checkpoint: checkpoint("by hand"),
    });
    log.message(&["b"], 1);
    log.rollback(place("main", 0));
    log.add(EventBody::BranchCreated {
        branch: new_branch(
            "branch_1",
            BranchKind::Instructed,
            Some("main"),
            0,
            Some("x"),
        ),
    });
    log.message(&["c"], 1);
    let began: Vec<&str> = ["s0", "s1", "s2"]
        .iter()
        .map(|id| log.tree.began_from[&StepId::new(*id)].as_str())
        .collect();
    assert_eq!(began, ["base", "by hand", "a"]);
}

#[test]
fn equal_conversations_have_equal_hashes_whatever_their_ids() {
    let mut one = Log::new();
    one.message(&["a"], 1);
    one.message(&["x"], 1);
    one.rollback(place("main", 0));
    one.add(EventBody::TailAbandoned {
        branch: BranchId::main(),
        after_step: 0,
        abandoned: new_branch("abandoned_1", BranchKind::Abandoned, Some("main"), 0, None),
    });
    let before = one
        .tree
        .step_at(&place("main", 0))
        .unwrap()
        .conversation_hash
        .clone();
    let mut two = Log::new();
    two.message(&["a"], 1);
    let same = two
        .tree
        .step_at(&place("main", 0))
        .unwrap()
        .conversation_hash
        .clone();
    assert_eq!(before, same);
    two.message(&["x"], 1);
    let other = two
        .tree
        .step_at(&place("main", 1))
        .unwrap()
        .conversation_hash
        .clone();
    assert_ne!(other, same);
}

#[test]
fn after_a_restore_the_next_checkpoint_goes_on_top_of_the_restored_one() {
    let mut log = Log::new();
    log.message(&["a"], 1);
    log.message(&["b"], 1);
    log.rollback(place("main", 0));
    assert_eq!(log.tree.last_checkpoint.clone().unwrap().id.as_str(), "a");
    assert_eq!(log.tree.undo.last().unwrap().before.as_str(), "b");
    assert!(log.tree.pending_rollback.is_some());
}

#[test]
fn a_place_at_or_above_a_fork_belongs_to_the_ancestor() {
    let mut log = Log::new();
    log.message(&["a"], 1);
    log.message(&["b"], 1);
    log.add(EventBody::BranchCreated {
        branch: new_branch(
            "branch_1",
            BranchKind::Instructed,
            Some("main"),
            1,
            Some("x"),
        ),
    });
    log.message(&["c"], 1);
    assert_eq!(log.tree.owner(&place("branch_1", 1)), place("main", 1));
    assert_eq!(log.tree.owner(&place("branch_1", -1)), place("main", -1));
    assert_eq!(log.tree.owner(&place("branch_1", 2)), place("branch_1", 2));
    assert_eq!(log.tree.branches_at(&place("branch_1", 1)), 1);
    assert_eq!(
        log.tree
            .shared_step(&BranchId::main(), &BranchId::new("branch_1")),
        1
    );
}

/// Main has made two steps; a branch leaves after the first, in a worktree of its own.
fn two_worktrees() -> Log {
    let mut log = Log::new();
    log.message(&["a"], 1);
    log.message(&["b"], 1);
    let own = WorktreeId(1);
    log.add_in(
        own,
        EventBody::WorktreeOpened {
            at: place("main", 0),
            checkpoint: CheckpointId::new("a"),
        },
    );
    log.add_in(
        own,
        EventBody::BranchCreated {
            branch: new_branch(
                "branch_1",
                BranchKind::Instructed,
                Some("main"),
                0,
                Some("x"),
            ),
        },
    );
    log
}

#[test]
fn each_worktree_stands_where_it_is_until_it_is_turned_to() {
    let mut log = two_worktrees();
    assert_eq!(log.tree.cursor, Some(place("main", 1)));
    assert_eq!(log.tree.last_checkpoint.clone().unwrap().id.as_str(), "b");
    assert_eq!(log.tree.next_worktree_id(), WorktreeId(2));
    log.add_in(WorktreeId(1), EventBody::WorktreeFocused);
    assert_eq!(log.tree.cursor, Some(place("branch_1", 0)));
    assert_eq!(log.tree.last_checkpoint.clone().unwrap().id.as_str(), "a");
    assert_eq!(log.tree.worktree_on(&BranchId::main()), Some(WorktreeId(0)));
    log.add(EventBody::WorktreeClosed);
    assert_eq!(log.tree.worktree_on(&BranchId::main()), None);
    assert_eq!(log.tree.cursor, Some(place("branch_1", 0)));
}

#[test]
fn a_session_that_ends_ends_in_every_worktree() {
    let mut log = two_worktrees();
    log.add_in(
        WorktreeId(1),
        EventBody::StateChanged {
            state: SessionState::Running,
        },
    );
    assert!(log.tree.is_active());
    log.add(EventBody::StateChanged {
        state: SessionState::Parked,
    });
    assert!(!log.tree.is_active());
}

#[test]
fn a_worktree_goes_with_the_tail_it_stands_on() {
    let mut log = two_worktrees();
    log.add_in(
        WorktreeId(1),
        EventBody::TailAbandoned {
            branch: BranchId::main(),
            after_step: 0,
            abandoned: new_branch("abandoned_1", BranchKind::Abandoned, Some("main"), 0, None),
        },
    );
    assert_eq!(log.tree.cursor, Some(place("abandoned_1", 1)));
}
