//! A bound on what a server says of its own accord, so that one server's flood is neither the
//! log's, nor the client's, nor another server's.

use rea_fsm::Millis;
use tracing::warn;

/// So many messages may come at once.
const BURST: u64 = 5_000;
/// So many may come in a second for ever. More than that nobody can follow.
const PER_SECOND: u64 = 1_000;
const MILLI: u64 = 1_000;

/// How much one server may still say.
#[derive(Debug)]
pub(super) struct Flood {
    /// Thousandths of messages.
    allowance: u64,
    filled_at: Millis,
    dropped: u64,
}

impl Default for Flood {
    fn default() -> Self {
        Self {
            allowance: BURST * MILLI,
            filled_at: Millis::ZERO,
            dropped: 0,
        }
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passes,
    Dropped,
}

impl Flood {
    /// Takes account of one message.
    pub(super) fn message(&mut self, now: Millis, server: &str) -> Verdict {
        let gained = now.since(self.filled_at).0.saturating_mul(PER_SECOND);
        self.allowance = self.allowance.saturating_add(gained).min(BURST * MILLI);
        self.filled_at = now;
        let Some(left) = self.allowance.checked_sub(MILLI) else {
            if self.dropped == 0 {
                warn!(
                    event = "downstream.flood",
                    server_name = server,
                    "more than {PER_SECOND} messages a second that nobody asked for; the rest is dropped"
                );
            }
            self.dropped += 1;
            return Verdict::Dropped;
        };
        self.allowance = left;
        // The flood is over when there is room for half a burst again.
        if self.dropped > 0 && left > BURST * MILLI / 2 {
            warn!(
                event = "downstream.flood_over",
                server_name = server,
                dropped = self.dropped,
                "the flood is over"
            );
            self.dropped = 0;
        }
        Verdict::Passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(flood: &mut Flood, now: Millis, messages: u64) -> u64 {
        (0..messages)
            .map(|_| flood.message(now, "s"))
            .filter(|verdict| *verdict == Verdict::Passes)
            .count() as u64
    }

    #[test]
    fn a_burst_passes_and_a_flood_is_thinned_to_its_rate() {
        let mut flood = Flood::default();
        assert_eq!(passed(&mut flood, Millis(0), BURST + 10), BURST);
        assert_eq!(passed(&mut flood, Millis(1_000), 10_000), PER_SECOND);
        assert_eq!(passed(&mut flood, Millis(1_000), 1), 0);
    }

    #[test]
    fn silence_makes_room_for_one_burst_and_no_more() {
        let mut flood = Flood::default();
        passed(&mut flood, Millis(0), BURST);
        assert_eq!(passed(&mut flood, Millis(1_000_000), 2 * BURST), BURST);
    }
}
