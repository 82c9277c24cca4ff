//! `agentic.coding_trace_display`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the screen shows a session.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CodingTraceDisplay {
    /// Differences in one column or in two.
    pub diff_style: DiffStyleName,
    /// Unchanged lines around a difference.
    #[schemars(range(max = 1000))]
    pub diff_context_lines: u32,
    /// Colours by syntax.
    pub syntax_highlight: bool,
    /// Line numbers beside code.
    pub show_line_numbers: bool,
    /// Colours of the terminal view.
    pub terminal_theme: TerminalThemeName,
    /// The file tree beside the timeline.
    pub file_tree: FileTree,
}

impl Default for CodingTraceDisplay {
    fn default() -> Self {
        Self {
            diff_style: DiffStyleName::Unified,
            diff_context_lines: 3,
            syntax_highlight: true,
            show_line_numbers: true,
            terminal_theme: TerminalThemeName::Dark,
            file_tree: FileTree::default(),
        }
    }
}

/// Differences in one column or in two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiffStyleName {
    Unified,
    SideBySide,
}

/// Colours of the terminal view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TerminalThemeName {
    Dark,
    Light,
}

/// The file tree beside the timeline.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FileTree {
    /// Whether it is shown.
    pub enabled: bool,
    /// The side it stands on.
    pub position: FileTreeSide,
    /// A click on a file goes to where the agent last touched it.
    pub click_to_navigate: bool,
}

impl Default for FileTree {
    fn default() -> Self {
        Self {
            enabled: true,
            position: FileTreeSide::Left,
            click_to_navigate: true,
        }
    }
}

/// The side that the file tree stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileTreeSide {
    Left,
    Right,
}
