//! Where in Claude Code's own record a conversation stands, and what is to be said from there.
//!
//! A record is cut at a line. At the line of a call nothing is known of what it returned yet: the
//! results, as Espalier recorded them, are said again with whatever follows. So the next request is
//! made of what the session holds, also between two calls of one message, where the record has no
//! line to cut at, and after a call whose result never reached the record.

use super::telling::{retold, told};
use espalier_protocol::{Block, ConversationItem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A line of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub(crate) session: String,
    pub(crate) uuid: String,
    /// Calls of the same message whose results stand before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) has: Vec<String>,
}

/// The field under which an anchor rides in a block.
const FIELD: &str = "claude_code";

impl Anchor {
    /// As it rides in a block, where no other backend takes it for its own.
    pub(crate) fn raw(&self) -> Value {
        json!({ FIELD: self })
    }

    fn of(block: &Block) -> Option<Self> {
        let (Block::Text { raw, .. } | Block::Thinking { raw, .. } | Block::ToolCall { raw, .. }) =
            block
        else {
            return None;
        };
        let anchor = raw.as_ref()?.get(FIELD)?;
        serde_json::from_value(anchor.clone()).ok()
    }
}

/// From where a process goes on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// Absent: a record of its own, from the beginning.
    pub(crate) resume: Option<Anchor>,
    /// The blocks of the first thing it is told.
    pub(crate) say: Vec<Value>,
    /// Whether something of the conversation is only told in words.
    pub(crate) retold: bool,
}

/// The best place for a conversation.
pub(crate) fn find(items: &[ConversationItem]) -> Place {
    let last = items.iter().enumerate().rev().find_map(|(index, item)| {
        let ConversationItem::Assistant { blocks, .. } = item else {
            return None;
        };
        Some((index, Anchor::of(blocks.last()?)?))
    });
    let Some((index, anchor)) = last else {
        return from_the_beginning(items);
    };
    let rest = items.get(index + 1..).unwrap_or_default();
    let answered = rest
        .iter()
        .take_while(|item| matches!(item, ConversationItem::ToolResult { .. }))
        .count();
    let (results, rest) = rest.split_at(answered);
    let mut say: Vec<Value> = results
        .iter()
        .filter_map(|item| result(item, &anchor))
        .collect();
    let retold = go_on(rest, &mut say);
    Place {
        resume: Some(anchor),
        say,
        retold,
    }
}

/// The place for a conversation whose record is not there.
pub(crate) fn from_the_beginning(items: &[ConversationItem]) -> Place {
    let mut say = Vec::new();
    let items = match items.split_first() {
        Some((ConversationItem::System { .. }, rest)) => rest,
        _ => items,
    };
    let retold = go_on(items, &mut say);
    Place {
        resume: None,
        say,
        retold,
    }
}

/// What a running Claude Code is told of items that it does not know yet.
pub(crate) fn news(items: &[ConversationItem]) -> Vec<Value> {
    let mut say = Vec::new();
    go_on(items, &mut say);
    say
}

/// What follows the place: words as they are, and in one text what Claude Code knows nothing of.
/// Returns whether there was any.
fn go_on(items: &[ConversationItem], say: &mut Vec<Value>) -> bool {
    let unknown = items
        .iter()
        .rposition(|item| {
            matches!(
                item,
                ConversationItem::Assistant { .. } | ConversationItem::ToolResult { .. }
            )
        })
        .map_or(0, |last| last + 1);
    let (unknown, words) = items.split_at(unknown);
    if !unknown.is_empty() {
        say.push(text(&retold(unknown)));
    }
    say.extend(words.iter().filter_map(told).map(|words| text(&words)));
    if say.is_empty() {
        // It speaks only when it is spoken to.
        say.push(text("Go on."));
    }
    !unknown.is_empty()
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn result(item: &ConversationItem, anchor: &Anchor) -> Option<Value> {
    let ConversationItem::ToolResult {
        call_id,
        content,
        is_error,
        ..
    } = item
    else {
        return None;
    };
    (!anchor.has.contains(call_id)).then(|| {
        json!({
            "type": "tool_result",
            "tool_use_id": call_id,
            "content": content,
            "is_error": is_error,
        })
    })
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
