//! Being asked to end from outside: Ctrl-C, a polite kill, a terminal that is closed.

/// Returns when the process is asked to end; each call waits for the next time.
#[cfg(unix)]
pub async fn asked_to_end() {
    use tokio::signal::unix::SignalKind;
    tokio::select! {
        () = ctrl_c() => {}
        () = heard(SignalKind::terminate()) => {}
        () = heard(SignalKind::hangup()) => {}
    }
}

#[cfg(unix)]
async fn heard(kind: tokio::signal::unix::SignalKind) {
    match tokio::signal::unix::signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(error) => {
            tracing::warn!(%error, "a signal cannot be heard");
            std::future::pending::<()>().await;
        }
    }
}

/// Returns when the process is asked to end; each call waits for the next time.
#[cfg(not(unix))]
pub async fn asked_to_end() {
    ctrl_c().await;
}

async fn ctrl_c() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "Ctrl-C cannot be heard");
        std::future::pending::<()>().await;
    }
}
