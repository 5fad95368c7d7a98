//! The operator's log: what happened to the proxy, with ids and counts, never with values.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins to log to standard error. `PARAVENT_LOG` (a level) wins over the configured level.
pub(super) fn start(json: bool, level: &str) {
    // Only this crate's own events: libraries log requests in ways that nobody has read for values.
    let level = std::env::var("PARAVENT_LOG")
        .ok()
        .filter(|level| !level.is_empty())
        .unwrap_or_else(|| level.to_owned());
    let level: LevelFilter = level.parse().unwrap_or(LevelFilter::INFO);
    let ours = tracing_subscriber::registry().with(Targets::new().with_target("paravent", level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(super::colour());
    let started = match json {
        true => ours.with(lines.json()).try_init(),
        false => ours.with(lines).try_init(),
    };
    if started.is_err() {
        eprintln!("warning: the log was already started");
    }
    quiet_panics();
}

/// A panic message may quote a value; the log gets the place only.
pub(super) fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|place| format!("{}:{}", place.file(), place.line()))
            .unwrap_or_default();
        tracing::error!(place, "a request failed inside the proxy");
    }));
}
