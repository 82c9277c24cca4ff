//! Repositories and settings that trip other tools: odd clones, odd indexes, odd configuration.

use super::lab::{Lab, assert_same, paths};
use espalier_checkpoint::{BeginRequest, CheckpointReader, Checkpoints};
use espalier_protocol::{ErrorCode, UncapturedReason};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Begins, changes, publishes, goes back and puts everything back; compares every byte.
fn whole_session(lab: &Lab) {
    let (files, git) = (lab.listing(), lab.git_listing());
    let mut run = lab.begin();
    assert!(!run.begun.base.created, "{:?}", run.begun.base.changes);
    assert!(run.begun.carried.is_empty(), "{:?}", run.begun.carried);
    let base = run.head.clone();
    lab.sh("echo changed > a.txt; rm src/lib.py; echo new > src/new; mkdir hollow");
    let step = run.step();
    assert_eq!(paths(&step), ["a.txt", "hollow/", "src/lib.py", "src/new"]);
    let changed = lab.listing();
    let branch = "potato-session-abc123";
    run.checkpoints.publish(branch, &step.id).unwrap();
    assert_eq!(
        lab.git(&["diff", "--name-status", "HEAD", branch]),
        "M\ta.txt\nD\tsrc/lib.py\nA\tsrc/new"
    );
    run.restore(&base);
    assert_same(&lab.listing(), &files);
    run.restore(&step.id);
    assert_same(&lab.listing(), &changed);
    let report = run.checkpoints.put_back(false, &step.id).unwrap();
    assert!(report.left_alone.is_empty(), "{report:?}");
    assert_same(&lab.listing(), &files);
    assert_same(&lab.git_listing(), &git);
    lab.git(&["fsck", "--strict"]);
}

/// A clone of a lab's repository, in a lab of its own.
fn cloned(origin: &Lab, options: &[&str]) -> Lab {
    let mut lab = Lab::empty();
    let dir = lab.temp.path().canonicalize().unwrap().join("clone");
    let url = format!("file://{}", origin.repository.display());
    let mut arguments = vec!["clone", "-q"];
    arguments.extend(options);
    arguments.extend([url.as_str(), dir.to_str().unwrap()]);
    lab.git(&arguments);
    lab.repository.clone_from(&dir);
    lab.project = dir;
    lab.git(&["config", "user.name", "Ada Lovelace"]);
    lab.git(&["config", "user.email", "ada@example.org"]);
    lab
}

#[test]
fn the_first_scan_tells_how_far_it_is_and_copies_no_history() {
    let lab = Lab::new();
    for number in 0..600 {
        lab.write(&format!("many/{}/{number}", number % 7), number.to_string());
    }
    lab.commit_all("many");
    lab.git(&["repack", "-adq"]);
    let mut told = Vec::new();
    let mut checkpoints = lab.open();
    let begun = checkpoints
        .begin(&BeginRequest::default(), &mut |done, total| {
            told.push((done, total));
        })
        .unwrap();
    assert!(!begun.base.created);
    assert_eq!(told.first(), Some(&(0, Some(603))));
    assert!(told.len() >= 4, "{told:?}");
    let (done, total) = *told.last().unwrap();
    assert!(done >= 603 && total == Some(done), "{told:?}");
    assert!(told.is_sorted_by_key(|(done, _)| *done));
    let pack = |dir: &Path| -> PathBuf {
        fs::read_dir(dir.join("objects/pack"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|end| end == "pack"))
            .unwrap()
    };
    let users = fs::metadata(pack(&lab.repository.join(".git"))).unwrap();
    let ours = fs::metadata(pack(&checkpoints.store_dir().join("shadow.git"))).unwrap();
    assert_eq!(users.ino(), ours.ino());
}

#[test]
fn nothing_is_left_out_for_its_name() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let base = run.head.clone();
    let names = [
        ".env",
        ".env.local",
        "Cargo.lock",
        "bin/tool",
        "data.csv",
        "dist/app.js",
        "dump.sql",
        "logo.png",
        "out.log",
        "target/x",
        "vendor/lib.php",
        "x.pyc",
        "x.sqlite",
        "x~",
    ];
    for name in names {
        lab.write(name, name);
    }
    let step = run.step();
    assert_eq!(paths(&step), names);
    assert_eq!(step.uncaptured_total, 0);
    run.restore(&base);
    assert!(names.iter().all(|name| !lab.exists(name)));
}

#[test]
fn a_large_file_in_the_way_of_a_restore_is_kept() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let base = run.head.clone();
    lab.remove("a.txt");
    run.step();
    let large: Vec<u8> = (0..11 * 1024 * 1024_u32).map(|n| (n >> 9) as u8).collect();
    lab.write("a.txt", &large);
    let step = run.step();
    assert_eq!(step.uncaptured[0].reason, UncapturedReason::TooLarge);
    let report = run.restore(&base);
    assert_eq!(lab.read("a.txt"), "one\n");
    let reader = CheckpointReader::open(&lab.project, &lab.store).unwrap();
    assert!(reader.file(&report.kept.unwrap(), "a.txt").unwrap() == large);
}

