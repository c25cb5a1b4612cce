//! What became of calls, counted rather than listed.

use super::chain::{Link, Place, Weight};
use crate::publish::numbers::counted;
use rea_fsm::{Executed, Refusal, Verdict};

/// What became of calls, in words for one and for many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    one: &'static str,
    many: &'static str,
    weight: Weight,
}

impl Fate {
    const fn good(one: &'static str, many: &'static str) -> Self {
        Self {
            one,
            many,
            weight: Weight::Routine,
        }
    }

    const fn bad(one: &'static str, many: &'static str) -> Self {
        Self {
            one,
            many,
            weight: Weight::Turn,
        }
    }

    /// No call, but as common: it was asked whether it lives.
    pub(super) const ALIVE: Self = Self::good(
        "time it was asked whether it lives, because a call took long, and it did",
        "times it was asked whether it lives, because calls took long, and it did",
    );

    /// Lost under a process.
    pub(super) const LOST: Self = Self::bad(
        "call was lost with its process",
        "calls were lost with their process",
    );

    /// What a verdict says.
    pub(super) const fn of(verdict: &Verdict, executed: Executed) -> Self {
        match verdict {
            Verdict::Replied(_) => Self::good("call was answered", "calls were answered"),
            Verdict::Cancelled => Self::good(
                "call was given up by the client",
                "calls were given up by the client",
            ),
            Verdict::TransportLost { .. } => Self::LOST,
            Verdict::TimedOut => match executed {
                Executed::No => {
                    Self::bad("call waited for it in vain", "calls waited for it in vain")
                }
                Executed::Maybe | Executed::Yes => Self::bad(
                    "call was not answered within the hard limit of calls",
                    "calls were not answered within the hard limit of calls",
                ),
            },
            Verdict::Refused(refusal) => Self::refused(refusal),
        }
    }

    const fn refused(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotStarted => Self::bad(
                "call was refused before it was started",
                "calls were refused before it was started",
            ),
            Refusal::Blocked(_) => Self::bad(
                "call was refused because it is blocked",
                "calls were refused because it is blocked",
            ),
            Refusal::FlapLocked { .. } => Self::bad(
                "call was refused because it is locked",
                "calls were refused because it is locked",
            ),
            Refusal::Unkillable => Self::bad(
                "call was refused because its process does not end",
                "calls were refused because its process does not end",
            ),
            Refusal::QueueFull => Self::bad(
                "call was refused because too many waited already",
                "calls were refused because too many waited already",
            ),
            Refusal::Overloaded => Self::bad(
                "call was refused because too many were under way",
                "calls were refused because too many were under way",
            ),
            Refusal::CircuitOpen { .. } => Self::bad(
                "call was refused because the circuit is open",
                "calls were refused because the circuit is open",
            ),
            Refusal::CircuitProbing => Self::bad(
                "call was refused while another one tried the circuit",
                "calls were refused while another one tried the circuit",
            ),
            Refusal::Closing => Self::good(
                "call was refused because it is being stopped",
                "calls were refused because it is being stopped",
            ),
        }
    }

    pub(super) fn counted(self, number: u64) -> String {
        counted(number, self.one, self.many)
    }
}

/// Calls of one fate.
#[derive(Debug)]
struct Run {
    fate: Fate,
    count: u64,
    first_seq: u64,
    last: Place,
}

/// Calls since the last link.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Run>);

impl Calls {
    /// One more.
    pub(super) fn count(&mut self, fate: Fate, place: Place) {
        match self.0.iter_mut().find(|run| run.fate == fate) {
            Some(run) => {
                run.count += 1;
                run.last = place;
            }
            None => self.0.push(Run {
                fate,
                count: 1,
                first_seq: place.seq,
                last: place,
            }),
        }
    }

    /// A link for each fate.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Link> + use<> {
        std::mem::take(&mut self.0).into_iter().map(Run::into_link)
    }
}

impl Run {
    fn into_link(self) -> Link {
        let Self {
            fate,
            count,
            first_seq,
            last,
        } = self;
        let what = fate.counted(count);
        let text = if first_seq == last.seq {
            format!("{what}.")
        } else {
            format!("{what} (seq {first_seq} to {}).", last.seq)
        };
        Link {
            place: last,
            text,
            weight: fate.weight,
            left_out_before: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use rea_fsm::{Leaf, Millis, ReplyKind};

    fn place(seq: u64) -> Place {
        Place {
            at: Timestamp::UNIX_EPOCH,
            seq,
            state_after: Leaf::Ready,
        }
    }

    #[test]
    fn calls_of_one_fate_are_one_link() {
        let replied = Verdict::Replied(ReplyKind::Ok { is_error: false });
        let refused = |at| {
            Verdict::Refused(Refusal::CircuitOpen {
                retry_at: Millis(at),
            })
        };
        let mut calls = Calls::default();
        for seq in 1..=1_204 {
            calls.count(Fate::of(&replied, Executed::Yes), place(seq));
        }
        calls.count(Fate::of(&refused(1), Executed::No), place(2_000));
        calls.count(Fate::of(&refused(2), Executed::No), place(2_002));
        let texts: Vec<_> = calls.take().map(|link| link.text).collect();
        assert_eq!(
            texts,
            [
                "1,204 calls were answered (seq 1 to 1204).",
                "2 calls were refused because the circuit is open (seq 2000 to 2002)."
            ]
        );
        assert_eq!(calls.take().count(), 0);
    }
}
