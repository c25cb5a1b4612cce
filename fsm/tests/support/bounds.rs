//! How often each kind of thing may still happen: endless in random runs, counted where a state
//! space has to close.

use rea_fsm::{Asks, CallClass, EventKind, Millis, Operator, Report};

/// For ever.
pub(crate) const ENDLESS: u16 = u16::MAX;

/// How varied the world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variety {
    /// One of each kind that the machine tells apart.
    Few,
    /// Everything.
    Many,
}

/// What may still happen, and in which shapes.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    pub(crate) variety: Variety,
    pub(crate) unsafe_calls: u16,
    pub(crate) safe_calls: u16,
    pub(crate) cancels: u16,
    pub(crate) progress: u16,
    pub(crate) retries: u16,
    pub(crate) restarts: u16,
    pub(crate) stops: u16,
    pub(crate) configures: u16,
    pub(crate) io_errors: u16,
    pub(crate) oversleeps: u16,
    pub(crate) list_changes: u16,
    pub(crate) questions: u16,
    pub(crate) withdrawals: u16,
    /// Ends of processes that nobody has asked for.
    pub(crate) deaths: u16,
    pub(crate) ends: Ends,
    /// How the clients of the calls can be asked.
    pub(crate) asks: &'static [Asks],
    /// How long a call may take before the server is asked whether it lives.
    pub(crate) timeout_ms: Millis,
    /// How long calls get when a stop or a restart drains.
    pub(crate) drain_ms: Millis,
    pub(crate) listing: ListingPlan,
    /// How many calls are open at once.
    pub(crate) open_max: usize,
    pub(crate) blocker: Clocks,
}

/// Whether the blocker's long clocks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clocks {
    Run,
    /// Its timers never fire, and what it counts distinguishes nothing.
    Stand,
}

/// How a process that is to end does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    Readily,
    /// Late, if ever.
    Hardly,
}

/// Whether servers have tools to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListingPlan {
    Never,
    Maybe,
}

impl Left {
    pub(crate) fn endless(timeout_ms: Millis, drain_ms: Millis) -> Self {
        Self {
            variety: Variety::Many,
            unsafe_calls: ENDLESS,
            safe_calls: ENDLESS,
            cancels: ENDLESS,
            progress: ENDLESS,
            retries: ENDLESS,
            restarts: ENDLESS,
            stops: ENDLESS,
            configures: ENDLESS,
            io_errors: ENDLESS,
            oversleeps: ENDLESS,
            list_changes: ENDLESS,
            questions: ENDLESS,
            withdrawals: ENDLESS,
            deaths: ENDLESS,
            ends: Ends::Readily,
            asks: &[Asks::Directly, Asks::InAnswers],
            timeout_ms,
            drain_ms,
            listing: ListingPlan::Maybe,
            open_max: usize::MAX,
            blocker: Clocks::Run,
        }
    }

    /// Servers do not ask, and clients have sessions.
    pub(crate) fn without_questions(self) -> Self {
        Self {
            questions: 0,
            withdrawals: 0,
            asks: &[Asks::Directly],
            ..self
        }
    }

    /// Processes take no notice of what ends others.
    pub(crate) fn with_stubborn_processes(self) -> Self {
        Self {
            ends: Ends::Hardly,
            ..self
        }
    }

    /// Nothing but what a child and the clock do.
    pub(crate) fn nothing(timeout_ms: Millis, drain_ms: Millis) -> Self {
        Self {
            variety: Variety::Few,
            unsafe_calls: 0,
            safe_calls: 0,
            cancels: 0,
            progress: 0,
            retries: 0,
            restarts: 0,
            stops: 0,
            configures: 0,
            io_errors: 0,
            oversleeps: 0,
            list_changes: 0,
            listing: ListingPlan::Never,
            ..Self::endless(timeout_ms, drain_ms).without_questions()
        }
    }

    pub(crate) fn counts(&self) -> [u16; 14] {
        [
            self.unsafe_calls,
            self.safe_calls,
            self.cancels,
            self.progress,
            self.retries,
            self.restarts,
            self.stops,
            self.configures,
            self.io_errors,
            self.oversleeps,
            self.list_changes,
            self.questions,
            self.withdrawals,
            self.deaths,
        ]
    }

    pub(crate) fn spend(&mut self, kind: &EventKind) {
        let counter = match kind {
            EventKind::Submit {
                class: CallClass::Unsafe,
                ..
            } => &mut self.unsafe_calls,
            EventKind::Submit {
                class: CallClass::ReadOnly | CallClass::Idempotent,
                ..
            } => &mut self.safe_calls,
            EventKind::Cancel { .. } => &mut self.cancels,
            EventKind::Overslept { .. } => &mut self.oversleeps,
            EventKind::Operator(operator) => match operator {
                Operator::Start {} => return,
                Operator::Stop { .. } => &mut self.stops,
                Operator::Retry {} => &mut self.retries,
                Operator::Restart { .. } => &mut self.restarts,
                Operator::Configure { .. } => &mut self.configures,
            },
            EventKind::Child {
                report: Report::Progress { .. },
                ..
            } => &mut self.progress,
            EventKind::Child {
                report: Report::IoErr { .. },
                ..
            } => &mut self.io_errors,
            EventKind::Child {
                report: Report::ListChanged {},
                ..
            } => &mut self.list_changes,
            EventKind::Child {
                report: Report::Asked { .. },
                ..
            } => &mut self.questions,
            EventKind::Child {
                report: Report::Withdrew { .. },
                ..
            } => &mut self.withdrawals,
            EventKind::Child {
                report: Report::Exited { .. } | Report::StdoutEof {} | Report::StdinBroken {},
                ..
            } => &mut self.deaths,
            EventKind::Child { .. }
            | EventKind::Answered { .. }
            | EventKind::Resume { .. }
            | EventKind::SlotGranted { .. }
            | EventKind::Timer { .. } => {
                return;
            }
        };
        if *counter != ENDLESS {
            *counter = counter.saturating_sub(1);
        }
    }
}
