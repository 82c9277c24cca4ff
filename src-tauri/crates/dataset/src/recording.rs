//! A session as a recording that can be played again (`espalier-recording/1`).
//!
//! A recorded branch is a path that an instruction begins. So an instruction in the middle of a branch
//! begins another recorded branch; what an instruction does not lead to cannot be played, and is
//! left out and named.

use crate::claude_calls::as_own;
use crate::redact::Redactor;
use espalier_protocol::event::BranchKind;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::tree::{Branch, PathItem};
use espalier_protocol::{Block, BranchId, SessionTree, Step, StepKind, StepStatus};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A recording, and what became of the session in it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSession {
    pub recording: Value,
    /// Secrets that were taken out of its texts.
    pub redacted: u32,
    /// What it does not have, in words.
    pub left_out: Vec<String>,
}

/// A stretch of a branch between two instructions.
struct Part {
    id: String,
    /// The first step that belongs to it.
    from: i32,
}

/// Makes the recording of a session. The tree has its steps' contents.
pub fn recording(tree: &SessionTree) -> RecordedSession {
    let mut maker = Maker {
        tree,
        backend: tree.meta.as_ref().map(|meta| &meta.settings.backend),
        redactor: Redactor::new(),
        parts: BTreeMap::new(),
        branches: Vec::new(),
        left_out: Vec::new(),
    };
    for branch in &tree.branches {
        maker.branch(branch);
    }
    let meta = tree.meta.as_ref();
    let title = meta.map_or_else(String::new, |meta| meta.task.description.clone());
    let model = meta.and_then(|meta| meta.settings.backend.model());
    let recording = json!({
        "format": "espalier-recording/1",
        "title": maker.redactor.text(&title),
        "model": model.unwrap_or("recorded"),
        "branches": maker.branches,
    });
    RecordedSession {
        recording,
        redacted: maker.redactor.count(),
        left_out: maker.left_out,
    }
}

struct Maker<'a> {
    tree: &'a SessionTree,
    backend: Option<&'a BackendSettings>,
    redactor: Redactor,
    /// The parts of each branch, in order.
    parts: BTreeMap<BranchId, Vec<Part>>,
    branches: Vec<Value>,
    left_out: Vec<String>,
}

