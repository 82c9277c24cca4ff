//! What a request may leave out: models and versions of the API differ in what they take, and
//! only their refusal tells.

use espalier_protocol::worker::AgentNotice;

/// The least that the API takes as a budget for thinking.
const LEAST_BUDGET: u32 = 1024;

/// How the model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// As much as it finds right: every newer model.
    Adaptive,
    /// With at most so many tokens: older models.
    Budget(u32),
    Off,
}

/// What is sent of the settings that a server may refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leeway {
    pub(super) temperature: bool,
    pub(super) thinking: Thinking,
    /// So many items at the beginning of the conversation go back without their thinking: newer
    /// models take it only while nothing before it has changed.
    pub(super) unthinking: usize,
    /// Thinking was left out because the server takes no temperature beside it.
    gave_way: bool,
}

impl Leeway {
    pub(super) fn new(temperature: Option<f64>, thinking: bool) -> Self {
        Self {
            temperature: temperature.is_some(),
            thinking: if thinking {
                Thinking::Adaptive
            } else {
                Thinking::Off
            },
            unthinking: 0,
            gave_way: false,
        }
    }

    /// What to try after the server refused a request with these words; nothing when they speak of
    /// something else. Each is less than the one before, so this comes to an end. `items` is the
    /// length of the conversation.
    pub(super) fn after(self, said: &str, max_tokens: u32, items: usize) -> Option<Self> {
        let said = said.to_lowercase();
        if self.unthinking < items && about_earlier_thinking(&said) {
            return Some(Self {
                unthinking: items,
                ..self
            });
        }
        let thinks = self.thinking != Thinking::Off;
        let about_thinking = thinks && said.contains("thinking");
        let about_temperature = self.temperature && said.contains("temperature");
        match (about_temperature, about_thinking) {
            // The person wrote the temperature down; thinking is only the usual.
            (true, true) => Some(Self {
                thinking: Thinking::Off,
                gave_way: true,
                ..self
            }),
            (true, false) => Some(Self {
                temperature: false,
                thinking: if self.gave_way {
                    Thinking::Adaptive
                } else {
                    self.thinking
                },
                gave_way: false,
                ..self
            }),
            (false, true) => Some(Self {
                thinking: self.less(max_tokens),
                ..self
            }),
            (false, false) => None,
        }
    }

    fn less(self, max_tokens: u32) -> Thinking {
        let budget = max_tokens / 2;
        // A budget and a temperature exclude each other wherever there are budgets.
        if self.thinking == Thinking::Adaptive && !self.temperature && budget >= LEAST_BUDGET {
            Thinking::Budget(budget)
        } else {
            Thinking::Off
        }
    }

    /// What the annotator should know when `self` took the place of `before`.
    pub(super) fn notices(self, before: Self, model: &str) -> Vec<AgentNotice> {
        let note = |code: &str, text: String| AgentNotice {
            code: code.to_owned(),
            text,
            once: true,
        };
        let mut notices = Vec::new();
        if before.temperature && !self.temperature {
            let text = format!(
                "{model} takes no temperature here: live_agent.anthropic.temperature was left out."
            );
            notices.push(note("temperature_left_out", text));
        }
        if self.gave_way && !before.gave_way {
            let text = format!(
                "{model} does not show its thinking while live_agent.anthropic.temperature is set."
            );
            notices.push(note("thinking_left_out", text));
        }
        if self.unthinking > before.unthinking {
            let text = format!(
                "{model} no longer takes its earlier thinking, because what came before it has \
                 changed: it was left out."
            );
            notices.push(note("earlier_thinking_left_out", text));
        }
        notices
    }
}

/// Whether a refusal is about thinking that was sent back, not about the setting.
fn about_earlier_thinking(said: &str) -> bool {
    said.contains("thinking")
        && ["signature", "bound to", "cannot be modified"]
            .iter()
            .any(|word| said.contains(word))
}

#[cfg(test)]
#[path = "leeway_tests.rs"]
mod tests;
