//! `glob` and `grep`.

use super::tools_desk::Desk;
use serde_json::json;
use std::fs::FileTimes;
use std::time::{Duration, SystemTime};

/// A small project with ignored, hidden and binary files.
fn desk() -> Desk {
    let desk = Desk::new();
    for (age, (name, content)) in [
        ("src/main.rs", "fn main() {\n    parse();\n}\n"),
        (
            "src/parse.rs",
            "pub fn parse() {}\n\n// Parse later\nfn other() {}\nfn third() {}\n",
        ),
        ("tests/all.rs", "mod parse;\n"),
        (".github/ci.yml", "on: push\n"),
        (".gitignore", "target/\n*.log\n"),
        ("target/debug/parse.rs", "fn parse() {}\n"),
        ("run.log", "parse\n"),
        (".git/parse.rs", "fn parse() {}\n"),
        ("blob.bin", "parse\0parse\n"),
    ]
    .into_iter()
    .enumerate()
    {
        desk.write(name, content);
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age as u64);
        let file = std::fs::File::options()
            .write(true)
            .open(desk.path(name))
            .unwrap();
        file.set_times(FileTimes::new().set_modified(changed))
            .unwrap();
    }
    desk
}

#[tokio::test]
async fn files_come_newest_first_without_ignored_ones() {
    let desk = desk();
    let all = desk.ok("glob", json!({"pattern": "**/*.rs"})).await;
    assert_eq!(all, "src/main.rs\nsrc/parse.rs\ntests/all.rs");
    let newer = std::fs::File::options()
        .write(true)
        .open(desk.path("tests/all.rs"))
        .unwrap();
    newer
        .set_times(FileTimes::new().set_modified(SystemTime::now()))
        .unwrap();
    let all = desk.ok("glob", json!({"pattern": "*.rs"})).await;
    assert_eq!(all, "tests/all.rs\nsrc/main.rs\nsrc/parse.rs");
    let hidden = desk.ok("glob", json!({"pattern": "**/*.{yml,yaml}"})).await;
    assert_eq!(hidden, ".github/ci.yml");
    let within = desk
        .ok("glob", json!({"pattern": "*.rs", "path": "src"}))
        .await;
    assert_eq!(within, "src/main.rs\nsrc/parse.rs");
    let folder = desk.ok("glob", json!({"pattern": "./src/"})).await;
    assert_eq!(folder, "src/main.rs\nsrc/parse.rs");
    let one_level = desk.ok("glob", json!({"pattern": "src/*"})).await;
    assert_eq!(one_level, "src/main.rs\nsrc/parse.rs");
}

#[tokio::test]
async fn no_file_found_is_no_error_and_names_ignored_ones() {
    let desk = desk();
    let none = desk.ok("glob", json!({"pattern": "**/*.zig"})).await;
    assert_eq!(none, "No files in the project match `**/*.zig`.");
    let ignored = desk.ok("glob", json!({"pattern": "*.log"})).await;
    assert!(ignored.contains("leaves out: run.log"), "{ignored}");
    let within = desk
        .ok("glob", json!({"pattern": "*.rs", "path": "target"}))
        .await;
    assert_eq!(within, "target/debug/parse.rs");
}

#[tokio::test]
async fn many_files_are_counted() {
    let desk = Desk::new();
    for number in 0..250 {
        desk.write(&format!("f{number:03}.txt"), "");
    }
    let text = desk.ok("glob", json!({"pattern": "*"})).await;
    assert_eq!(text.lines().count(), 201);
    assert!(
        text.contains("200 most recently changed of 250 files"),
        "{text}"
    );
}

#[tokio::test]
async fn a_wrong_pattern_is_explained() {
    let desk = desk();
    let said = desk.fails("glob", json!({"pattern": "src/[a"})).await;
    assert!(said.contains("not a pattern"), "{said}");
    let up = desk.fails("glob", json!({"pattern": "../*"})).await;
    assert!(up.contains("leads upwards"), "{up}");
    let out = desk.fails("glob", json!({"pattern": "/etc/*"})).await;
    assert!(out.contains("outside the project"), "{out}");
    let missing = desk
        .fails("glob", json!({"pattern": "*", "path": "scr"}))
        .await;
    assert!(missing.contains("does not exist"), "{missing}");
}

