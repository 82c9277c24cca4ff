//! Projects with so many directories and files that they are looked at and written side by side.

use super::lab::{Lab, assert_same, paths};
use espalier_checkpoint::Dirty;

const DIRS: usize = 150;

/// Three files in each of many directories.
fn many() -> Lab {
    let lab = Lab::new();
    for dir in 0..DIRS {
        for file in ["a", "b", "c"] {
            lab.write(
                &format!("many/d{dir}/{file}.txt"),
                format!("{dir} {file}\n"),
            );
        }
    }
    lab.commit_all("many");
    lab
}

#[test]
fn a_full_comparison_finds_every_change_wherever_it_is() {
    let lab = many();
    let mut run = lab.begin();
    let mut expected = Vec::new();
    for dir in (0..DIRS).step_by(7) {
        lab.write(&format!("many/d{dir}/b.txt"), "changed\n");
        lab.write(&format!("many/d{dir}/new.txt"), "new\n");
        lab.remove(&format!("many/d{dir}/c.txt"));
        for name in ["b", "c", "new"] {
            expected.push(format!("many/d{dir}/{name}.txt"));
        }
    }
    // A directory that was looked at before is now another one, and one leads elsewhere.
    lab.sh("rm -r many/d1 && mkdir many/d1 && echo other > many/d1/a.txt");
    lab.sh("mkdir ../outside && echo secret > ../outside/a.txt && rm -r many/d2 && ln -s ../../outside many/d2");
    for name in ["a", "b", "c"] {
        expected.push(format!("many/d1/{name}.txt"));
        expected.push(format!("many/d2/{name}.txt"));
    }
    expected.push("many/d2".to_owned());
    let checkpoint = run.step_of(Dirty::FullScan);
    assert!(checkpoint.full_scan);
    expected.sort();
    let mut found = paths(&checkpoint);
    found.sort_unstable();
    assert_eq!(found, expected);
    lab.git(&["add", "-A"]);
    assert_eq!(checkpoint.tree, lab.git(&["write-tree"]));
    // With nothing changed since, it is the same.
    assert!(!run.step_of(Dirty::FullScan).created);
}

#[test]
fn a_restore_of_many_files_is_exact() {
    let lab = many();
    let mut run = lab.begin();
    let start = run.head.clone();
    let before = lab.listing();
    for dir in 0..DIRS {
        lab.write(&format!("many/d{dir}/a.txt"), format!("changed {dir}\n"));
        lab.write(&format!("many/d{dir}/new.txt"), "new\n");
        lab.remove(&format!("many/d{dir}/b.txt"));
    }
    lab.chmod("many/d3/a.txt", 0o600);
    lab.chmod("many/d4/a.txt", 0o755);
    lab.write("large.bin", vec![7; 700_000]);
    lab.sh("ln -s d3 many/link && chmod 0555 many/d5");
    run.step();
    let after = lab.listing();
    let end = run.head.clone();
    let report = run.restore(&start);
    assert!(report.left_alone.is_empty(), "{:?}", report.left_alone);
    assert_same(&lab.listing(), &before);
    let report = run.restore(&end);
    assert!(report.left_alone.is_empty(), "{:?}", report.left_alone);
    assert_same(&lab.listing(), &after);
}
