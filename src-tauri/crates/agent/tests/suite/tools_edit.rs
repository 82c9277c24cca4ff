//! `edit_file`: what it changes, what it leaves alone, and how it helps when it cannot.

use super::tools_desk::Desk;
use espalier_protocol::worker::Touched;
use serde_json::{Value, json};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn edit(path: &str, old: &str, new: &str) -> Value {
    json!({"path": path, "old_string": old, "new_string": new})
}

#[tokio::test]
async fn exactly_one_text_is_replaced_and_shown() {
    let desk = Desk::new();
    desk.write(
        "m.py",
        "import os\n\ndef f(a, b):\n    return a - b\n\nf(1, 2)\n",
    );
    let outcome = desk.run("edit_file", edit("m.py", "a - b", "a + b")).await;
    assert_eq!(
        outcome.content,
        "Edited `m.py`. It now reads:\n     1\timport os\n     2\t\n     3\tdef f(a, b):\n     \
         4\t    return a + b\n     5\t\n     6\tf(1, 2)"
    );
    let paths = vec!["m.py".to_owned()];
    assert_eq!(outcome.touched, Touched::Paths { paths });
    assert_eq!(
        desk.bytes("m.py"),
        b"import os\n\ndef f(a, b):\n    return a + b\n\nf(1, 2)\n"
    );
    assert_eq!(desk.entries(), ["m.py"]);
}

#[tokio::test]
async fn the_other_names_of_the_texts_are_understood() {
    let desk = Desk::new();
    for (old, new) in [
        ("old", "new"),
        ("old_text", "new_text"),
        ("old_str", "new_str"),
    ] {
        desk.write("a.txt", "one");
        desk.ok(
            "edit_file",
            json!({"file_path": "a.txt", old: "one", new: "two"}),
        )
        .await;
        assert_eq!(desk.bytes("a.txt"), b"two");
    }
}

#[tokio::test]
async fn a_text_found_several_times_needs_replace_all() {
    let desk = Desk::new();
    desk.write("a.txt", "x = 1\ny\nx = 1\nx = 1");
    let said = desk
        .fails("edit_file", edit("a.txt", "x = 1", "x = 2\n"))
        .await;
    assert!(
        said.contains("occurs 3 times") && said.contains("lines 1, 3, 4"),
        "{said}"
    );
    assert!(said.contains("replace_all"), "{said}");
    let mut all = edit("a.txt", "x = 1", "x = 2");
    all["replace_all"] = true.into();
    let done = desk.ok("edit_file", all).await;
    assert_eq!(done, "Edited `a.txt`: 3 replacements, at lines 1, 3, 4.");
    assert_eq!(desk.bytes("a.txt"), b"x = 2\ny\nx = 2\nx = 2");
    desk.write("b.txt", "aaa");
    let overlapping = desk.fails("edit_file", edit("b.txt", "aa", "b")).await;
    assert!(overlapping.contains("occurs 2 times"), "{overlapping}");
}

#[tokio::test]
async fn line_ends_survive() {
    let desk = Desk::new();
    desk.write("crlf.txt", "one\r\ntwo\r\nthree\r\nfour");
    desk.ok("edit_file", edit("crlf.txt", "two\nthree\n", "2\n2.5\n3\n"))
        .await;
    assert_eq!(desk.bytes("crlf.txt"), b"one\r\n2\r\n2.5\r\n3\r\nfour");
    desk.ok("edit_file", edit("crlf.txt", "four", "four\nfive"))
        .await;
    assert_eq!(
        desk.bytes("crlf.txt"),
        b"one\r\n2\r\n2.5\r\n3\r\nfour\r\nfive"
    );
    // A model that sends CRLF means the same.
    desk.ok(
        "edit_file",
        edit("crlf.txt", "one\r\n2\r\n", "eins\r\n2\r\n"),
    )
    .await;
    assert_eq!(
        desk.bytes("crlf.txt"),
        b"eins\r\n2\r\n2.5\r\n3\r\nfour\r\nfive"
    );
    desk.write("lf.txt", "one\ntwo\n");
    desk.ok("edit_file", edit("lf.txt", "one\r\ntwo", "1\r\n2"))
        .await;
    assert_eq!(desk.bytes("lf.txt"), b"1\n2\n");
}

