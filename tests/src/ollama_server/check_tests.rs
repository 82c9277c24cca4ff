#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::super::fixture::Exchange;
use super::*;
use serde_json::json;

/// The recorded request as a client sends it that streams: `think` is the recordings' own.
fn request(name: &str) -> Value {
    let mut body = Exchange::load(name).request;
    let fields = body.as_object_mut().unwrap();
    fields.remove("think");
    fields.insert("stream".to_owned(), json!(true));
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        assert!(tool["function"]["description"].is_string(), "{tool}");
    }
    body
}

fn said(names: &[&str]) -> Vec<Turn> {
    let turn = |name: &&str| Turn::of_lines(&Exchange::load(name).lines);
    names.iter().filter_map(turn).collect()
}

#[test]
fn the_recorded_loop_passes() {
    let loops = ["loop-1", "loop-2", "loop-3", "loop-4"];
    for (at, name) in loops.iter().enumerate() {
        let problems = chat_problems(&request(name), &said(&loops[..at]));
        assert!(problems.is_empty(), "{name}: {problems:#?}");
    }
    assert!(show_problems(&Exchange::load("show").request).is_empty());
}

#[test]
fn an_answer_that_did_not_end_was_not_said() {
    let crashed = ["err-engine-crash-midstream", "chat-malformed-tool"];
    assert_eq!(said(&crashed), Vec::new());
}

/// Each of these differs from the recorded request in one thing, which is named.
#[test]
fn every_deviation_is_named() {
    type Change = fn(&mut Value);
    let changes: &[(Change, &str)] = &[
        (
            |b| b["think"] = json!(true),
            "the body has the unknown field `think`",
        ),
        (|b| b["stream"] = json!(false), "`stream` cannot be false"),
        (|b| b["model"] = json!(7), "`model` cannot be 7"),
        (
            |b| b["options"]["num_ctx"] = json!("8k"),
            "`num_ctx` cannot be \"8k\"",
        ),
        (
            |b| b["options"]["max_tokens"] = json!(1),
            "the unknown field `max_tokens`",
        ),
        (|b| b["tools"] = json!([]), "`tools` is empty"),
        (
            |b| b["tools"][0]["type"] = json!("tool"),
            "tools[0]: its type is \"tool\"",
        ),
        (
            |b| b["tools"][0]["function"]["strict"] = json!(true),
            "unknown field `strict`",
        ),
        (
            |b| b["tools"][1] = b["tools"][0].clone(),
            "a second tool of the name",
        ),
        (
            |b| b["tools"][0]["function"]["parameters"]["required"][0] = json!("file"),
            "requires \"file\", which is no property",
        ),
        (
            |b| {
                b["tools"][0]["function"]["parameters"]["properties"]["path"]["type"] =
                    json!("text");
            },
            "its property `path` is of type `text`",
        ),
        (
            |b| b["messages"][0]["role"] = json!("developer"),
            "messages[0]: role `developer`",
        ),
        (
            |b| b["messages"][1]["name"] = json!("x"),
            "messages[1] has the unknown field `name`",
        ),
        (
            |b| b["messages"][2]["content"] = json!("Else."),
            "messages[2] was not said",
        ),
        (
            |b| b["messages"][2]["tool_calls"][0]["function"]["arguments"]["path"] = json!("x"),
            "messages[2] was not said",
        ),
        (
            |b| b["messages"][2]["tool_calls"][0]["function"]["arguments"] = json!("{}"),
            "`arguments` cannot be \"{}\"",
        ),
        (
            |b| b["messages"][3]["tool_call_id"] = json!("call_x"),
            "the result of call_x",
        ),
        (
            |b| b["messages"].as_array_mut().unwrap().truncate(3),
            "are missing",
        ),
        (
            |b| b["messages"].as_array_mut().unwrap().swap(2, 3),
            "due is []",
        ),
        (
            |b| {
                b["messages"]
                    .as_array_mut()
                    .unwrap()
                    .insert(3, json!({"role": "user", "content": "x"}));
            },
            "messages[3]: `user` where the results of",
        ),
    ];
    for (change, named) in changes {
        let mut body = request("loop-2");
        change(&mut body);
        let problems = chat_problems(&body, &said(&["loop-1"]));
        assert!(
            problems.iter().any(|one| one.contains(named)),
            "{named}: {problems:#?}"
        );
    }
    let unheard = chat_problems(&request("loop-2"), &[]);
    assert!(
        unheard.iter().any(|one| one.contains("was not said")),
        "{unheard:#?}"
    );
}
