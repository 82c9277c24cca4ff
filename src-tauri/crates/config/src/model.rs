//! The project configuration as it is written: every documented key, its type and its default.
//!
//! The JSON Schema is generated from these types and the documents are checked against it, so a
//! key, a range or a default is stated here and nowhere else. Fields are optional or have a
//! default wherever the whole can do without them; what a whole configuration needs besides is
//! asked for in `settings`.

mod checkpoints;
mod controls;
mod display;
mod live_agent;
mod schemes;

pub use checkpoints::{
    Carry, CarryMeans, CarryWith, GitCheckpoints, LoopDetection, LoopDetectionAction,
};
pub use controls::{
    BranchControl, BranchNames, Controls, InjectInstruction, PauseResume, RollbackControl,
    SendInstructions,
};
pub use display::{CodingTraceDisplay, DiffStyleName, FileTree, FileTreeSide, TerminalThemeName};
pub use live_agent::{
    AnthropicBackend, BackendName, ClaudeAgentSdkBackend, Context, LiveAgent, OllamaBackend,
    PermissionMode, ReplayBackend, Secret, ToolChoice, WhenNearlyFull,
};
pub use schemes::{
    AnnotationScheme, AnnotationType, COMMON_SCHEME_KEYS, LabelRequirement, RatingTarget,
    RatingType, SPECIAL_SCHEME_KEYS, Verdict,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A project configuration of Espalier: tasks, agent, controls, annotation schemes and output.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the annotation task, as the window shows it. Absent: the file's name.
    #[schemars(length(min = 1))]
    pub task_name: Option<String>,
    /// Folder that relative paths start from; itself relative to the configuration's folder.
    #[schemars(length(min = 1))]
    pub task_dir: String,
    /// Data files with the tasks, JSONL or JSON (one object, an array, or JSON lines).
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true))]
    pub data_files: Vec<String>,
    /// Which keys of a task hold its id and its text.
    pub item_properties: ItemProperties,
    /// The agent, and how its work is shown.
    pub agentic: Agentic,
    /// The live agent. May also stand under `agentic`; no key may be given in both places.
    pub live_agent: Option<LiveAgent>,
    /// Questions that the annotator answers.
    pub annotation_schemes: Vec<AnnotationScheme>,
    /// Folder that finished annotations are written to. Absent: none is written.
    #[schemars(length(min = 1))]
    pub output_annotation_dir: Option<String>,
    /// How the annotations are written: one JSON object a line.
    pub output_annotation_format: OutputFormat,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            task_name: None,
            task_dir: ".".to_owned(),
            data_files: Vec::new(),
            item_properties: ItemProperties::default(),
            agentic: Agentic::default(),
            live_agent: None,
            annotation_schemes: Vec::new(),
            output_annotation_dir: None,
            output_annotation_format: OutputFormat::Jsonl,
        }
    }
}

/// Which keys of a task hold its id and its text.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ItemProperties {
    /// Key of the task's unique id.
    #[schemars(length(min = 1))]
    pub id_key: String,
    /// Key of what the agent should do.
    #[schemars(length(min = 1))]
    pub text_key: String,
}

impl Default for ItemProperties {
    fn default() -> Self {
        Self {
            id_key: "id".to_owned(),
            text_key: "task_description".to_owned(),
        }
    }
}

/// The agent, and how its work is shown.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Agentic {
    /// `false`: no session can be started with this configuration.
    pub enabled: bool,
    /// How a trajectory is shown.
    pub display_type: DisplayType,
    /// Details of the display.
    pub coding_trace_display: CodingTraceDisplay,
    /// The live agent. May also stand at the top level; no key may be given in both places.
    pub live_agent: Option<LiveAgent>,
}

impl Default for Agentic {
    fn default() -> Self {
        Self {
            enabled: true,
            display_type: DisplayType::CodingTrace,
            coding_trace_display: CodingTraceDisplay::default(),
            live_agent: None,
        }
    }
}

/// How a trajectory is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisplayType {
    CodingTrace,
}

/// How the annotations are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    Jsonl,
}

/// A text that may be written as a number; it is kept as it is written.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    reason = "only its schema is used: the check makes a text of either"
)]
pub(crate) enum TextOrNumber {
    Text(#[schemars(length(min = 1))] String),
    Number(f64),
}
