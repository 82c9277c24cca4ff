//! What a model is asked with, what it can do, and how much it takes in.

use super::bench::{Bench, write_file};
use espalier_tests::ollama_server::{Gate, MODEL_WITHOUT_TOOLS, Reply};
use serde_json::json;
use std::io::{BufRead, BufReader};

#[test]
fn the_configuration_s_settings_are_sent() {
    let bench = Bench::new([Reply::say("Done.")])
        .ollama(
            "    num_ctx: 16384\n    num_predict: 777\n    keep_alive: 30m\n    temperature: 0.25\n",
        )
        .live_agent("  tools: [read_file, bash]\n");
    bench.run().expect_code(0);
    let chat = &bench.server.chats()[0];
    let options = json!({"num_ctx": 16384, "num_predict": 777, "temperature": 0.25});
    assert_eq!(chat["options"], options);
    assert_eq!(chat["keep_alive"], "30m");
    assert_eq!(chat["model"], "scripted-thinker");
    let tools = chat["tools"].as_array().unwrap();
    let names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["function"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["read_file", "bash"]);
}

#[test]
fn what_the_configuration_leaves_out_is_left_to_the_server() {
    let bench = Bench::new([Reply::say("Done.")]);
    bench.run().expect_code(0);
    let chat = &bench.server.chats()[0];
    let mut fields: Vec<&String> = chat.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["messages", "model", "stream", "tools"]);
}

#[test]
fn a_model_without_tools_is_refused_before_it_is_asked() {
    let bench = Bench::new([]).model(MODEL_WITHOUT_TOOLS);
    let ran = bench.run().expect_code(3);
    assert!(
        ran.stderr
            .contains("Error: The model smollm2:135m cannot call tools.\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("live_agent.model"), "{}", ran.stderr);
    assert!(bench.server.asked().contains(&"POST /api/show".to_owned()));
    assert!(bench.server.chats().is_empty());
}

#[test]
fn a_model_that_is_not_there_comes_with_the_command_that_gets_it() {
    let bench = Bench::new([]).model("nope");
    let ran = bench.run().expect_code(3);
    assert!(
        ran.stderr.contains("does not have the model nope.\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("ollama pull nope\n"), "{}", ran.stderr);
    assert!(bench.server.chats().is_empty());
}

/// A task whose files are far longer than a window of a few thousand tokens.
fn long_task(bench: Bench) -> Bench {
    let lines: String = (0..2000)
        .map(|line| format!("line {line} of a long file\n"))
        .collect();
    bench.workspace.write("long.txt", &lines);
    bench.workspace.git(&["add", "-A"]);
    bench.workspace.git(&["commit", "-q", "-m", "A long file"]);
    bench.task(json!({"context_files": ["long.txt"]}))
}

#[test]
fn a_conversation_over_the_window_is_noticed_although_the_server_says_nothing() {
    let cut = || [Reply::say("Done.").tokens(2100, 10)];
    for (ollama, window) in [("    num_ctx: 2560\n", "2560"), ("", "4096")] {
        let bench = long_task(Bench::new(cut())).ollama(ollama);
        let ran = bench.run().expect_code(0);
        let notices = ran.events_of("notice");
        let told = notices
            .iter()
            .find(|notice| notice["code"] == "window_overrun")
            .unwrap_or_else(|| panic!("{notices:#?}"));
        let text = told["text"].as_str().unwrap();
        assert!(
            text.contains(&format!("longer than the model's {window} tokens")),
            "{text}"
        );
        assert!(text.contains("live_agent.ollama.num_ctx"), "{text}");
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
    }
}

#[test]
fn a_cut_answer_is_told() {
    let bench = Bench::new([Reply::say("And so").because("length")]);
    let ran = bench.run().expect_code(0);
    assert!(
        ran.stderr.contains("cut at the length limit"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_conversation_that_fits_is_not_remarked_upon() {
    let bench = long_task(Bench::new([Reply::say("Done.").tokens(16_000, 10)]))
        .ollama("    num_ctx: 32768\n");
    let ran = bench.run().expect_code(0);
    assert!(!ran.stderr.contains("tokens"), "{}", ran.stderr);
}

#[test]
fn a_model_that_has_to_be_loaded_is_waited_for_and_it_is_said() {
    let gate = Gate::default();
    let bench = Bench::new([
        write_file("a.txt", "one\n").held_after(0, &gate),
        Reply::say("Done."),
    ])
    .live_agent("  step_timeout_seconds: 1\n");
    bench.server.unload();
    let mut child = bench.start();
    let mut waited = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("Loading model scripted-thinker") {
            waited += 1;
        }
        // Longer than the limit for a model that is there.
        if waited == 3 {
            gate.open();
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(waited >= 3);
}
