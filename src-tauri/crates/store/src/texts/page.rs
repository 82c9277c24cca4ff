//! Cutting a page out of a text without cutting a character.

use espalier_protocol::view::TextPage;

/// The longest a character can be in UTF-8.
const LONGEST: u32 = 4;

/// Which bytes a page needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// A little before the page, to see whether it begins within a character.
    pub from: u32,
    pub offset: u32,
    pub to: u32,
}

/// The span of a page of `max` bytes from `offset`, in a text of `total` bytes.
pub(super) fn span(offset: u32, max: u32, total: u32) -> Span {
    let offset = offset.min(total);
    Span {
        from: offset.saturating_sub(LONGEST - 1),
        offset,
        to: offset.saturating_add(max.max(LONGEST)).min(total),
    }
}

/// The page that the bytes of a span make.
pub(super) fn cut(bytes: &[u8], span: &Span, total: u32) -> TextPage {
    let (before, page) = bytes.split_at((span.offset - span.from) as usize);
    let begun = rest_of_character(before, page);
    let mut page = &page[begun..];
    let mut to = span.to;
    if to < total {
        let open = open_character(page);
        page = &page[..page.len() - open];
        to -= u32::try_from(open).unwrap_or(0);
    }
    TextPage {
        text: String::from_utf8_lossy(page).into_owned(),
        next_offset: (to < total).then_some(to),
        total_bytes: total,
    }
}

/// How many bytes at the start of `page` belong to a character that begins in `before`.
fn rest_of_character(before: &[u8], page: &[u8]) -> usize {
    let head = &page[..page.len().min(LONGEST as usize - 1)];
    (1..=before.len())
        .filter_map(|back| {
            let joined = [&before[before.len() - back..], head].concat();
            let length = first_character(&joined)?;
            length.checked_sub(back).filter(|rest| *rest > 0)
        })
        .next()
        .unwrap_or(0)
}

/// The length of the character that begins the bytes, if a whole one does.
fn first_character(bytes: &[u8]) -> Option<usize> {
    (1..=bytes.len().min(LONGEST as usize)).find(|end| std::str::from_utf8(&bytes[..*end]).is_ok())
}

/// How many bytes at the end begin a character that goes on behind it.
fn open_character(page: &[u8]) -> usize {
    (1..=page.len().min(LONGEST as usize - 1))
        .find(|back| {
            std::str::from_utf8(&page[page.len() - back..])
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod page_tests;
