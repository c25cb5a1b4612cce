//! Timers. One counts only if it is armed and due; each that a state has armed is handled by it;
//! a state that waits has something to wait for.

use super::support::*;
use rea_fsm::{CallClass, Effect, Ignored, Leaf, Millis, TimerKey, Tuning};

const KEYS: [TimerKey; 13] = [
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
    TimerKey::Breaker,
    TimerKey::Unready,
    TimerKey::Rearm,
];

/// Every state, with calls queued or in flight where it may hold some.
fn everywhere() -> Vec<Machine> {
    let busy = Tuning {
        heartbeat_ms: Millis(10_000),
        ..Tuning::default()
    };
    let mut machines = vec![
        Machine::idle(),
        Machine::waiting(),
        Machine::spawning(),
        Machine::probing(),
        Machine::initializing(),
        Machine::listing(),
        Machine::ready_with(busy.clone()),
        Machine::suspect_with(busy),
        Machine::backoff(),
        Machine::reaping(),
        Machine::lingering(),
        Machine::stuck(),
        Machine::blocked(),
        Machine::flap_locked(),
        Machine::draining(),
        Machine::terminating(),
        Machine::closed(),
    ];
    for machine in &mut machines {
        machine.at(machine.now + 1_500);
        if machine.inner.leaf() == Leaf::Ready || machine.inner.leaf() == Leaf::Suspect {
            machine.list_changed();
        }
        machine.submit(7, CallClass::ReadOnly);
    }
    machines
}

#[test]
fn a_timer_that_is_not_armed_or_not_due_changes_nothing() {
    for mut machine in everywhere() {
        for key in KEYS {
            let due = machine.inner.due(key);
            if due.is_none_or(|due| due.0 > machine.now) {
                machine.ignores(Ignored::StaleTimer, |machine| machine.timer(key));
            }
        }
        machine.ignores(Ignored::StaleTimer, |machine| {
            machine.timer(TimerKey::Call(rea_fsm::CallId(99)))
        });
    }
}

#[test]
fn one_millisecond_early_is_early() {
    Machine::ready()
        .at(29_999)
        .ignores(Ignored::StaleTimer, |machine| {
            machine.timer(TimerKey::Stable)
        })
        .at(30_000)
        .timer(TimerKey::Stable)
        .expect_quiet(Leaf::Ready);
}

#[test]
fn every_armed_timer_is_handled_by_the_state_that_holds_it() {
    for machine in everywhere() {
        let armed: Vec<_> = machine.inner.armed().collect();
        for (key, _) in armed {
            let mut machine = machine.clone();
            let leaf = machine.inner.leaf();
            machine.fire(key);
            assert_eq!(
                machine.decision().and_then(|decision| decision.ignored),
                None,
                "{key:?} in {leaf}"
            );
            assert!(
                machine.inner.due(key).is_none_or(|due| due.0 > machine.now),
                "{key:?} in {leaf} is due again at once"
            );
        }
    }
}

#[test]
fn arms_and_disarms_tell_exactly_what_is_armed() {
    for machine in everywhere() {
        let armed: Vec<_> = machine.inner.armed().collect();
        for (key, _) in &armed {
            let mut machine = machine.clone();
            machine.fire(*key);
            let mut told: Vec<_> = armed
                .iter()
                .copied()
                .filter(|(armed, _)| armed != key)
                .collect();
            for effect in machine.effects() {
                if let Effect::Disarm { key } = effect {
                    told.retain(|(armed, _)| armed != key);
                }
                if let Effect::Arm { key, due } = effect {
                    told.retain(|(armed, _)| armed != key);
                    told.push((*key, *due));
                }
            }
            told.sort_unstable();
            let mut now_armed: Vec<_> = machine.inner.armed().collect();
            now_armed.sort_unstable();
            assert_eq!(told, now_armed, "after {key:?}");
        }
    }
}

#[test]
fn a_state_that_waits_has_a_timer_of_its_own() {
    for machine in everywhere() {
        let own = match machine.inner.leaf() {
            Leaf::Idle | Leaf::Ready | Leaf::Blocked | Leaf::Closed => continue,
            Leaf::Connecting => TimerKey::Handshake,
            Leaf::Suspect => TimerKey::Pong,
            Leaf::Backoff => TimerKey::Backoff,
            Leaf::Reaping | Leaf::Stuck | Leaf::Terminating => TimerKey::Teardown,
            Leaf::FlapLocked => TimerKey::Lock,
            Leaf::Draining => TimerKey::Drain,
        };
        assert!(
            machine.inner.due(own).is_some(),
            "{:?}",
            machine.inner.state()
        );
    }
}
