//! The log's times as people know times: UTC, because a log is often read elsewhere.

use jiff::{SignedDuration, Timestamp};
use rea_fsm::Millis;

/// Turns times of the log into times of the day.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    zero: Timestamp,
}

impl WallClock {
    /// The wall clock said `began` when the log's clock said zero.
    pub(super) const fn new(began: Timestamp) -> Self {
        Self { zero: began }
    }

    /// Somebody has set the wall clock.
    pub(super) fn set(&mut self, at: Millis, wall: Timestamp) {
        if let Ok(zero) = wall.checked_sub(length(at)) {
            self.zero = zero;
        }
    }

    /// A time of the log; the last one there is, if it lies beyond.
    pub(super) fn at(self, at: Millis) -> Timestamp {
        self.zero.checked_add(length(at)).unwrap_or(Timestamp::MAX)
    }

    /// A time in a sentence of `now`: with its date only if it is another day's.
    pub(super) fn beside(self, now: Millis, at: Millis) -> String {
        let (now, at) = (self.at(now), self.at(at));
        if date(now) == date(at) {
            time(at)
        } else {
            format!("{} {}", date(at), time(at))
        }
    }
}

fn length(at: Millis) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(at.0).unwrap_or(i64::MAX))
}

/// The day, in UTC.
pub(super) fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// The time of the day, in UTC.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%H:%M:%S.%3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> WallClock {
        WallClock::new("2026-03-01T23:59:58.5Z".parse().unwrap())
    }

    #[test]
    fn another_day_is_named() {
        let clock = clock();
        assert_eq!(clock.beside(Millis(0), Millis(1_250)), "23:59:59.750");
        assert_eq!(
            clock.beside(Millis(0), Millis(2_000)),
            "2026-03-02 00:00:00.500"
        );
        assert_eq!(clock.beside(Millis(1_600), Millis(2_000)), "00:00:00.500");
    }

    #[test]
    fn a_clock_that_was_set_counts_from_there() {
        let mut clock = clock();
        clock.set(Millis(1_000), "2026-03-05T12:00:00Z".parse().unwrap());
        assert_eq!(time(clock.at(Millis(1_500))), "12:00:00.500");
    }

    #[test]
    fn no_time_is_too_far() {
        assert_eq!(clock().at(Millis(u64::MAX)), Timestamp::MAX);
    }
}
