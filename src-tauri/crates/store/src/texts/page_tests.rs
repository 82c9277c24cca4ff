#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::{cut, span};

/// All pages of a text, read one after the other.
fn pages(text: &[u8], max: u32) -> Vec<String> {
    let total = u32::try_from(text.len()).unwrap();
    let mut offset = Some(0);
    let mut pages = Vec::new();
    while let Some(from) = offset {
        let span = span(from, max, total);
        let page = cut(&text[span.from as usize..span.to as usize], &span, total);
        assert_eq!(page.total_bytes, total);
        assert!(page.next_offset.is_none_or(|next| next > from), "progress");
        offset = page.next_offset;
        pages.push(page.text);
    }
    pages
}

#[test]
fn pages_in_a_row_are_the_whole_text_whatever_their_size() {
    let texts: [&[u8]; 6] = [
        "plain text, nothing else".as_bytes(),
        "한국어와 emoji 🦀🦀 und Umläute, fertig".as_bytes(),
        b"\xf0\x9f\x41\xff\xfe broken \xe2\x82 bytes \xf0\x9f\xa6",
        b"\x80\x80\x80\x80\x80\x80\x80\x80\x80",
        b"\xf0\x9f\xa6\x80\xf0\x9f\xa6\x80",
        b"",
    ];
    for text in texts {
        for max in 0..20 {
            assert_eq!(
                pages(text, max).concat(),
                String::from_utf8_lossy(text),
                "page size {max}"
            );
        }
    }
}

#[test]
fn a_page_from_the_middle_of_a_character_begins_with_the_next() {
    let text = "aé🦀z".as_bytes();
    let total = u32::try_from(text.len()).unwrap();
    let from = |offset| {
        let span = span(offset, 100, total);
        cut(&text[span.from as usize..span.to as usize], &span, total).text
    };
    assert_eq!(from(1), "é🦀z");
    assert_eq!(from(2), "🦀z");
    assert_eq!(from(4), "z");
    assert_eq!(from(6), "z");
    assert_eq!(from(7), "z");
    assert_eq!(from(8), "");
    assert_eq!(from(900), "");
}
