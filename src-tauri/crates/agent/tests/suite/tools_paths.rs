//! No path leads out of the project, whatever it is made of.

use super::tools_desk::Desk;
use serde_json::{Value, json};

/// Every tool that takes a path, with this one.
fn calls(path: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("read_file", json!({"path": path})),
        (
            "edit_file",
            json!({"path": path, "old_string": "secret", "new_string": "x"}),
        ),
        ("write_file", json!({"path": path, "content": "x"})),
        ("glob", json!({"pattern": "**/*", "path": path})),
        ("grep", json!({"pattern": "secret", "path": path})),
    ]
}

async fn all_refuse(desk: &Desk, path: &str) {
    for (tool, input) in calls(path) {
        let said = desk.fails(tool, input).await;
        assert!(
            said.contains("outside the project directory"),
            "{tool} {path}: {said}"
        );
        assert!(
            said.contains(&*desk.project.to_string_lossy()),
            "{tool} {path}: {said}"
        );
        assert!(!said.contains("top secret"), "{tool} {path}: {said}");
    }
    assert_eq!(
        std::fs::read(desk.outside.join("file")).unwrap(),
        b"top secret"
    );
    assert_eq!(std::fs::read_dir(&desk.outside).unwrap().count(), 1);
}

fn desk() -> Desk {
    let desk = Desk::new();
    std::fs::write(desk.outside.join("file"), "top secret").unwrap();
    desk.write("sub/inner.txt", "inner\n");
    desk
}

#[tokio::test]
async fn upwards_and_absolute_paths_are_refused() {
    let desk = desk();
    all_refuse(&desk, "../outside/file").await;
    all_refuse(&desk, "sub/../../outside/file").await;
    all_refuse(&desk, &desk.outside.join("file").to_string_lossy()).await;
    all_refuse(&desk, "/etc/passwd").await;
    all_refuse(&desk, "missing/../../outside/file").await;
    // A neighbour whose name begins like the project's.
    all_refuse(&desk, &format!("{}2/file", desk.project.display())).await;
}

#[tokio::test]
async fn links_that_lead_out_are_refused_by_name() {
    let desk = desk();
    desk.link("file_link", desk.outside.join("file"));
    desk.link("relative_link", "../outside/file");
    desk.link("dir_link", &desk.outside);
    desk.link("chain_1", "chain_2");
    desk.link("chain_2", "sub/chain_3");
    desk.link("sub/chain_3", "../../outside/file");
    desk.link("dangling", desk.outside.join("new_file"));
    desk.link("self_root", "/proc/self/root");
    for path in [
        "file_link",
        "relative_link",
        "dir_link/file",
        "dir_link",
        "chain_1",
        "dangling",
        "self_root/etc/passwd",
        "sub/../dir_link/file",
    ] {
        all_refuse(&desk, path).await;
    }
    let said = desk
        .fails("read_file", json!({"path": "dir_link/file"}))
        .await;
    assert!(said.contains("`dir_link` is a symbolic link to"), "{said}");
}

#[tokio::test]
async fn searches_do_not_follow_links_out() {
    let desk = desk();
    desk.link("dir_link", &desk.outside);
    desk.link("file_link", desk.outside.join("file"));
    let grep = desk.ok("grep", json!({"pattern": "secret"})).await;
    assert!(grep.starts_with("No line matches"), "{grep}");
    let glob = desk.ok("glob", json!({"pattern": "**/file"})).await;
    assert!(glob.starts_with("No files"), "{glob}");
}

#[tokio::test]
async fn links_within_the_project_are_followed_and_kept() {
    let desk = desk();
    desk.link("short", "sub/inner.txt");
    desk.link("absolute", desk.path("sub/inner.txt"));
    desk.link("new", "sub/made.txt");
    desk.link("round", "round");
    assert!(
        desk.ok("read_file", json!({"path": "short"}))
            .await
            .contains("inner")
    );
    let edit = json!({"path": "absolute", "old_string": "inner", "new_string": "edited"});
    let outcome = desk.run("edit_file", edit).await;
    assert_eq!(
        outcome.touched,
        espalier_protocol::worker::Touched::Paths {
            paths: vec!["sub/inner.txt".to_owned()]
        }
    );
    assert_eq!(desk.bytes("sub/inner.txt"), b"edited\n");
    assert!(desk.path("absolute").is_symlink() && desk.path("short").is_symlink());
    desk.ok("write_file", json!({"path": "new", "content": "made"}))
        .await;
    assert_eq!(desk.bytes("sub/made.txt"), b"made");
    assert!(desk.path("new").is_symlink());
    let round = desk.fails("read_file", json!({"path": "round"})).await;
    assert!(round.contains("round in circles"), "{round}");
}

