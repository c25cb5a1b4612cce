//! The restart budget: a window of time, then a lock that doubles, then one probe.

use super::support::*;
use rea_fsm::{
    Effect, Leaf, LogEvent, Millis, Phase, State, TeardownStep, Then, TimerKey, Tuning, Why,
};

fn allowing(restart_intensity: u32) -> Tuning {
    Tuning {
        restart_intensity,
        ..Tuning::default()
    }
}

fn counted(machine: &Machine) -> u32 {
    machine.inner.conn().restarts().counted()
}

fn locks(machine: &Machine) -> u32 {
    machine.inner.conn().restarts().locks()
}

fn due(machine: &Machine, key: TimerKey) -> u64 {
    machine.inner.due(key).unwrap_or_default().0
}

#[test]
fn the_first_death_restarts_at_once() {
    let mut machine = Machine::ready();
    machine
        .at(86_400_000)
        .exited()
        .expect_leaf(Leaf::Connecting);
    assert_eq!(counted(&machine), 1);
}

#[test]
fn the_second_within_the_window_locks() {
    let mut machine = Machine::ready();
    machine.exited().reconnect().at(10_000).exited();
    let until = due(&machine, TimerKey::Lock);
    machine
        .expect(
            Leaf::FlapLocked,
            [
                child_died(2),
                disarm(TimerKey::Stable),
                log(LogEvent::RespawnRefusedFlap {
                    until: Millis(until),
                    locks: 1,
                }),
                arm(TimerKey::Lock, until),
                arm(TimerKey::Unready, 70_000),
                Effect::Publish,
            ],
        )
        .expect_armed(&[(TimerKey::Lock, until), (TimerKey::Unready, 70_000)]);
    assert!((40_000..=46_000).contains(&until), "{until}");
}

#[test]
fn a_restart_is_remembered_longer_than_the_longest_failing_handshake() {
    // 30 s window, 20 s handshake, 6 s to end the process.
    for (gap, leaf) in [(55_999, Leaf::FlapLocked), (56_000, Leaf::Connecting)] {
        let mut machine = Machine::ready();
        machine.exited();
        machine.at(gap - 20_000).slot().at(gap).exited();
        machine.expect_leaf(leaf);
    }
}

#[test]
fn no_restarts_allowed_means_a_lock_at_the_first_death() {
    Machine::ready_with(allowing(0))
        .exited()
        .expect_leaf(Leaf::FlapLocked);
}

#[test]
fn with_three_allowed_the_pauses_double_before_the_lock() {
    let mut machine = Machine::ready_with(allowing(3));
    machine
        .exited()
        .expect_state(&connecting(Phase::Waiting, Why::Restart))
        .reconnect()
        .exited()
        .expect(
            Leaf::Backoff,
            [
                child_died(2),
                disarm(TimerKey::Stable),
                log(LogEvent::ReconnectAttempt { restarts: 2 }),
                arm(TimerKey::Backoff, 1_000),
                arm(TimerKey::Unready, 60_000),
                Effect::Publish,
            ],
        )
        .expect_state(&State::Backoff {
            until: Millis(1_000),
        })
        .fire(TimerKey::Backoff)
        .expect(
            Leaf::Connecting,
            [
                acquire(3),
                arm(TimerKey::Handshake, 21_000),
                Effect::Publish,
            ],
        )
        .reconnect()
        .exited()
        .expect_state(&State::Backoff {
            until: Millis(3_000),
        })
        .fire(TimerKey::Backoff)
        .reconnect()
        .exited()
        .expect_leaf(Leaf::FlapLocked);
}

#[test]
fn the_pause_is_capped() {
    let mut machine = Machine::ready_with(Tuning {
        backoff_max_ms: Millis(1_500),
        ..allowing(4)
    });
    machine.exited().reconnect();
    for pause in [1_000, 1_500, 1_500] {
        let at = machine.now;
        machine.exited().expect_state(&State::Backoff {
            until: Millis(at + pause),
        });
        machine.fire(TimerKey::Backoff).reconnect();
    }
}

#[test]
fn the_lock_ends_with_exactly_one_try_which_counts() {
    let mut machine = Machine::flap_locked();
    machine.fire(TimerKey::Lock);
    let now = machine.now;
    machine
        .expect(
            Leaf::Connecting,
            [
                acquire(3),
                arm(TimerKey::Handshake, now + 20_000),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Waiting, Why::LockProbe));
    assert_eq!(counted(&machine), 1);
}

