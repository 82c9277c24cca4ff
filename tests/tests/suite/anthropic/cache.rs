//! The prompt cache, from step to step and over branches.

use super::bench::{Bench, write_file};
use espalier_tests::anthropic_server::Reply;
use espalier_tests::program::Ran;
use serde_json::json;

/// Of each message: tokens read from the cache, written to it, and all that went in.
fn counted(ran: &Ran) -> Vec<[u64; 3]> {
    let count = |usage: &serde_json::Value, field: &str| usage[field].as_u64().unwrap();
    let said = ran.events_of("message_completed");
    said.iter()
        .map(|body| {
            let usage = &body["usage"];
            [
                count(usage, "cached_tokens"),
                count(usage, "cache_write_tokens"),
                count(usage, "input_tokens"),
            ]
        })
        .collect()
}

#[test]
fn what_was_sent_once_is_read_from_the_cache_ever_after() {
    let bench = Bench::new([
        write_file("a.txt", "one\n"),
        write_file("b.txt", "two\n"),
        write_file("c.txt", "three\n"),
        write_file("d.txt", "four\n"),
        Reply::say("Done."),
    ]);
    let script = [
        json!({"after_step": 2, "do": "branch", "from": "main", "step": 0, "instruction": "Write d."}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    let counted = counted(&ran);
    assert_eq!(counted.len(), 5);
    assert_eq!(counted[0][0], 0, "nothing is known at first");
    for (at, [read, written, all]) in counted.iter().enumerate() {
        assert!(*written > 0 && read + written == *all, "{at}: {counted:?}");
    }
    // The fourth message begins the branch after step 0: it goes on from the first two requests.
    for (at, before) in [(1, 0), (2, 1), (3, 0), (4, 3)] {
        assert!(counted[at][0] >= counted[before][2], "{at}: {counted:?}");
    }
}

#[test]
fn many_results_in_one_message_do_not_break_the_prefix() {
    let many = (0..30).fold(Reply::say("Many."), |reply, number| {
        reply.and_call("glob", json!({"pattern": format!("{number}*")}))
    });
    let bench = Bench::new([many, write_file("b.txt", ""), Reply::say("Done.")]);
    let counted = counted(&bench.run().expect_code(0));
    for (at, before) in [(1, 0), (2, 1)] {
        assert!(counted[at][0] >= counted[before][2], "{at}: {counted:?}");
    }
}
