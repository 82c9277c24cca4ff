#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use reqwest::header::HeaderValue;

fn headers(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
    headers
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    assert_eq!(retry_after(&headers("3")), Some(Duration::from_secs(3)));
    assert_eq!(retry_after(&headers(" 0 ")), Some(Duration::ZERO));
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(retry_after(&headers(past)), Some(Duration::ZERO));
    let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(5000));
    assert!(retry_after(&headers(&later)).unwrap() > Duration::from_secs(4000));
    for nonsense in ["soon", "-1", "NaN", ""] {
        assert_eq!(retry_after(&headers(nonsense)), None, "{nonsense}");
    }
    assert_eq!(retry_after(&HeaderMap::new()), None);
}

#[test]
fn this_machine_is_known_by_all_its_names() {
    let is = |url: &str| is_this_machine(&Url::parse(url).unwrap());
    for own in [
        "http://localhost:11434",
        "http://models.localhost",
        "http://127.0.0.1:1",
        "http://127.8.9.1",
        "http://[::1]:11434",
        "http://0.0.0.0:11434",
    ] {
        assert!(is(own), "{own}");
    }
    for other in [
        "http://192.168.1.5:11434",
        "https://localhost.example.org",
        "http://models",
    ] {
        assert!(!is(other), "{other}");
    }
}
