//! `read_file`.

use super::tools_desk::Desk;
use serde_json::json;
use std::fmt::Write as _;

#[tokio::test]
async fn lines_come_with_their_numbers() {
    let desk = Desk::new();
    desk.write("src/a.py", "def f():\n\treturn 1\n\nlast without newline");
    let text = desk.ok("read_file", json!({"path": "src/a.py"})).await;
    assert_eq!(
        text,
        "     1\tdef f():\n     2\t\treturn 1\n     3\t\n     4\tlast without newline\n"
    );
}

#[tokio::test]
async fn a_part_says_how_to_read_on() {
    let desk = Desk::new();
    let lines: String = (1..=10).map(|n| format!("line {n}\n")).collect();
    desk.write("a.txt", lines);
    let text = desk
        .ok(
            "read_file",
            json!({"path": "a.txt", "offset": 3, "limit": 2}),
        )
        .await;
    assert_eq!(
        text,
        "     3\tline 3\n     4\tline 4\n[Lines 3-4 of 10. Read on with offset 5.]\n"
    );
    let rest = desk
        .ok("read_file", json!({"path": "a.txt", "offset": 9}))
        .await;
    assert_eq!(rest, "     9\tline 9\n    10\tline 10\n");
    let past = desk
        .fails("read_file", json!({"path": "a.txt", "offset": 11}))
        .await;
    assert!(
        past.contains("10 lines") && past.contains("no line 11"),
        "{past}"
    );
}

#[tokio::test]
async fn long_files_come_in_portions_that_join_up() {
    let desk = Desk::new();
    let mut content = String::new();
    for number in 1..=5000 {
        writeln!(content, "{number} {}", "x".repeat(number % 90)).unwrap();
    }
    desk.write("long.txt", &content);
    let mut read = String::new();
    let mut offset = 1;
    loop {
        let text = desk
            .ok("read_file", json!({"path": "long.txt", "offset": offset}))
            .await;
        for line in text.lines().filter(|line| !line.starts_with('[')) {
            read.push_str(line.split_once('\t').unwrap().1);
            read.push('\n');
        }
        let Some((_, next)) = text.split_once("Read on with offset ") else {
            break;
        };
        offset = next.trim_end_matches(".]\n").parse().unwrap();
    }
    assert_eq!(read, content);
}

#[tokio::test]
async fn a_very_long_line_is_clipped_with_a_note() {
    let desk = Desk::new();
    desk.write("min.js", format!("{}\nshort\n", "é".repeat(5000)));
    let text = desk.ok("read_file", json!({"path": "min.js"})).await;
    let first = text.lines().next().unwrap();
    assert_eq!(first.matches('é').count(), 2000);
    assert!(first.ends_with("[… 3,000 more characters]"), "{first}");
    assert!(text.contains("     2\tshort\n"));
}

#[tokio::test]
async fn a_huge_single_line_is_read_in_flat_memory() {
    let desk = Desk::new();
    desk.write("one_line.json", vec![b'7'; 20_000_000]);
    let text = desk.ok("read_file", json!({"path": "one_line.json"})).await;
    assert!(text.contains("[… 19,998,000 more characters]"));
    assert!(text.len() < 10_000);
}

