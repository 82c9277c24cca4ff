//! Keyboard shortcuts as configurations write them: `Space`, `Enter`, `Ctrl+Z`, `Ctrl+Shift+F5`.
//!
//! What is a shortcut here is what the window understands; it reads the same text.

use crate::nearest;

/// Modifier keys, each with the name it is compared by.
const MODIFIERS: [(&str, &str); 11] = [
    ("Ctrl", "ctrl"),
    ("Control", "ctrl"),
    ("CmdOrCtrl", "ctrl"),
    ("Alt", "alt"),
    ("Option", "alt"),
    ("Shift", "shift"),
    ("Meta", "meta"),
    ("Cmd", "meta"),
    ("Command", "meta"),
    ("Super", "meta"),
    ("Win", "meta"),
];

/// Keys that are not one character, each with the name it is compared by.
const KEYS: [(&str, &str); 39] = [
    ("Space", " "),
    ("Spacebar", " "),
    ("Enter", "enter"),
    ("Return", "enter"),
    ("Esc", "escape"),
    ("Escape", "escape"),
    ("Tab", "tab"),
    ("Backspace", "backspace"),
    ("Del", "delete"),
    ("Delete", "delete"),
    ("Ins", "insert"),
    ("Insert", "insert"),
    ("Home", "home"),
    ("End", "end"),
    ("PgUp", "pageup"),
    ("PageUp", "pageup"),
    ("PgDn", "pagedown"),
    ("PageDown", "pagedown"),
    ("Up", "arrowup"),
    ("ArrowUp", "arrowup"),
    ("Down", "arrowdown"),
    ("ArrowDown", "arrowdown"),
    ("Left", "arrowleft"),
    ("ArrowLeft", "arrowleft"),
    ("Right", "arrowright"),
    ("ArrowRight", "arrowright"),
    ("Plus", "+"),
    ("F1", "f1"),
    ("F2", "f2"),
    ("F3", "f3"),
    ("F4", "f4"),
    ("F5", "f5"),
    ("F6", "f6"),
    ("F7", "f7"),
    ("F8", "f8"),
    ("F9", "f9"),
    ("F10", "f10"),
    ("F11", "f11"),
    ("F12", "f12"),
];

/// A shortcut in a form that can be compared: modifiers in order, then the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shortcut(Vec<String>);

/// Why a text is no shortcut.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) nearest: Option<String>,
}

/// Reads a shortcut: modifiers and one key, joined by `+`.
pub(super) fn parse(written: &str) -> Result<Shortcut, Problem> {
    let text = written.trim();
    // In `Ctrl++` the key itself is the plus.
    let (modifiers, key) = match text.strip_suffix("++") {
        Some(modifiers) => (modifiers, "Plus"),
        None => text.rsplit_once('+').unwrap_or(("", text)),
    };
    let key = key.trim();
    let Some(key) = known(key, &KEYS).or_else(|| one_character(key)) else {
        return Err(Problem {
            message: format!(
                "\"{written}\" is not a shortcut; write one key, or modifiers and a key joined by + as in Ctrl+Z"
            ),
            nearest: nearest::word(key, KEYS.map(|(name, _)| name)),
        });
    };
    let mut shortcut = Vec::new();
    for modifier in modifiers.split('+').filter(|_| !modifiers.is_empty()) {
        let Some(name) = known(modifier.trim(), &MODIFIERS) else {
            return Err(Problem {
                message: format!("\"{}\" is not a modifier key", modifier.trim()),
                nearest: nearest::word(modifier, MODIFIERS.map(|(name, _)| name)),
            });
        };
        shortcut.push(name);
    }
    shortcut.sort();
    shortcut.dedup();
    shortcut.push(key);
    Ok(Shortcut(shortcut))
}

fn known(word: &str, words: &[(&str, &str)]) -> Option<String> {
    words
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, compared)| (*compared).to_owned())
}

fn one_character(word: &str) -> Option<String> {
    (word.chars().count() == 1).then(|| word.to_lowercase())
}