impl Maker<'_> {
    fn branch(&mut self, branch: &Branch) {
        let root = branch.parent.is_none();
        let from = branch.branch_point + 1;
        let parent = branch.parent.as_ref().map(|id| self.part_at(id, from - 1));
        let reachable = match &parent {
            None => root,
            Some(parent) => parent.is_some() && branch.kind == BranchKind::Instructed,
        };
        if !reachable {
            let why = "no instruction leads to it";
            self.left_out.push(format!("Branch {}: {why}.", branch.id));
            return;
        }
        let mut current = Map::new();
        current.insert("id".to_owned(), json!(branch.id));
        let mut after = from - 1;
        let mut told = parent.flatten();
        let mut steps: Vec<&Step> = Vec::new();
        let mut opened = root;
        let mut parts = vec![Part {
            id: branch.id.to_string(),
            from,
        }];
        for item in &branch.items {
            match item {
                PathItem::Step(id) => steps.extend(self.tree.steps.get(id)),
                // A recording plays what was said; a replay needs no room.
                PathItem::Compaction(_) => {}
                PathItem::Instruction { text, .. } => {
                    if opened {
                        after = steps.last().map_or(after, |step| index(step));
                        told = parts.last().map(|part| part.id.clone());
                        self.push(std::mem::take(&mut current), &std::mem::take(&mut steps));
                        let id = format!("{}_{}", branch.id, parts.len() + 1);
                        current.insert("id".to_owned(), json!(id));
                        parts.push(Part {
                            id,
                            from: after + 1,
                        });
                    }
                    opened = true;
                    current.insert("parent".to_owned(), json!(told));
                    current.insert("after_step".to_owned(), json!(after));
                    let text = self.redactor.text(text);
                    current.insert("instruction".to_owned(), json!(text));
                }
            }
        }
        self.push(current, &steps);
        self.parts.insert(branch.id.clone(), parts);
    }

    /// The recorded branch that has a step of a branch's own or an ancestor's path.
    fn part_at(&self, id: &BranchId, step: i32) -> Option<String> {
        let parts = self.parts.get(id)?;
        let found = parts.iter().rev().find(|part| part.from <= step);
        Some(found.or_else(|| parts.first())?.id.clone())
    }

    fn push(&mut self, mut branch: Map<String, Value>, steps: &[&Step]) {
        let turns: Vec<Value> = steps
            .chunk_by(|a, b| a.message_id == b.message_id)
            .map(|steps| self.turn(steps))
            .collect();
        branch.insert("turns".to_owned(), Value::Array(turns));
        self.branches.push(Value::Object(branch));
    }

    fn turn(&mut self, steps: &[&Step]) -> Value {
        let mut turn = Map::new();
        let Some(first) = steps.first() else {
            return Value::Object(turn);
        };
        let message = self.tree.messages.get(&first.message_id);
        let blocks = message.map_or(&[][..], |message| &message.blocks);
        // What was said belongs to the first call; a fork may have cut the message after it.
        if first.call_index == 0 {
            let said = |wanted: fn(&Block) -> Option<&str>| {
                let texts: Vec<&str> = blocks.iter().filter_map(wanted).collect();
                texts.join("\n")
            };
            let thinking = said(|block| match block {
                Block::Thinking { text, .. } => Some(text),
                _ => None,
            });
            let text = said(|block| match block {
                Block::Text { text, .. } => Some(text),
                _ => None,
            });
            for (name, text) in [("thinking", thinking), ("text", text)] {
                if !text.is_empty() {
                    turn.insert(name.to_owned(), json!(self.redactor.text(&text)));
                }
            }
        }
        let calls: Vec<Value> = steps
            .iter()
            .filter(|step| step.kind != StepKind::Message)
            .map(|step| self.call(step))
            .collect();
        if !calls.is_empty() {
            turn.insert("calls".to_owned(), Value::Array(calls));
        }
        turn.insert("ms".to_owned(), json!(first.model_ms));
        turn.insert("input_tokens".to_owned(), json!(first.usage.input_tokens));
        turn.insert("output_tokens".to_owned(), json!(first.usage.output_tokens));
        Value::Object(turn)
    }

    fn call(&mut self, step: &Step) -> Value {
        let claudes = matches!(self.backend, Some(BackendSettings::ClaudeAgentSdk { .. }));
        if claudes {
            return self.claude_call(step);
        }
        let mut call = json!({
            "tool": step.tool,
            "input": self.redactor.value(&step.input),
        });
        // What is compared when it is played: only what ran to its own end says the same again.
        if let Some(result) = &step.result
            && matches!(result.status, StepStatus::Ok | StepStatus::CommandFailed)
        {
            call["result"] = json!(self.redactor.text(&result.content));
        }
        call
    }

    /// A call of Claude Code's as one of the tools that a recording is played through.
    fn claude_call(&mut self, step: &Step) -> Value {
        let Some(own) = as_own(step) else {
            let note = format!(
                "Step {} ({}) called a tool that only Claude Code has: it is refused when it is played.",
                step.index, step.tool
            );
            self.left_out.push(note);
            return json!({"tool": step.tool, "input": self.redactor.value(&step.input)});
        };
        let mut call = json!({"tool": own.tool, "input": self.redactor.value(&own.input)});
        let returned = step.result.as_ref().map(|result| result.status);
        if let (Some(StepStatus::Ok), Some(result)) = (returned, own.result) {
            call["result"] = json!(self.redactor.text(&result));
        }
        call
    }
}

fn index(step: &Step) -> i32 {
    i32::try_from(step.index).unwrap_or(i32::MAX)
}
