//! HTTP as every model server needs it: a client for one server, and failures told apart.

use super::{BackendError, excerpt};
use espalier_protocol::ErrorCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// Bytes of a refusal's body that are read.
const MAX_REFUSAL: usize = 64 * 1024;
/// How long the body of a refusal may take; its status alone tells enough.
const REFUSAL_TIME: Duration = Duration::from_secs(5);

/// A model server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    client: Client,
    base: String,
    connect: Duration,
    /// What to do when nothing listens there.
    start_hint: &'static str,
}

impl Server {
    /// A client for the server at `base`. Connects to nothing yet.
    pub(crate) fn new(
        base: &str,
        connect: Duration,
        start_hint: &'static str,
    ) -> Result<Self, BackendError> {
        let base = base.trim_end_matches('/').to_owned();
        let url = Url::parse(&base).map_err(|error| no_address(&base, &error))?;
        let mut client = Client::builder()
            .user_agent(concat!("espalier/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect)
            // A redirected POST would arrive as a GET; the person is told the new address instead.
            .redirect(reqwest::redirect::Policy::none());
        if is_this_machine(&url) {
            // HTTP_PROXY is for the world outside: a proxy has another idea of what `localhost` is.
            client = client.no_proxy();
        }
        if url.scheme() == "http" {
            // A machine without certificates can still speak to its own server.
            client = client.tls_certs_only([]);
        }
        let client = client.build().map_err(|error| no_address(&base, &error))?;
        Ok(Self {
            client,
            base,
            connect,
            start_hint,
        })
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.base))
    }

    /// A request that got no answer, in words.
    pub(crate) fn no_answer(&self, error: &reqwest::Error) -> BackendError {
        let base = &self.base;
        let io = io_kind(error);
        if io == Some(io::ErrorKind::ConnectionRefused) {
            let message = format!("Connection refused at {base}");
            return unreachable(message, self.start_hint);
        }
        if error.is_dns() {
            let message = format!("The name of the server in {base} is not known.");
            return unreachable(message, "Check the address in the configuration.");
        }
        if error.is_timeout() {
            let seconds = self.connect.as_secs();
            let message = format!("No connection to {base} within {seconds} s.");
            let hint = "Check that the server runs and that no firewall is in the way.";
            return BackendError::passing(ErrorCode::BackendTimeout, message, hint);
        }
        let inner = innermost(error);
        if is_tls(base, error, &inner) {
            let message = format!("No secure connection to {base}: {}", excerpt(&inner, 200));
            let hint = "https needs a certificate that this machine trusts; a local server usually \
                speaks http.";
            return unreachable(message, hint);
        }
        if error.is_connect() {
            let message = format!("No connection to {base}: {}", excerpt(&inner, 200));
            return unreachable(message, self.start_hint);
        }
        let message = format!("{base} closed the connection before it answered.");
        BackendError::passing(
            ErrorCode::BackendBroken,
            message,
            "Look at the server's own log.",
        )
        .with_detail(&inner)
    }
}

fn unreachable(message: String, hint: &str) -> BackendError {
    BackendError::passing(ErrorCode::BackendUnreachable, message, hint)
}

fn no_address(base: &str, error: &dyn Error) -> BackendError {
    BackendError::lasting(
        ErrorCode::BackendUnreachable,
        format!("{base} is not the address of a server."),
        "Write it like http://localhost:11434",
    )
    .with_detail(&error.to_string())
}

/// Whether the address is this machine's own.
fn is_this_machine(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ip.is_unspecified(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The kind of the system's error beneath, if the system made it.
fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    chain(error)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .find(|kind| *kind != io::ErrorKind::Other)
}

fn is_tls(base: &str, error: &reqwest::Error, inner: &str) -> bool {
    let words = inner.to_lowercase();
    let speaks = ["certificate", "tls", "handshake", "corrupt message"];
    base.starts_with("https://")
        && (io_kind(error) == Some(io::ErrorKind::InvalidData)
            || speaks.iter().any(|word| words.contains(word)))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// What was wrong at the bottom. Names no address, so no secret that stands in one.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    chain(error)
        .last()
        .filter(|last| !last.is::<reqwest::Error>())
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// The beginning of a refusal's body, as far as it comes in time.
pub(crate) async fn refusal_text(mut response: Response) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= MAX_REFUSAL {
                break;
            }
        }
    };
    if tokio::time::timeout(REFUSAL_TIME, read).await.is_err() {
        tracing::debug!("the body of a refusal did not come to its end");
    }
    bytes.truncate(MAX_REFUSAL);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How long the server asks to wait: seconds, or until a moment.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let moment = httpdate::parse_http_date(text).ok()?;
    // A moment that has passed means now.
    let wait = moment.duration_since(SystemTime::now());
    Some(wait.unwrap_or(Duration::ZERO))
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
