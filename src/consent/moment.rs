//! Moments as people write them: to the second with a zone, or a day in UTC.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A text is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a moment (`2026-11-23T09:00:00Z`) or a day, in UTC (`2026-11-23`)")]
pub struct NoMoment;

/// Reads a moment; a day is its beginning.
///
/// # Errors
/// If it is neither.
pub fn moment(text: &str) -> Result<Timestamp, NoMoment> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let day = text.parse::<Date>().map_err(|_| NoMoment)?;
    // A date parser takes a date with a time, too, and drops the time: without a zone nobody knows which moment it is.
    if text.len() != day.to_string().len() {
        return Err(NoMoment);
    }
    let begins = day.to_zoned(TimeZone::UTC).map_err(|_| NoMoment)?;
    Ok(begins.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_a_zone_or_is_a_day() {
        let read = |text: &str| moment(text).map(|moment| moment.as_second());
        assert_eq!(read("2026-11-23"), Ok(1_795_392_000));
        assert_eq!(read(" 2026-11-23T00:00:00Z"), Ok(1_795_392_000));
        assert_eq!(read("2026-11-23T01:00:00+01:00"), Ok(1_795_392_000));
        for bad in [
            "",
            "tomorrow",
            "23/11/2026",
            "2026-11-23T09:00:00",
            "2026-02-30",
            "1795392000",
        ] {
            assert_eq!(read(bad), Err(NoMoment), "{bad}");
        }
    }
}
