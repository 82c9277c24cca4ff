//! `live_agent.controls`: what the annotator can do while the agent works.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the annotator can do while the agent works.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Controls {
    /// Pause and resume.
    pub pause_resume: PauseResume,
    /// Instructions while paused.
    pub send_instructions: SendInstructions,
    /// Back to a checkpoint.
    pub rollback: RollbackControl,
    /// Another path from a checkpoint.
    pub branch: BranchControl,
}

/// Pause and resume.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PauseResume {
    /// Whether the control is there.
    pub enabled: bool,
    /// Pause when a command fails.
    pub auto_pause_on_error: bool,
    /// Pause after so many steps; 0 is off.
    pub auto_pause_after_steps: u32,
    /// Key or key combination.
    pub keyboard_shortcut: String,
}

impl Default for PauseResume {
    fn default() -> Self {
        Self {
            enabled: true,
            auto_pause_on_error: true,
            auto_pause_after_steps: 0,
            keyboard_shortcut: "Space".to_owned(),
        }
    }
}

/// Instructions while paused.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SendInstructions {
    /// Whether the control is there.
    pub enabled: bool,
    /// Grey text of the empty field.
    pub placeholder: String,
    /// How an instruction stands in the conversation.
    pub inject_as: InjectInstruction,
    /// Key or key combination.
    pub keyboard_shortcut: String,
    /// Instructions offered for one click.
    #[schemars(inner(length(min = 1)))]
    pub presets: Vec<String>,
}

impl Default for SendInstructions {
    fn default() -> Self {
        Self {
            enabled: true,
            placeholder: "Type instructions for the agent...".to_owned(),
            inject_as: InjectInstruction::SystemMessage,
            keyboard_shortcut: "Enter".to_owned(),
            presets: Vec::new(),
        }
    }
}

/// How an instruction stands in the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InjectInstruction {
    /// With authority, as a system message.
    SystemMessage,
    /// As a turn of the user.
    UserMessage,
}

/// Back to a checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RollbackControl {
    /// Whether the control is there.
    pub enabled: bool,
    /// Show what will be undone.
    pub show_checkpoint_diff: bool,
    /// Ask before it is done.
    pub require_confirmation: bool,
    /// Key or key combination.
    pub keyboard_shortcut: String,
}

impl Default for RollbackControl {
    fn default() -> Self {
        Self {
            enabled: true,
            show_checkpoint_diff: true,
            require_confirmation: true,
            keyboard_shortcut: "Ctrl+Z".to_owned(),
        }
    }
}

/// Another path from a checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BranchControl {
    /// Whether the control is there.
    pub enabled: bool,
    /// Most branches from any one checkpoint.
    #[schemars(range(min = 1))]
    pub max_branches: u32,
    /// Names by counting, or asked for.
    pub branch_naming: BranchNames,
    /// Two branches side by side.
    pub compare_view: bool,
    /// Key or key combination.
    pub keyboard_shortcut: String,
}

impl Default for BranchControl {
    fn default() -> Self {
        Self {
            enabled: true,
            max_branches: 5,
            branch_naming: BranchNames::Auto,
            compare_view: true,
            keyboard_shortcut: "Ctrl+B".to_owned(),
        }
    }
}

/// How branches get their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BranchNames {
    /// `branch_1`, `branch_2`, …
    Auto,
    /// The annotator is asked.
    Manual,
}
