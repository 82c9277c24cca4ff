//! A text's size does not matter for memory.

use espalier_store::Store;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use tempfile::tempdir;

const FOLDER: &str = "ESPALIER_STORE_TEST_MEMORY";
const SIZE: u64 = 200 << 20;
/// Pieces on their way, SQLite's cache, zstd's tables: a small part of the text.
const ALLOWED_KB: u64 = 40 << 10;

/// Runs alone in its process, so that nobody else's memory is counted.
#[tokio::test]
async fn process_of_its_own() {
    let Some(dir) = std::env::var_os(FOLDER) else {
        return;
    };
    let dir = Path::new(&dir);
    let store = Store::open(dir).await.unwrap();
    store.put_text(b"warm").await.unwrap();
    let before = peak_kb();
    let id = store.put_text_file(&dir.join("output")).await.unwrap();
    let mut offset = Some(0);
    let mut read = 0;
    while let Some(from) = offset {
        let page = store.text_page(&id, from, 1 << 20).await.unwrap();
        read += page.text.len() as u64;
        offset = page.next_offset;
    }
    assert!(read >= SIZE);
    let grown = peak_kb() - before;
    assert!(grown < ALLOWED_KB, "grew by {grown} KiB");
}

/// The most memory that the process ever had, in KiB.
fn peak_kb() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn a_text_of_200_mb_goes_in_and_out_with_flat_memory() {
    let dir = tempdir().unwrap();
    let mut file = BufWriter::new(std::fs::File::create(dir.path().join("output")).unwrap());
    let mut written = 0;
    for n in 0_u64.. {
        let line = format!(
            "{n:016x} {:016x} the test said something\n",
            n.wrapping_mul(n) << 3
        );
        written += line.len() as u64;
        file.write_all(line.as_bytes()).unwrap();
        if written >= SIZE {
            break;
        }
    }
    file.flush().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "suite::memory::process_of_its_own"])
        .env(FOLDER, dir.path())
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}",
        String::from_utf8_lossy(&child.stdout)
    );
}
