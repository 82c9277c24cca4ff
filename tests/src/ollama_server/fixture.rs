//! The recorded exchanges.

use serde_json::Value;
use std::path::PathBuf;

/// One recorded exchange with a real server.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub name: String,
    /// Body of the request; null where there was none.
    pub request: Value,
    pub path: String,
    pub status: u16,
    pub content_type: String,
    /// Lines of the answer, without their ends.
    pub lines: Vec<String>,
}

impl Exchange {
    /// Reads one by its name.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn load(name: &str) -> Self {
        let path = folder().join(format!("{name}.json"));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let recorded: Value = match serde_json::from_str(&text) {
            Ok(recorded) => recorded,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lines = recorded["lines"].as_array().into_iter().flatten();
        Self {
            name: name.to_owned(),
            request: recorded["request"]["body"].clone(),
            path: text(&recorded["request"]["path"]),
            status: recorded["status"]
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .unwrap_or_default(),
            content_type: text(&recorded["headers"]["content-type"]),
            lines: lines.map(|line| text(&line["line"])).collect(),
        }
    }

    /// All exchanges with `/api/chat`, by name.
    ///
    /// # Panics
    /// When the folder cannot be read.
    pub fn all_chats() -> Vec<Self> {
        let entries = match std::fs::read_dir(folder()) {
            Ok(entries) => entries,
            Err(error) => panic!("{}: {error}", folder().display()),
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
            .collect();
        names.sort();
        names
            .iter()
            .map(|name| Self::load(name))
            .filter(|exchange| exchange.path == "/api/chat" && exchange.request.is_object())
            .collect()
    }

    /// The whole body of the answer.
    pub fn body(&self) -> String {
        self.lines.join("\n")
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/ollama")
}
