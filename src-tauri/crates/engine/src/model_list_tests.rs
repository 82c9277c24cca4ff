#![expect(clippy::unwrap_used, reason = "tests end at the first surprise")]

use super::*;

fn own() -> ModelList {
    ModelList::parse(OWN).unwrap()
}

fn usage(input: u32, cached: u32, written: u32, for_an_hour: u32, output: u32) -> Usage {
    Usage {
        input_tokens: input,
        output_tokens: output,
        cached_tokens: cached,
        cache_write_tokens: written,
        cache_write_1h_tokens: for_an_hour,
        ..Usage::default()
    }
    .filling(None)
}

fn cost(model: &str, usage: Usage) -> Option<u32> {
    own().complete(usage, &[Some(model)], None).cost_micro_usd
}

#[test]
fn each_kind_of_token_has_its_price() {
    // Sonnet 4.6: 3 fresh, 0.30 read, 3.75 and 6 written, 15 out.
    let all = usage(1_000_000, 400_000, 300_000, 100_000, 10_000);
    let sum = 300_000 * 3 + 400_000 * 3 / 10 + 200_000 * 15 / 4 + 100_000 * 6 + 10_000 * 15;
    assert_eq!(cost("claude-sonnet-4-6", all), Some(sum));
    assert_eq!(cost("claude-sonnet-4-6", usage(1, 0, 0, 0, 0)), Some(3));
}

#[test]
fn a_dated_name_is_its_model_and_a_longer_id_wins() {
    let million = usage(1_000_000, 0, 0, 0, 0);
    assert_eq!(cost("claude-opus-4-5-20251101", million), Some(5_000_000));
    assert_eq!(cost("claude-opus-4-1-20250805", million), Some(15_000_000));
    assert_eq!(cost("claude-opus-5-5", million), Some(4_000_000));
    assert_eq!(cost("claude-opus-5-5[1m]", million), Some(4_000_000));
    assert_eq!(cost("claude-opus-50", million), None);
    assert_eq!(cost("qwen3:8b", million), None);
}

#[test]
fn a_long_prompt_has_a_price_of_its_own() {
    assert_eq!(
        cost("claude-haiku-5-5", usage(100_000, 0, 0, 0, 0)),
        Some(10_000)
    );
    assert_eq!(
        cost("claude-haiku-5-5", usage(100_001, 0, 0, 0, 2)),
        Some(50_006)
    );
}

#[test]
fn the_window_is_what_the_configuration_says_then_the_server_then_the_list() {
    let list = own();
    let said =
        |given: Usage, window| list.complete(given, &[None, Some("claude-haiku-4-5")], window);
    let window = |usage: Usage| usage.context.unwrap().window_tokens;
    let silent = usage(10, 0, 0, 0, 5);
    let telling = silent.filling(Some(4096));
    assert_eq!(window(said(silent, None)), Some(200_000));
    assert_eq!(window(said(telling, None)), Some(4096));
    assert_eq!(window(said(telling, Some(1000))), Some(1000));
    assert_eq!(said(silent, None).context.unwrap().used_tokens, 15);
    let unknown = list.complete(silent, &[Some("gemma")], None);
    assert_eq!(window(unknown), None);
    assert_eq!(unknown.cost_micro_usd, None);
}

#[test]
fn a_list_in_the_data_folder_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("models.json");
    let price =
        r#""input": 1, "output": 1, "cache_write_5m": 1, "cache_write_1h": 1, "cache_read": 1"#;
    let list = format!(
        r#"{{"source": "our contract", "as_of": "2026-11-01", "models": [{{"id": "claude-opus-5-5", "context_window": 500, {price}}}]}}"#
    );
    std::fs::write(&path, list).unwrap();
    let list = ModelList::open(folder.path()).unwrap();
    assert_eq!(list.source, "our contract");
    let ours = list.complete(
        usage(7, 0, 0, 0, 0),
        &[Some("other"), Some("claude-opus-5-5")],
        None,
    );
    assert_eq!(ours.cost_micro_usd, Some(7));
    assert_eq!(ours.context.unwrap().window_tokens, Some(500));
    let other = list.complete(usage(1000, 0, 0, 0, 0), &[Some("claude-opus-4-8")], None);
    assert_eq!(other.cost_micro_usd, Some(5000));

    std::fs::write(&path, r#"{"models": "#).unwrap();
    let error = ModelList::open(folder.path()).unwrap_err().to_app();
    assert!(error.message.contains("models.json"), "{error}");
    assert!(error.hint.contains("models.json"), "{error}");
}

#[test]
fn the_list_says_where_and_when_it_was_read() {
    let list = own();
    assert!(list.source.starts_with("https://"));
    assert_eq!(list.as_of.len(), "2026-01-01".len());
}