#[tokio::test]
async fn mixed_line_ends_stay_mixed_outside_the_change() {
    let desk = Desk::new();
    desk.write("mixed.txt", "a\r\nb\nc\r\nd\ne\rf\n");
    desk.ok(
        "edit_file",
        edit("mixed.txt", "a\nb\nc\nd\n", "a\nb\nC\nd\n"),
    )
    .await;
    assert_eq!(desk.bytes("mixed.txt"), b"a\r\nb\nC\r\nd\ne\rf\n");
    let read = desk.ok("read_file", json!({"path": "mixed.txt"})).await;
    assert!(read.contains("mixed LF and CRLF"), "{read}");
}

#[tokio::test]
async fn the_final_newline_is_neither_added_nor_lost() {
    let desk = Desk::new();
    desk.write("without.txt", "a\nb");
    desk.ok("edit_file", edit("without.txt", "a", "A")).await;
    assert_eq!(desk.bytes("without.txt"), b"A\nb");
    desk.write("with.txt", "a\nb\n");
    desk.ok("edit_file", edit("with.txt", "b", "B")).await;
    assert_eq!(desk.bytes("with.txt"), b"a\nB\n");
}

#[tokio::test]
async fn encodings_and_marks_survive() {
    let desk = Desk::new();
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    desk.write("le.txt", utf16("\u{feff}grüße\r\nzwei\r\n"));
    desk.ok("edit_file", edit("le.txt", "grüße\nzwei", "größe 한\n2"))
        .await;
    assert_eq!(desk.bytes("le.txt"), utf16("\u{feff}größe 한\r\n2\r\n"));
    desk.write("mark.txt", "\u{feff}eins\n");
    desk.ok("edit_file", edit("mark.txt", "eins", "zwei")).await;
    assert_eq!(desk.bytes("mark.txt"), "\u{feff}zwei\n".as_bytes());
    desk.write(
        "latin.txt",
        b"Die Gr\xfc\xdfe der K\xf6nigin sind sch\xf6n.\n",
    );
    desk.ok("edit_file", edit("latin.txt", "schön", "übel"))
        .await;
    assert_eq!(
        desk.bytes("latin.txt"),
        b"Die Gr\xfc\xdfe der K\xf6nigin sind \xfcbel.\n"
    );
    let said = desk
        .fails("edit_file", edit("latin.txt", "übel", "나쁜"))
        .await;
    assert!(
        said.contains("windows-1252") && said.contains('나'),
        "{said}"
    );
    let damaged = b"\xe2\x82\xac \xe2\x82\xac \xe2\x82\xac \xe2\x82\xac \xe2\x82\xac \xff end\n";
    desk.write("damaged.txt", damaged);
    desk.ok("edit_file", edit("damaged.txt", "end", "END"))
        .await;
    let mut expected = damaged.to_vec();
    let at = expected.len() - 4;
    expected[at..at + 3].copy_from_slice(b"END");
    assert_eq!(desk.bytes("damaged.txt"), expected);
}

#[tokio::test]
async fn mode_survives_and_nothing_is_left_beside() {
    let desk = Desk::new();
    desk.write("tool", "#!/bin/sh\necho 1\n");
    std::fs::set_permissions(desk.path("tool"), PermissionsExt::from_mode(0o6755)).unwrap();
    desk.ok("edit_file", edit("tool", "echo 1", "echo 2")).await;
    let mode = std::fs::metadata(desk.path("tool")).unwrap().mode() & 0o7777;
    assert_eq!(mode, 0o6755);
    assert_eq!(desk.entries(), ["tool"]);
}

