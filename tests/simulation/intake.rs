//! What the gateway has taken from its client and from signals, and when it has to have ended.

use super::world::Waiting;

/// How long after a signal calls in flight may be answered.
const SIGNAL_DRAIN_MS: u64 = 1_000;
const END_OF_INPUT_MS: u64 = 1_500;
/// How long after a second reason to end processes are waited for.
pub(crate) const KILLED_MS: u64 = 500;

/// When the client's bytes and its end were taken.
pub(crate) struct Intake {
    /// Bytes of the client that counted, with the time at which each count was reached.
    counts: Vec<(usize, u64)>,
    pub(crate) ended_at: Option<u64>,
    pub(crate) gone_at: Option<u64>,
    pub(crate) signals: Vec<u64>,
}

impl Intake {
    pub(crate) fn of(taken: &[(u64, Waiting)]) -> Self {
        let mut intake = Self {
            counts: Vec::new(),
            ended_at: None,
            gone_at: None,
            signals: Vec::new(),
        };
        let mut bytes = 0;
        for (at, waiting) in taken {
            match waiting {
                Waiting::Client(piece) => {
                    if intake.first_end().is_none() {
                        bytes += piece.len();
                        intake.counts.push((bytes, *at));
                    }
                }
                Waiting::ClientEnded => {
                    intake.ended_at.get_or_insert(*at);
                }
                Waiting::ClientGone => {
                    intake.gone_at.get_or_insert(*at);
                }
                Waiting::Signalled => intake.signals.push(*at),
                Waiting::Server(..) => {}
            }
        }
        intake
    }

    pub(crate) fn first_end(&self) -> Option<u64> {
        let ends = [self.ended_at, self.gone_at, self.signals.first().copied()];
        ends.into_iter().flatten().min()
    }

    /// When the line that ends there was taken.
    pub(crate) fn taken_at(&self, ends_at: usize) -> Option<u64> {
        let index = self.counts.partition_point(|(bytes, _)| *bytes < ends_at);
        self.counts.get(index).map(|(_, at)| *at)
    }

    /// When a signal came after something else had begun the end.
    pub(crate) fn killed_at(&self) -> Option<u64> {
        let signal = *self.signals.first()?;
        let is_second = [self.ended_at, self.gone_at]
            .into_iter()
            .flatten()
            .any(|end| end <= signal);
        if is_second {
            Some(signal)
        } else {
            self.signals.get(1).copied()
        }
    }

    /// By when the gateway has to have ended.
    pub(crate) fn deadline(&self, teardown_ms: u64) -> u64 {
        let ended = self.ended_at.map(|at| at + END_OF_INPUT_MS + teardown_ms);
        let gone = self.gone_at.map(|at| at + teardown_ms);
        let signalled = self
            .signals
            .first()
            .map(|at| at + SIGNAL_DRAIN_MS + teardown_ms);
        let killed = self.killed_at().map(|at| at + KILLED_MS);
        let ends = [ended, gone, signalled, killed];
        ends.into_iter().flatten().min().unwrap_or(u64::MAX)
    }
}
