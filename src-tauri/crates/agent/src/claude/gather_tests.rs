#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]
use super::*;
use crate::claude::said::{Said, read};

/// The messages of a recorded conversation, each with what it was gathered by.
fn messages(sample: &str) -> Vec<Message> {
    let file = format!(
        "{}/tests/samples/claude/{sample}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut gather = Gather::default();
    let mut messages = Vec::new();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        match read(&serde_json::from_str(line).unwrap()) {
            Some(Said::MessageBegins {
                message_id,
                model,
                usage,
            }) => {
                assert!(!gather.begin(&message_id, model, &usage));
            }
            Some(Said::Blocks {
                message_id,
                session,
                uuid,
                blocks,
            }) => gather.add(&message_id, &session, &uuid, &blocks),
            Some(Said::MessageTurns { stop_reason, usage }) => {
                gather.turn(stop_reason.as_deref(), &usage);
            }
            Some(Said::MessageEnds) => messages.extend(gather.end()),
            Some(Said::Over(over)) if !over.is_error => messages.push(gather.take()),
            _ => {}
        }
    }
    messages
}

fn told(message: &Message) -> Vec<String> {
    message
        .blocks
        .iter()
        .map(|block| match block {
            Block::Text { text, .. } => format!("text {text}"),
            Block::Thinking { text, .. } => format!("thinking {text}"),
            Block::ToolCall { name, .. } => format!("call {name}"),
            Block::Opaque { .. } => "opaque".to_owned(),
        })
        .collect()
}

fn line_of(block: &Block) -> String {
    let (Block::Text { raw, .. } | Block::Thinking { raw, .. } | Block::ToolCall { raw, .. }) =
        block
    else {
        panic!("{block:?}");
    };
    raw.as_ref().unwrap()["claude_code"]["uuid"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn blocks_told_one_by_one_are_one_message_with_their_lines_in_the_record() {
    let messages = messages("held-between-steps");
    let told: Vec<_> = messages.iter().map(told).collect();
    assert_eq!(
        told,
        [
            vec![
                "thinking The test fails because add subtracts. I will read the file first.",
                "text I will look at calc.py first.",
                "call Read",
            ],
            vec!["text The operator is wrong, so I fix it.", "call Edit"],
            vec!["text Now I run the tests.", "call Bash"],
            vec![
                "thinking The tests pass now.",
                "text Fixed: add() now adds, and the tests pass.",
            ],
        ]
    );
    let lines: Vec<_> = messages[0].blocks.iter().map(line_of).collect();
    assert_eq!(
        lines,
        [
            "39bb99c9-fc4c-45be-9a77-13ba80ccfbb2",
            "3db81dc6-c1eb-4112-a10a-938e9c226166",
            "a0706b2a-9903-436f-b01a-c6ab92a3d2df",
        ]
    );
    assert_eq!(messages[0].usage.input_tokens, 1200);
    assert_eq!(messages[0].usage.output_tokens, 60);
}

#[test]
fn what_follows_a_cut_by_itself_belongs_to_the_same_message() {
    let mut gather = Gather::default();
    for (id, words, stop) in [("m1", "One ", "max_tokens"), ("m2", "two.", "end_turn")] {
        gather.begin(
            id,
            Some("claude-opus-5-5".to_owned()),
            &serde_json::json!({"input_tokens": 5, "cache_read_input_tokens": 2}),
        );
        let block = serde_json::json!({"type": "text", "text": words});
        gather.add(id, "s", id, &[block]);
        gather.turn(Some(stop), &serde_json::json!({"output_tokens": 3}));
        assert_eq!(gather.end(), None);
    }
    let message = gather.take();
    assert_eq!(told(&message), ["text One ", "text two."]);
    assert!(!message.cut_short);
    assert_eq!(message.usage.input_tokens, 14);
    assert_eq!(message.usage.cached_tokens, 4);
    assert_eq!(message.usage.output_tokens, 6);
    assert_eq!(message.model.as_deref(), Some("claude-opus-5-5"));
    // What the next prompt begins with is the last request alone.
    assert_eq!(message.usage.context.unwrap().used_tokens, 10);
}

#[test]
fn a_stream_that_broke_off_leaves_nothing() {
    let mut gather = Gather::default();
    let usage = Value::Null;
    let text = |text: &str| serde_json::json!({"type": "text", "text": text});
    gather.begin("m1", None, &usage);
    gather.add("m1", "s", "u1", &[text("lost")]);
    assert!(gather.begin("m2", None, &usage), "what was shown is void");
    gather.add("m2", "s", "u2", &[text("kept")]);
    gather.end();
    assert_eq!(told(&gather.take()), ["text kept"]);
}

#[test]
fn a_message_without_a_stream_is_whole_when_its_first_call_asks() {
    let mut gather = Gather::default();
    let call = serde_json::json!({"type": "tool_use", "id": "t", "name": "Read", "input": {}});
    gather.add("m1", "s", "u1", &[call]);
    let message = gather.asked().unwrap();
    assert_eq!(told(&message), ["call Read"]);
}

#[test]
fn results_that_stand_before_a_call_in_the_record_are_noted() {
    let mut gather = Gather::default();
    let call =
        |id: &str| serde_json::json!({"type": "tool_use", "id": id, "name": "X", "input": {}});
    gather.begin("m1", None, &Value::Null);
    gather.add("m1", "s", "u1", &[call("a")]);
    gather.returned("a");
    gather.add("m1", "s", "u2", &[call("b")]);
    let message = gather.end().unwrap();
    let Block::ToolCall { raw: Some(raw), .. } = &message.blocks[1] else {
        panic!("{message:?}");
    };
    assert_eq!(raw["claude_code"]["has"], serde_json::json!(["a"]));
    let Block::ToolCall { raw: Some(raw), .. } = &message.blocks[0] else {
        panic!("{message:?}");
    };
    assert_eq!(raw["claude_code"]["has"], Value::Null);
    gather.returned("b");
    gather.begin("m2", None, &Value::Null);
    gather.add("m2", "s", "u3", &[call("c")]);
    let message = gather.end().unwrap();
    let Block::ToolCall { raw: Some(raw), .. } = &message.blocks[0] else {
        panic!("{message:?}");
    };
    assert_eq!(raw["claude_code"]["has"], Value::Null, "another message's");
}