#[tokio::test]
async fn white_space_that_differs_is_shown() {
    let desk = Desk::new();
    desk.write("a.go", "func f() {\n\tif x {\n\t\treturn 1\n\t}\n}\n");
    let said = desk
        .fails(
            "edit_file",
            edit("a.go", "    if x {\n        return 1\n    }", "\treturn 2"),
        )
        .await;
    assert!(
        said.contains("Lines 2-4 differ from it only in white space"),
        "{said}"
    );
    assert!(said.contains("     3\t\t\treturn 1"), "{said}");
    assert!(
        said.contains("Line 2: the file has `→if x {`, old_string has `····if x {`."),
        "{said}"
    );
}

#[tokio::test]
async fn the_likest_lines_are_shown() {
    let desk = Desk::new();
    let mut text: String = (1..=200)
        .map(|n| format!("value_{n} = compute({n})\n"))
        .collect();
    text.push_str("def total(items):\n    result = 0\n    for i in items:\n        result += i\n");
    desk.write("a.py", text);
    let old = "def total(items):\n    result = 1\n    for i in items:\n        result += i";
    let said = desk.fails("edit_file", edit("a.py", old, "pass")).await;
    assert!(said.contains("The likest are lines 201-204"), "{said}");
    assert!(
        said.contains("Line 202: the file has `    result = 0`, old_string has `    result = 1`."),
        "{said}"
    );
    let said = desk
        .fails("edit_file", edit("a.py", "nothing like this at all!", ""))
        .await;
    assert!(
        said.contains("Nothing in the file is much like it"),
        "{said}"
    );
}

#[tokio::test]
async fn usual_slips_are_recognised() {
    let desk = Desk::new();
    desk.write("a.py", "print(\"a\")\nx = 'it’s'\n");
    for (old, hint) in [
        ("     1\tprint(\"a\")", "line numbers"),
        ("     1\tprint(\"a\")\n     2\tx = 'it’s'", "line numbers"),
        ("print(\\\"a\\\")", "escapes"),
        ("print(\"a\")\\nx", "escapes"),
        ("\n\nprint(\"a\")", "newlines at its beginning or end"),
        ("x = 'it's'", "of another kind in the file, at line 2"),
    ] {
        let said = desk.fails("edit_file", edit("a.py", old, "y")).await;
        assert!(said.contains(hint), "{old:?}: {said}");
    }
    let again = desk
        .fails("edit_file", edit("a.py", "print('b')", "print(\"a\")"))
        .await;
    assert!(again.contains("already in the file, at line 1"), "{again}");
}

#[tokio::test]
async fn what_cannot_be_edited_is_explained() {
    let desk = Desk::new();
    desk.write("a.txt", "a\r\n");
    desk.write("image.png", b"\x89PNG\r\n\x1a\n\0\0");
    desk.write("locked.txt", "a");
    std::fs::set_permissions(desk.path("locked.txt"), PermissionsExt::from_mode(0o444)).unwrap();
    std::fs::create_dir(desk.path("dir")).unwrap();
    for (input, hint) in [
        (edit("a.txt", "a", "a"), "are the same"),
        (edit("a.txt", "a\r\n", "a\n"), "only in their line ends"),
        (edit("a.txt", "", "x"), "use write_file"),
        (edit("new.txt", "", "x"), "To create a file use write_file"),
        (edit("a.tx", "a", "x"), "Did you mean `a.txt`?"),
        (edit("image.png", "a", "b"), "not text (PNG image)"),
        (edit("locked.txt", "a", "b"), "read-only"),
        (edit("dir", "a", "b"), "is a directory"),
    ] {
        let said = desk.fails("edit_file", input.clone()).await;
        assert!(said.contains(hint), "{input}: {said}");
    }
    assert_eq!(desk.bytes("locked.txt"), b"a");
}
