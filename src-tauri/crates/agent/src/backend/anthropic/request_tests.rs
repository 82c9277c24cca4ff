use super::super::Model;
use super::super::leeway::{Leeway, Thinking};
use super::body;
use crate::backend::{PathSoFar, Request};
use espalier_protocol::{Block, ConversationItem, MessageId, ToolDefinition};
use serde_json::{Value, json};

fn system(text: &str) -> ConversationItem {
    ConversationItem::System {
        text: text.to_owned(),
    }
}

fn user(text: &str) -> ConversationItem {
    ConversationItem::User {
        text: text.to_owned(),
    }
}

fn said(blocks: Vec<Block>) -> ConversationItem {
    ConversationItem::Assistant {
        message_id: MessageId::new("a1"),
        blocks,
    }
}

fn text(text: &str) -> Block {
    Block::Text {
        text: text.to_owned(),
        raw: None,
    }
}

fn call(call_id: &str, input: Value, raw: Option<Value>) -> Block {
    Block::ToolCall {
        call_id: call_id.to_owned(),
        name: "bash".to_owned(),
        input,
        raw,
    }
}

fn result(call_id: &str, content: &str, is_error: bool) -> ConversationItem {
    ConversationItem::ToolResult {
        call_id: call_id.to_owned(),
        tool: "bash".to_owned(),
        content: content.to_owned(),
        is_error,
    }
}

fn asked(conversation: &[ConversationItem], so_far: &[Block]) -> Value {
    let model = Model {
        name: "claude".to_owned(),
        max_tokens: 4096,
        temperature: Some(0.2),
    };
    let tools = [ToolDefinition {
        name: "bash".to_owned(),
        description: "Runs".to_owned(),
        parameters: json!({"type": "object"}),
    }];
    let request = Request {
        conversation,
        tools: &tools,
        path: &PathSoFar::default(),
    };
    body(&model, Leeway::new(Some(0.2), true), &request, so_far)
}

#[test]
fn the_settings_the_tools_and_the_prompt_come_first() {
    let body = asked(&[system("Be kind."), user("Go.")], &[]);
    let mark = json!({"type": "ephemeral"});
    assert_eq!(
        body,
        json!({
            "model": "claude", "max_tokens": 4096, "stream": true, "temperature": 0.2,
            "thinking": {"type": "adaptive", "display": "summarized"},
            "tools": [{"name": "bash", "description": "Runs", "input_schema": {"type": "object"}}],
            "system": [{"type": "text", "text": "Be kind.", "cache_control": mark}],
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "Go.", "cache_control": mark},
            ]}],
        })
    );
}

#[test]
fn what_a_server_refuses_is_not_sent() {
    let model = Model {
        name: "claude".to_owned(),
        max_tokens: 4096,
        temperature: Some(0.2),
    };
    let conversation = [user("Go.")];
    let request = Request {
        conversation: &conversation,
        tools: &[],
        path: &PathSoFar::default(),
    };
    let leeway = Leeway::new(None, true).after("adaptive thinking", 4096, 0);
    assert_eq!(leeway.map(|one| one.thinking), Some(Thinking::Budget(2048)));
    let bodies = leeway.map(|leeway| body(&model, leeway, &request, &[]));
    let body = bodies.unwrap_or_default();
    assert_eq!(
        body["thinking"],
        json!({"type": "enabled", "budget_tokens": 2048})
    );
    for absent in ["temperature", "tools", "system"] {
        assert_eq!(body.get(absent), None, "{absent}");
    }
}

#[test]
fn what_follows_a_message_is_one_turn_with_the_results_first() {
    let thinking = json!({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"});
    let sealed = json!({"type": "redacted_thinking", "data": "c2VhbGVk"});
    let own = json!({"type": "tool_use", "id": "old", "name": "bash", "input": {}, "caller": {"type": "direct"}});
    let body = asked(
        &[
            system("Be kind."),
            user("Go."),
            said(vec![
                Block::Thinking {
                    text: "Hm.".to_owned(),
                    raw: Some(thinking.clone()),
                },
                Block::Opaque {
                    raw: sealed.clone(),
                },
                // Of another provider.
                Block::Thinking {
                    text: "Aha.".to_owned(),
                    raw: None,
                },
                text(" \n"),
                call("toolu_1", json!({"command": "ls"}), Some(own)),
                call("toolu_2", json!("half"), None),
            ]),
            result("toolu_1", "a.txt", false),
            result("toolu_2", "No.", true),
            system("Stop."),
            user("Now."),
            said(Vec::new()),
            user("Well?"),
        ],
        &[],
    );
    let mark = json!({"type": "ephemeral"});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"type": "text", "text": "Go.", "cache_control": mark}]},
            {"role": "assistant", "content": [
                thinking,
                sealed,
                {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"command": "ls"},
                    "caller": {"type": "direct"}},
                {"type": "tool_use", "id": "toolu_2", "name": "bash", "input": {"arguments": "half"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a.txt"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": "No.", "is_error": true},
                {"type": "text", "text": "<system_message>\nStop.\n</system_message>"},
                {"type": "text", "text": "Now."},
                {"type": "text", "text": "Well?", "cache_control": mark},
            ]},
        ])
    );
}

#[test]
fn two_turns_are_marked_and_a_paused_message_goes_back() {
    let conversation = [
        user("One."),
        said(vec![call("c1", json!({}), None)]),
        result("c1", "", false),
        said(vec![call("c2", json!({}), None)]),
        result("c2", "", false),
    ];
    let body = asked(&conversation, &[text("Wait, ")]);
    let marked: Vec<bool> = body["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|turn| turn["content"][0].get("cache_control").is_some())
        .collect();
    assert_eq!(marked, [false, false, true, false, true, false]);
    // Without a prompt the tools end the first prefix.
    assert!(body["tools"][0].get("cache_control").is_some());
    let last = json!({"role": "assistant", "content": [{"type": "text", "text": "Wait, "}]});
    assert_eq!(body["messages"][5], last);
}
