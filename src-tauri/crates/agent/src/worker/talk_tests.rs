use super::*;
use serde_json::json;

fn user(text: &str) -> ConversationItem {
    ConversationItem::User { text: text.into() }
}

fn call(id: &str, tool: &str) -> Block {
    Block::ToolCall {
        call_id: id.into(),
        name: tool.into(),
        input: json!({}),
        raw: None,
    }
}

fn text(text: &str) -> Block {
    Block::Text {
        text: text.into(),
        raw: None,
    }
}

fn ids(blocks: &[Block]) -> Vec<&str> {
    blocks
        .iter()
        .filter_map(|block| match block {
            Block::ToolCall { call_id, .. } => Some(call_id.as_str()),
            _ => None,
        })
        .collect()
}

/// A talk whose last message made three calls, of which the first returned.
fn talk_within_a_message() -> Talk {
    let mut talk = Talk::new(vec![user("Do it.")], 4, Vec::new());
    let calls = [
        text("At once."),
        call("a", "glob"),
        call("b", "grep"),
        call("c", "bash"),
    ];
    assert!(talk.begin_message(calls.to_vec()));
    let first = talk.calls()[0].clone();
    talk.returned(&first, &ToolOutcome::stopped("no"));
    talk
}

#[test]
fn a_cut_keeps_the_calls_that_ran_with_their_results() {
    let mut talk = talk_within_a_message();
    talk.cut(1);
    let [
        _,
        ConversationItem::Assistant { blocks, .. },
        ConversationItem::ToolResult { call_id, .. },
    ] = talk.items()
    else {
        panic!("{:?}", talk.items());
    };
    assert_eq!(blocks, &[text("At once."), call("a", "glob")]);
    assert_eq!(call_id, "a");
    assert_eq!(talk.path().next_step, 5);
}

#[test]
fn a_cut_message_does_not_end_in_the_middle_of_a_thought() {
    let thought = |words: &str| Block::Thinking {
        text: words.into(),
        raw: None,
    };
    let mut talk = Talk::new(vec![user("Do it.")], 0, Vec::new());
    talk.begin_message(vec![
        thought("First."),
        call("a", "glob"),
        thought("And then."),
        call("b", "grep"),
    ]);
    let first = talk.calls()[0].clone();
    talk.returned(&first, &ToolOutcome::stopped("no"));
    talk.cut(1);
    let ConversationItem::Assistant { blocks, .. } = &talk.items()[1] else {
        panic!("{:?}", talk.items());
    };
    assert_eq!(blocks, &[thought("First."), call("a", "glob")]);
}

#[test]
fn a_message_of_which_no_call_ran_is_forgotten() {
    let mut talk = Talk::new(vec![user("Do it.")], 0, Vec::new());
    talk.begin_message(vec![text("At once."), call("a", "glob")]);
    talk.cut(0);
    assert_eq!(talk.items(), &[user("Do it.")]);
    assert_eq!(talk.path().next_step, 0);
}

#[test]
fn every_call_of_a_conversation_has_an_id_of_its_own() {
    let talk = talk_within_a_message();
    let mut blocks = vec![
        call("", "glob"),
        call("a", "glob"),
        call("a", "grep"),
        call("new", "bash"),
    ];
    talk.name_calls(&mut blocks);
    assert_eq!(ids(&blocks), ["call_5", "a_2", "a_3", "new"]);
}

#[test]
fn an_instruction_is_noted_with_the_step_it_follows() {
    let mut talk = Talk::new(vec![user("Do it.")], 0, Vec::new());
    talk.append(vec![user("First this.")]);
    assert!(!talk.begin_message(vec![text("Done.")]));
    talk.close();
    talk.append(vec![ConversationItem::System {
        text: "Now that.".into(),
    }]);
    let told: Vec<(i32, &str)> = talk
        .path()
        .instructions
        .iter()
        .map(|given| (given.after_step, given.text.as_str()))
        .collect();
    assert_eq!(told, [(-1, "First this."), (0, "Now that.")]);
    assert_eq!(talk.items().len(), 4);
}
