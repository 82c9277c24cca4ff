#![expect(clippy::panic, reason = "a test that cannot go on fails")]
use super::*;
use serde_json::json;

fn read_text(line: Value) -> Option<Said> {
    read(&line)
}

#[test]
fn what_is_not_known_is_passed_over() {
    for line in [
        json!({}),
        json!({"type": "keep_alive"}),
        json!({"type": "system", "subtype": "something_new", "a": [1]}),
        json!({"type": "stream_event", "event": {"type": "content_block_delta",
               "delta": {"type": "signature_delta", "signature": "x"}}}),
        json!({"type": "assistant", "message": {"content": "no blocks"}}),
        json!({"type": "user", "message": {"content": "echoed"}}),
    ] {
        assert_eq!(read_text(line.clone()), None, "{line}");
    }
}

#[test]
fn agents_of_the_model_are_no_part_of_its_message() {
    let line = json!({"type": "assistant", "parent_tool_use_id": "toolu_1", "uuid": "u",
        "session_id": "s", "message": {"id": "m", "content": [{"type": "text", "text": "x"}]}});
    assert_eq!(read_text(line), None);
    let line = json!({"type": "control_request", "request_id": "r", "request": {
        "subtype": "hook_callback", "input": {"hook_event_name": "PreToolUse", "agent_id": "a",
        "tool_use_id": "toolu_2", "tool_input": {}}}});
    assert!(matches!(
        read_text(line),
        Some(Said::MayCall { nested: true, .. })
    ));
}

#[test]
fn a_result_of_several_pieces_is_one_text() {
    let line = json!({"type": "user", "message": {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "a", "is_error": true, "content": "no"},
        {"type": "tool_result", "tool_use_id": "b", "content": [
            {"type": "text", "text": "one"}, {"type": "image", "source": {}}]},
    ]}});
    let Some(Said::Returned(results)) = read_text(line) else {
        panic!("no results");
    };
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            (
                result.call_id.as_str(),
                result.content.as_str(),
                result.is_error,
            )
        })
        .collect();
    assert_eq!(told, [("a", "no", true), ("b", "one\n[image]", false)]);
}

#[test]
fn a_failure_of_the_api_is_told_by_a_success() {
    let line = json!({"type": "result", "subtype": "success", "is_error": true,
        "terminal_reason": "api_error", "api_error_status": 400, "result": "API Error: 400 no"});
    let Some(Said::Over(over)) = read_text(line) else {
        panic!("no end");
    };
    assert!(over.is_error);
    assert_eq!(
        (over.status, over.text.as_str()),
        (Some(400), "API Error: 400 no")
    );
}
