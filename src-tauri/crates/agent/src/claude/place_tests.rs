#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]
use super::*;
use espalier_protocol::MessageId;

fn anchored(uuid: &str) -> Option<Value> {
    let anchor = Anchor {
        session: "s".into(),
        uuid: uuid.into(),
        has: Vec::new(),
    };
    Some(anchor.raw())
}

fn call(id: &str, raw: Option<Value>) -> Block {
    Block::ToolCall {
        call_id: id.into(),
        name: "Bash".into(),
        input: json!({"command": "make"}),
        raw,
    }
}

fn said(blocks: Vec<Block>) -> ConversationItem {
    ConversationItem::Assistant {
        message_id: MessageId::new("m"),
        blocks,
    }
}

fn result(id: &str, content: &str) -> ConversationItem {
    ConversationItem::ToolResult {
        call_id: id.into(),
        tool: "Bash".into(),
        content: content.into(),
        is_error: false,
    }
}

fn user(text: &str) -> ConversationItem {
    ConversationItem::User { text: text.into() }
}

fn system(text: &str) -> ConversationItem {
    ConversationItem::System { text: text.into() }
}

fn returned(id: &str, content: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content, "is_error": false})
}

#[test]
fn a_new_session_begins_with_the_task_alone() {
    let place = find(&[system("Be brief."), user("Do it."), system("Only tests.")]);
    assert_eq!(place.resume, None);
    assert_eq!(place.say, [text("Do it."), text("Only tests.")]);
    assert!(!place.retold);
}

#[test]
fn it_goes_on_at_the_line_of_the_last_call_that_stayed() {
    let items = [
        user("Do it."),
        said(vec![call("a", anchored("1")), call("b", anchored("2"))]),
        result("a", "A"),
        result("b", "B"),
    ];
    let place = find(&items);
    assert_eq!(place.resume.unwrap().uuid, "2");
    assert_eq!(place.say, [returned("a", "A"), returned("b", "B")]);
    let between = [
        items[0].clone(),
        said(vec![call("a", anchored("1"))]),
        items[2].clone(),
        user("No."),
    ];
    let place = find(&between);
    assert_eq!(place.resume.unwrap().uuid, "1");
    assert_eq!(place.say, [returned("a", "A"), text("No.")]);
    assert!(!place.retold);
}

#[test]
fn a_result_that_stands_in_the_record_already_is_not_said_twice() {
    let anchor = Anchor {
        session: "s".into(),
        uuid: "2".into(),
        has: vec!["a".into()],
    };
    let items = [
        user("Do it."),
        said(vec![
            call("a", anchored("1")),
            call("b", Some(anchor.raw())),
        ]),
        result("a", "A"),
        result("b", "B"),
    ];
    assert_eq!(find(&items).say, [returned("b", "B")]);
}

#[test]
fn what_another_backend_did_is_told_in_words() {
    let items = [
        system("Be brief."),
        user("Do it."),
        said(vec![call("a", Some(json!({"function": "x"})))]),
        result("a", "A"),
        user("Now this."),
    ];
    let place = find(&items);
    assert!(place.retold);
    assert_eq!(place.resume, None);
    let [past, now] = place.say.as_slice() else {
        panic!("{:?}", place.say);
    };
    let past = past["text"].as_str().unwrap();
    for part in [
        "[You were told]\nDo it.",
        "[You called Bash]\n{\"command\":\"make\"}",
        "[Bash returned]\nA",
    ] {
        assert!(past.contains(part), "{past}");
    }
    assert!(
        !past.contains("Be brief."),
        "the system prompt has a place of its own"
    );
    assert_eq!(*now, text("Now this."));
}

#[test]
fn only_what_came_after_the_record_is_told_in_words() {
    let items = [
        user("Do it."),
        said(vec![call("a", anchored("1"))]),
        result("a", "A"),
        said(vec![call("b", None)]),
        result("b", "B"),
    ];
    let place = find(&items);
    assert!(place.retold);
    assert_eq!(place.resume.unwrap().uuid, "1");
    assert_eq!(place.say[0], returned("a", "A"));
    let past = place.say[1]["text"].as_str().unwrap();
    assert!(
        past.contains("[Bash returned]\nB") && !past.contains("Do it."),
        "{past}"
    );
}

#[test]
fn it_is_never_told_nothing() {
    let closed = said(vec![Block::Text {
        text: "Done.".into(),
        raw: anchored("3"),
    }]);
    let place = find(&[user("Do it."), closed]);
    assert_eq!(place.resume.unwrap().uuid, "3");
    assert_eq!(place.say.len(), 1);
}
