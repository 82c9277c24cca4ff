//! The controls and loop detection.

use super::Review;
use super::shortcuts::{self, Shortcut};
use crate::model::{BranchNames, InjectInstruction, LiveAgent, LoopDetectionAction};
use espalier_protocol::InjectAs;
use espalier_protocol::session::{BranchNaming, ControlSettings, LoopAction};

pub(super) fn controls(review: &mut Review<'_>, agent: &LiveAgent) -> ControlSettings {
    check_shortcuts(review, agent);
    let controls = &agent.controls;
    let (pause, send) = (&controls.pause_resume, &controls.send_instructions);
    let (rollback, branch) = (&controls.rollback, &controls.branch);
    let loops = &agent.loop_detection;
    ControlSettings {
        pause: pause.enabled,
        auto_pause_on_error: pause.auto_pause_on_error,
        auto_pause_after_steps: pause.auto_pause_after_steps,
        pause_shortcut: pause.keyboard_shortcut.clone(),
        instruct: send.enabled,
        placeholder: send.placeholder.clone(),
        inject_as: match send.inject_as {
            InjectInstruction::SystemMessage => InjectAs::SystemMessage,
            InjectInstruction::UserMessage => InjectAs::UserMessage,
        },
        instruct_shortcut: send.keyboard_shortcut.clone(),
        presets: send.presets.clone(),
        rollback: rollback.enabled,
        show_checkpoint_diff: rollback.show_checkpoint_diff,
        require_confirmation: rollback.require_confirmation,
        rollback_shortcut: rollback.keyboard_shortcut.clone(),
        branch: branch.enabled,
        max_branches: branch.max_branches,
        branch_naming: match branch.branch_naming {
            BranchNames::Auto => BranchNaming::Auto,
            BranchNames::Manual => BranchNaming::Manual,
        },
        compare_view: branch.compare_view,
        branch_shortcut: branch.keyboard_shortcut.clone(),
        loop_detection: loops.enabled,
        loop_threshold: loops.threshold,
        loop_action: match loops.action {
            LoopDetectionAction::Pause => LoopAction::Pause,
            LoopDetectionAction::Terminate => LoopAction::Terminate,
        },
    }
}

/// Every shortcut has to be one, and no two controls that are there may share it.
fn check_shortcuts(review: &mut Review<'_>, agent: &LiveAgent) {
    let controls = &agent.controls;
    let all = [
        (
            "pause_resume",
            controls.pause_resume.enabled,
            &controls.pause_resume.keyboard_shortcut,
        ),
        (
            "send_instructions",
            controls.send_instructions.enabled,
            &controls.send_instructions.keyboard_shortcut,
        ),
        (
            "rollback",
            controls.rollback.enabled,
            &controls.rollback.keyboard_shortcut,
        ),
        (
            "branch",
            controls.branch.enabled,
            &controls.branch.keyboard_shortcut,
        ),
    ];
    let mut taken: Vec<(Shortcut, &str)> = Vec::new();
    for (control, enabled, written) in all {
        let path = review.live(&format!("controls.{control}.keyboard_shortcut"));
        match shortcuts::parse(written) {
            Err(problem) => review.refuse_near(&path, problem.message, problem.nearest),
            Ok(shortcut) if enabled => {
                let other = taken.iter().find(|(known, _)| *known == shortcut);
                if let Some((_, other)) = other {
                    let message = format!("\"{written}\" is the shortcut of {other} already");
                    review.refuse(&path, message);
                }
                taken.push((shortcut, control));
            }
            Ok(_) => {}
        }
    }
}
