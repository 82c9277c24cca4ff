//! Repositories to measure on: files of 2 KB, 45 to a directory, packed.

use std::path::Path;
use std::process::Command;

/// Makes a committed repository of that many files.
pub fn make(folder: &Path, files: usize) {
    for number in 0..files {
        let path = folder.join(name(number));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let line = format!("line of file {number}\n");
        std::fs::write(path, line.repeat(2048 / line.len())).unwrap();
    }
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["config", "user.name", "Bench"]);
    git(folder, &["config", "user.email", "bench@example.org"]);
    git(folder, &["config", "gc.auto", "0"]);
    commit_all(folder);
    git(folder, &["repack", "-adq"]);
}

fn name(number: usize) -> String {
    let leaf = number / 45;
    format!(
        "top{}/mid{}/dir{}/file{number}.txt",
        leaf / 25,
        leaf / 5 % 5,
        leaf % 5
    )
}

/// A spread of file names that exist in such a repository.
pub fn some_files(folder: &Path) -> Vec<String> {
    let files = (0..).take_while(|number| folder.join(name(*number)).exists());
    files.step_by(10).map(name).collect()
}

/// The baseline: everything that changed, in one commit.
pub fn commit_all(folder: &Path) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "edit"]);
}

fn git(folder: &Path, args: &[&str]) {
    let status = Command::new("git")
        .args(args)
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(status.success(), "git {args:?}");
}