#[tokio::test]
async fn binary_files_are_named_as_such() {
    let desk = Desk::new();
    desk.write("logo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    desk.write("data.bin", [0_u8, 1, 2, 3]);
    desk.write("notes.txt", "PK is not always an archive\n");
    let image = desk.ok("read_file", json!({"path": "logo.png"})).await;
    assert!(image.contains("PNG image, 16 bytes"), "{image}");
    let data = desk.ok("read_file", json!({"path": "data.bin"})).await;
    assert!(data.contains("binary, 4 bytes"), "{data}");
    let text = desk.ok("read_file", json!({"path": "notes.txt"})).await;
    assert!(text.contains("not always"), "{text}");
}

#[tokio::test]
async fn every_encoding_is_shown_as_text() {
    let desk = Desk::new();
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units
            .flat_map(|unit: u16| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    desk.write("le.txt", utf16("grüße\r\nzwei\r\n", false));
    desk.write("be.txt", utf16("grüße\n", true));
    desk.write("mark.txt", "\u{feff}grüße\n");
    desk.write(
        "latin.txt",
        b"Die Gr\xfc\xdfe der K\xf6nigin sind sch\xf6n.\n",
    );
    desk.write("short_latin.txt", b"caf\xe9");
    desk.write(
        "damaged.txt",
        b"ok \xe2\x82\xac \xe2\x82\xac \xe2\x82\xac \xe2\x82\xac \xe2\x82\xac \xff end\n",
    );
    let (korean, _, _) =
        encoding_rs::EUC_KR.encode("안녕하세요. 이것은 한국어로 쓰인 문장입니다.\n");
    desk.write("korean.txt", &*korean);
    for (file, shown, note) in [
        (
            "le.txt",
            "     1\tgrüße\n     2\tzwei\n",
            "UTF-16LE with byte order mark, CRLF line ends",
        ),
        ("be.txt", "     1\tgrüße\n", "UTF-16BE with byte order mark"),
        ("mark.txt", "     1\tgrüße\n", "UTF-8 with byte order mark"),
        (
            "latin.txt",
            "Die Grüße der Königin sind schön.\n",
            "windows-1252",
        ),
        ("short_latin.txt", "     1\tcafé\n", "windows-1252"),
        ("damaged.txt", "ok € € € € € \u{fffd} end\n", ""),
        (
            "korean.txt",
            "안녕하세요. 이것은 한국어로 쓰인 문장입니다.\n",
            "EUC-KR",
        ),
    ] {
        let text = desk.ok("read_file", json!({"path": file})).await;
        assert!(text.contains(shown), "{file}: {text}");
        assert!(text.contains(note), "{file}: {text}");
    }
}

#[tokio::test]
async fn directories_are_listed_and_empty_things_named() {
    let desk = Desk::new();
    desk.write("src/b.rs", "");
    desk.write("src/sub/c.rs", "");
    std::fs::create_dir(desk.path("void")).unwrap();
    let list = desk.ok("read_file", json!({"path": "src"})).await;
    assert_eq!(list, "Entries of the directory `src`:\nb.rs\nsub/\n");
    let root = desk.ok("read_file", json!({"path": "."})).await;
    assert!(root.contains("src/\nvoid/\n"), "{root}");
    let empty = desk.ok("read_file", json!({"path": "src/b.rs"})).await;
    assert_eq!(empty, "`src/b.rs` is empty.");
    let void = desk.ok("read_file", json!({"path": "void"})).await;
    assert_eq!(void, "`void` is an empty directory.");
}

#[tokio::test]
async fn a_missing_file_is_answered_with_the_nearest() {
    let desk = Desk::new();
    desk.write("src/parser.py", "");
    desk.write("tests/test_parser.py", "");
    desk.write("node_modules/parser.py", "");
    desk.write(".gitignore", "node_modules/\n");
    let typo = desk
        .fails("read_file", json!({"path": "src/praser.py"}))
        .await;
    assert_eq!(
        typo,
        "`src/praser.py` does not exist. Did you mean `src/parser.py`?"
    );
    let elsewhere = desk
        .fails("read_file", json!({"path": "lib/parser.py"}))
        .await;
    assert!(elsewhere.contains("`src/parser.py`"), "{elsewhere}");
    let nothing = desk.fails("read_file", json!({"path": "quux.zig"})).await;
    assert!(
        nothing.contains("does not exist") && nothing.contains("**/*quux*"),
        "{nothing}"
    );
}

#[tokio::test]
async fn a_pipe_or_socket_is_refused_at_once() {
    let desk = Desk::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        desk.path("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(desk.path("socket")).unwrap();
    let pipe = desk.fails("read_file", json!({"path": "pipe"})).await;
    assert!(pipe.contains("named pipe"), "{pipe}");
    let socket = desk.fails("read_file", json!({"path": "socket"})).await;
    assert!(socket.contains("socket"), "{socket}");
    let edit = json!({"path": "pipe", "old_string": "a", "new_string": "b"});
    assert!(desk.fails("edit_file", edit).await.contains("named pipe"));
    let write = json!({"path": "pipe", "content": "b"});
    assert!(desk.fails("write_file", write).await.contains("named pipe"));
}
