//! Repositories within the project: their files are held, their own history is theirs.

use super::lab::{Lab, assert_same, paths};
use espalier_protocol::UncapturedReason;

#[test]
fn files_of_a_nested_repository_are_held() {
    let lab = Lab::new();
    lab.sh("git init -q nested && cd nested && echo 1 > inner && git add . && git -c user.name=n -c user.email=n@n commit -qm inner");
    lab.sh("git init -q unborn && echo 1 > unborn/file");
    let mut run = lab.begin();
    let nested: Vec<&str> = run
        .begun
        .base
        .uncaptured
        .iter()
        .filter(|gap| gap.reason == UncapturedReason::NestedRepository)
        .map(|gap| gap.path.as_str())
        .collect();
    assert_eq!(nested, ["nested", "unborn"]);
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("echo 2 > nested/inner; echo 2 > unborn/file; echo 3 > unborn/more; git init -q third && echo x > third/x");
    let step = run.step();
    assert_eq!(
        paths(&step),
        ["nested/inner", "third/x", "unborn/file", "unborn/more"]
    );
    let after = lab.listing();
    run.checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap();
    run.restore(&base);
    let mut expected = before;
    // The new repository's own folder is no checkpoint's: it stays, and so does its directory.
    expected.insert(b"third".to_vec(), (0o040_755, Vec::new()));
    assert_same(&lab.listing(), &expected);
    assert!(lab.exists("third/.git/HEAD") && lab.exists("nested/.git/HEAD"));
    run.restore(&step.id);
    assert_same(&lab.listing(), &after);
}

#[test]
fn submodules_stay_submodules() {
    let lab = Lab::new();
    let other = Lab::new();
    lab.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        other.repository.to_str().unwrap(),
        "sub",
    ]);
    lab.commit_all("sub");
    let mut run = lab.begin();
    assert_eq!(run.head.as_str(), lab.git(&["rev-parse", "HEAD"]));
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("echo 2 > sub/a.txt; echo new > sub/new; echo 2 > a.txt");
    let step = run.step();
    assert_eq!(paths(&step), ["a.txt", "sub/a.txt", "sub/new"]);
    run.checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap();
    assert_eq!(
        lab.git(&["diff", "--name-only", "main", "potato-session-abc123"]),
        "a.txt"
    );
    let after = lab.listing();
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    run.restore(&step.id);
    assert_same(&lab.listing(), &after);
    // A commit within shows in the published tree as git would show it.
    lab.sh("cd sub && git -c user.name=n -c user.email=n@n commit -qam inner && echo 3 > a.txt");
    let next = run.step();
    run.checkpoints
        .publish("potato-session-abc123", &next.id)
        .unwrap();
    assert_eq!(
        lab.git(&["diff", "--name-only", "main", "potato-session-abc123"]),
        "a.txt\nsub"
    );
    lab.git(&["fsck", "--strict"]);
}

#[test]
fn a_submodule_that_is_not_checked_out_stays_as_it_is() {
    let lab = Lab::new();
    let other = Lab::new();
    lab.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        other.repository.to_str().unwrap(),
        "sub",
    ]);
    lab.commit_all("sub");
    lab.git(&["submodule", "--quiet", "deinit", "-f", "sub"]);
    let mut run = lab.begin();
    assert_eq!(run.head.as_str(), lab.git(&["rev-parse", "HEAD"]));
    lab.write("a.txt", "two\n");
    let step = run.step();
    run.checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap();
    assert_eq!(
        lab.git(&["diff", "--name-only", "main", "potato-session-abc123"]),
        "a.txt"
    );
}
