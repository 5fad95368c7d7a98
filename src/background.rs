//! Long work beside the requests: on a thread of its own, which gives way to those that answer somebody.

use tokio::sync::oneshot;

/// How much it gives way (POSIX, `nice`). On an idle machine it has a core to itself; on a busy one about a tenth of one.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
/// The most that anything can.
#[cfg(target_os = "linux")]
const NICE_MAX: i32 = 19;

/// Does something, and gives what came of it; `None`, if it panicked or no thread could be had.
pub async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    let thread = std::thread::Builder::new().name(name.to_owned());
    let thread = thread.spawn(move || {
        give_way();
        // Whoever asked may have gone.
        let _ = done.send(work());
    });
    if let Err(error) = thread {
        tracing::error!("no thread for {name}: {error}");
        return None;
    }
    result.await.ok()
}

/// Lets other threads go first. Where that is not to be had, work only takes more of the machine.
fn give_way() {
    // On Linux no process means the calling thread, and it alone (setpriority(2)).
    #[cfg(target_os = "linux")]
    if let Ok(own) = rustix::process::getpriority_process(None) {
        let _ = rustix::process::setpriority_process(None, (own + NICE).min(NICE_MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::run;

    #[tokio::test]
    async fn what_panics_gives_nothing() {
        assert_eq!(run("sum", || 1 + 1).await, Some(2));
        let panics = || -> u8 { panic!("as this test wants") };
        assert_eq!(run("panic", panics).await, None);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn only_the_thread_that_works_gives_way() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        assert_eq!(
            run("nice", nice).await,
            Some((before + super::NICE).min(super::NICE_MAX))
        );
        assert_eq!(nice(), before);
    }
}
