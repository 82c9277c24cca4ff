#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]
use super::*;
use crate::claude::said::{Said, read};

/// How the turn of a recorded conversation failed.
fn failure(sample: &str) -> AppError {
    let file = format!(
        "{}/tests/samples/claude/{sample}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut trouble = None;
    for line in std::fs::read_to_string(file).unwrap().lines() {
        match read(&serde_json::from_str(line).unwrap()) {
            Some(Said::Trouble(kind)) => trouble = Some(kind),
            Some(Said::Over(over)) => return of_turn(&over, trouble.as_deref()),
            _ => {}
        }
    }
    panic!("{sample} has no end");
}

#[test]
fn each_recorded_failure_is_a_sentence_and_a_way_out() {
    for (sample, code, words, hint) in [
        (
            "no-credentials",
            ErrorCode::BackendAuth,
            "Not logged in",
            "ANTHROPIC_API_KEY",
        ),
        (
            "api-unreachable",
            ErrorCode::BackendUnreachable,
            "Connection refused",
            "ANTHROPIC_BASE_URL",
        ),
        (
            "max-turns",
            ErrorCode::BackendRefused,
            "max_turns",
            "Resume",
        ),
        (
            "cut-at-the-length-limit",
            ErrorCode::BackendRefused,
            "output token maximum",
            "Resume",
        ),
    ] {
        let error = failure(sample);
        assert_eq!(error.code, code, "{sample}: {error:?}");
        assert!(error.message.contains(words), "{sample}: {error:?}");
        assert!(error.hint.contains(hint), "{sample}: {error:?}");
    }
}

#[test]
fn a_missing_record_is_known_by_its_words() {
    let file = format!(
        "{}/tests/samples/claude/unknown-line-of-a-record.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let told = std::fs::read_to_string(file).unwrap_or_default();
    assert!(told.is_empty() || record_missing(&told), "{told}");
    assert!(record_missing("No conversation found with session ID: x"));
    assert!(!record_missing("API Error: 404"));
}
