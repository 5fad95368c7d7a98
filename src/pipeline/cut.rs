//! Requests that are under way end when nobody can wait for them any longer: what they have done is recorded as cut off.

use tokio::sync::watch;

/// Cuts off the requests that look at its [`Cut`]s.
#[derive(Debug)]
pub struct Knife(watch::Sender<bool>);

/// Tells a request that it is cut off.
#[derive(Clone, Debug)]
pub struct Cut(watch::Receiver<bool>);

impl Knife {
    /// One, and what is to be looked at.
    pub fn new() -> (Self, Cut) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Cut(receiver))
    }

    /// Cuts.
    pub fn cut(&self) {
        // Nobody looks if no request is under way, nor will be.
        let _ = self.0.send(true);
    }
}

impl Cut {
    /// Resolves when the cut is made; never, if nobody can make it any more.
    pub async fn made(&self) {
        if self.0.clone().wait_for(|made| *made).await.is_err() {
            std::future::pending().await
        }
    }
}