#[test]
fn a_failing_try_locks_again_whatever_the_intensity() {
    for intensity in [1, 3] {
        let mut machine = Machine::ready_with(allowing(intensity));
        machine.exited().reconnect().exited();
        while machine.inner.leaf() == Leaf::Backoff {
            machine.fire(TimerKey::Backoff).reconnect().exited();
        }
        machine
            .expect_leaf(Leaf::FlapLocked)
            .fire(TimerKey::Lock)
            .slot()
            .spawn_ok()
            .handshake_err(rea_fsm::HandshakeFailure::Malformed)
            .expect_state(&reaping(Then::LockAgain, TeardownStep::StdinClosed))
            .exited()
            .expect_leaf(Leaf::FlapLocked);
        assert_eq!(locks(&machine), 2);
    }
}

#[test]
fn locks_double_up_to_their_cap_with_a_little_jitter() {
    let mut machine = Machine::flap_locked();
    let mut began = 0;
    for (index, base) in [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]
        .into_iter()
        .enumerate()
    {
        let length = due(&machine, TimerKey::Lock) - began;
        assert!(
            (base..=base + base / 5).contains(&length),
            "lock {index}: {length} is not within a fifth above {base}"
        );
        assert_eq!(locks(&machine) as usize, index + 1);
        machine.fire(TimerKey::Lock).slot().exited();
        machine.expect_leaf(Leaf::FlapLocked);
        began = machine.now;
    }
}

#[test]
fn the_jitter_comes_from_seed_and_generation() {
    let lock_of = |seed: u64| {
        let mut machine = Machine::idle();
        machine.inner = rea_fsm::Downstream::new(allowing(0), seed);
        machine.start().slot().exited();
        due(&machine, TimerKey::Lock)
    };
    let lengths: std::collections::BTreeSet<u64> = (0..32).map(lock_of).collect();
    assert!(lengths.len() > 16, "many servers do not wake together");
    assert!(
        lengths
            .iter()
            .all(|length| (30_000..=36_000).contains(length))
    );
    assert_eq!(
        [lock_of(1), lock_of(2), lock_of(3)],
        [34_080, 33_690, 33_810],
        "a log of last year locks as long today"
    );
}

#[test]
fn long_enough_connected_forgives_everything() {
    let mut machine = Machine::flap_locked();
    let lock = due(&machine, TimerKey::Lock);
    machine.fire(TimerKey::Lock).reconnect();
    let stable = due(&machine, TimerKey::Stable);
    assert_eq!(stable, machine.now + 2 * lock, "twice the last lock");
    machine
        .fire(TimerKey::Stable)
        .expect(Leaf::Ready, [Effect::Publish]);
    assert_eq!((counted(&machine), locks(&machine)), (0, 0));
    machine.exited().expect_leaf(Leaf::Connecting);
}

#[test]
fn it_counts_under_suspicion_too() {
    let mut machine = Machine::ready();
    machine.exited().reconnect().at(29_000).io_err();
    machine
        .fire(TimerKey::Stable)
        .expect(Leaf::Suspect, [Effect::Publish]);
    assert_eq!(counted(&machine), 0);
}

#[test]
fn a_shorter_connection_forgives_nothing() {
    let mut machine = Machine::flap_locked();
    machine.fire(TimerKey::Lock).reconnect();
    machine.at(machine.now + 29_000).exited();
    machine.expect_leaf(Leaf::FlapLocked);
    assert_eq!(locks(&machine), 2);
}

#[test]
fn a_lock_probe_that_fails_locks_again_whatever_the_budget_has_left() {
    let mut machine = Machine::ready_with(Tuning {
        restart_intensity: 3,
        backoff_base_ms: Millis(1),
        ..Tuning::default()
    });
    machine.exited();
    for _ in 0..3 {
        machine.reconnect().exited();
        if machine.inner.leaf() == Leaf::Backoff {
            machine.fire(TimerKey::Backoff);
        }
    }
    machine.expect_leaf(Leaf::FlapLocked);
    // Long after the window, when the budget would allow three.
    let until = machine.inner.due(TimerKey::Lock).unwrap_or_default();
    machine.at(until.0 + 10_000_000).timer(TimerKey::Lock);
    machine.slot().spawn_ok().exited();
    machine.expect_leaf(Leaf::FlapLocked);
}
