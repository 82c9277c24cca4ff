//! Our lines to Claude Code.

use serde_json::{Value, json};

/// How long a hook may be held, in seconds: a day. Without it ten minutes.
const HOLD: u32 = 86_400;
/// The request that opens a conversation with the program.
pub(crate) const OPENING: &str = "espalier-opening";
/// The request that stops what runs.
pub(crate) const STOPPING: &str = "espalier-stopping";

/// Opens; asks to be asked before every call and after all calls of a message.
pub(crate) fn opening() -> Value {
    let hook = |name: &str| json!([{"matcher": null, "hookCallbackIds": [name], "timeout": HOLD}]);
    let hooks = json!({
        "PreToolUse": hook("before_call"),
        "PostToolBatch": hook("after_calls"),
    });
    request(OPENING, &json!({"subtype": "initialize", "hooks": hooks}))
}

/// Stops the model, a call or a hold.
pub(crate) fn interrupt() -> Value {
    request(STOPPING, &json!({"subtype": "interrupt"}))
}

fn request(id: &str, request: &Value) -> Value {
    json!({"type": "control_request", "request_id": id, "request": request})
}

/// What the user says: a text, or blocks.
pub(crate) fn user(content: Value) -> Value {
    json!({
        "type": "user",
        "message": {"role": "user", "content": content},
        "parent_tool_use_id": null,
        "session_id": "",
    })
}

/// Lets a held call run, with other arguments where there are any.
pub(crate) fn go(request_id: &str, changed: Option<&Value>, remark: Option<&str>) -> Value {
    let mut output = json!({
        "hookEventName": "PreToolUse",
        "permissionDecision": "allow",
        "permissionDecisionReason": "The person in charge lets it run.",
    });
    if let Some(changed) = changed {
        output["updatedInput"] = changed.clone();
    }
    if let Some(remark) = remark {
        output["additionalContext"] = remark.into();
    }
    answer(request_id, &json!({"hookSpecificOutput": output}))
}

/// Does not let a held call run.
pub(crate) fn refuse(request_id: &str, reason: &str) -> Value {
    let output = json!({
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": reason,
    });
    answer(request_id, &json!({"hookSpecificOutput": output}))
}

/// Permits a call that was let run already.
pub(crate) fn permit(request_id: &str, input: &Value) -> Value {
    answer(
        request_id,
        &json!({"behavior": "allow", "updatedInput": input}),
    )
}

/// Does not permit a call.
pub(crate) fn forbid(request_id: &str, why: &str) -> Value {
    answer(request_id, &json!({"behavior": "deny", "message": why}))
}

/// Lets it go on.
pub(crate) fn go_on(request_id: &str) -> Value {
    answer(request_id, &json!({}))
}

/// Says that the question is not understood.
pub(crate) fn unknown(request_id: &str, subtype: &str) -> Value {
    let response = json!({
        "subtype": "error",
        "request_id": request_id,
        "error": format!("Espalier does not answer {subtype}."),
    });
    json!({"type": "control_response", "response": response})
}

fn answer(request_id: &str, answer: &Value) -> Value {
    let response = json!({"subtype": "success", "request_id": request_id, "response": answer});
    json!({"type": "control_response", "response": response})
}
