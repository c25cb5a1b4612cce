//! Machines in every state, all at time 0.

use super::{Machine, SEED, missing_env};
use rea_fsm::{
    CallClass, Downstream, HandshakeFailure, Leaf, Millis, SpawnFailure, Ticket, TimerKey, Tuning,
};

/// The defaults, but for questions: they are put at once. How they are gathered has rules of its own.
pub(crate) fn at_once() -> Tuning {
    Tuning {
        gather_ms: Millis::ZERO,
        ..Tuning::default()
    }
}

impl Machine {
    /// Never started, with the default numbers.
    pub(crate) fn idle() -> Self {
        Self::idle_with(at_once())
    }

    pub(crate) fn idle_with(tuning: Tuning) -> Self {
        Self {
            inner: Downstream::new(tuning, SEED),
            now: 0,
            ticket: Ticket(0),
            effects: Vec::new(),
            history: Vec::new(),
            decision: None,
        }
    }

    /// Waiting for its first spawn slot.
    pub(crate) fn waiting() -> Self {
        Self::waiting_with(at_once())
    }

    pub(crate) fn waiting_with(tuning: Tuning) -> Self {
        let mut machine = Self::idle_with(tuning);
        machine.start();
        machine
    }

    /// The first process is being started.
    pub(crate) fn spawning() -> Self {
        Self::spawning_with(at_once())
    }

    pub(crate) fn spawning_with(tuning: Tuning) -> Self {
        let mut machine = Self::waiting_with(tuning);
        machine.slot();
        machine
    }

    /// The first process is asked what it is.
    pub(crate) fn probing() -> Self {
        Self::probing_with(at_once())
    }

    pub(crate) fn probing_with(tuning: Tuning) -> Self {
        let mut machine = Self::spawning_with(tuning);
        machine.spawn_ok();
        machine
    }

    /// `initialize` is out.
    pub(crate) fn initializing() -> Self {
        Self::initializing_with(at_once())
    }

    pub(crate) fn initializing_with(tuning: Tuning) -> Self {
        let mut machine = Self::probing_with(tuning);
        machine.probe_legacy();
        machine
    }

    /// `tools/list` is out.
    pub(crate) fn listing() -> Self {
        Self::listing_with(at_once())
    }

    pub(crate) fn listing_with(tuning: Tuning) -> Self {
        let mut machine = Self::initializing_with(tuning);
        machine.init_ok();
        machine
    }

    /// Connected to a legacy server with three tools.
    pub(crate) fn ready() -> Self {
        Self::ready_with(at_once())
    }

    pub(crate) fn ready_with(tuning: Tuning) -> Self {
        let mut machine = Self::listing_with(tuning);
        machine.listed(1, 3);
        machine
    }

    /// Connected, and a liveness probe is out since time 0.
    pub(crate) fn suspect() -> Self {
        Self::suspect_with(at_once())
    }

    pub(crate) fn suspect_with(tuning: Tuning) -> Self {
        let mut machine = Self::ready_with(tuning);
        machine.io_err();
        machine
    }

    /// Its output has ended; the exit is awaited.
    pub(crate) fn lingering() -> Self {
        let mut machine = Self::ready();
        machine.stdout_eof();
        machine
    }

    /// A process that did not finish its handshake is asked to end.
    pub(crate) fn reaping() -> Self {
        let mut machine = Self::initializing();
        machine.handshake_err(HandshakeFailure::Malformed);
        machine
    }

    /// KILL has not helped.
    pub(crate) fn stuck() -> Self {
        let mut machine = Self::reaping();
        for _ in 0..3 {
            machine.fire(TimerKey::Teardown);
        }
        machine.expect_leaf(Leaf::Stuck);
        machine
    }

    /// A variable of its environment is missing.
    pub(crate) fn blocked() -> Self {
        let mut machine = Self::spawning();
        machine.spawn_failed(SpawnFailure::Blocked(missing_env()));
        machine
    }

    /// It died twice.
    pub(crate) fn flap_locked() -> Self {
        let mut machine = Self::ready();
        machine.exited().reconnect().exited();
        machine.expect_leaf(Leaf::FlapLocked);
        machine
    }

    /// It died twice, and two restarts a window are allowed.
    pub(crate) fn backoff() -> Self {
        let mut machine = Self::ready_with(Tuning {
            restart_intensity: 2,
            ..at_once()
        });
        machine.exited().reconnect().exited();
        machine.expect_leaf(Leaf::Backoff);
        machine
    }

    /// Stopping, with call 1 in flight, which has a second.
    pub(crate) fn draining() -> Self {
        Self::draining_for(1_000)
    }

    pub(crate) fn draining_for(drain_ms: u64) -> Self {
        let mut machine = Self::ready();
        machine.submit(1, CallClass::Unsafe).stop(drain_ms);
        machine
    }

    /// Asked to end by the closing of its stdin.
    pub(crate) fn terminating() -> Self {
        let mut machine = Self::ready();
        machine.stop(0);
        machine
    }

    pub(crate) fn closed() -> Self {
        let mut machine = Self::idle();
        machine.stop(0);
        machine
    }
}
