//! The conversation with a model, in a form that every provider's wire format can be made from.
//!
//! A provider's own form of a block (thinking signatures, ids) rides along as `raw` and goes back
//! to it unchanged; two conversations are the same when all but `raw` and the ids agree.

use crate::ids::MessageId;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Where an annotator's instruction stands in the conversation (`inject_as`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum InjectAs {
    /// A system-role message at that point.
    #[default]
    SystemMessage,
    /// A user turn.
    UserMessage,
}

/// One piece of what a model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    Text {
        text: String,
        /// The provider's own form, sent back unchanged.
        #[specta(type = Option<specta_typescript::Unknown>)]
        raw: Option<serde_json::Value>,
    },
    Thinking {
        text: String,
        #[specta(type = Option<specta_typescript::Unknown>)]
        raw: Option<serde_json::Value>,
    },
    ToolCall {
        /// The provider's id of the call, or one of ours where it gives none.
        call_id: String,
        /// The tool as the model named it; may be unknown.
        name: String,
        /// The arguments as the model gave them.
        #[specta(type = specta_typescript::Unknown)]
        input: serde_json::Value,
        #[specta(type = Option<specta_typescript::Unknown>)]
        raw: Option<serde_json::Value>,
    },
    /// A block of a kind only the provider knows (redacted thinking).
    Opaque {
        #[specta(type = specta_typescript::Unknown)]
        raw: serde_json::Value,
    },
}

/// One entry of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ConversationItem {
    /// The system prompt (first) or an instruction injected with authority.
    System { text: String },
    /// The task, or an instruction injected as a user turn.
    User { text: String },
    /// What the model said.
    Assistant {
        message_id: MessageId,
        blocks: Vec<Block>,
    },
    /// What a tool answered, as the model reads it.
    ToolResult {
        call_id: String,
        tool: String,
        content: String,
        is_error: bool,
    },
}

impl ConversationItem {
    /// An instruction in the place the configuration gives it.
    pub fn instruction(text: impl Into<String>, inject_as: InjectAs) -> Self {
        let text = text.into();
        match inject_as {
            InjectAs::SystemMessage => Self::System { text },
            InjectAs::UserMessage => Self::User { text },
        }
    }
}

/// What stands where the API key was in something that the agent printed.
pub const KEY_HIDDEN: &str = "[API key]";
/// What stands where a secret was in a text that leaves the machine.
pub const REDACTED: &str = "[redacted]";

/// What a model message cost, in tokens. Zero where the provider does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Usage {
    pub input_tokens: u32,
    pub output_tokens: u32,
    /// Input tokens that came from the provider's cache, included in `input_tokens`.
    pub cached_tokens: u32,
    /// Input tokens that the provider put into its cache, included in `input_tokens`. Zero in what
    /// was recorded before they were counted.
    #[serde(default)]
    pub cache_write_tokens: u32,
    /// Those of `cache_write_tokens` that the provider keeps for an hour.
    #[serde(default)]
    pub cache_write_1h_tokens: u32,
    /// The price of it, in millionths of a US dollar. Absent where no price is known.
    #[serde(default)]
    pub cost_micro_usd: Option<u32>,
    /// How full the model's window was after the message. Absent where the provider does not say.
    #[serde(default)]
    pub context: Option<ContextFill>,
}

impl Usage {
    /// Of two requests, one after the other, that made one message.
    #[must_use]
    pub const fn and_then(self, next: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(next.input_tokens),
            output_tokens: self.output_tokens.saturating_add(next.output_tokens),
            cached_tokens: self.cached_tokens.saturating_add(next.cached_tokens),
            cache_write_tokens: self
                .cache_write_tokens
                .saturating_add(next.cache_write_tokens),
            cache_write_1h_tokens: self
                .cache_write_1h_tokens
                .saturating_add(next.cache_write_1h_tokens),
            cost_micro_usd: match (self.cost_micro_usd, next.cost_micro_usd) {
                (Some(first), Some(second)) => Some(first.saturating_add(second)),
                (Some(cost), None) | (None, Some(cost)) => Some(cost),
                (None, None) => None,
            },
            context: match next.context {
                Some(fill) => Some(fill),
                None => self.context,
            },
        }
    }

    /// The same with the window filled by prompt and answer of this one request.
    #[must_use]
    pub const fn filling(mut self, window_tokens: Option<u32>) -> Self {
        let used_tokens = self.input_tokens.saturating_add(self.output_tokens);
        if self.input_tokens > 0 {
            self.context = Some(ContextFill {
                used_tokens,
                window_tokens,
            });
        }
        self
    }
}

/// How much of a model's context window is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ContextFill {
    /// Prompt and answer of the last request: what the next prompt begins with.
    pub used_tokens: u32,
    /// Absent where nobody says how large it is.
    pub window_tokens: Option<u32>,
}

/// The hash of a conversation's content: BLAKE3 over roles, texts, tool names, arguments and
/// results, without ids and without the provider's own forms. As 64 hexadecimal digits.
pub fn content_hash(items: &[ConversationItem]) -> String {
    chained_hash("", items)
}

/// The hash of a conversation that goes on with `items` after one whose hash is `before`. Equal
/// contents, added in the same portions, give equal hashes; a long conversation is never read again.
pub fn chained_hash(before: &str, items: &[ConversationItem]) -> String {
    let mut hasher = blake3::Hasher::new();
    field(&mut hasher, "before", before);
    for item in items {
        match item {
            ConversationItem::System { text } => field(&mut hasher, "system", text),
            ConversationItem::User { text } => field(&mut hasher, "user", text),
            ConversationItem::Assistant { blocks, .. } => {
                for block in blocks {
                    hash_block(&mut hasher, block);
                }
            }
            ConversationItem::ToolResult {
                tool,
                content,
                is_error,
                ..
            } => {
                field(
                    &mut hasher,
                    if *is_error { "failed" } else { "result" },
                    tool,
                );
                field(&mut hasher, "content", content);
            }
        }
    }
    hasher.finalize().to_hex().to_string()
}

fn hash_block(hasher: &mut blake3::Hasher, block: &Block) {
    match block {
        Block::Text { text, .. } => field(hasher, "text", text),
        Block::Thinking { text, .. } => field(hasher, "thinking", text),
        Block::ToolCall { name, input, .. } => {
            field(hasher, "call", name);
            field(hasher, "input", &canonical_json(input));
        }
        Block::Opaque { raw } => field(hasher, "opaque", &canonical_json(raw)),
    }
}

/// Length before text, so that no two sequences of fields run together into one.
fn field(hasher: &mut blake3::Hasher, tag: &str, text: &str) {
    hasher.update(tag.as_bytes());
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

/// JSON text with object keys in order, so that equal values give equal texts.
pub fn canonical_json(value: &serde_json::Value) -> String {
    fn sorted(value: &serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by(|a, b| a.0.cmp(b.0));
                serde_json::Value::Object(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.clone(), sorted(value)))
                        .collect(),
                )
            }
            serde_json::Value::Array(items) => {
                serde_json::Value::Array(items.iter().map(sorted).collect())
            }
            other => other.clone(),
        }
    }
    sorted(value).to_string()
}
