//! When the gateway starts its servers, and when it is over.
//!
//! ```text
//!  Silence ──1 s──────────────────────────────▶ Running ──end of input──▶ Ending ──all answered, or 1.5 s──▶ Stopping
//!     └─first byte─▶ Prelude ──who it is, or 1 s──▶ ▲ └────────────── signal, output gone ─────────────────────▶ ▲ │
//!                                                          second signal, or one after end of input ─▶ Killing ◀──┘
//! ```
//!
//! Before servers run, the end of input, a signal and a lost output have the same consequences.

use rea_fsm::{Drain, Millis};

/// Servers are started when the client says who it is, so that they are told what it can do; one
/// that says nothing for so long, or nothing of that for so long, gets them all the same.
const START_MS: Millis = Millis(1_000);
/// After KILL the exits are awaited for so long.
const KILLED_MS: Millis = Millis(500);

/// How long what is under way is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// What was accepted before the end of input has so long.
    pub end_of_input_ms: Millis,
    /// Calls in flight have so long after a signal.
    pub signal_drain_ms: Millis,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            end_of_input_ms: Millis(1_500),
            signal_drain_ms: Millis(1_000),
        }
    }
}

/// Where the gateway is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifecycle {
    /// The client has said nothing yet, and servers are not started.
    Silence {
        /// When they are, if it goes on.
        until: Millis,
    },
    /// The client speaks, but has not said yet who it is.
    Prelude {
        /// When servers are started, whatever it says.
        until: Millis,
    },
    /// Serving.
    Running,
    /// The client has said its last; what it asked for is still being answered.
    Ending {
        /// When that has to be done.
        until: Millis,
    },
    /// Servers are being ended.
    Stopping,
    /// Servers are being killed.
    Killing {
        /// When nobody waits any more.
        until: Millis,
    },
}

/// Why the gateway ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopReason {
    /// The client has said its last.
    InputEnded,
    /// Nobody reads what is answered.
    OutputGone,
    /// Somebody asked for it.
    Signalled,
    /// Somebody asked for it again.
    SignalledAgain,
}

impl StopReason {
    /// As it stands in the log.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::InputEnded => "the client's input has ended",
            Self::OutputGone => "nobody reads the client's output any more",
            Self::Signalled => "a signal asked for it",
            Self::SignalledAgain => "a second signal asked for it at once",
        }
    }
}

/// What the lifecycle asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Start every server.
    Start,
    /// Stop every server.
    Stop(Drain, StopReason),
    /// Go, whatever still lives.
    Leave,
}

impl Lifecycle {
    /// At the beginning of the log.
    pub(super) const fn new() -> Self {
        Self::Silence { until: START_MS }
    }

    /// The client has said something, be it half a message.
    pub(super) fn client_spoke(&mut self, now: Millis) {
        if let Self::Silence { .. } = self {
            let until = now.plus(START_MS);
            *self = Self::Prelude { until };
        }
    }

    /// Whether it matters what the client says next: servers are not started yet.
    pub(super) const fn awaits_client(self) -> bool {
        match self {
            Self::Silence { .. } | Self::Prelude { .. } => true,
            Self::Running | Self::Ending { .. } | Self::Stopping | Self::Killing { .. } => false,
        }
    }

    /// The client has said who it is, or wants something of a server without.
    pub(super) fn servers_needed(&mut self) -> Option<Command> {
        if !self.awaits_client() {
            return None;
        }
        *self = Self::Running;
        Some(Command::Start)
    }

    /// The client's input has ended.
    pub(super) fn input_ended(&mut self, now: Millis, patience: Patience) {
        match self {
            Self::Silence { .. } | Self::Prelude { .. } | Self::Running => {
                *self = Self::Ending {
                    until: now.plus(patience.end_of_input_ms),
                };
            }
            Self::Ending { .. } | Self::Stopping | Self::Killing { .. } => {}
        }
    }

    /// Nobody reads what is answered.
    pub(super) fn output_gone(&mut self) -> Option<Command> {
        match self {
            Self::Silence { .. } | Self::Prelude { .. } | Self::Running | Self::Ending { .. } => {
                *self = Self::Stopping;
                Some(Command::Stop(
                    Drain::Within(Millis::ZERO),
                    StopReason::OutputGone,
                ))
            }
            Self::Stopping | Self::Killing { .. } => None,
        }
    }

    /// Somebody asks the gateway to end.
    pub(super) fn signalled(&mut self, now: Millis, patience: Patience) -> Option<Command> {
        match self {
            Self::Silence { .. } | Self::Prelude { .. } | Self::Running => {
                *self = Self::Stopping;
                Some(Command::Stop(
                    Drain::Within(patience.signal_drain_ms),
                    StopReason::Signalled,
                ))
            }
            Self::Ending { .. } | Self::Stopping => {
                *self = Self::Killing {
                    until: now.plus(KILLED_MS),
                };
                Some(Command::Stop(Drain::Now, StopReason::SignalledAgain))
            }
            Self::Killing { .. } => None,
        }
    }

