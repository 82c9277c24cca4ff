#![expect(clippy::unwrap_used, reason = "tests end at the first surprise")]

use super::{Leeway, Thinking};

const DEPRECATED: &str = "`temperature` is deprecated for this model.";
const EITHER: &str = "`temperature` may only be set to 1 when thinking is enabled.";
const NOT_ADAPTIVE: &str = "adaptive thinking is not supported on this model";
const NO_THINKING: &str = "thinking is not supported by this model";

/// What is left after these refusals: whether a temperature, and which thinking.
fn after(temperature: Option<f64>, refusals: &[&str]) -> (bool, Thinking, Vec<String>) {
    let first = Leeway::new(temperature, true);
    let last = refusals
        .iter()
        .fold(first, |leeway, said| leeway.after(said, 4096, 0).unwrap());
    let notices = last.notices(first, "claude").into_iter();
    let codes = notices.map(|notice| notice.code).collect();
    (last.temperature, last.thinking, codes)
}

#[test]
fn what_the_server_refuses_is_left_out() {
    use Thinking::{Adaptive, Budget, Off};
    let told = |code: &str| vec![code.to_owned()];
    let none = Vec::new;
    assert_eq!(after(Some(0.2), &[]), (true, Adaptive, none()));
    assert_eq!(
        after(Some(0.2), &[DEPRECATED]),
        (false, Adaptive, told("temperature_left_out"))
    );
    assert_eq!(
        after(Some(0.2), &[EITHER]),
        (true, Off, told("thinking_left_out"))
    );
    // Thinking gave way for nothing, and comes back.
    assert_eq!(
        after(Some(0.2), &[EITHER, DEPRECATED]),
        (false, Adaptive, told("temperature_left_out"))
    );
    assert_eq!(after(None, &[NOT_ADAPTIVE]), (false, Budget(2048), none()));
    assert_eq!(
        after(None, &[NOT_ADAPTIVE, NO_THINKING]),
        (false, Off, none())
    );
    assert_eq!(after(Some(0.2), &[NOT_ADAPTIVE]), (true, Off, none()));
}

#[test]
fn nothing_is_left_out_for_other_reasons() {
    let leeway = Leeway::new(Some(0.2), true);
    assert_eq!(leeway.after("max_tokens: 99999 > 64000", 4096, 0), None);
    let bare = Leeway::new(None, false);
    assert_eq!(bare.after(DEPRECATED, 4096, 0), None);
    assert_eq!(bare.after(NOT_ADAPTIVE, 4096, 0), None);
}
