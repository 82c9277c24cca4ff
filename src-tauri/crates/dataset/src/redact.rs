//! Takes secrets out of texts that leave the machine.

use espalier_protocol::REDACTED;
use regex::{Regex, RegexSet};
use serde_json::Value;

/// Forms that keys of well-known services have, and values that stand where secrets do or are named
/// like them. The part to be taken out is the group `secret`, or all of it; the group `named` only
/// where it looks made.
const FORMS: [&str; 10] = [
    r"sk-[A-Za-z0-9_-]{16,}",
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{20,}",
    r"AKIA[0-9A-Z]{16}",
    r"xox[abprs]-[A-Za-z0-9-]{10,}",
    r"AIza[0-9A-Za-z_-]{30,}",
    r"hf_[A-Za-z0-9]{20,}",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----",
    r"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@]+:(?P<secret>[^\s/@]+)@",
    r"(?i)\bauthorization\W{1,4}(?:bearer|basic|token)\s+(?P<secret>[A-Za-z0-9._~+/=-]{8,})",
    r#"(?i)(?:api_?key|access_?key|private_?key|credential|secret|token|passwd|password)\w*["']?\s*[:=]\s*["']?(?P<named>[A-Za-z0-9+/=_.!$%^&*-]{8,})"#,
];

/// Takes secrets out and counts them.
pub struct Redactor {
    any: Option<RegexSet>,
    forms: Vec<Regex>,
    count: u32,
}

impl Redactor {
    pub fn new() -> Self {
        Self {
            any: RegexSet::new(FORMS).ok(),
            forms: FORMS
                .iter()
                .filter_map(|form| Regex::new(form).ok())
                .collect(),
            count: 0,
        }
    }

    /// Secrets taken out so far.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// A text without secrets.
    pub fn text(&mut self, text: &str) -> String {
        if self.any.as_ref().is_some_and(|any| !any.is_match(text)) {
            return text.to_owned();
        }
        let mut clean = text.to_owned();
        for form in &self.forms {
            let mut next = String::with_capacity(clean.len());
            let mut at = 0;
            for found in form.captures_iter(&clean) {
                let part = found.name("secret").or_else(|| found.name("named"));
                let Some(secret) = part.or_else(|| found.get(0)) else {
                    continue;
                };
                // `token = next_token()` is code: a value that was made has letters and digits.
                let named = found.name("named").is_some();
                let text = secret.as_str();
                let made = text.contains(|c: char| c.is_ascii_digit())
                    && text.contains(|c: char| c.is_ascii_alphabetic());
                if text == REDACTED || (named && !made) {
                    continue;
                }
                next.push_str(&clean[at..secret.start()]);
                next.push_str(REDACTED);
                at = secret.end();
                self.count += 1;
            }
            next.push_str(&clean[at..]);
            clean = next;
        }
        clean
    }

    /// A JSON value whose texts have no secrets.
    pub fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(entries) => entries
                .iter()
                .map(|(name, value)| (name.clone(), self.value(value)))
                .collect(),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_taken_out_and_counted_and_nothing_else() {
        let mut redactor = Redactor::new();
        let key = format!("sk-{}", "a1B2c3D4e5F6g7H8i9J0");
        let value = json!({
            "command": format!("curl -H 'x-api-key: {key}' https://example.org"),
            "content": ["API_KEY=very5ecretvalue\nNAME=Ada\n", "token = count_tokens(text)"],
        });
        let clean = redactor.value(&value).to_string();
        assert!(
            !clean.contains(&key) && !clean.contains("very5ecret"),
            "{clean}"
        );
        for kept in ["NAME=Ada", "https://example.org", "count_tokens(text)"] {
            assert!(clean.contains(kept), "{clean}");
        }
        assert_eq!(redactor.count(), 2);
        assert_eq!(redactor.text("a plain text"), "a plain text");
    }

    #[test]
    fn values_that_stand_where_secrets_do_are_taken_out() {
        let text = "AWS_SECRET_ACCESS_KEY=wJalr7UtnFEMI/K7MDENG/bPx\n\
            DB=postgres://admin:letmein@db.example.org/prod\n\
            curl -H 'Authorization: Bearer abcdefghijkl' https://example.org:8443/a\n\
            \"Authorization\": \"Basic YWRtaW46bGV0bWVpbg==\"\n\
            token_count = 12345678, https://example.org/@someone";
        let clean = Redactor::new().text(text);
        assert_eq!(
            clean,
            "AWS_SECRET_ACCESS_KEY=[redacted]\n\
            DB=postgres://admin:[redacted]@db.example.org/prod\n\
            curl -H 'Authorization: Bearer [redacted]' https://example.org:8443/a\n\
            \"Authorization\": \"Basic [redacted]\"\n\
            token_count = 12345678, https://example.org/@someone"
        );
    }

    #[test]
    fn every_form_is_a_pattern() {
        assert_eq!(Redactor::new().forms.len(), FORMS.len());
    }
}
