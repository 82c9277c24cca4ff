//! Shell commands: the barrier after them, whether anything is missed, and space on disk.

use crate::repository;
use crate::sides::{begin, take};
use espalier_checkpoint::Dirty;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Microseconds.
pub struct Barrier {
    pub p50: f64,
    pub p95: f64,
}

/// From the end of a command that changed a file to knowing all that it changed.
pub fn barrier() -> Barrier {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    repository::make(&project, 20_000);
    let (mut checkpoints, mut head) = begin(&project, &folder.path().join("store"));
    let mut samples = Vec::new();
    for number in 0..500 {
        shell(&project, &format!("echo {number} > top0/mid0/dir0/new.txt"));
        let start = Instant::now();
        checkpoints.mark().unwrap();
        samples.push(start.elapsed().as_secs_f64() * 1e6);
        head = take(&mut checkpoints, &head, Dirty::Watched).id;
    }
    samples.sort_by(f64::total_cmp);
    Barrier {
        p50: samples[samples.len() / 2],
        p95: samples[samples.len() * 95 / 100],
    }
}

/// Files that a full comparison finds after checkpoints that trusted the watch.
pub fn missed(commands: u64) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    repository::make(&project, 300);
    let (mut checkpoints, mut head) = begin(&project, &folder.path().join("store"));
    let mut random = Random(0x5eed);
    let mut missed = 0;
    for number in 1..=commands {
        shell(&project, &command(&mut random));
        head = take(&mut checkpoints, &head, Dirty::Watched).id;
        if number % 20 == 0 {
            let all = take(&mut checkpoints, &head, Dirty::FullScan);
            if all.created {
                missed += 1;
                head = all.id;
            }
        }
    }
    missed
}

/// What the store holds more after so many checkpoints of one edit, packed.
pub fn packed_bytes(count: u64) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    repository::make(&project, 1_000);
    let store = folder.path().join("store");
    let files = repository::some_files(&project);
    let (mut checkpoints, mut head) = begin(&project, &store);
    checkpoints.pack().unwrap();
    let before = used(&store);
    for number in 0..count {
        let file = &files[number as usize % files.len()];
        let path = project.join(file);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.truncate(1_900);
        text.push_str(&format!("edit {number}\n"));
        std::fs::write(path, text).unwrap();
        head = take(&mut checkpoints, &head, Dirty::Paths(vec![file.clone()])).id;
    }
    checkpoints.pack().unwrap();
    used(&store) - before
}

fn used(folder: &Path) -> u64 {
    let output = Command::new("du")
        .args(["-s", "--block-size=1"])
        .arg(folder)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    told.split_whitespace().next().unwrap().parse().unwrap()
}

fn shell(project: &Path, command: &str) {
    // A random command may fail: a directory that is not there any more.
    let ran = Command::new("sh")
        .args(["-c", command])
        .current_dir(project)
        .stderr(std::process::Stdio::null())
        .status();
    ran.unwrap();
}

/// A command of the kinds agents use.
fn command(random: &mut Random) -> String {
    let dir = format!("d{}", random.below(6));
    let other = format!("d{}", random.below(6));
    let file = format!("f{}", random.below(8));
    match random.below(14) {
        0 => format!("mkdir -p {dir}/deep/er && echo {file} > {dir}/deep/er/{file}"),
        1 => format!("mkdir -p {dir} && for i in 1 2 3 4 5; do echo $i > {dir}/{file}$i; done"),
        2 => format!("rm -rf {dir}"),
        3 => format!("mv {dir} {other}"),
        // Never into itself or a copy: that would double with every command.
        4 => format!("rm -rf copy && cp -r {dir} copy"),
        5 => format!("mkdir -p {dir} && ln -sf ../{other} {dir}/{file}"),
        6 => format!("chmod +x {dir}/{file}1"),
        7 => format!("rm -f {dir}/{file}*; rmdir {dir}"),
        8 => format!("(mkdir -p {dir}/bg && echo x > {dir}/bg/{file}) & wait"),
        9 => format!("echo more >> {dir}/{file}2"),
        10 => format!("rm -rf {dir} && echo file > {dir}"),
        11 => format!("rm -f {dir}; mkdir -p {dir}/{file} && touch {dir}/{file}/empty"),
        12 => "sed -i s/line/LINE/ top0/mid0/dir0/file1.txt".to_owned(),
        _ => format!("mkdir -p tmp.{file} && echo x > tmp.{file}/x && mv tmp.{file} {dir}"),
    }
}

/// A small generator: the same commands in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