#[tokio::test]
async fn lines_come_with_path_and_number() {
    let desk = desk();
    let text = desk.ok("grep", json!({"pattern": "fn \\w+\\("})).await;
    assert_eq!(
        text,
        "src/main.rs:1:fn main() {\nsrc/parse.rs:1:pub fn parse() {}\nsrc/parse.rs:4:fn other() \
         {}\nsrc/parse.rs:5:fn third() {}\n"
    );
    let insensitive = json!({"pattern": "PARSE", "case_insensitive": true, "glob": "src/*.rs"});
    let text = desk.ok("grep", insensitive).await;
    assert_eq!(
        text,
        "src/main.rs:2:    parse();\nsrc/parse.rs:1:pub fn parse() {}\nsrc/parse.rs:3:// Parse later\n"
    );
    let one_file = desk
        .ok("grep", json!({"pattern": "main", "path": "src/main.rs"}))
        .await;
    assert_eq!(one_file, "src/main.rs:1:fn main() {\n");
    let ignored = desk
        .ok("grep", json!({"pattern": "parse", "path": "run.log"}))
        .await;
    assert_eq!(ignored, "run.log:1:parse\n");
}

#[tokio::test]
async fn context_files_and_counts() {
    let desk = desk();
    let context = desk
        .ok(
            "grep",
            json!({"pattern": "parse|other", "path": "src", "context": 1}),
        )
        .await;
    assert_eq!(
        context,
        "src/main.rs-1-fn main() {\nsrc/main.rs:2:    parse();\nsrc/main.rs-3-}\n\
         --\nsrc/parse.rs:1:pub fn parse() {}\nsrc/parse.rs-2-\nsrc/parse.rs-3-// Parse later\n\
         src/parse.rs:4:fn other() {}\nsrc/parse.rs-5-fn third() {}\n"
    );
    let files = desk
        .ok(
            "grep",
            json!({"pattern": "parse", "output_mode": "files_with_matches"}),
        )
        .await;
    assert_eq!(files, "src/main.rs\nsrc/parse.rs\ntests/all.rs\n");
    let count = desk
        .ok("grep", json!({"pattern": "fn", "output_mode": "count"}))
        .await;
    assert_eq!(
        count,
        "src/main.rs:1\nsrc/parse.rs:3\n[4 matching lines in 2 files]\n"
    );
}

#[tokio::test]
async fn no_match_is_no_error_and_a_wrong_expression_is_explained() {
    let desk = desk();
    let none = desk.ok("grep", json!({"pattern": "quux"})).await;
    assert!(
        none.starts_with("No line matches `quux` in the project (6 files"),
        "{none}"
    );
    let wrong = desk.fails("grep", json!({"pattern": "parse("})).await;
    assert!(
        wrong.contains("unclosed group") && wrong.contains("backslash"),
        "{wrong}"
    );
    let around = desk.fails("grep", json!({"pattern": "(?=x)"})).await;
    assert!(around.contains("Look-around"), "{around}");
    let lines = desk.fails("grep", json!({"pattern": "a\\nb"})).await;
    assert!(lines.contains("line by line"), "{lines}");
}

#[tokio::test]
async fn results_are_capped() {
    let desk = Desk::new();
    desk.write("many.txt", "hit\n".repeat(1000));
    desk.write("wide.txt", format!("{}needle\n", "x".repeat(4000)));
    let text = desk.ok("grep", json!({"pattern": "hit"})).await;
    assert_eq!(text.lines().count(), 101);
    assert!(
        text.contains("Stopped after 100 matching lines in 1 file;"),
        "{text}"
    );
    let text = desk.ok("grep", json!({"pattern": "hit", "limit": 2})).await;
    assert_eq!(text.lines().count(), 3);
    let wide = desk.ok("grep", json!({"pattern": "needle"})).await;
    assert!(
        wide.len() < 1000 && wide.contains("more characters]"),
        "{wide}"
    );
    let exact = desk
        .ok("grep", json!({"pattern": "hit", "limit": 1000}))
        .await;
    assert!(!exact.contains("Stopped"));
}

#[tokio::test]
async fn crlf_utf16_and_latin_files_are_searched() {
    let desk = Desk::new();
    desk.write("crlf.txt", "first\r\nsecond\r\n");
    let units = "\u{feff}erste\nzweite\n".encode_utf16();
    desk.write(
        "wide.txt",
        units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
    );
    desk.write("latin.txt", b"K\xf6nigin drei\n");
    let text = desk
        .ok("grep", json!({"pattern": "second$|zweite|drei"}))
        .await;
    assert_eq!(
        text,
        "crlf.txt:2:second\nlatin.txt:1:K\u{fffd}nigin drei\nwide.txt:2:zweite\n"
    );
}
