//! What people are shown, as a function of the state.

use super::support::*;
use rea_fsm::{
    CallClass, Circuit, ConnectionState, Effect, Era, Health, Ignored, LastError, Leaf, Millis,
    ProtocolVersion, TimerKey,
};
use std::collections::BTreeSet;

#[test]
fn health_and_connection_of_every_state() {
    use ConnectionState::{Errored, Never, Ok};
    use Health::{Degraded, Healthy, Unhealthy};
    let mut lock_probe = Machine::flap_locked();
    lock_probe.fire(TimerKey::Lock);
    for (name, machine, health, connected, connection) in vec![
        ("idle", Machine::idle(), Unhealthy, false, Never),
        ("waiting", Machine::waiting(), Degraded, false, Never),
        ("probing", Machine::probing(), Degraded, false, Never),
        ("listing", Machine::listing(), Degraded, false, Never),
        ("lock probe", lock_probe, Unhealthy, false, Errored),
        ("ready", Machine::ready(), Healthy, true, Ok),
        ("suspect", Machine::suspect(), Degraded, true, Ok),
        ("backoff", Machine::backoff(), Degraded, false, Errored),
        ("reaping", Machine::reaping(), Degraded, false, Errored),
        ("lingering", Machine::lingering(), Degraded, false, Errored),
        ("stuck", Machine::stuck(), Unhealthy, false, Errored),
        ("blocked", Machine::blocked(), Unhealthy, false, Errored),
        ("locked", Machine::flap_locked(), Unhealthy, false, Errored),
        ("draining", Machine::draining(), Unhealthy, true, Ok),
        (
            "terminating",
            Machine::terminating(),
            Unhealthy,
            false,
            Errored,
        ),
        ("closed", Machine::closed(), Unhealthy, false, Never),
    ] {
        let view = machine.inner.view();
        assert_eq!(view.state, machine.inner.leaf(), "{name}");
        assert_eq!(view.health, health, "{name}");
        assert_eq!(view.connected, connected, "{name}");
        assert_eq!(view.connection_state, connection, "{name}");
    }
}

#[test]
fn the_time_of_the_next_try() {
    let locked = Machine::flap_locked();
    assert_eq!(
        locked.inner.view().retry_at_ms,
        locked.inner.due(TimerKey::Lock)
    );
    assert_eq!(
        Machine::backoff().inner.view().retry_at_ms,
        Some(Millis(1_000))
    );
    assert_eq!(Machine::ready().inner.view().retry_at_ms, None);
    assert_eq!(Machine::blocked().inner.view().retry_at_ms, None);
}

#[test]
fn tools_are_counted_while_they_can_be_called() {
    for machine in [Machine::ready(), Machine::suspect()] {
        assert_eq!(machine.inner.view().tools_count, Some(3));
    }
    for machine in [
        Machine::idle(),
        Machine::listing(),
        Machine::lingering(),
        Machine::flap_locked(),
        Machine::draining(),
    ] {
        assert_eq!(machine.inner.view().tools_count, None);
    }
}

#[test]
fn the_rest() {
    let machine = Machine::flap_locked();
    let view = machine.inner.view();
    assert_eq!(
        view.last_error,
        Some(LastError::ChildDied { status: KILLED })
    );
    assert_eq!(view.generation, Some(generation(2)));
    assert_eq!(view.restarts_in_window, 1);
    assert_eq!(view.era, Era::Known(ProtocolVersion::V2025_11_25));
    assert_eq!(view.circuit, Circuit::Closed { faults: 0 });
    assert_eq!(view.open_transitions, 0);
    assert!(!view.session_blocker_emitted);
}

#[test]
fn since_is_when_the_state_was_entered() {
    let mut machine = Machine::waiting();
    machine.at(2_000).slot();
    assert_eq!(machine.inner.view().since_ms, Millis(0), "still connecting");
    machine
        .at(3_000)
        .spawn_ok()
        .probe_legacy()
        .init_ok()
        .listed(1, 3);
    assert_eq!(machine.inner.view().since_ms, Millis(3_000));
}

#[test]
fn it_is_published_when_it_changes_and_only_then() {
    let mut machine = Machine::ready();
    let mut check = |event: &dyn Fn(&mut Machine)| {
        let before = machine.inner.view().clone();
        event(&mut machine);
        let published = machine.count(|effect| *effect == Effect::Publish);
        assert_eq!(published, usize::from(*machine.inner.view() != before));
    };
    check(&|machine| drop(machine.submit(1, CallClass::Unsafe).clone()));
    check(&|machine| drop(machine.reply(1).clone()));
    check(&|machine| drop(machine.io_err().clone()));
    check(&|machine| drop(machine.pong().clone()));
    check(&|machine| drop(machine.at(1_000).list_changed().clone()));
    check(&|machine| drop(machine.listed(1, 3).clone()));
    check(&|machine| drop(machine.exited().clone()));
    check(&|machine| drop(machine.submit(2, CallClass::Unsafe).clone()));
    check(&|machine| drop(machine.slot().clone()));
}

#[test]
fn every_state_has_the_name_that_logs_and_people_know() {
    let names: Vec<&str> = Leaf::ALL.iter().map(|leaf| leaf.name()).collect();
    assert_eq!(format!("[{:>6}]", Leaf::Idle), "[  idle]");
    assert_eq!(
        names,
        [
            "idle",
            "connecting",
            "ready",
            "suspect",
            "backoff",
            "reaping",
            "stuck",
            "blocked",
            "flap_locked",
            "draining",
            "terminating",
            "closed",
        ]
    );
}

#[test]
fn every_reason_to_ignore_an_event_is_said_in_words_of_its_own() {
    let reasons = [
        Ignored::StaleGeneration,
        Ignored::StaleTicket,
        Ignored::StaleTimer,
        Ignored::UnknownCall,
        Ignored::DuplicateCall,
        Ignored::AlreadyStarted,
        Ignored::AlreadyStopping,
        Ignored::NothingToRetry,
        Ignored::NothingToRestart,
        Ignored::Unkillable,
        Ignored::AlreadySuspected,
        Ignored::AlreadyWanted,
        Ignored::UnknownQuestion,
        Ignored::DuplicateQuestion,
        Ignored::NotHeld,
        Ignored::Unexpected,
        Ignored::Restored,
    ];
    let words: BTreeSet<&str> = reasons.iter().map(|reason| reason.words()).collect();
    assert_eq!(words.len(), reasons.len());
    assert!(words.contains("it is about another generation"));
}
