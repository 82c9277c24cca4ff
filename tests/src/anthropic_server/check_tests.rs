use super::*;
use serde_json::json;

fn said() -> Vec<Turn> {
    let blocks = vec![
        json!({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}),
        json!({"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"command": "ls"}}),
        json!({"type": "tool_use", "id": "toolu_2", "name": "bash", "input": {}}),
    ];
    vec![Turn {
        blocks,
        paused: false,
    }]
}

/// A request that is right.
fn request() -> Value {
    let said = said().remove(0).blocks;
    json!({
        "model": "claude-scripted-5", "max_tokens": 4096, "stream": true,
        "thinking": {"type": "adaptive", "display": "summarized"},
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "tools": [{"name": "bash", "description": "Runs", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Go."}]},
            {"role": "assistant", "content": said},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": ""},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": "No.", "is_error": true},
                {"type": "text", "text": "Well?", "cache_control": {"type": "ephemeral"}},
            ]},
        ],
    })
}

#[test]
fn a_right_request_passes_also_cut_after_its_first_call() {
    assert_eq!(body_problems(&request(), &said()), Vec::<String>::new());
    let mut cut = request();
    if let Some(blocks) = cut["messages"][1]["content"].as_array_mut() {
        blocks.pop();
    }
    if let Some(blocks) = cut["messages"][2]["content"].as_array_mut() {
        blocks.remove(1);
    }
    assert_eq!(body_problems(&cut, &said()), Vec::<String>::new());
}

/// Each of these differs from the right request in one thing, which is named.
#[test]
fn a_wrong_request_is_named() {
    let text = json!({"type": "text", "text": "Hm."});
    let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": ""});
    let marked = json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}});
    let cases = [
        ("/top_p", json!(1), "unknown field `top_p`"),
        ("/stream", json!(false), "`stream` cannot be"),
        ("/max_tokens", json!(0), "`max_tokens` is 0"),
        ("/temperature", json!(1.5), "`temperature` is 1.5"),
        ("/thinking/type", json!("always"), "of type `always`"),
        ("/thinking/display", json!("loud"), "display is loud"),
        ("/system/0/text", json!(" "), "`text` cannot be"),
        ("/tools/0/name", json!("a b"), "the name \"a b\""),
        (
            "/tools/0/input_schema/type",
            json!("array"),
            "not of an object",
        ),
        ("/messages/0/content", json!([]), "messages[0] is empty"),
        ("/messages/0/role", json!("system"), "in place of user"),
        (
            "/messages/0/content/0/text",
            json!("\n"),
            "`text` cannot be",
        ),
        (
            "/messages/1/content/0/signature",
            json!("x"),
            "was not said",
        ),
        ("/messages/1/content/0/thinking", json!("x"), "was not said"),
        ("/messages/1/content/1/id", json!("other"), "due are"),
        ("/messages/1/content/2/id", json!("toolu_1"), "with the id"),
        (
            "/messages/1/content/1/input",
            json!("{}"),
            "`input` cannot be",
        ),
        ("/messages/1/content", json!([text]), "was not said"),
        ("/messages/2/content/0", text.clone(), "it begins with"),
        ("/messages/2/content/2", result, "it begins with"),
        (
            "/messages/2/content/1/is_error",
            json!(false),
            "`is_error` cannot be",
        ),
        (
            "/messages/2/content/0/cache_control",
            json!({"type": "for ever"}),
            "a mark for",
        ),
        (
            "/system",
            json!([marked, marked, marked, marked]),
            "5 marks",
        ),
        (
            "/messages/3",
            json!({"role": "assistant", "content": [text]}),
            "the model's own",
        ),
    ];
    for (place, value, problem) in cases {
        let mut body = request();
        let (parent, name) = place.rsplit_once('/').unwrap_or_default();
        match (body.pointer_mut(parent), name.parse::<usize>()) {
            (Some(Value::Array(items)), Ok(at)) if at == items.len() => items.push(value),
            (Some(parent), Ok(at)) => parent[at] = value,
            (Some(parent), Err(_)) => parent[name] = value,
            (None, _) => panic!("nothing at {parent}"),
        }
        let found = body_problems(&body, &said()).join("\n");
        assert!(found.contains(problem), "{place}: {found}");
    }
}

#[test]
fn headers_are_checked() {
    let header = |name: &'static str, value: &'static str| {
        (
            axum::http::HeaderName::from_static(name),
            axum::http::HeaderValue::from_static(value),
        )
    };
    let right = [
        header("content-type", "application/json"),
        header("x-api-key", "k"),
        header("anthropic-version", "2023-06-01"),
    ];
    let headers: HeaderMap = right.clone().into_iter().collect();
    assert_eq!(header_problems(&headers, true), Vec::<String>::new());
    for (name, _) in &right {
        let mut headers = headers.clone();
        headers.remove(name);
        assert!(!header_problems(&headers, true).is_empty(), "{name}");
    }
    let mut twice = headers;
    twice.extend([header("authorization", "Bearer k")]);
    assert!(!header_problems(&twice, true).is_empty());
}