    /// Time has passed, and this much is still unanswered.
    pub(super) fn tick(&mut self, now: Millis, unanswered: usize) -> Option<Command> {
        match *self {
            Self::Silence { until } | Self::Prelude { until } if now >= until => {
                *self = Self::Running;
                Some(Command::Start)
            }
            Self::Ending { until } if unanswered == 0 || now >= until => {
                *self = Self::Stopping;
                Some(Command::Stop(
                    Drain::Within(Millis::ZERO),
                    StopReason::InputEnded,
                ))
            }
            Self::Killing { until } if now >= until => Some(Command::Leave),
            Self::Silence { .. }
            | Self::Prelude { .. }
            | Self::Running
            | Self::Ending { .. }
            | Self::Stopping
            | Self::Killing { .. } => None,
        }
    }

    /// When time alone changes something.
    pub(super) const fn next_due(self) -> Option<Millis> {
        match self {
            Self::Silence { until }
            | Self::Prelude { until }
            | Self::Ending { until }
            | Self::Killing { until } => Some(until),
            Self::Running | Self::Stopping => None,
        }
    }

    /// Whether no more is taken from the client.
    pub(super) const fn is_ending(self) -> bool {
        match self {
            Self::Silence { .. } | Self::Prelude { .. } | Self::Running => false,
            Self::Ending { .. } | Self::Stopping | Self::Killing { .. } => true,
        }
    }

    /// Whether the gateway may end, given whether every server has.
    pub(super) fn is_over(self, now: Millis, all_closed: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Silence { .. } | Self::Prelude { .. } | Self::Running | Self::Ending { .. } => {
                false
            }
            Self::Stopping => all_closed(),
            Self::Killing { until } => now >= until || all_closed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP_AT_ONCE: Option<Command> = Some(Command::Stop(
        Drain::Within(Millis::ZERO),
        StopReason::InputEnded,
    ));

    #[test]
    fn servers_start_when_the_client_says_who_it_is() {
        let mut lifecycle = Lifecycle::new();
        lifecycle.client_spoke(Millis(700));
        lifecycle.client_spoke(Millis(800));
        assert_eq!(lifecycle.tick(Millis(1_600), 0), None);
        assert!(lifecycle.awaits_client());
        assert_eq!(lifecycle.servers_needed(), Some(Command::Start));
        assert_eq!(lifecycle.servers_needed(), None);
        assert!(!lifecycle.awaits_client());
    }

    #[test]
    fn servers_start_for_a_client_that_never_says_who_it_is() {
        let mut lifecycle = Lifecycle::new();
        lifecycle.client_spoke(Millis(700));
        lifecycle.client_spoke(Millis(1_500));
        assert_eq!(lifecycle.next_due(), Some(Millis(1_700)));
        assert_eq!(lifecycle.tick(Millis(1_699), 0), None);
        assert_eq!(lifecycle.tick(Millis(1_700), 0), Some(Command::Start));
    }

    #[test]
    fn servers_start_for_a_silent_client_too() {
        let mut lifecycle = Lifecycle::new();
        assert_eq!(lifecycle.tick(Millis(999), 0), None);
        assert_eq!(lifecycle.tick(Millis(1_000), 0), Some(Command::Start));
        assert_eq!(lifecycle.tick(Millis(5_000), 0), None);
    }

    #[test]
    fn what_was_accepted_before_the_end_of_input_has_its_time() {
        let mut lifecycle = Lifecycle::Running;
        lifecycle.input_ended(Millis(100), Patience::default());
        assert_eq!(lifecycle.tick(Millis(1_599), 2), None);
        let mut answered = lifecycle;
        assert_eq!(answered.tick(Millis(300), 0), STOP_AT_ONCE);
        assert_eq!(lifecycle.tick(Millis(1_600), 2), STOP_AT_ONCE);
    }

    #[test]
    fn a_second_signal_kills() {
        let mut lifecycle = Lifecycle::Running;
        let drain = Drain::Within(Millis(1_000));
        assert_eq!(
            lifecycle.signalled(Millis(0), Patience::default()),
            Some(Command::Stop(drain, StopReason::Signalled))
        );
        assert_eq!(
            lifecycle.signalled(Millis(10), Patience::default()),
            Some(Command::Stop(Drain::Now, StopReason::SignalledAgain))
        );
        assert!(!lifecycle.is_over(Millis(400), || false));
        assert_eq!(lifecycle.tick(Millis(509), 1), None);
        assert_eq!(lifecycle.tick(Millis(510), 1), Some(Command::Leave));
        assert!(lifecycle.is_over(Millis(510), || false));
    }

    #[test]
    fn a_signal_after_the_end_of_input_kills() {
        let mut lifecycle = Lifecycle::Running;
        lifecycle.input_ended(Millis(0), Patience::default());
        assert_eq!(
            lifecycle.signalled(Millis(10), Patience::default()),
            Some(Command::Stop(Drain::Now, StopReason::SignalledAgain))
        );
    }

    #[test]
    fn it_is_over_only_when_every_server_has_ended() {
        let lifecycle = Lifecycle::Stopping;
        assert!(!lifecycle.is_over(Millis(60_000), || false));
        assert!(lifecycle.is_over(Millis(0), || true));
    }
}
