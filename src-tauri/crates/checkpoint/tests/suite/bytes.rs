//! Bytes, modes, links, names: what comes back is what was there.

use super::lab::{Lab, assert_same, paths};
use espalier_protocol::ChangeKind;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};

/// Changes everything, goes back to the start, forward again, and compares every byte and mode.
fn there_and_back(lab: &Lab, change: &str) {
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh(change);
    let step = run.step();
    let after = lab.listing();
    let report = run.restore(&base);
    assert!(report.left_alone.is_empty(), "{report:?}");
    assert_same(&lab.listing(), &before);
    let report = run.restore(&step.id);
    assert!(report.left_alone.is_empty(), "{report:?}");
    assert_same(&lab.listing(), &after);
}

#[test]
fn line_endings_survive_autocrlf() {
    let lab = Lab::new();
    lab.git(&["config", "core.autocrlf", "true"]);
    lab.write("unix.txt", "a\nb\n");
    lab.write("dos.txt", "a\r\nb\r\n");
    lab.write("mixed.txt", "a\r\nb\nc\r\n");
    lab.commit_all("endings");
    there_and_back(
        &lab,
        "printf 'x\\ny\\r\\n' > mixed.txt; rm dos.txt; printf 'z\\r\\n' > unix.txt",
    );
}

#[test]
fn attributes_convert_nothing() {
    let lab = Lab::new();
    lab.write(
        ".gitattributes",
        "*.txt text eol=crlf\n*.id ident\n*.u16 working-tree-encoding=UTF-16 text\n*.bin filter=lfs diff=lfs -text\n",
    );
    lab.git(&["config", "filter.lfs.clean", "cat"]);
    lab.write("w.txt", "a\r\nb\r\n");
    lab.write("k.id", "$Id$ keyword\n");
    lab.write("u.u16", b"\xff\xfea\x00\n\x00");
    lab.write("l.bin", vec![7_u8; 5000]);
    lab.commit_all("attributes");
    // From now on the filter is required and missing: git itself could not even read the file.
    lab.git(&["config", "filter.lfs.required", "true"]);
    lab.git(&["config", "filter.lfs.clean", "no-such-filter"]);
    lab.git(&["config", "filter.lfs.smudge", "no-such-filter"]);
    lab.sh("rm k.id && printf '$Id: 1234$ keyword\\n' > k.id");
    there_and_back(
        &lab,
        "echo 1 > l.bin; printf 'a\\nb\\n' > w.txt; echo '$Id$' > k.id; rm u.u16",
    );
}

#[test]
fn a_filter_is_never_run() {
    let lab = Lab::new();
    lab.write(".gitattributes", "*.x filter=spy\n");
    lab.write("f.x", "content\n");
    lab.commit_all("filter");
    lab.git(&["config", "filter.spy.clean", "touch ../ran; cat"]);
    lab.git(&["config", "filter.spy.smudge", "touch ../ran; cat"]);
    lab.sh("touch f.x");
    there_and_back(&lab, "echo other > f.x");
    assert!(!lab.temp.path().join("ran").exists());
}

#[test]
fn modes_come_back_whole() {
    let lab = Lab::new();
    lab.write("secret", "key\n");
    lab.chmod("secret", 0o600);
    lab.write("tool", "#!/bin/sh\n");
    lab.chmod("tool", 0o750);
    lab.write("group", "g\n");
    lab.chmod("group", 0o664);
    lab.write("closed/file", "x\n");
    lab.chmod("closed", 0o700);
    lab.commit_all("modes");
    there_and_back(
        &lab,
        "chmod 644 secret; rm tool; chmod 4755 group; rm -r closed; mkdir closed; echo y > closed/other; chmod 2770 closed",
    );
}

#[test]
fn a_mode_alone_is_a_change_and_leaves_the_content() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.chmod("a.txt", 0o600);
    let modified = fs::metadata(lab.path("a.txt")).unwrap().mtime_nsec();
    let step = run.step();
    assert_eq!(step.changes[0].kind, ChangeKind::ModeChanged);
    assert_eq!(step.changes[0].new.as_ref().unwrap().mode, 0o100_600);
    run.restore(&run.begun.base.id.clone());
    let meta = fs::metadata(lab.path("a.txt")).unwrap();
    assert_eq!((meta.mode(), meta.mtime_nsec()), (0o100_644, modified));
}

