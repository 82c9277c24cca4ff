//! Settings that not every model takes.

use super::bench::{AndWrite, Bench, write_file};
use espalier_tests::anthropic_server::{BUDGET_MODEL, PLAIN_MODEL, Reply};
use serde_json::{Value, json};

/// Temperature, thinking and notices of a session on a model with these settings, and how often
/// the server had to refuse.
fn settled(model: &str, settings: &str) -> (Value, Value, Vec<String>, usize) {
    let bench = Bench::new([write_file("b.txt", "two\n"), Reply::say("Done.")])
        .model(model)
        .anthropic(settings);
    let ran = bench.run().expect_code(0);
    let chats = bench.server.chats();
    assert_eq!(chats.len(), 2);
    for key in ["temperature", "thinking"] {
        assert_eq!(chats[0].get(key), chats[1].get(key), "{key}");
    }
    let codes = ran.events_of("notice").into_iter();
    let codes = codes.map(|notice| notice["code"].as_str().unwrap().to_owned());
    let sent = |key: &str| chats[0].get(key).cloned().unwrap_or_default();
    (
        sent("temperature"),
        sent("thinking"),
        codes.collect(),
        bench.server.refused().len(),
    )
}

const WARM: &str = "    temperature: 0.2\n";
const THOUGHTLESS: &str = "    enable_thinking: false\n";

fn adaptive() -> Value {
    json!({"type": "adaptive", "display": "summarized"})
}

#[test]
fn a_model_of_today_thinks_and_loses_its_temperature_with_one_notice() {
    let model = espalier_tests::anthropic_server::MODEL;
    let none = Vec::<String>::new;
    assert_eq!(settled(model, ""), (Value::Null, adaptive(), none(), 0));
    let told = vec!["temperature_left_out".to_owned()];
    assert_eq!(settled(model, WARM), (Value::Null, adaptive(), told, 1));
    let off = settled(model, THOUGHTLESS);
    assert_eq!(off, (Value::Null, Value::Null, none(), 0));
}

#[test]
fn an_older_model_keeps_the_temperature_or_thinks_with_a_budget() {
    let none = Vec::<String>::new;
    let warm = (json!(0.2), Value::Null, none(), 1);
    assert_eq!(settled(BUDGET_MODEL, WARM), warm);
    let budget = json!({"type": "enabled", "budget_tokens": 2048});
    assert_eq!(settled(BUDGET_MODEL, ""), (Value::Null, budget, none(), 1));
    // Too little for a budget.
    let little = settled(BUDGET_MODEL, "    max_tokens: 1500\n");
    assert_eq!(little, (Value::Null, Value::Null, none(), 1));
}

#[test]
fn a_model_that_does_not_think_works_without() {
    let none = Vec::<String>::new;
    let plain = settled(PLAIN_MODEL, "");
    assert_eq!(plain, (Value::Null, Value::Null, none(), 2));
    let warm = settled(PLAIN_MODEL, &format!("{WARM}{THOUGHTLESS}"));
    assert_eq!(warm, (json!(0.2), Value::Null, none(), 0));
}

#[test]
fn a_notice_of_the_settings_is_told_once_a_session() {
    let bench = Bench::new([
        write_file("b.txt", "two\n"),
        write_file("c.txt", "three\n"),
        Reply::say("Done."),
    ])
    .anthropic(WARM);
    let script = [
        json!({"after_step": 1, "do": "rollback", "to_step": 0}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    assert_eq!(ran.events_of("run_started").len(), 2);
    assert_eq!(ran.events_of("notice").len(), 1);
}

#[test]
fn thinking_that_the_server_no_longer_takes_is_left_out_and_later_thinking_is_not() {
    let thought = |words: &str, path: &str| Reply::thinking(words).and_write(path, "x\n");
    let bench = Bench::new([
        thought("First.", "b.txt"),
        Reply::refuse_thinking(),
        thought("Second.", "c.txt"),
        Reply::say("Done."),
    ]);
    let ran = bench.run().expect_code(0);
    let thoughts = |chat: &Value| -> Vec<String> {
        let said = super::bench::after_the_task(chat);
        let blocks = said.iter().filter_map(|turn| turn["content"].as_array());
        let thinking = blocks.flatten().filter(|block| block["type"] == "thinking");
        thinking
            .map(|block| block["thinking"].as_str().unwrap().to_owned())
            .collect()
    };
    let chats = bench.server.chats();
    let sent: Vec<Vec<String>> = chats.iter().map(thoughts).collect();
    assert_eq!(
        sent,
        [
            vec![],
            vec!["First.".to_owned()],
            vec![],
            vec!["Second.".to_owned()]
        ]
    );
    // How the model thinks is another matter.
    assert!(chats.iter().all(|chat| chat["thinking"] == adaptive()));
    let notices = ran.events_of("notice");
    assert_eq!(notices.len(), 1, "{notices:#?}");
    assert_eq!(notices[0]["code"], "earlier_thinking_left_out");
}
