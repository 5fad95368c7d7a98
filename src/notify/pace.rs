//! When a mail that could not be handed over is tried again, and when it is given up.

use jiff::{SignedDuration, Timestamp};

/// For how long a mail is tried.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// The first pause; each is twice the one before.
const FIRST: SignedDuration = SignedDuration::from_secs(30);
/// The longest pause.
const MOST: SignedDuration = SignedDuration::from_hours(2);

/// When a mail is due again that was put into the outbox at `since` and has failed so often; `None`: it is given up.
pub(super) fn again(since: i64, tries: u32, now: Timestamp) -> Option<Timestamp> {
    let began = Timestamp::from_millisecond(since).unwrap_or(now);
    let ends = began.checked_add(PATIENCE).ok()?;
    let doubled = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16));
    let due = now.checked_add(doubled.min(MOST)).ok()?;
    match (now < ends, due < ends) {
        (true, true) => Some(due),
        // The last try is at the end.
        (true, false) => Some(ends),
        (false, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_after_a_day() {
        let began: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (mut now, mut tries, mut pauses) = (began, 1, Vec::new());
        while let Some(due) = again(began.as_millisecond(), tries, now) {
            pauses.push(due.duration_since(now).as_secs());
            (now, tries) = (due, tries + 1);
        }
        assert_eq!(now, began + SignedDuration::from_hours(24));
        assert_eq!(&pauses[..9], [30, 60, 120, 240, 480, 960, 1920, 3840, 7200]);
        assert!(pauses.iter().all(|pause| *pause <= 7200));
    }
}
