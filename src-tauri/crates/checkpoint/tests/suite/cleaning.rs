//! Clean-up of the branches that sessions leave.

use super::lab::{Lab, assert_same};
use espalier_checkpoint::{CleanupReport, CleanupRequest, cleanup};
use std::time::Duration;

fn clean(lab: &Lab, change: impl FnOnce(&mut CleanupRequest<'_>)) -> CleanupReport {
    let keep = |_: &str| false;
    let mut request = CleanupRequest {
        projects: vec![lab.project.clone()],
        store_dir: Some(lab.store.clone()),
        older_than: None,
        all: true,
        dry_run: false,
        keep: &keep,
    };
    change(&mut request);
    cleanup(&request).unwrap()
}

/// A project with one finished session, its branches published under an unusual prefix.
fn finished() -> (Lab, super::lab::Listing) {
    let lab = Lab::new();
    let mut run = lab.begin();
    let git = lab.git_listing();
    lab.write("a.txt", "two\n");
    let step = run.step();
    for name in ["odd/potato-session-abc123", "odd/potato-session-abc123-b"] {
        run.checkpoints.publish(name, &step.id).unwrap();
    }
    run.checkpoints.put_back(false, &step.id).unwrap();
    (lab, git)
}

fn names(report: &CleanupReport) -> Vec<&str> {
    report
        .removed
        .iter()
        .map(|branch| branch.name.as_str())
        .collect()
}

const BOTH: [&str; 2] = ["odd/potato-session-abc123", "odd/potato-session-abc123-b"];

#[test]
fn sessions_are_found_by_their_commits_alone() {
    let (lab, git) = finished();
    let dry = clean(&lab, |request| {
        request.dry_run = true;
        request.store_dir = None;
    });
    assert_eq!(names(&dry), BOTH);
    assert_eq!(dry.removed[0].session, "abc123");
    assert!(dry.gc_would_free > 0);
    assert_eq!(lab.git(&["branch", "--list", "odd/*"]).lines().count(), 2);
    let done = clean(&lab, |request| request.store_dir = None);
    assert_eq!(done.removed, dry.removed);
    assert_same(&lab.git_listing(), &git);
    assert!(names(&clean(&lab, |_| {})).is_empty());
}

#[test]
fn young_unexported_and_checked_out_sessions_stay() {
    let (lab, _) = finished();
    let young = clean(&lab, |request| {
        request.all = false;
        request.older_than = Some(Duration::from_secs(3600));
    });
    assert!(young.removed.is_empty());
    assert_eq!(young.kept[0].why, "it is not old enough");
    let keep = |session: &str| session == "abc123";
    let unexported = cleanup(&CleanupRequest {
        projects: vec![lab.project.clone()],
        store_dir: None,
        older_than: Some(Duration::ZERO),
        all: false,
        dry_run: false,
        keep: &keep,
    })
    .unwrap();
    assert_eq!((unexported.removed.len(), unexported.kept.len()), (0, 2));
    lab.git(&["checkout", "-q", BOTH[1]]);
    let report = clean(&lab, |_| {});
    assert_eq!(names(&report), [BOTH[0]]);
    assert_eq!(report.kept[0].why, "it is checked out");
}

#[test]
fn an_open_session_stays() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.write("a.txt", "two\n");
    let step = run.step();
    run.checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap();
    let report = clean(&lab, |_| {});
    assert!(report.removed.is_empty());
    assert_eq!(report.kept[0].why, "the session is open");
    drop(run);
    assert_eq!(names(&clean(&lab, |_| {})), ["potato-session-abc123"]);
    assert_eq!(
        lab.git(&["for-each-ref", "refs/espalier", "refs/heads/potato*"]),
        ""
    );
}

#[test]
fn a_branch_without_a_step_is_found_through_the_store() {
    let lab = Lab::new();
    let mut run = lab.begin();
    run.checkpoints
        .publish("potato-session-abc123", &run.head)
        .unwrap();
    drop(run);
    lab.git(&["branch", "mine", "main"]);
    assert_eq!(names(&clean(&lab, |_| {})), ["potato-session-abc123"]);
    assert_eq!(
        lab.git(&["branch", "--format=%(refname:short)"]),
        "main\nmine"
    );
}
