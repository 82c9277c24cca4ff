//! The backend's settings, its system prompt and its key.

use super::Review;
use crate::model::{BackendName, LiveAgent};
use crate::variables::Environment;
use espalier_protocol::session::BackendSettings;
use std::path::Path;

/// Environment variable that a key comes from when the configuration names none.
const KEY_VARIABLE: &str = "ANTHROPIC_API_KEY";

/// The chosen backend's settings; nothing after noting why not.
pub(super) fn backend(
    review: &mut Review<'_>,
    agent: &LiveAgent,
    task_dir: &Path,
) -> Option<BackendSettings> {
    let ollama_host = address(review, &agent.ollama.host, "ollama.host");
    let anthropic_url = address(review, &agent.anthropic.base_url, "anthropic.base_url");
    let Some(name) = agent.backend else {
        let path = review.live("backend");
        let message = "this key is missing: which backend runs the agent (ollama, anthropic, claude_agent_sdk, replay)";
        review.missing(&path, message);
        return None;
    };
    match name {
        BackendName::Ollama => {
            let model = required_model(review, agent, agent.ollama.model.as_ref(), "ollama");
            Some(BackendSettings::Ollama {
                host: ollama_host?,
                model: model?,
                temperature: agent.ollama.temperature,
                num_ctx: agent.ollama.num_ctx,
                num_predict: agent.ollama.num_predict,
                keep_alive: agent.ollama.keep_alive.as_deref().map(keep_alive),
            })
        }
        BackendName::Anthropic => {
            let model = required_model(review, agent, agent.anthropic.model.as_ref(), "anthropic");
            Some(BackendSettings::Anthropic {
                base_url: anthropic_url?,
                model: model?,
                max_tokens: agent.anthropic.max_tokens,
                temperature: agent.anthropic.temperature,
                enable_thinking: agent.anthropic.enable_thinking,
            })
        }
        BackendName::ClaudeAgentSdk => {
            let own = agent.claude_agent_sdk.model.as_ref();
            Some(BackendSettings::ClaudeAgentSdk {
                model: either(
                    review,
                    agent.model.as_ref(),
                    own,
                    "model",
                    "claude_agent_sdk.model",
                ),
                max_turns: agent.claude_agent_sdk.max_turns,
                permission_mode: agent.claude_agent_sdk.permission_mode.as_str().to_owned(),
                enable_thinking: agent.claude_agent_sdk.enable_thinking,
                cli_path: cli_path(agent.claude_agent_sdk.cli_path.as_deref(), task_dir),
            })
        }
        BackendName::Replay => replay(review, agent, task_dir),
    }
}

/// What the model is told first, where the configuration says it.
pub(super) fn system_prompt(review: &mut Review<'_>, agent: &LiveAgent) -> Option<String> {
    let own = match agent.backend {
        Some(BackendName::Anthropic) => agent.anthropic.system_prompt.as_ref(),
        _ => None,
    };
    let common = agent.system_prompt.as_ref();
    either(
        review,
        common,
        own,
        "system_prompt",
        "anthropic.system_prompt",
    )
}

/// The chosen backend's key. An empty one counts as none.
pub(crate) fn secrets(
    review: &Review<'_>,
    agent: &LiveAgent,
    unset: &[(String, String)],
    environment: Environment<'_>,
) -> crate::Secrets {
    let (written, tail) = match agent.backend {
        Some(BackendName::Anthropic) => (&agent.anthropic.api_key, "anthropic.api_key"),
        Some(BackendName::ClaudeAgentSdk) => {
            (&agent.claude_agent_sdk.api_key, "claude_agent_sdk.api_key")
        }
        Some(BackendName::Ollama | BackendName::Replay) | None => {
            return crate::Secrets::default();
        }
    };
    let path = review.live(tail);
    let variable = unset
        .iter()
        .find(|(unset, _)| *unset == path)
        .map(|(_, variable)| variable.clone());
    let api_key = match (written, &variable) {
        (Some(secret), _) => Some(secret.expose().to_owned()),
        (None, Some(_)) => None,
        (None, None) => environment(KEY_VARIABLE),
    };
    let api_key = api_key.filter(|key| !key.trim().is_empty());
    crate::Secrets {
        missing_variable: match api_key {
            Some(_) => None,
            None => Some(variable.unwrap_or_else(|| KEY_VARIABLE.to_owned())),
        },
        api_key,
    }
}

fn required_model(
    review: &mut Review<'_>,
    agent: &LiveAgent,
    own: Option<&String>,
    block: &str,
) -> Option<String> {
    let own_tail = format!("{block}.model");
    let model = either(review, agent.model.as_ref(), own, "model", &own_tail);
    if model.is_none() && !review.is_given(&review.live(&own_tail)) {
        let path = review.live("model");
        let message = format!("this key is missing: the {block} backend needs the name of a model");
        review.missing(&path, message);
    }
    model
}

/// One value from its two places. Two different ones are refused.
fn either(
    review: &mut Review<'_>,
    common: Option<&String>,
    own: Option<&String>,
    common_tail: &str,
    own_tail: &str,
) -> Option<String> {
    if let (Some(common), Some(own)) = (common, own)
        && common != own
    {
        let path = review.live(own_tail);
        let other = review.live(common_tail);
        review.refuse(
            &path,
            format!("{other} says something else; keep one of the two"),
        );
    }
    own.or(common).cloned()
}

/// Absolute; `~` is the home folder.
fn cli_path(written: Option<&str>, task_dir: &Path) -> Option<String> {
    let written = written?;
    let home = written.strip_prefix("~/").zip(std::env::home_dir());
    let path = match home {
        Some((rest, home)) => home.join(rest),
        None => super::resolve(task_dir, written),
    };
    Some(path.to_string_lossy().into_owned())
}

fn replay(review: &mut Review<'_>, agent: &LiveAgent, task_dir: &Path) -> Option<BackendSettings> {
    let path = review.live("replay.recording");
    let Some(recording) = &agent.replay.recording else {
        review.missing(
            &path,
            "this key is missing: the replay backend needs a recording",
        );
        return None;
    };
    let recording = super::resolve(task_dir, recording);
    if !recording.is_file() {
        let message = format!("there is no such file: {}", recording.display());
        review.refuse(&path, message);
        return None;
    }
    Some(BackendSettings::Replay {
        recording: recording.to_string_lossy().into_owned(),
        pace: agent.replay.pace,
    })
}

/// An HTTP address without a trailing slash; nothing after noting why not.
fn address(review: &mut Review<'_>, written: &str, tail: &str) -> Option<String> {
    let rest = written
        .strip_prefix("http://")
        .or_else(|| written.strip_prefix("https://"));
    let wrong = match rest {
        None => Some("expected an address that begins with http:// or https://"),
        Some(rest) => {
            let server = rest.split('/').next().unwrap_or("");
            if server.is_empty() || written.contains(char::is_whitespace) {
                Some("expected an address with the name of a server")
            } else if server.contains('@') {
                Some("an address must not hold a user name or a password, for it is stored")
            } else {
                None
            }
        }
    };
    if let Some(wrong) = wrong {
        let path = review.live(tail);
        review.refuse(&path, wrong);
        return None;
    }
    Some(written.trim_end_matches('/').to_owned())
}

/// A duration as Ollama reads it: a bare number has no unit there and would be refused.
fn keep_alive(written: &str) -> String {
    let written = written.trim();
    if written.parse::<f64>().is_ok() {
        format!("{written}s")
    } else {
        written.to_owned()
    }
}
