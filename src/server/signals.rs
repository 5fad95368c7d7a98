//! What the operating system asks of the process. Some signals stop it in order; the others that would end it are noted.

use std::io;

use tokio::sync::watch;

/// How often the process has been asked to stop.
#[derive(Clone, Debug)]
pub struct Asked(watch::Receiver<u32>);

impl Asked {
    /// Resolves once it has been asked so many times.
    pub async fn times(mut self, times: u32) {
        if self.0.wait_for(|asked| *asked >= times).await.is_err() {
            // Nobody listens any more, so nobody has asked.
            std::future::pending().await
        }
    }
}

/// What the process is asked.
#[derive(Debug)]
pub struct Signals {
    /// To stop.
    pub stop: Asked,
    /// How often it was asked to look whether something has changed.
    pub reload: watch::Receiver<u32>,
}

/// Listens from now on, for as long as the runtime lives: Ctrl-C, SIGTERM and SIGQUIT ask to stop. SIGHUP asks to look whether
/// something has changed; SIGUSR1 and SIGUSR2, and SIGHUP where nobody looks, are noted and change nothing.
///
/// # Errors
/// If the system offers no signals.
#[cfg(unix)]
pub fn listen() -> io::Result<Signals> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut user_1 = signal(SignalKind::user_defined1())?;
    let mut user_2 = signal(SignalKind::user_defined2())?;
    let (asked, stop) = watch::channel(0);
    let (look, reload) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            let unused = tokio::select! {
                _ = interrupt.recv() => None,
                _ = terminate.recv() => None,
                _ = quit.recv() => None,
                _ = hangup.recv() => {
                    if !look.is_closed() {
                        look.send_modify(|looked| *looked += 1);
                        continue;
                    }
                    Some("SIGHUP")
                }
                _ = user_1.recv() => Some("SIGUSR1"),
                _ = user_2.recv() => Some("SIGUSR2"),
            };
            match unused {
                Some(signal) => tracing::warn!(signal, "this signal has no use: nothing changes"),
                None => asked.send_modify(|asked| *asked += 1),
            }
        }
    });
    let stop = Asked(stop);
    Ok(Signals { stop, reload })
}

/// Listens for Ctrl-C from now on, for as long as the runtime lives.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub fn listen() -> io::Result<Signals> {
    let (asked, stop) = watch::channel(0);
    let (look, reload) = watch::channel(0);
    tokio::spawn(async move {
        // Nobody asks to look.
        let _look = look;
        while tokio::signal::ctrl_c().await.is_ok() {
            asked.send_modify(|asked| *asked += 1);
        }
    });
    let stop = Asked(stop);
    Ok(Signals { stop, reload })
}
