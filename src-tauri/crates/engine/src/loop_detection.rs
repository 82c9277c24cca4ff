//! Notices an agent that repeats itself: the same tool with the same arguments, step after step.

use espalier_protocol::Step;
use espalier_protocol::conversation::canonical_json;

/// How many steps at the end of a path are the same call; steps up to `floor` do not count.
pub fn identical_calls(path: &[&Step], floor: i32) -> u32 {
    let mut counted = path
        .iter()
        .rev()
        .take_while(|step| i64::from(step.index) > i64::from(floor))
        .filter(|step| !step.tool.is_empty());
    let Some(last) = counted.next() else { return 0 };
    let input = canonical_json(&last.input);
    let more = counted
        .take_while(|step| step.tool == last.tool && canonical_json(&step.input) == input)
        .count();
    u32::try_from(more + 1).unwrap_or(u32::MAX)
}