#[tokio::test]
async fn absolute_paths_into_the_project_are_understood() {
    let desk = desk();
    let absolute = desk.path("sub/inner.txt");
    let text = desk.ok("read_file", json!({"path": absolute})).await;
    assert!(text.contains("inner"));
    let pattern = format!("{}/**/*.txt", desk.project.display());
    assert_eq!(
        desk.ok("glob", json!({"pattern": pattern})).await,
        "sub/inner.txt"
    );
}

#[tokio::test]
async fn the_project_may_be_given_by_a_link() {
    let desk = desk();
    let link = desk.outside.parent().unwrap().join("link_to_project");
    std::os::unix::fs::symlink(&desk.project, &link).unwrap();
    let toolbox = espalier_agent::tools::Toolbox::open(espalier_agent::tools::ToolboxOptions {
        project_dir: link.clone(),
        spool_dir: desk.spool.clone(),
        tools: espalier_protocol::ToolName::ALL.to_vec(),
        timeout: super::tools_desk::FOR_EVER,
        max_processes: espalier_agent::tools::MAX_PROCESSES,
        secret: espalier_agent::Secret::default(),
    })
    .unwrap();
    for path in [link.join("sub/inner.txt"), desk.path("sub/inner.txt")] {
        let input = json!({"path": path});
        let read = toolbox
            .run("1", "read_file", &input, &mut |_, _| {}, Default::default())
            .await;
        assert!(read.content.contains("inner"), "{}", read.content);
        assert_eq!(toolbox.describe("read_file", &input).1, "sub/inner.txt");
    }
}

#[tokio::test]
async fn gits_own_folder_is_read_only() {
    let desk = desk();
    desk.write(".git/config", "[core]\n");
    desk.write("module/.git", "gitdir: ../.git/modules/module\n");
    desk.link("alias", ".git");
    let read = desk.ok("read_file", json!({"path": ".git/config"})).await;
    assert!(read.contains("[core]"));
    for path in [
        ".git/config",
        ".git/hooks/pre-commit",
        "module/.git",
        "alias/config",
        ".GIT/x",
    ] {
        let said = desk
            .fails("write_file", json!({"path": path, "content": "x"}))
            .await;
        assert!(said.contains("read-only"), "{path}: {said}");
    }
    let edit = json!({"path": ".git/config", "old_string": "core", "new_string": "x"});
    assert!(desk.fails("edit_file", edit).await.contains("read-only"));
    assert!(!desk.path(".git/hooks").exists());
}

#[tokio::test]
async fn a_path_through_a_file_is_explained() {
    let desk = desk();
    let said = desk
        .fails(
            "write_file",
            json!({"path": "sub/inner.txt/deeper", "content": "x"}),
        )
        .await;
    assert!(said.contains("through a file"), "{said}");
    let empty = desk.fails("read_file", json!({"path": ""})).await;
    assert!(empty.contains("empty"), "{empty}");
}

#[tokio::test]
async fn a_directory_swapped_for_a_link_in_between_leads_nowhere() {
    let desk = desk();
    desk.write("dir/file", "inner");
    desk.link("link", &desk.outside);
    let (dir, link) = (desk.path("dir"), desk.path("link"));
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let swapper = std::thread::spawn(move || {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let gone = Err(std::sync::mpsc::TryRecvError::Disconnected);
        while stopped.try_recv() != gone {
            renameat_with(CWD, &dir, CWD, &link, RenameFlags::EXCHANGE).unwrap();
        }
    });
    for round in 0..500 {
        let read = desk.run("read_file", json!({"path": "dir/file"})).await;
        assert!(!read.content.contains("secret"), "{}", read.content);
        let content = format!("round {round}");
        for path in ["dir/file", "dir/new", "dir/deep/new"] {
            desk.run("write_file", json!({"path": path, "content": content}))
                .await;
        }
        let edit = json!({"path": "dir/file", "old_string": "secret", "new_string": "x"});
        desk.run("edit_file", edit).await;
        let grep = desk.run("grep", json!({"pattern": "secret"})).await;
        assert!(!grep.content.contains("top secret"), "{}", grep.content);
    }
    drop(stop);
    swapper.join().unwrap();
    assert_eq!(
        std::fs::read(desk.outside.join("file")).unwrap(),
        b"top secret"
    );
    assert_eq!(std::fs::read_dir(&desk.outside).unwrap().count(), 1);
}
