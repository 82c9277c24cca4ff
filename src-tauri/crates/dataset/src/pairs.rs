//! Preference pairs from branch comparisons, in TRL's conversational form.
//!
//! One pair a comparison: the prompt is the conversation both branches share, the instructions that
//! began them set aside; chosen and rejected are the first assistant turns in which they differ.

use crate::turns::{message, turns_after};
use espalier_protocol::op::{AnnotationTarget, Place};
use espalier_protocol::session::{SchemeSettings, SchemeTarget, SessionMeta};
use espalier_protocol::tree::Trailing;
use espalier_protocol::{BranchId, SessionTree};
use serde_json::{Value, json};

/// A session's pairs, and why comparisons gave none.
pub struct Pairs {
    pub pairs: Vec<Value>,
    pub notes: Vec<String>,
}

/// The preference pairs of a session.
pub fn branching_dpo(tree: &SessionTree) -> Pairs {
    let mut out = Pairs {
        pairs: Vec::new(),
        notes: Vec::new(),
    };
    let Some(meta) = &tree.meta else {
        return out;
    };
    if tree.comparisons.is_empty() {
        out.notes.push(format!(
            "session {} has no branch comparison with a verdict",
            meta.id
        ));
    }
    for (a, b) in &tree.comparisons {
        for scheme in meta
            .settings
            .schemes
            .iter()
            .filter(|scheme| scheme.target == SchemeTarget::Comparison)
        {
            match pair(tree, meta, scheme, a, b) {
                Ok(Some(pair)) => out.pairs.push(pair),
                Ok(None) => {}
                Err(why) => out
                    .notes
                    .push(format!("session {}, {a} and {b}: {why}", meta.id)),
            }
        }
    }
    out
}

fn pair(
    tree: &SessionTree,
    meta: &SessionMeta,
    scheme: &SchemeSettings,
    a: &BranchId,
    b: &BranchId,
) -> Result<Option<Value>, String> {
    let target = AnnotationTarget::Comparison {
        a: a.clone(),
        b: b.clone(),
    };
    let Some(answer) = tree.answer(&target, &scheme.name) else {
        return Ok(None);
    };
    let label = answer.value.as_str().unwrap_or_default().to_owned();
    let (better, worse) = if scheme.prefers_a.contains(&label) {
        (a, b)
    } else if scheme.prefers_b.contains(&label) {
        (b, a)
    } else {
        return Err(format!("the verdict \"{label}\" prefers neither"));
    };
    let shared = tree.shared_step(a, b);
    let fork = Place {
        branch: a.clone(),
        step: shared,
    };
    let mut prompt: Vec<Value> = tree
        .conversation(&fork, Trailing::Exclude)
        .iter()
        .map(message)
        .collect();
    let mut chosen = turns_after(tree, better, shared).into_iter();
    let mut rejected = turns_after(tree, worse, shared).into_iter();
    let mut equal_turns = 0;
    let (chosen, rejected) = loop {
        let (Some(chosen), Some(rejected)) = (chosen.next(), rejected.next()) else {
            return Err(
                "one branch ends where the other goes on; there is no turn to set against"
                    .to_owned(),
            );
        };
        if chosen.message != rejected.message {
            break (chosen, rejected);
        }
        if chosen.results != rejected.results {
            return Err("both branches say the same where they part".to_owned());
        }
        equal_turns += 1;
        prompt.push(chosen.message);
        prompt.extend(chosen.results);
    };
    let tools: Vec<Value> = meta
        .tool_definitions
        .iter()
        .map(|tool| {
            json!({"type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": tool.parameters,
            }})
        })
        .collect();
    let instruction = |id: &BranchId| {
        tree.branch(id)
            .and_then(|branch| branch.instruction.clone())
    };
    let checkpoint = tree.checkpoint_at(&fork);
    Ok(Some(json!({
        "prompt": prompt,
        "chosen": [chosen.message],
        "rejected": [rejected.message],
        "tools": Value::from(tools).to_string(),
        "espalier": {
            "format": "espalier-branching-dpo/1",
            "session": meta.id,
            "task": meta.task.id,
            "annotator": answer.annotator,
            "scheme": scheme.name,
            "value": label,
            "at": answer.at,
            "chosen_branch": better,
            "rejected_branch": worse,
            "fork_step": shared,
            "equal_turns_in_prompt": equal_turns,
            "chosen_instruction": instruction(better),
            "rejected_instruction": instruction(worse),
            "same_start": checkpoint.is_some_and(|checkpoint| checkpoint.uncaptured_total == 0),
            "fork_checkpoint": checkpoint.map(|checkpoint| &checkpoint.id),
            "fork_tree": checkpoint.map(|checkpoint| &checkpoint.tree),
            "fork_conversation_hash": tree.step_at(&fork).map(|step| &step.conversation_hash),
            "backend": meta.settings.backend,
            "app_version": meta.app_version,
            "dropped": ["thinking", "instructions at the fork"],
        },
    })))
}
