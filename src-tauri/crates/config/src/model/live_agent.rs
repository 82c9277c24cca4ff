//! `live_agent`: backend, tools and limits.

use super::{Controls, GitCheckpoints, LoopDetection, TextOrNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// The live agent: which model works, with which tools, within which limits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LiveAgent {
    /// `false`: no session can be started with this configuration.
    pub enabled: bool,
    /// Which backend runs the agent.
    pub backend: Option<BackendName>,
    /// Name of the model.
    #[schemars(length(min = 1))]
    pub model: Option<String>,
    /// What the model is told first. Absent: Espalier's own.
    #[schemars(length(min = 1))]
    pub system_prompt: Option<String>,
    /// Settings of the `ollama` backend.
    pub ollama: OllamaBackend,
    /// Settings of the `anthropic` backend.
    pub anthropic: AnthropicBackend,
    /// Settings of the `claude_agent_sdk` backend.
    pub claude_agent_sdk: ClaudeAgentSdkBackend,
    /// Settings of the `replay` backend.
    pub replay: ReplayBackend,
    /// Tools that the agent is offered. Others are refused.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub tools: Vec<ToolChoice>,
    /// Most steps along a path.
    #[schemars(range(min = 1))]
    pub max_steps: u32,
    /// Longest time of a step in seconds, pauses not counted.
    #[schemars(range(min = 1))]
    pub step_timeout_seconds: u32,
    /// What the annotator can do while the agent works.
    pub controls: Controls,
    /// Git checkpoints.
    pub git_checkpoints: GitCheckpoints,
    /// What happens when the agent repeats itself.
    pub loop_detection: LoopDetection,
    /// What happens when the model's context window is nearly full.
    pub context: Context,
    /// Limits of the file system and the network around the agent.
    pub sandbox: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Default for LiveAgent {
    fn default() -> Self {
        Self {
            enabled: true,
            backend: None,
            model: None,
            system_prompt: None,
            ollama: OllamaBackend::default(),
            anthropic: AnthropicBackend::default(),
            claude_agent_sdk: ClaudeAgentSdkBackend::default(),
            replay: ReplayBackend::default(),
            tools: ToolChoice::ALL.to_vec(),
            max_steps: 100,
            step_timeout_seconds: 120,
            controls: Controls::default(),
            git_checkpoints: GitCheckpoints::default(),
            loop_detection: LoopDetection::default(),
            context: Context::default(),
            sandbox: None,
        }
    }
}

/// Which backend runs the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackendName {
    /// A local model through Ollama.
    Ollama,
    /// Claude through the Anthropic API.
    Anthropic,
    /// The Claude Code agent.
    ClaudeAgentSdk,
    /// A recording, through the real tools.
    Replay,
}

/// A tool of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    ReadFile,
    EditFile,
    WriteFile,
    Bash,
    Glob,
    Grep,
}

impl ToolChoice {
    /// Every tool, in the document's order.
    pub const ALL: [Self; 6] = [
        Self::ReadFile,
        Self::EditFile,
        Self::WriteFile,
        Self::Bash,
        Self::Glob,
        Self::Grep,
    ];
}

/// Settings of the `ollama` backend.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OllamaBackend {
    /// URL of the Ollama server.
    #[schemars(length(min = 1))]
    pub host: String,
    /// Name of the model; the same as `live_agent.model`.
    #[schemars(length(min = 1))]
    pub model: Option<String>,
    /// Sampling temperature. Absent: the model's own.
    #[schemars(range(min = 0, max = 2))]
    pub temperature: Option<f64>,
    /// Context window in tokens. Absent: the server's own.
    #[schemars(range(min = 1))]
    pub num_ctx: Option<u32>,
    /// Most tokens of an answer; -1 is without limit, -2 fills the context. Absent: the server's own.
    #[schemars(range(min = -2))]
    pub num_predict: Option<i32>,
    /// How long the model stays in memory: a duration like `5m`, or seconds; negative is for ever.
    #[schemars(with = "Option<TextOrNumber>")]
    pub keep_alive: Option<String>,
}

impl Default for OllamaBackend {
    fn default() -> Self {
        Self {
            host: "http://localhost:11434".to_owned(),
            model: None,
            temperature: None,
            num_ctx: None,
            num_predict: None,
            keep_alive: None,
        }
    }
}

