//! The operator's log: what happened to the proxy, with ids and counts, never with values.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Begins to log to standard error. `PARAVENT_LOG` (a level) wins over the configured level.
pub(super) fn start(json: bool, level: &str) {
    // Only this crate's own events: libraries log requests in ways that nobody has read for values.
    let filter = std::env::var("PARAVENT_LOG").unwrap_or_else(|_| level.to_owned());
    let level = match filter.as_str() {
        level @ ("error" | "warn" | "info" | "debug" | "trace" | "off") => level,
        _ => "info",
    };
    let filter = EnvFilter::new(format!("off,paravent={level}"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr)
        .with_ansi(super::colour());
    let started = if json {
        subscriber.json().try_init()
    } else {
        subscriber.try_init()
    };
    if started.is_err() {
        eprintln!("warning: the log was already started");
    }
    quiet_panics();
}

/// A panic message may quote a value; the log gets the place only.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|place| format!("{}:{}", place.file(), place.line()))
            .unwrap_or_default();
        tracing::error!(place, "a request failed inside the proxy");
    }));
}
