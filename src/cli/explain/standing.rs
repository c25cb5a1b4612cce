//! How a server stands, as far as its machine can tell.

use rea_fsm::{Circuit, Downstream, Leaf, Millis, Phase, State, TimerKey, View};

/// How a server stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) state: State,
    pub(super) view: View,
    /// When the state ends by itself at the latest, if only a timer knows.
    pub(super) due: Option<Millis>,
    /// Whether the current or last process has been ready.
    pub(super) was_ready: bool,
}

impl Standing {
    pub(super) fn of(machine: &Downstream) -> Self {
        Self {
            state: machine.state().clone(),
            view: machine.view().clone(),
            due: due(machine),
            was_ready: machine.leaf().is_connected(),
        }
    }

    /// As the machine stands after another step, which for most of them is as before.
    pub(super) fn followed_by(mut self, machine: &Downstream) -> Self {
        if self.state != *machine.state() {
            self.state = machine.state().clone();
        }
        if self.view != *machine.view() {
            self.view = machine.view().clone();
        }
        self.due = due(machine);
        self.was_ready = match self.view.state {
            Leaf::Ready => true,
            Leaf::Connecting => false,
            Leaf::Idle
            | Leaf::Suspect
            | Leaf::Backoff
            | Leaf::Reaping
            | Leaf::Stuck
            | Leaf::Blocked
            | Leaf::FlapLocked
            | Leaf::Draining
            | Leaf::Terminating
            | Leaf::Closed => self.was_ready,
        };
        self
    }

    /// What a start is waiting for.
    pub(super) fn awaited(&self) -> Option<&'static str> {
        match self.state {
            State::Connecting { phase, .. } => Some(awaited(phase)),
            State::Idle
            | State::Ready
            | State::Suspect { .. }
            | State::Backoff { .. }
            | State::Reaping { .. }
            | State::Stuck
            | State::Blocked { .. }
            | State::FlapLocked { .. }
            | State::Draining
            | State::Terminating { .. }
            | State::Closed { .. } => None,
        }
    }
}

/// Whether nothing is wrong, and nothing counts against it any more.
pub(super) fn is_well(view: &View) -> bool {
    let serves = match view.state {
        Leaf::Ready | Leaf::Suspect => true,
        Leaf::Idle
        | Leaf::Connecting
        | Leaf::Backoff
        | Leaf::Reaping
        | Leaf::Stuck
        | Leaf::Blocked
        | Leaf::FlapLocked
        | Leaf::Draining
        | Leaf::Terminating
        | Leaf::Closed => false,
    };
    let passes = match view.circuit {
        Circuit::Closed { .. } => true,
        Circuit::Open { .. } | Circuit::HalfOpen { .. } => false,
    };
    serves && passes && view.restarts_in_window == 0
}

const fn awaited(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "other servers are being started first",
        Phase::Spawning => "its process is not there yet",
        Phase::Probing => "it has not answered `server/discover`",
        Phase::Initializing => "it has not answered `initialize`",
        Phase::Listing => "it has not answered `tools/list`",
    }
}

fn due(machine: &Downstream) -> Option<Millis> {
    let key = match machine.state() {
        // How long others take is not its own doing, and ends nothing.
        State::Connecting {
            phase: Phase::Waiting,
            ..
        } => return None,
        State::Connecting { .. } => TimerKey::Handshake,
        State::Suspect { .. } => TimerKey::Pong,
        State::Stuck => TimerKey::Teardown,
        State::Idle
        | State::Ready
        | State::Backoff { .. }
        | State::Reaping { .. }
        | State::Blocked { .. }
        | State::FlapLocked { .. }
        | State::Draining
        | State::Terminating { .. }
        | State::Closed { .. } => return None,
    };
    machine.due(key)
}