#[test]
fn empty_directories_come_and_go() {
    let lab = Lab::new();
    lab.sh("mkdir -p hollow/inner");
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    assert_eq!(base.as_str(), lab.git(&["rev-parse", "HEAD"]));
    lab.sh("rmdir hollow/inner hollow && mkdir -p x/y/z && chmod 711 x/y");
    let step = run.step();
    assert_eq!(
        paths(&step),
        ["hollow/", "hollow/inner/", "x/", "x/y/", "x/y/z/"]
    );
    let after = lab.listing();
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    run.restore(&step.id);
    assert_same(&lab.listing(), &after);
}

#[test]
fn links_are_kept_as_links() {
    let lab = Lab::new();
    symlink("src", lab.path("dir-link")).unwrap();
    symlink("no/where", lab.path("dangling")).unwrap();
    symlink("/etc", lab.path("outside")).unwrap();
    lab.commit_all("links");
    there_and_back(
        &lab,
        "rm dangling && echo file > dangling; ln -sfn a.txt dir-link; rm a.txt && ln -s src a.txt; rm outside && mkdir outside && echo 1 > outside/f",
    );
}

#[test]
fn a_directory_that_became_a_link_is_not_followed() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    let outside = lab.temp.path().join("outside");
    fs::create_dir_all(outside.join("deep")).unwrap();
    fs::write(outside.join("lib.py"), "precious\n").unwrap();
    fs::write(outside.join("deep/x.py"), "precious\n").unwrap();
    lab.sh("rm -r src && ln -s ../outside src");
    let step = run.step();
    assert_eq!(paths(&step), ["src", "src/deep/x.py", "src/lib.py"]);
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    assert_eq!(fs::read(outside.join("lib.py")).unwrap(), b"precious\n");
    // And when it happens after the plan was made: what cannot be reached without a link stays.
    let plan = run.checkpoints.plan_restore(&run.head, &step.id).unwrap();
    lab.sh("rm -r src && ln -s ../outside src");
    run.checkpoints.restore(&plan).unwrap();
    assert_eq!(fs::read(outside.join("lib.py")).unwrap(), b"precious\n");
    assert_eq!(fs::read(outside.join("deep/x.py")).unwrap(), b"precious\n");
}

#[test]
fn names_are_bytes() {
    let lab = Lab::new();
    let names: [&[u8]; 9] = [
        b"with space",
        b"new\nline",
        b"tab\there",
        b"not-utf8-\xff\xfe",
        b"back\\slash",
        "e\u{301}.txt".as_bytes(),
        "\u{e9}.txt".as_bytes(),
        b"File",
        b"file",
    ];
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    fs::create_dir(lab.path("odd")).unwrap();
    for name in names {
        fs::write(lab.path("odd").join(OsStr::from_bytes(name)), name).unwrap();
    }
    let step = run.step();
    assert_eq!(step.changes.len(), names.len());
    assert!(paths(&step).contains(&"odd/not-utf8-\\xff\\xfe"));
    assert!(paths(&step).contains(&"odd/back\\x5cslash"));
    lab.git(&["add", "-A"]);
    assert_eq!(step.tree, lab.git(&["write-tree"]));
    let after = lab.listing();
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    run.restore(&step.id);
    assert_same(&lab.listing(), &after);
}

#[test]
fn files_and_directories_change_places() {
    let lab = Lab::new();
    there_and_back(
        &lab,
        "rm a.txt && mkdir -p a.txt/b && echo 1 > a.txt/b/c; rm -r src && echo file > src",
    );
}

#[test]
fn untouched_files_keep_their_time() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let base = run.head.clone();
    let times = || {
        ["src/lib.py", "src/deep/x.py"].map(|path| {
            let meta = fs::metadata(lab.path(path)).unwrap();
            (
                meta.mtime(),
                meta.mtime_nsec(),
                meta.ctime_nsec(),
                meta.ino(),
            )
        })
    };
    let before = times();
    lab.write("a.txt", "two\n");
    run.step();
    run.restore(&base);
    assert_eq!(times(), before);
}

#[test]
fn binary_and_large_tracked_files_come_back() {
    let lab = Lab::new();
    let big: Vec<u8> = (0..12_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    lab.write("big.bin", &big);
    lab.commit_all("big");
    there_and_back(
        &lab,
        "printf 'tail' >> big.bin; printf '\\000\\001' > a.txt",
    );
}