/// Settings of the `anthropic` backend.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AnthropicBackend {
    /// API key; write `${ANTHROPIC_API_KEY}`. Absent: the environment variable of that name.
    #[schemars(extend("writeOnly" = true))]
    pub api_key: Option<Secret>,
    /// URL of the API, or of a server that speaks it.
    #[schemars(length(min = 1))]
    pub base_url: String,
    /// Name of the model; the same as `live_agent.model`.
    #[schemars(length(min = 1))]
    pub model: Option<String>,
    /// Most tokens of an answer.
    #[schemars(range(min = 1))]
    pub max_tokens: u32,
    /// Sampling temperature. Absent: the model's own.
    #[schemars(range(min = 0, max = 1))]
    pub temperature: Option<f64>,
    /// Ask for extended thinking and show it, where the model has it.
    pub enable_thinking: bool,
    /// What the model is told first; the same as `live_agent.system_prompt`.
    #[schemars(length(min = 1))]
    pub system_prompt: Option<String>,
}

impl Default for AnthropicBackend {
    fn default() -> Self {
        Self {
            api_key: None,
            base_url: "https://api.anthropic.com".to_owned(),
            model: None,
            max_tokens: 4096,
            temperature: None,
            enable_thinking: true,
            system_prompt: None,
        }
    }
}

/// Settings of the `claude_agent_sdk` backend.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClaudeAgentSdkBackend {
    /// API key; write `${ANTHROPIC_API_KEY}`. Absent: the environment variable of that name.
    #[schemars(extend("writeOnly" = true))]
    pub api_key: Option<Secret>,
    /// Name of the model; the same as `live_agent.model`. Absent: Claude Code's own.
    #[schemars(length(min = 1))]
    pub model: Option<String>,
    /// Most turns of a run. Absent: without limit.
    #[schemars(range(min = 1))]
    pub max_turns: Option<u32>,
    /// Claude Code's permission mode.
    pub permission_mode: PermissionMode,
    /// Show extended thinking.
    pub enable_thinking: bool,
    /// The `claude` program, or the folder of a Python environment that has it; relative to
    /// `task_dir`. Absent: it is looked for.
    #[schemars(length(min = 1))]
    pub cli_path: Option<String>,
}

impl Default for ClaudeAgentSdkBackend {
    fn default() -> Self {
        Self {
            api_key: None,
            model: None,
            max_turns: None,
            permission_mode: PermissionMode::Auto,
            enable_thinking: true,
            cli_path: None,
        }
    }
}

/// Claude Code's permission mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PermissionMode {
    Auto,
    Default,
    AcceptEdits,
    BypassPermissions,
    DontAsk,
    Plan,
}

impl PermissionMode {
    /// The mode as configurations and Claude Code write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Default => "default",
            Self::AcceptEdits => "acceptEdits",
            Self::BypassPermissions => "bypassPermissions",
            Self::DontAsk => "dontAsk",
            Self::Plan => "plan",
        }
    }
}

/// Settings of the `replay` backend.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayBackend {
    /// The recording; relative to `task_dir`.
    #[schemars(length(min = 1))]
    pub recording: Option<String>,
    /// Speed: 1 is as recorded, 2 twice as fast, 0 without waiting.
    #[schemars(range(min = 0, max = 1000))]
    pub pace: f64,
}

impl Default for ReplayBackend {
    fn default() -> Self {
        Self {
            recording: None,
            pace: 1.0,
        }
    }
}

/// The model's context window.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Context {
    /// Its size in tokens. Absent: what the server or the list of models says.
    #[schemars(range(min = 1))]
    pub window: Option<u32>,
    /// The part of it, in percent, that is nearly all.
    #[schemars(range(min = 10, max = 100))]
    pub nearly_full: u32,
    /// What happens then.
    pub when_nearly_full: WhenNearlyFull,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            window: None,
            nearly_full: 90,
            when_nearly_full: WhenNearlyFull::Pause,
        }
    }
}

/// What a nearly full context window leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenNearlyFull {
    /// The session pauses before the model is asked again.
    Pause,
    /// What old tool calls returned is left out, and the agent goes on.
    Compact,
}

/// A text that is never shown, logged or stored.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("…")
    }
}
