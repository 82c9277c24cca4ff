#![expect(clippy::unwrap_used, reason = "tests end at the first surprise")]

use super::{Answer, Progress, Said};
use crate::backend::anthropic::events::Event;
use crate::backend::{BackendError, Delta, ModelTurn};
use espalier_protocol::{Block, Usage};
use serde_json::{Value, json};

fn event_of(data: &Value) -> Event {
    Event {
        name: String::new(),
        data: data.to_string().into(),
    }
}

fn hear(events: &[Value]) -> Result<(Said, Vec<Delta>), BackendError> {
    let mut answer = Answer::default();
    let mut deltas = Vec::new();
    for data in events {
        if answer.take(&event_of(data), &mut |delta| deltas.push(delta))? == Progress::Done {
            return Ok((answer.finish(4096)?, deltas));
        }
    }
    panic!("the answer has no end");
}

fn turn(events: &[Value]) -> ModelTurn {
    match hear(events).unwrap().0 {
        Said::Turn(turn) => turn,
        Said::Paused(turn) => panic!("it paused: {turn:?}"),
    }
}

fn start(index: u32, block: &Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u32, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop(index: u32) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str) -> [Value; 2] {
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ]
}

fn whole(events: &[Value], reason: &str) -> Vec<Value> {
    [events, &end(reason)].concat()
}

