//! When the live state is to be published.
//!
//! Invariants: a change is published within [`DEBOUNCE_MS`], at any rate of events; two publications
//! are at least that far apart; a change is forgotten only when it has been handed over.

use rea_fsm::Millis;

/// At most one publication in so long.
pub(super) const DEBOUNCE_MS: Millis = Millis(250);
/// Numbers that change with every call are published no more often than this.
pub(super) const SAMPLE_MS: Millis = Millis(2_000);

/// What has not changed is published again after so long, so that whoever reads it knows that it is so
/// still.
pub const BEAT_MS: Millis = Millis(10_000);

/// What has changed and not been published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    changed: bool,
    sampled: bool,
    published_at: Option<Millis>,
}

impl Schedule {
    /// Something changed that people are shown.
    pub const fn changed(&mut self) {
        self.changed = true;
    }

    /// The number of calls changed.
    pub const fn sampled(&mut self) {
        self.sampled = true;
    }

    /// When the next publication is due.
    pub fn due(&self) -> Millis {
        let after = |pause| {
            self.published_at
                .map_or(Millis::ZERO, |at: Millis| at.plus(pause))
        };
        match (self.changed, self.sampled) {
            (true, _) => after(DEBOUNCE_MS),
            (false, true) => after(SAMPLE_MS),
            (false, false) => after(BEAT_MS),
        }
    }

    /// Whether it is due now.
    pub fn is_due(&self, now: Millis) -> bool {
        now >= self.due()
    }

    /// Everything that had changed has been handed over.
    pub const fn published(&mut self, now: Millis) {
        *self = Self {
            changed: false,
            sampled: false,
            published_at: Some(now),
        };
    }

    /// It could not be handed over; the next attempt comes after the same pause.
    pub const fn refused(&mut self, now: Millis) {
        self.changed = true;
        self.published_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_change_is_published_at_once_and_the_next_after_a_pause() {
        let mut schedule = Schedule::default();
        assert!(schedule.is_due(Millis(7)), "nothing was ever published");
        schedule.published(Millis(7));
        assert_eq!(schedule.due(), Millis(10_007), "a sign of life");
        schedule.changed();
        assert_eq!(schedule.due(), Millis(257));
    }

    #[test]
    fn numbers_of_calls_alone_are_published_more_seldom() {
        let mut schedule = Schedule::default();
        schedule.published(Millis(100));
        schedule.sampled();
        assert_eq!(schedule.due(), Millis(2_100));
        schedule.changed();
        assert_eq!(schedule.due(), Millis(350));
        schedule.published(Millis(350));
        assert_eq!(
            schedule.due(),
            Millis(10_350),
            "the numbers were published with it"
        );
    }

    #[test]
    fn what_could_not_be_handed_over_stays_due() {
        let mut schedule = Schedule::default();
        schedule.sampled();
        schedule.refused(Millis(1_000));
        assert_eq!(schedule.due(), Millis(1_250));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Change,
        Sample,
        /// The disk takes nothing, until it is said to take again.
        Hang,
        Go,
    }

    /// A loop that wakes at each event and when something is due, as the gateway's does.
    #[derive(Default)]
    struct Loop {
        schedule: Schedule,
        hangs: bool,
        /// Since when the disk takes what it is given.
        went_at: u64,
        changed_at: Option<u64>,
        attempted_at: Option<u64>,
    }

    impl Loop {
        fn wake(&mut self, now: u64) -> Result<(), TestCaseError> {
            if !self.schedule.is_due(Millis(now)) {
                return Ok(());
            }
            if let Some(before) = self.attempted_at.replace(now) {
                prop_assert!(now - before >= DEBOUNCE_MS.0, "attempts are apart");
            }
            if self.hangs {
                self.schedule.refused(Millis(now));
                return Ok(());
            }
            self.schedule.published(Millis(now));
            self.changed_at = None;
            Ok(())
        }

        fn step(&mut self, now: u64, step: Step) {
            match step {
                Step::Change => {
                    self.changed_at.get_or_insert(now);
                    self.schedule.changed();
                }
                Step::Sample => self.schedule.sampled(),
                Step::Hang => self.hangs = true,
                Step::Go => {
                    self.hangs = false;
                    self.went_at = now;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_change_is_published_in_time_at_any_rate(
            steps in prop::collection::vec((0_u64..700, prop_oneof![
                6 => Just(Step::Change), 2 => Just(Step::Sample),
                1 => Just(Step::Hang), 2 => Just(Step::Go),
            ]), 1..200)
        ) {
            let mut run = Loop::default();
            let mut now = 0;
            for (pause, step) in steps {
                let next = now + pause;
                while run.schedule.due().0 <= next {
                    run.wake(run.schedule.due().0.max(now))?;
                }
                now = next;
                run.step(now, step);
                run.wake(now)?;
                if let Some(changed_at) = run.changed_at {
                    let due = run.schedule.due();
                    prop_assert!(due.0 <= now + DEBOUNCE_MS.0);
                    let possible_at = changed_at.max(run.went_at);
                    prop_assert!(run.hangs || due.0 <= possible_at + DEBOUNCE_MS.0);
                }
            }
        }
    }
}
