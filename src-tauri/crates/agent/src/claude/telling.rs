//! A conversation in words, for a Claude Code that has no record of it.

use espalier_protocol::{Block, ConversationItem};

/// An instruction's words.
pub(crate) fn told(item: &ConversationItem) -> Option<String> {
    match item {
        ConversationItem::System { text } | ConversationItem::User { text } => Some(text.clone()),
        ConversationItem::Assistant { .. } | ConversationItem::ToolResult { .. } => None,
    }
}

/// What was said and done, from the model's side.
pub(crate) fn retold(items: &[ConversationItem]) -> String {
    let mut text = String::from(
        "You have worked on this before, but your own record of it is not at hand. This is what was \
         said and done, in order; the project is as you left it. Go on from where it ends.",
    );
    for item in items {
        match item {
            ConversationItem::System { text: words } | ConversationItem::User { text: words } => {
                part(&mut text, "You were told", words);
            }
            ConversationItem::Assistant { blocks, .. } => {
                for block in blocks {
                    spoken(&mut text, block);
                }
            }
            ConversationItem::ToolResult {
                tool,
                content,
                is_error,
                ..
            } => {
                let head = if *is_error { "failed" } else { "returned" };
                part(&mut text, &format!("{tool} {head}"), content);
            }
        }
    }
    text
}

fn spoken(text: &mut String, block: &Block) {
    match block {
        Block::Text { text: words, .. } => part(text, "You said", words),
        Block::ToolCall { name, input, .. } => {
            part(text, &format!("You called {name}"), &input.to_string());
        }
        // Another's thinking is no memory of its own.
        Block::Thinking { .. } | Block::Opaque { .. } => {}
    }
}

fn part(text: &mut String, head: &str, words: &str) {
    text.push_str("\n\n[");
    text.push_str(head);
    text.push_str("]\n");
    text.push_str(words);
}
