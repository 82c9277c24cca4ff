//! The agent's tools by name, and how they are described to a model.

use serde::{Deserialize, Serialize};
use specta::Type;

/// The six tools of the document.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum ToolName {
    ReadFile,
    EditFile,
    WriteFile,
    Bash,
    Glob,
    Grep,
}

impl ToolName {
    /// All tools, in the order in which they are offered to a model.
    pub const ALL: [Self; 6] = [
        Self::ReadFile,
        Self::EditFile,
        Self::WriteFile,
        Self::Bash,
        Self::Glob,
        Self::Grep,
    ];

    /// The name as configurations and models write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadFile => "read_file",
            Self::EditFile => "edit_file",
            Self::WriteFile => "write_file",
            Self::Bash => "bash",
            Self::Glob => "glob",
            Self::Grep => "grep",
        }
    }

    /// The tool of that name, or nothing.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.as_str() == name)
    }
}

impl std::fmt::Display for ToolName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A tool as it is offered to a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ToolDefinition {
    /// The name a model calls it by.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    #[specta(type = specta_typescript::Unknown)]
    pub parameters: serde_json::Value,
}
