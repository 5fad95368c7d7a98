//! Interim answers (1xx): hyper drops them, and would drop them for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use tokio::sync::Notify;

/// How many interim answers to one request are put up with.
const INTERIM_MAX: usize = 8;

/// Counts the interim answers to one request.
#[derive(Debug, Default)]
pub(super) struct Chatter {
    count: AtomicUsize,
    too_much: Notify,
}

/// Begins to count.
pub(super) fn watch<B>(request: &mut Request<B>) -> Arc<Chatter> {
    let chatter = Arc::new(Chatter::default());
    let counting = chatter.clone();
    hyper::ext::on_informational(request, move |_| {
        if counting.count.fetch_add(1, Ordering::Relaxed) >= INTERIM_MAX {
            counting.too_much.notify_one();
        }
    });
    chatter
}

impl Chatter {
    /// Resolves when there were too many.
    pub(super) async fn too_much(&self) {
        self.too_much.notified().await;
    }

    /// Whether there were too many, also if the answer itself has come in the meantime.
    pub(super) fn was_too_much(&self) -> bool {
        self.count.load(Ordering::Relaxed) > INTERIM_MAX
    }
}
