//! A session with Claude Code as a recording, which plays through Espalier's own tools.

use super::bench::{Bench, statuses};
use espalier_tests::anthropic_server::Reply;
use espalier_tests::program::{Ran, run};
use espalier_tests::project::{Workspace, write};
use serde_json::json;

fn play(recording: &str, start: &str) -> (Workspace, Ran) {
    let workspace = Workspace::new(&[("a.txt", start)]);
    write(&workspace.root().join("recording.json"), recording);
    let config = workspace.configure(
        "  backend: replay\n  replay: {recording: recording.json, pace: 0}\n",
        &json!({}),
    );
    let arguments = ["run", &config.display().to_string(), "--json", "--keep"];
    let ran = run(&workspace.data(), arguments).expect_code(0);
    (workspace, ran)
}

fn diverged(ran: &Ran) -> Vec<String> {
    let notices = ran.events_of("notice").into_iter();
    let told = notices.filter(|notice| notice["code"] == "replay_diverged");
    told.map(|notice| notice["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn its_calls_are_played_by_our_tools() {
    let bench = Bench::on_project(|project| {
        let file = project.join("a.txt");
        let (write, made) = Bench::write_call(project, "made.txt", "made\n");
        vec![
            Reply::thinking("What is in it?")
                .text("I read it.")
                .and_call("Read", json!({"file_path": file})),
            Reply::call(
                "Edit",
                json!({"file_path": file, "old_string": "zero", "new_string": "one"}),
            )
            .and_call(write, made),
            Reply::call(
                "Bash",
                json!({"command": "cat a.txt > b.txt; cat b.txt", "timeout": 5000}),
            )
            .and_call("Bash", json!({"command": "true"})),
            Reply::say("Done."),
        ]
    });
    let ran = bench.run().expect_code(0);
    assert_eq!(statuses(&ran), ["ok"; 6]);
    let file = bench.workspace.root().join("saved.json");
    let session = ran.session();
    let arguments = ["save-recording", &session, "-o", file.to_str().unwrap()];
    run(&bench.workspace.data(), arguments).expect_code(0);
    let recording = std::fs::read_to_string(&file).unwrap();

    let (workspace, played) = play(&recording, "zero\n");
    assert_eq!(statuses(&played), ["ok"; 6]);
    assert_eq!(diverged(&played), Vec::<String>::new());
    for (path, content) in [
        ("a.txt", "one\n"),
        ("b.txt", "one\n"),
        ("made.txt", "made\n"),
    ] {
        assert_eq!(workspace.read(path), content);
    }
    let said = &played.events_of("message_completed")[0]["blocks"];
    assert_eq!(said[0]["text"], "What is in it?");

    // Another project says so at the step where it is another.
    let (_, elsewhere) = play(&recording, "zero and more\n");
    let told = diverged(&elsewhere);
    assert!(told[0].starts_with("Step 0 (read_file)"), "{told:?}");
}
