//! What a checker has to remember beyond one step, and never asks the machine for.

use super::bounds::ENDLESS;
use super::world::{Ask, World};
use rea_fsm::{
    Downstream, Drain, Effect, Event, EventKind, Leaf, LogEvent, Millis, Operator, Phase, Protocol,
    Report, State, Then, TimerKey, Why,
};

/// Whether nothing automatic helps, now or as soon as the process is gone.
pub(crate) fn is_blocked(state: &State) -> bool {
    matches!(
        state,
        State::Blocked { .. }
            | State::Reaping {
                then: Then::Block(_),
                ..
            }
    )
}

/// The past, as far as a property speaks of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// When a stop has to be over.
    pub(crate) stop_by: Option<Millis>,
    /// Spawns that nobody asked for, since the last forgiveness.
    pub(crate) spawned: Vec<Millis>,
    /// Restarts and lock probes that count, since the last forgiveness.
    pub(crate) restarts: Vec<Millis>,
    /// The next spawn costs nothing: the last process died of being asked for its era.
    pub(crate) next_is_free: bool,
    /// Spawns since the flap lock ended, that was the last thing to happen to the budget.
    pub(crate) probe_spawns: u32,
    pub(crate) locks: u32,
    /// Openings and locks, as the blocker should count them.
    pub(crate) failures: Vec<Millis>,
    pub(crate) fired: bool,
}

impl History {
    /// Takes a step in, after its effects are known.
    pub(crate) fn record(
        &mut self,
        world: &World,
        before: &Downstream,
        event: &Event,
        effects: &[Effect],
        after: &Downstream,
    ) {
        let tuning = before.conn().tuning();
        let at = event.at_ms;
        self.stopping(world, before, event);
        self.forgiving(before, event, after);
        if died_of_the_question(world, before, event) {
            self.next_is_free = true;
        }
        let lock_over = matches!(
            (before.state(), after.state()),
            (
                State::FlapLocked { .. },
                State::Connecting {
                    why: Why::LockProbe,
                    ..
                }
            )
        );
        let waits = |state: &State| match state {
            State::Backoff { .. } => true,
            State::Connecting { phase, why } => *phase == Phase::Waiting && *why == Why::Restart,
            _ => false,
        };
        let counted = waits(after.state()) && !waits(before.state()) && !self.next_is_free;
        if lock_over || counted {
            self.restarts.push(at);
        }
        if matches!(after.leaf(), Leaf::Stuck | Leaf::FlapLocked | Leaf::Blocked) {
            self.next_is_free = false;
        }
        if lock_over {
            self.probe_spawns = 0;
        }
        let mut failed = false;
        for effect in effects {
            match effect {
                Effect::Spawn { .. } => self.spawn(before, at),
                Effect::Log(LogEvent::RespawnRefusedFlap { .. }) => {
                    self.locks += 1;
                    failed = true;
                }
                Effect::Log(LogEvent::CircuitOpen { .. }) => failed = true,
                Effect::Log(LogEvent::SessionBlocker { .. }) => self.fired = true,
                _ => {}
            }
        }
        // A death that opens the circuit and uses up the budget is one failure.
        if failed {
            self.failures.push(at);
        }
        let memory = tuning.restart_memory_ms();
        self.restarts.retain(|restart| at.since(*restart) < memory);
        self.spawned
            .retain(|spawn| at.since(*spawn) < tuning.restart_window_ms);
        self.failures
            .retain(|failure| at.since(*failure) < tuning.blocker_window_ms);
    }

    fn stopping(&mut self, world: &World, before: &Downstream, event: &Event) {
        let tuning = before.conn().tuning();
        // Time that passes while a step of the ending is due and not delivered is not the machine's.
        let due = [TimerKey::Drain, TimerKey::Teardown]
            .into_iter()
            .filter_map(|key| world.due(key))
            .min();
        if let (Some(by), Some(due)) = (&mut self.stop_by, due) {
            *by = by.plus(event.at_ms.since(due.max(world.now)));
        }
        if let EventKind::Operator(Operator::Stop { drain }) = &event.kind {
            let length = match drain {
                Drain::Now => Millis::ZERO,
                Drain::Within(length) => *length,
            };
            let by = event.at_ms.plus(length).plus(tuning.teardown_ms());
            self.stop_by = Some(self.stop_by.map_or(by, |earlier| earlier.min(by)));
        }
    }

    fn forgiving(&mut self, before: &Downstream, event: &Event, after: &Downstream) {
        let forgiven = match &event.kind {
            EventKind::Operator(Operator::Restart { .. }) => {
                before.leaf() != after.leaf()
                    || matches!(before.leaf(), Leaf::Reaping | Leaf::Connecting)
            }
            EventKind::Operator(Operator::Retry {} | Operator::Configure { .. }) => {
                is_blocked(before.state())
            }
            EventKind::Timer {
                key: TimerKey::Stable,
            } => before
                .due(TimerKey::Stable)
                .is_some_and(|due| due <= event.at_ms),
            _ => false,
        };
        if forgiven {
            self.restarts.clear();
            self.locks = 0;
        }
        let asked = matches!(
            event.kind,
            EventKind::Operator(Operator::Retry {} | Operator::Restart { .. })
        );
        if forgiven || asked {
            self.spawned.clear();
        }
        if let EventKind::Timer {
            key: TimerKey::Rearm,
        } = event.kind
            && before
                .due(TimerKey::Rearm)
                .is_some_and(|due| due <= event.at_ms)
        {
            self.fired = false;
            self.failures.clear();
        }
    }

    fn spawn(&mut self, before: &Downstream, at: Millis) {
        self.probe_spawns += 1;
        let automatic = !matches!(
            before.state(),
            State::Connecting {
                why: Why::Operator,
                ..
            }
        );
        if automatic && !self.next_is_free {
            self.spawned.push(at);
        }
        self.next_is_free = false;
    }

    /// What a state space has to tell apart of this, on top of the machine.
    pub(crate) fn words(&self, now: Millis, world: &World) -> [u64; 3] {
        let bounded = world.left.stops != ENDLESS;
        let stop = self
            .stop_by
            .filter(|_| bounded)
            .map_or(u64::MAX, |by| by.0.wrapping_sub(now.0));
        let spawned = self.spawned.iter().fold(7_u64, |folded, at| {
            folded.wrapping_mul(31).wrapping_add(now.since(*at).0)
        });
        let flags = u64::from(self.next_is_free) | u64::from(self.fired) << 1;
        [stop, spawned, flags]
    }
}

/// Whether this event is the death of a process whose era was asked for and not known.
fn died_of_the_question(world: &World, before: &Downstream, event: &Event) -> bool {
    let asked = world.child.is_some_and(|child| {
        child.probe == Ask::Out && child.init == Ask::Never && !child.handshaken
    });
    let ended = matches!(
        event.kind,
        EventKind::Child {
            report: Report::Exited { .. } | Report::StdoutEof {} | Report::StdinBroken {},
            ..
        }
    );
    let current = match &event.kind {
        EventKind::Child { generation, .. } => before.conn().generation() == Some(*generation),
        _ => false,
    };
    asked
        && ended
        && current
        && before.leaf() == Leaf::Connecting
        && before.conn().tuning().protocol == Protocol::Auto
        && before.view().era == rea_fsm::Era::Unknown
}
