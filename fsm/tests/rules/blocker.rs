//! The session blocker: three openings or locks in ten minutes, or a minute without being ready,
//! call for a person, once an episode.

use super::support::*;
use rea_fsm::{CallClass, Effect, Leaf, LogEvent, Millis, TimerKey, Tuning};

fn firings(machine: &Machine) -> usize {
    machine.count(|effect| matches!(effect, Effect::Log(LogEvent::SessionBlocker { .. })))
}

/// Locked for the first time, and kept unready for as long as it takes.
fn locked_patiently() -> Machine {
    let mut machine = Machine::ready_with(Tuning {
        blocker_unready_ms: Millis(100_000_000),
        ..Tuning::default()
    });
    machine.exited().reconnect().exited();
    machine
}

#[test]
fn the_third_lock_in_the_window_fires() {
    let mut machine = locked_patiently();
    machine.fire(TimerKey::Lock).slot().exited();
    assert_eq!(firings(&machine), 0);
    machine.fire(TimerKey::Lock).slot().exited();
    machine.expect_leaf(Leaf::FlapLocked);
    assert_eq!(
        machine.count(|effect| *effect == log(LogEvent::SessionBlocker { failures: 3 })),
        1
    );
    assert!(machine.inner.blocker().has_fired());
}

#[test]
fn a_failure_older_than_the_window_does_not_count() {
    let mut machine = locked_patiently();
    machine.configure(Tuning {
        blocker_window_ms: Millis(60_000),
        blocker_unready_ms: Millis(100_000_000),
        ..Tuning::default()
    });
    for _ in 0..3 {
        machine.fire(TimerKey::Lock).slot().exited();
        assert_eq!(
            firings(&machine),
            0,
            "locks of 60 s and more lie too far apart"
        );
    }
}

#[test]
fn a_failure_as_old_as_the_window_does_not_count_any_more() {
    for (longer_ms, fired) in [(0, 0), (1, 1)] {
        let mut machine = locked_patiently();
        let apart = machine.inner.due(TimerKey::Lock).unwrap();
        machine.configure(Tuning {
            blocker_window_ms: apart.plus(Millis(longer_ms)),
            blocker_failures: 2,
            blocker_unready_ms: Millis(100_000_000),
            ..Tuning::default()
        });
        machine.fire(TimerKey::Lock).slot().exited();
        assert_eq!(firings(&machine), fired);
    }
}

#[test]
fn openings_of_the_circuit_count_too() {
    let mut machine = Machine::ready_with(Tuning {
        breaker_faults: 1,
        call_cap_ms: Millis(100),
        pong_ms: Millis(100_000_000),
        ..Tuning::default()
    });
    for call in 1..=3 {
        machine.submit(call, CallClass::Unsafe).fire_call(call);
        assert_eq!(firings(&machine), usize::from(call == 3));
        if call < 3 {
            machine.fire(TimerKey::Breaker);
        }
    }
    assert_eq!(
        machine.inner.due(TimerKey::Rearm),
        Some(Millis(machine.now + 600_000)),
        "it is ready, so the way back begins now"
    );
}

#[test]
fn a_minute_without_being_ready_fires() {
    let mut machine = Machine::waiting();
    machine.fire(TimerKey::Unready).expect(
        Leaf::Connecting,
        [
            disarm(TimerKey::Unready),
            log(LogEvent::SessionBlocker { failures: 0 }),
            Effect::Publish,
        ],
    );
    assert_eq!(machine.now, 60_000);
}

#[test]
fn the_minute_begins_when_it_stops_being_ready_and_ends_when_it_is() {
    Machine::ready()
        .expect_armed(&[(TimerKey::Stable, 30_000)])
        .at(5_000)
        .exited()
        .expect_armed(&[(TimerKey::Handshake, 25_000), (TimerKey::Unready, 65_000)])
        .at(6_000)
        .reconnect()
        .expect_armed(&[(TimerKey::Stable, 36_000)]);
}

#[test]
fn it_runs_through_every_unready_state() {
    let mut machine = Machine::ready();
    machine.at(1_000).stdout_eof();
    machine.at(1_050).exited();
    machine.at(2_000).slot().exited();
    machine.expect_leaf(Leaf::FlapLocked);
    assert_eq!(machine.inner.due(TimerKey::Unready), Some(Millis(61_000)));
}

#[test]
fn it_fires_once_an_episode() {
    let mut machine = Machine::waiting();
    machine.fire(TimerKey::Unready);
    for _ in 0..3 {
        machine.slot().exited();
        if machine.inner.leaf() == Leaf::FlapLocked {
            machine.fire(TimerKey::Lock);
        }
        assert_eq!(firings(&machine), 0);
        assert_eq!(machine.inner.due(TimerKey::Unready), None);
    }
}

#[test]
fn ten_minutes_of_being_ready_end_the_episode() {
    let mut machine = Machine::waiting();
    machine.fire(TimerKey::Unready).reconnect();
    assert_eq!(machine.inner.due(TimerKey::Rearm), Some(Millis(660_000)));
    machine.at(500_000).exited();
    assert_eq!(machine.inner.due(TimerKey::Unready), None, "it has fired");
    machine.reconnect();
    assert_eq!(
        machine.inner.due(TimerKey::Rearm),
        Some(Millis(1_100_000)),
        "a loss begins them anew"
    );
    machine
        .fire(TimerKey::Rearm)
        .expect(Leaf::Ready, [Effect::Publish]);
    assert!(!machine.inner.blocker().has_fired());
    machine
        .exited()
        .fire(TimerKey::Unready)
        .expect_leaf(Leaf::Connecting);
    assert_eq!(firings(&machine), 1, "a new episode");
}

#[test]
fn a_suspicion_is_no_trouble_yet() {
    Machine::suspect().expect_armed(&[(TimerKey::Pong, 5_000), (TimerKey::Stable, 30_000)]);
}

#[test]
fn nobody_is_called_about_a_server_that_is_stopping_or_was_never_started() {
    assert_eq!(Machine::idle().inner.due(TimerKey::Unready), None);
    for mut machine in [Machine::reaping(), Machine::flap_locked()] {
        machine.stop(0);
        assert_eq!(machine.inner.due(TimerKey::Unready), None);
    }
}

#[test]
fn a_new_episode_counts_from_nothing() {
    let mut machine = Machine::ready_with(Tuning {
        breaker_faults: 1,
        call_cap_ms: Millis(100),
        pong_ms: Millis(100_000_000),
        blocker_window_ms: Millis(100_000_000),
        ..Tuning::default()
    });
    for call in 1..=3 {
        machine.submit(call, CallClass::Unsafe).fire_call(call);
        machine.fire(TimerKey::Breaker);
    }
    machine.fire(TimerKey::Rearm);
    for call in 4..=6 {
        machine.submit(call, CallClass::Unsafe).fire_call(call);
        assert_eq!(firings(&machine), usize::from(call == 6));
        machine.fire(TimerKey::Breaker);
    }
}

#[test]
fn a_threshold_of_zero_counts_as_one() {
    let mut machine = locked_patiently();
    let tuning = Tuning {
        blocker_failures: 0,
        ..machine.inner.conn().tuning().clone()
    };
    machine.configure(tuning);
    machine.fire(TimerKey::Lock).slot().exited();
    machine.expect_leaf(Leaf::FlapLocked);
    assert_eq!(firings(&machine), 1);
}
