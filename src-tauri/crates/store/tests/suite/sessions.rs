//! The session list is what the log says.

use super::session::{meta, notice};
use espalier_protocol::event::{BranchKind, NewBranch};
use espalier_protocol::step::{Step, StepKind};
use espalier_protocol::{
    BranchId, EventBody, MessageId, Millis, PauseReason, SessionState, StepId, TaskId, Usage,
};
use espalier_store::Store;
use tempfile::tempdir;

fn branch(id: &str, kind: BranchKind) -> NewBranch {
    NewBranch {
        id: BranchId::new(id),
        kind,
        parent: None,
        branch_point: -1,
        instruction: None,
        git_branch: id.to_owned(),
    }
}

fn step(id: &str, index: u32) -> EventBody {
    EventBody::StepStarted {
        step: Box::new(Step {
            id: StepId::new(id),
            branch: BranchId::main(),
            index,
            kind: StepKind::Terminal,
            message_id: MessageId::new("m0"),
            call_index: 0,
            call_id: "c".to_owned(),
            tool: "bash".to_owned(),
            input: serde_json::json!({"command": "ls"}),
            target: "ls".to_owned(),
            started_at: Millis(1),
            model_ms: 0,
            usage: Usage::default(),
            result: None,
            checkpoint: None,
            conversation_hash: String::new(),
            finished_at: None,
        }),
    }
}

#[tokio::test]
async fn the_list_shows_state_and_counts_latest_first() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let (old, new) = (meta("old"), meta("new"));
    store.create_session(&old).await.unwrap();
    store.create_session(&new).await.unwrap();
    let bodies = vec![
        EventBody::BranchCreated {
            branch: branch("main", BranchKind::Root),
        },
        EventBody::StateChanged {
            state: SessionState::Running,
        },
        step("s0", 0),
        step("s1", 1),
        EventBody::TailAbandoned {
            branch: BranchId::main(),
            after_step: 0,
            abandoned: branch("abandoned_1", BranchKind::Abandoned),
        },
        EventBody::StateChanged {
            state: SessionState::Finished { kept: false },
        },
    ];
    store
        .append(
            &new.id,
            espalier_protocol::WorktreeId::default(),
            bodies,
            Millis(9_000),
        )
        .await
        .unwrap();
    let sessions = store.sessions().await.unwrap();
    let ids: Vec<&str> = sessions.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["new", "old"]);
    assert_eq!(sessions[0].state, SessionState::Finished { kept: false });
    assert_eq!((sessions[0].steps, sessions[0].branches), (2, 2));
    assert_eq!(sessions[0].task, TaskId::new("task_001"));
    assert_eq!(sessions[0].task_name, "Live coding");
    assert_eq!(sessions[0].project_dir, "/projects/parser");
    assert_eq!(sessions[0].annotator, "observer_01");
    assert_eq!(
        (sessions[0].created_at, sessions[0].updated_at),
        (Millis(1_000), Millis(9_000))
    );
    assert_eq!(
        sessions[1].state,
        SessionState::Paused {
            reason: PauseReason::NotStarted
        }
    );
    assert!(store.session_exists(&old.id).await.unwrap());
    assert!(!store.session_exists(&"none".into()).await.unwrap());
}

#[tokio::test]
async fn a_session_counts_as_exported_until_something_new_happens() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let meta = meta("s1");
    store.create_session(&meta).await.unwrap();
    assert_eq!(store.exported_at(&meta.id).await.unwrap(), None);
    assert!(!store.is_exported(&meta.id).await.unwrap());
    store.mark_exported(&meta.id, Millis(1_000)).await.unwrap();
    assert!(store.is_exported(&meta.id).await.unwrap());
    store
        .append(
            &meta.id,
            espalier_protocol::WorktreeId::default(),
            vec![notice("more")],
            Millis(2_000),
        )
        .await
        .unwrap();
    assert!(!store.is_exported(&meta.id).await.unwrap());
    store.mark_exported(&meta.id, Millis(2_000)).await.unwrap();
    store.mark_exported(&meta.id, Millis(1_500)).await.unwrap();
    assert_eq!(
        store.exported_at(&meta.id).await.unwrap(),
        Some(Millis(2_000))
    );
    assert!(store.is_exported(&meta.id).await.unwrap());
    assert!(
        store
            .mark_exported(&"none".into(), Millis(1))
            .await
            .is_err()
    );
}
