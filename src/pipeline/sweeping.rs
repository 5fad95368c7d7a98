//! What is looked at now and then, whatever requests come.

use jiff::Timestamp;

use super::{Entrance, Pipeline};
use crate::policy::Observation;

impl Pipeline {
    /// What of the policy in force only observes now. It is one for all dialects.
    pub fn observation(&self) -> Observation {
        let first = self.entrances.first().map(Entrance::in_force);
        first.map_or_else(Observation::default, |in_force| {
            in_force.policy.observation(Timestamp::now())
        })
    }

    /// Forgets who has not been seen for a while. Called now and then.
    pub fn sweep(&self) {
        self.logins.sweep();
        self.strangers.sweep();
        self.impostors.sweep();
        self.anybody.sweep();
        self.callers.sweep();
        self.probes.sweep();
        self.meter.sweep();
        self.offsets.sweep();
        self.metrics.counted(self.meter.counted());
        self.transport.failures().sweep();
        for service in self.entrances.iter().filter_map(|one| one.service.as_ref()) {
            service.sweep();
        }
        self.sweep_turned_away();
    }
}
