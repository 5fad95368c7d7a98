//! Files that are read at the start and never again: if they change, only a restart makes that count.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::Stage;
use crate::config::Config;

/// The part of the readiness page.
const PART: &str = "configuration";

/// What was seen of them.
#[derive(Debug, Default)]
pub(super) struct ReadOnce {
    last: Vec<PathBuf>,
    told: Vec<PathBuf>,
}

impl ReadOnce {
    /// Looks which have changed. It counts once two looks agree; each set of files is told once.
    pub(super) async fn look(&mut self, config: &Arc<Config>, stage: &Stage) {
        let once = config.read_once.clone();
        let looking = move || {
            let changed = once.into_iter().filter(|file| !file.is_same());
            changed.map(|file| file.path).collect::<Vec<_>>()
        };
        let Ok(changed) = spawn_blocking(looking).await else {
            return;
        };
        if std::mem::replace(&mut self.last, changed.clone()) != changed {
            return;
        }
        let names = tell(stage, &changed);
        if self.told != changed {
            match changed.is_empty() {
                true => tracing::info!("no restart is needed any more"),
                false => tracing::warn!(
                    files = names,
                    "files have changed that are read at the start only: a restart is needed"
                ),
            }
            self.told = changed;
        }
    }
}

/// Says which have changed since the start; their names.
pub(super) fn tell(stage: &Stage, changed: &[PathBuf]) -> String {
    let names = changed.iter().map(|path| path.display().to_string());
    let names = names.collect::<Vec<_>>().join(", ");
    stage.metrics.reloads.restart_needed(!changed.is_empty());
    match changed.is_empty() {
        true => stage.parts.say(PART, true, "it is what runs"),
        false => {
            let words = format!("a restart is needed, as these have changed: {names}");
            stage.parts.say(PART, false, words);
        }
    }
    names
}
