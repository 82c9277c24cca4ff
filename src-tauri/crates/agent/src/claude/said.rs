//! The lines of Claude Code, as far as they matter here.
//!
//! The protocol grows: what is not known is no error, it is passed over.

use serde_json::Value;

/// A line that matters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    /// Answers a request of ours.
    Answer {
        request_id: String,
        error: Option<String>,
    },
    /// Wants to make a call, and waits.
    MayCall {
        request_id: String,
        call_id: String,
        input: Value,
        /// A call of an agent that the model started, which stands in no message of the model's.
        nested: bool,
    },
    /// Asks whether a call is permitted that its own rules do not let pass.
    Permission {
        request_id: String,
        call_id: String,
        input: Value,
    },
    /// All calls of a message returned; waits before it asks the model.
    BatchDone {
        request_id: String,
    },
    /// Something else that waits for an answer.
    Question {
        request_id: String,
        subtype: String,
    },
    /// Asks the model now.
    Asking,
    MessageBegins {
        message_id: String,
        model: Option<String>,
        usage: Value,
    },
    Text(String),
    Thinking(String),
    /// How the message ends; the counts are final.
    MessageTurns {
        stop_reason: Option<String>,
        usage: Value,
    },
    MessageEnds,
    /// Whole blocks of a message.
    Blocks {
        message_id: String,
        session: String,
        uuid: String,
        blocks: Vec<Value>,
    },
    /// Results of calls.
    Returned(Vec<CallResult>),
    /// The API failed and is asked again.
    Retry {
        attempt: u32,
        delay_ms: u32,
        status: Option<u16>,
        error: String,
    },
    /// Claude Code put a summary in the place of the conversation so far.
    Compacted,
    /// Claude Code speaks in the model's place: what kind of failure it tells.
    Trouble(String),
    /// The turn is over.
    Over(Box<Over>),
}

/// What a call returned, as the model reads it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallResult {
    pub(crate) call_id: String,
    pub(crate) content: String,
    pub(crate) is_error: bool,
    /// Its own, structured form.
    pub(crate) detail: Value,
}

/// How a turn ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Over {
    pub(crate) subtype: String,
    pub(crate) is_error: bool,
    pub(crate) reason: String,
    pub(crate) status: Option<u16>,
    pub(crate) text: String,
    pub(crate) errors: Vec<String>,
}

/// What a line says; nothing where it does not matter.
pub(crate) fn read(line: &Value) -> Option<Said> {
    // Lines of agents that the model started belong to no message of the model's own.
    let own = line["parent_tool_use_id"].is_null();
    match line["type"].as_str()? {
        "control_response" => Some(answer(&line["response"])),
        "control_request" => question(line),
        "stream_event" if own => event(&line["event"]),
        "assistant" if own => blocks(line),
        "user" if own => returned(line),
        "system" => system(line),
        "result" => Some(Said::Over(Box::new(over(line)))),
        _ => None,
    }
}

fn answer(response: &Value) -> Said {
    let failed = response["subtype"] == "error";
    Said::Answer {
        request_id: text(&response["request_id"]),
        error: failed.then(|| text(&response["error"])),
    }
}

fn question(line: &Value) -> Option<Said> {
    let request_id = text(&line["request_id"]);
    let request = &line["request"];
    let subtype = text(&request["subtype"]);
    if subtype == "can_use_tool" {
        return Some(Said::Permission {
            request_id,
            call_id: text(&request["tool_use_id"]),
            input: request["input"].clone(),
        });
    }
    let input = &request["input"];
    match input["hook_event_name"].as_str() {
        Some("PreToolUse") => Some(Said::MayCall {
            request_id,
            call_id: text(&input["tool_use_id"]),
            input: input["tool_input"].clone(),
            nested: input["agent_id"].is_string(),
        }),
        Some("PostToolBatch") if input["agent_id"].is_null() => {
            Some(Said::BatchDone { request_id })
        }
        _ => Some(Said::Question {
            request_id,
            subtype,
        }),
    }
}

fn event(event: &Value) -> Option<Said> {
    match event["type"].as_str()? {
        "message_start" => Some(Said::MessageBegins {
            message_id: text(&event["message"]["id"]),
            model: event["message"]["model"].as_str().map(str::to_owned),
            usage: event["message"]["usage"].clone(),
        }),
        "content_block_delta" => {
            let delta = &event["delta"];
            match delta["type"].as_str()? {
                "text_delta" => Some(Said::Text(text(&delta["text"]))),
                "thinking_delta" => Some(Said::Thinking(text(&delta["thinking"]))),
                _ => None,
            }
        }
        "message_delta" => Some(Said::MessageTurns {
            stop_reason: event["delta"]["stop_reason"].as_str().map(str::to_owned),
            usage: event["usage"].clone(),
        }),
        "message_stop" => Some(Said::MessageEnds),
        _ => None,
    }
}

fn blocks(line: &Value) -> Option<Said> {
    let message = &line["message"];
    if message["model"] == "<synthetic>" {
        let kind = line["api_error"].as_str().or(line["error"].as_str())?;
        return Some(Said::Trouble(kind.to_owned()));
    }
    if line["aborted"] == true {
        return None;
    }
    Some(Said::Blocks {
        message_id: text(&message["id"]),
        session: text(&line["session_id"]),
        uuid: text(&line["uuid"]),
        blocks: message["content"].as_array()?.clone(),
    })
}

fn returned(line: &Value) -> Option<Said> {
    let blocks = line["message"]["content"].as_array()?;
    let results: Vec<CallResult> = blocks
        .iter()
        .filter(|block| block["type"] == "tool_result")
        .map(|block| CallResult {
            call_id: text(&block["tool_use_id"]),
            content: content(&block["content"]),
            is_error: block["is_error"] == true,
            detail: line["tool_use_result"].clone(),
        })
        .collect();
    (!results.is_empty()).then_some(Said::Returned(results))
}

/// A result's text. A picture has none; it is named.
fn content(content: &Value) -> String {
    let Some(blocks) = content.as_array() else {
        return text(content);
    };
    let parts: Vec<String> = blocks
        .iter()
        .map(|block| match block["text"].as_str() {
            Some(text) => text.to_owned(),
            None => format!("[{}]", block["type"].as_str().unwrap_or("content")),
        })
        .collect();
    parts.join("\n")
}

fn system(line: &Value) -> Option<Said> {
    match line["subtype"].as_str()? {
        "status" if line["status"] == "requesting" => Some(Said::Asking),
        "compact_boundary" => Some(Said::Compacted),
        "api_retry" => Some(Said::Retry {
            attempt: number(&line["attempt"]),
            delay_ms: number(&line["retry_delay_ms"]),
            status: status(&line["error_status"]),
            error: text(&line["error"]),
        }),
        _ => None,
    }
}

fn over(line: &Value) -> Over {
    let errors = line["errors"].as_array().map(Vec::as_slice);
    Over {
        subtype: text(&line["subtype"]),
        is_error: line["is_error"] == true,
        reason: text(&line["terminal_reason"]),
        status: status(&line["api_error_status"]),
        text: text(&line["result"]),
        errors: errors.unwrap_or_default().iter().map(text).collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u32 {
    let number = value.as_f64().unwrap_or_default();
    // Negative and absurd numbers saturate.
    number as u32
}

fn status(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|status| u16::try_from(status).ok())
}

#[cfg(test)]
#[path = "said_tests.rs"]
mod tests;