#[test]
fn thinking_keeps_its_signature_and_unknown_things_pass() {
    let sealed = json!({"type": "redacted_thinking", "data": "c2VhbGVk"});
    let odd = json!({"type": "hologram", "depth": 3});
    let said = whole(
        &[
            json!({"type": "message_start", "message": {"usage": {"input_tokens": 5,
                "cache_read_input_tokens": 70, "cache_creation_input_tokens": 25, "output_tokens": 1}}}),
            start(
                0,
                &json!({"type": "thinking", "thinking": "", "signature": ""}),
            ),
            json!({"type": "ping"}),
            delta(0, &json!({"type": "thinking_delta", "thinking": "Hm"})),
            delta(0, &json!({"type": "thinking_delta", "thinking": "."})),
            delta(0, &json!({"type": "aura_delta", "aura": "blue"})),
            delta(0, &json!({"type": "signature_delta", "signature": "c2ln"})),
            stop(0),
            start(1, &sealed),
            stop(1),
            start(2, &odd),
            json!({"type": "weather", "rain": true}),
            stop(2),
            start(3, &json!({"type": "text", "text": ""})),
            delta(3, &json!({"type": "text_delta", "text": "Yes"})),
            stop(3),
        ],
        "a_reason_of_tomorrow",
    );
    let turn = turn(&said);
    assert_eq!(
        turn.blocks,
        [
            Block::Thinking {
                text: "Hm.".to_owned(),
                raw: Some(json!({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"})),
            },
            Block::Opaque { raw: sealed },
            Block::Opaque { raw: odd },
            Block::Text {
                text: "Yes".to_owned(),
                raw: None,
            },
        ]
    );
    let usage = Usage {
        input_tokens: 100,
        output_tokens: 9,
        cached_tokens: 70,
        cache_write_tokens: 25,
        ..Usage::default()
    }
    .filling(None);
    assert_eq!(turn.usage, usage);
}

fn call(index: u32, fragments: &[&str]) -> Vec<Value> {
    let block = json!({"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {}});
    let fragments = fragments.iter().map(|json| {
        delta(
            index,
            &json!({"type": "input_json_delta", "partial_json": json}),
        )
    });
    std::iter::once(start(index, &block))
        .chain(fragments)
        .collect()
}

fn inputs(turn: &ModelTurn) -> Vec<Value> {
    let calls = turn.blocks.iter().filter_map(|block| match block {
        Block::ToolCall { input, .. } => Some(input.clone()),
        _ => None,
    });
    calls.collect()
}

#[test]
fn arguments_come_in_fragments_and_may_be_none_or_wrong() {
    let said = |fragments: &[&str]| {
        let events = [call(0, fragments), vec![stop(0)]].concat();
        inputs(&turn(&whole(&events, "tool_use")))
    };
    assert_eq!(said(&[]), [json!({})]);
    assert_eq!(said(&[""]), [json!({})]);
    assert_eq!(said(&["", "{\"a\": ", "1}"]), [json!({"a": 1})]);
    // The tool tells the model what is wrong with them.
    assert_eq!(said(&["{\"a\": "]), [json!("{\"a\": ")]);
}

#[test]
fn a_call_that_may_not_be_whole_is_never_made() {
    let open = whole(&call(0, &["{}"]), "tool_use");
    assert!(hear(&open).is_err());
    let cut = whole(&[call(0, &["{}"]), vec![stop(0)]].concat(), "max_tokens");
    let error = hear(&cut).unwrap_err();
    assert!(error.app.message.contains("4096 tokens"), "{error}");
    let pieces = [call(0, &["{\"command\": \"rm"]), vec![stop(0)]].concat();
    assert!(hear(&whole(&pieces, "max_tokens")).is_err());
}

#[test]
fn thinking_that_was_cut_off_is_shown_and_not_sent_back() {
    let said = [
        start(
            0,
            &json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(0, &json!({"type": "thinking_delta", "thinking": "Hm"})),
    ];
    let turn = turn(&whole(&said, "max_tokens"));
    let text = "Hm".to_owned();
    assert_eq!(turn.blocks, [Block::Thinking { text, raw: None }]);
    assert_eq!(turn.notices[0].code, "answer_cut");
}

#[test]
fn errors_within_an_answer_have_many_forms() {
    for error in [
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        json!({"error": {"code": 500, "type": "server_error", "message": "Overloaded"}}),
        json!({"error": "Overloaded"}),
    ] {
        let error = hear(&[error]).unwrap_err();
        assert!(error.app.message.ends_with(": Overloaded"), "{error}");
        assert!(error.app.retryable);
    }
}

/// Every place in a value, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    if let Value::Object(entries) = value {
        for (name, below) in entries {
            places(below, &format!("{at}/{name}"), found);
        }
    }
}

#[test]
fn no_shape_of_an_answer_breaks_the_reader() {
    let said = [
        start(
            0,
            &json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(0, &json!({"type": "thinking_delta", "thinking": "Hm"})),
        delta(0, &json!({"type": "signature_delta", "signature": "c2ln"})),
        start(1, &json!({"type": "text", "text": "", "citations": []})),
        delta(1, &json!({"type": "text_delta", "text": "Yes"})),
        delta(1, &json!({"type": "citations_delta", "citation": {"a": 1}})),
        start(
            2,
            &json!({"type": "tool_use", "id": "t", "name": "bash", "input": {}}),
        ),
        delta(
            2,
            &json!({"type": "input_json_delta", "partial_json": "{}"}),
        ),
    ];
    let whole = whole(&said, "tool_use");
    let odd = [
        json!(null),
        json!([]),
        json!("x"),
        json!(7),
        json!({}),
        json!(true),
    ];
    let mut tried = 0;
    for (index, event) in whole.iter().enumerate() {
        let mut found = Vec::new();
        places(event, "", &mut found);
        for place in found {
            for value in &odd {
                let mut events = whole.clone();
                *events[index].pointer_mut(&place).unwrap() = value.clone();
                // Heard or refused; it must not end the process.
                let mut answer = Answer::default();
                let over = events.iter().any(|data| {
                    !matches!(
                        answer.take(&event_of(data), &mut |_| {}),
                        Ok(Progress::More)
                    )
                });
                tried += 1 + usize::from(!over || answer.finish(4096).is_ok());
            }
        }
    }
    assert!(tried > 300, "{tried}");
    for value in odd.iter().filter(|value| !value.is_object()) {
        let error = hear(std::slice::from_ref(value)).unwrap_err();
        assert!(error.app.message.contains("Messages API"), "{error}");
    }
}