#[test]
fn a_held_file_that_grows_over_the_limit_stays_held() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.write("notes", "small");
    let small = run.step();
    let large = vec![7_u8; 11 * 1024 * 1024];
    lab.write("notes", &large);
    let step = run.step();
    assert_eq!(paths(&step), ["notes"]);
    run.restore(&small.id);
    assert_eq!(lab.read("notes"), "small");
    run.restore(&step.id);
    assert!(fs::read(lab.path("notes")).unwrap() == large);
}

#[test]
fn settings_that_change_how_git_sees_files_change_nothing() {
    for (key, value) in [
        ("core.fileMode", "false"),
        ("core.symlinks", "false"),
        ("core.ignoreCase", "true"),
        ("core.autocrlf", "input"),
        ("core.safecrlf", "true"),
        ("core.eol", "crlf"),
        ("core.quotePath", "false"),
        ("core.preloadIndex", "false"),
        ("core.trustctime", "false"),
        ("core.checkStat", "minimal"),
        ("core.untrackedCache", "true"),
        ("core.compression", "0"),
        ("core.logAllRefUpdates", "always"),
        ("status.showUntrackedFiles", "no"),
        ("gc.auto", "1"),
        ("transfer.fsckObjects", "true"),
    ] {
        let lab = Lab::new();
        lab.git(&["config", key, value]);
        lab.git(&["status"]);
        whole_session(&lab);
    }
}

#[test]
fn names_that_differ_in_case_are_two_files() {
    let lab = Lab::new();
    lab.write("File", "upper\n");
    lab.write("file", "lower\n");
    lab.commit_all("case");
    lab.git(&["config", "core.ignoreCase", "true"]);
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    assert!(!run.begun.base.created);
    lab.sh("rm File; echo 2 > file; echo x > FILE; mkdir SRC; echo y > SRC/lib.py");
    let step = run.step();
    assert_eq!(paths(&step), ["FILE", "File", "SRC/lib.py", "file"]);
    let after = lab.listing();
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    run.restore(&step.id);
    assert_same(&lab.listing(), &after);
}

#[test]
fn a_clone_that_borrows_its_objects_survives_the_lender() {
    let origin = Lab::new();
    let lab = cloned(&origin, &["--shared"]);
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("rm -r src a.txt; echo n > n");
    let step = run.step();
    fs::remove_dir_all(&origin.repository).unwrap();
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    run.restore(&step.id);
    run.checkpoints.put_back(false, &step.id).unwrap();
    assert_same(&lab.listing(), &before);
}

#[test]
fn shallow_and_partial_clones_are_projects() {
    let origin = Lab::new();
    origin.write("old", "gone\n");
    origin.commit_all("two");
    origin.remove("old");
    origin.commit_all("three");
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    whole_session(&cloned(&origin, &["--depth", "1"]));
    whole_session(&cloned(&origin, &["--filter=blob:none"]));
}

#[test]
fn every_form_of_the_index_is_read() {
    let forms: [&[&[&str]]; 4] = [
        &[&["update-index", "--index-version", "4"]],
        &[&["update-index", "--split-index"]],
        &[&["update-index", "--untracked-cache"], &["status"]],
        &[
            &["config", "index.skipHash", "true"],
            &["add", "--renormalize", "."],
        ],
    ];
    for form in forms {
        let lab = Lab::new();
        for arguments in form {
            lab.git(arguments);
        }
        whole_session(&lab);
    }
}

#[test]
fn a_sparse_index_is_read() {
    let lab = Lab::new();
    lab.write("far/away/file", "f\n");
    lab.commit_all("far");
    lab.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "src"]);
    assert!(!lab.exists("far"));
    whole_session(&lab);
}

#[test]
fn formats_that_cannot_be_read_are_refused_by_name() {
    for option in ["--object-format=sha256", "--ref-format=reftable"] {
        let mut lab = Lab::new();
        let dir = lab.temp.path().canonicalize().unwrap().join("other");
        lab.git(&["init", "-q", option, dir.to_str().unwrap()]);
        lab.project.clone_from(&dir);
        lab.write("a.txt", "1\n");
        lab.sh("git add -A && git -c user.name=a -c user.email=a@a commit -qm a");
        let error = match Checkpoints::open(lab.request("abc123")) {
            Ok(_) => panic!("{option}: opened"),
            Err(error) => error.to_app(),
        };
        assert_eq!(error.code, ErrorCode::RepositoryUnusable, "{option}");
        assert!(error.message.contains("format"), "{option}: {error:?}");
        assert!(!error.hint.contains("git fsck"), "{option}: {error:?}");
    }
}

#[test]
fn an_agent_that_makes_a_new_repository_loses_nothing() {
    let lab = Lab::new();
    lab.git(&["branch", "side"]);
    lab.write("a.txt", "dirty\n");
    let (files, git) = (lab.listing(), lab.git_listing());
    let mut run = lab.begin();
    lab.sh("rm -rf .git && git init -q -b fresh && echo 2 > a.txt && git add -A && git -c user.name=a -c user.email=a@a commit -qm fresh");
    let step = run.step();
    assert_eq!(paths(&step), ["a.txt"]);
    run.checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap();
    let report = run.checkpoints.put_back(false, &step.id).unwrap();
    assert!(!report.agent_git.is_empty());
    assert_same(&lab.listing(), &files);
    assert_same(&lab.git_listing(), &git);
    assert_eq!(lab.git(&["rev-parse", "main", "side"]).lines().count(), 2);
    lab.git(&["fsck", "--strict"]);
}
