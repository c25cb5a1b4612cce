//! Identities and time. Everything asynchronous carries one of these, so that a late event is
//! recognised by what it says it belongs to and never by when it arrives.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A point in time or a length of time, in milliseconds.
///
/// Points count from the beginning of the log on a monotonic clock. The core only adds and
/// compares them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// No time at all, or the beginning of the log.
    pub const ZERO: Self = Self(0);

    /// Whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// The sum, held at the largest value rather than wrapping.
    #[must_use]
    pub const fn plus(self, length: Self) -> Self {
        Self(self.0.saturating_add(length.0))
    }

    /// The time since `earlier`; zero if that lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} s", self.0 / 1_000, self.0 % 1_000)
    }
}

/// One life of a server's process: raised by one with each [`Spawn`](crate::Effect::Spawn).
/// Before the first spawn there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

/// One call of a client, numbered by the gateway in the order in which calls arrived.
///
/// A call is sent at most once in a generation, so `(Generation, CallId)` names one line on one
/// pipe: it is the identity that a reply has to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub u64);

/// One request for one of the engine's spawn slots.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ticket(pub u32);

/// A question that a server puts to the client. Later ones have larger numbers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct QuestionId(pub u64);

/// One stretch between two changes of the breaker. An outcome counts only in the epoch that
/// admitted its call.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u32);

/// Names one timer of one server. A firing counts only if its key is armed and due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKey {
    /// The handshake has taken too long; while waiting for a slot, the slot is asked for again.
    Handshake,
    /// `server/discover` found no answer: the server is taken for a legacy one.
    Probe,
    /// The pause before a restart is over.
    Backoff,
    /// The flap lock ends: one probe spawn.
    Lock,
    /// The liveness probe found no answer.
    Pong,
    /// Nothing was heard for so long that the server is asked whether it lives.
    Heartbeat,
    /// Connected for long enough that earlier deaths are forgiven.
    Stable,
    /// The next step of ending a process: close stdin, TERM, KILL, give up, KILL again.
    Teardown,
    /// Calls in flight have had their time to finish before the stop.
    Drain,
    /// A listing of tools found no answer, or the pause before the next one is over.
    List,
    /// The circuit breaker's pause is over.
    Breaker,
    /// Not ready for so long that a person should look.
    Unready,
    /// Ready for so long that the blocker may fire again.
    Rearm,
    /// A call's next limit: its time in the queue, its deadline, then its hard cap.
    Call(CallId),
    /// Nobody has answered a question in time.
    Question(QuestionId),
    /// Nobody has repeated a held call in time.
    Held(CallId),
    /// Questions of one moment have been gathered: they are put in one answer.
    Gather,
}

/// Every timer that belongs to the connection and not to one call, breaker or blocker.
pub(crate) const CONN_TIMERS: [TimerKey; 10] = [
    TimerKey::Handshake,
    TimerKey::Probe,
    TimerKey::Backoff,
    TimerKey::Lock,
    TimerKey::Pong,
    TimerKey::Heartbeat,
    TimerKey::Stable,
    TimerKey::Teardown,
    TimerKey::Drain,
    TimerKey::List,
];

impl TimerKey {
    /// The place of a connection's timer in the table of due times; `None` for timers whose due
    /// time lives with their owner (a call, the breaker, the blocker).
    pub(crate) const fn conn_index(self) -> Option<usize> {
        match self {
            Self::Handshake => Some(0),
            Self::Probe => Some(1),
            Self::Backoff => Some(2),
            Self::Lock => Some(3),
            Self::Pong => Some(4),
            Self::Heartbeat => Some(5),
            Self::Stable => Some(6),
            Self::Teardown => Some(7),
            Self::Drain => Some(8),
            Self::List => Some(9),
            Self::Breaker
            | Self::Unready
            | Self::Rearm
            | Self::Call(_)
            | Self::Question(_)
            | Self::Held(_)
            | Self::Gather => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Millis;
    use alloc::string::ToString;

    #[test]
    fn a_time_is_shown_in_seconds() {
        assert_eq!(Millis(61_007).to_string(), "61.007 s");
    }
}
