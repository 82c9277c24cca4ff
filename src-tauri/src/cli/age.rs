//! Ages as people write them: `90m`, `12h`, `7d`, `2w`.

use std::time::Duration;

/// Parses a whole number with a unit.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let seconds_each: u64 = match unit.trim() {
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Err("write a number with m, h, d or w, as in 7d".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write a whole number before the unit, as in 7d".to_owned())?;
    number
        .checked_mul(seconds_each)
        .map(Duration::from_secs)
        .ok_or_else(|| "that is longer than time itself".to_owned())
}

/// An age as a person reads it: the largest unit that fits, rounded down.
pub fn render(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read() {
        let cases = [
            ("7d", 604_800),
            ("12h", 43_200),
            ("2w", 1_209_600),
            ("30m", 1800),
            (" 1 d ", 86_400),
            ("0d", 0),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_age_is_refused() {
        for text in [
            "",
            "7",
            "d",
            "-7d",
            "7.5d",
            "7y",
            "seven days",
            "99999999999999999999d",
            "18446744073709551615w",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ages_are_written() {
        assert_eq!(render(59), "0 minutes");
        assert_eq!(render(60), "1 minute");
        assert_eq!(render(7200), "2 hours");
        assert_eq!(render(8 * 86_400), "8 days");
    }
}
