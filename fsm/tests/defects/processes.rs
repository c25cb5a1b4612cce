//! What went wrong with processes: too many, left behind, not noticed, or never tried again.

use super::original::{Answer, Original, Outcome};
use crate::support::*;
use rea_fsm::{CallClass, Effect, HandshakeFailure, Health, Ignored, Leaf, Report, TimerKey};

fn spawns(machine: &Machine) -> usize {
    machine.ever(|effect| matches!(effect, Effect::Spawn { .. }))
}

/// Four concurrent calls while disconnected. The original started four children; three were
/// still alive after its shutdown.
#[test]
fn b06_one_process_however_many_calls_wait() {
    let rule = |alive: usize| alive <= 1;

    let mut machine = Machine::ready();
    machine.exited();
    let before = spawns(&machine);
    for call in 1..=4 {
        machine.submit(call, CallClass::Unsafe);
    }
    machine.reconnect();
    assert!(rule(spawns(&machine) - before));
    assert_eq!(machine.inner.conn().calls().in_flight(), 4);

    let mut original = Original::default();
    for _ in 0..4 {
        // Each of them saw that there is no client before any of them had one.
        original.connect();
    }
    original.close();
    assert!(!rule(original.alive.len() - 1));
}

/// SIGTERM just after a failed handshake. The original held no client any more and left: its
/// child, still in its kill sequence, became an orphan.
#[test]
fn b08_a_stop_ends_when_the_slot_is_empty() {
    let rule = |closed: bool, process_is_there: bool| !(closed && process_is_there);

    let mut machine = Machine::reaping();
    machine.stop(0);
    while machine.inner.leaf() == Leaf::Terminating
        && machine
            .inner
            .due(TimerKey::Teardown)
            .is_some_and(|due| due.0 < 6_000)
    {
        assert!(rule(machine.inner.leaf() == Leaf::Closed, true));
        machine.fire(TimerKey::Teardown);
    }
    machine.expect_leaf(Leaf::Terminating).exited();
    assert!(rule(machine.inner.leaf() == Leaf::Closed, false));

    let mut original = Original::connected();
    original.close();
    let has_left = original.client.is_none();
    assert!(!rule(has_left, !original.alive.is_empty()));
}

/// The first death ever, after a day, while idle. The original refused for 30 s; yet a death
/// during a call was followed by a restart at once.
#[test]
fn b09_the_first_death_after_a_good_time_restarts_at_once() {
    const DAY_MS: u64 = 86_400_000;
    let rule = |outcome: Outcome| outcome != Outcome::Refused;

    let mut machine = Machine::ready();
    machine
        .at(DAY_MS)
        .exited()
        .expect_leaf(Leaf::Connecting)
        .submit(1, CallClass::Unsafe);
    let is_answered = machine.count(|effect| matches!(effect, Effect::Complete { .. })) > 0;
    assert!(rule(if is_answered {
        Outcome::Refused
    } else {
        Outcome::Ok
    }));
    machine.reconnect().reply(1);
    assert_eq!(machine.count(|effect| *effect == replied(1)), 1);

    let mut original = Original::connected();
    original.now = DAY_MS;
    original.output_ended();
    original.now += 1;
    assert!(!rule(original.call(Answer::Result)));
}

/// A child that exits during its handshake. The original did not take that for a death: every
/// call started it again, without end.
#[test]
fn b11_failed_handshakes_spend_the_budget() {
    let rule = |spawned: usize| spawned <= 2;

    let mut machine = Machine::spawning();
    for call in 1..=50 {
        machine.submit(call, CallClass::Unsafe);
        if machine.inner.leaf() == Leaf::Connecting {
            machine.slot().exited();
        }
    }
    machine.expect_leaf(Leaf::FlapLocked);
    assert!(rule(spawns(&machine)));

    let mut original = Original::default();
    original.handshake_fails = true;
    for _ in 0..50 {
        original.call(Answer::Result);
    }
    assert!(!rule(original.spawned as usize));
}

/// A server that failed at boot. The original hid its tools, so nobody called it, so it was never
/// tried again.
#[test]
fn b12_recovery_needs_no_call() {
    let rule = |recovered: bool| recovered;

    let mut machine = Machine::initializing();
    machine
        .handshake_err(HandshakeFailure::Malformed)
        .exited()
        .slot()
        .exited()
        .expect_leaf(Leaf::FlapLocked)
        .fire(TimerKey::Lock)
        .reconnect();
    assert!(rule(machine.inner.view().connected));

    let mut original = Original::default();
    original.handshake_fails = true;
    original.connect();
    original.handshake_fails = false;
    // However much time passes, only a call would connect it, and its tools are not listed.
    original.now = 1_000_000_000;
    assert!(!rule(original.client.is_some()));
}

/// An old call's error arrives when its child was long replaced. The original marked the
/// replacement unhealthy.
#[test]
fn b15_what_an_old_process_says_is_about_the_old_process() {
    let rule = |healthy: bool| healthy;

    let mut machine = Machine::ready();
    machine.submit(1, CallClass::Unsafe).exited().reconnect();
    for report in [
        Report::StdoutEof {},
        Report::StdinBroken {},
        Report::IoErr {
            kind: rea_fsm::IoErrorKind::OversizedLine,
        },
        Report::Exited {
            status: KILLED,
            unread: Vec::new(),
        },
    ] {
        machine.ignores(Ignored::StaleGeneration, |machine| {
            machine.report_of(1, report)
        });
    }
    assert!(rule(machine.inner.view().health == Health::Healthy));

    let mut original = Original::connected();
    original.call(Answer::Crashes);
    original.connect();
    assert!(!original.unhealthy, "the replacement is fine");
    original.failed("Connection closed", Answer::Error("Connection closed"));
    assert!(!rule(!original.unhealthy));
}

/// The slot was used again while the old child was still inside its kill sequence.
#[test]
fn b16_the_next_process_waits_for_the_end_of_the_last() {
    let rule = |alive: usize| alive <= 1;

    let mut machine = Machine::suspect();
    machine.fire(TimerKey::Pong).submit(1, CallClass::ReadOnly);
    let before = spawns(&machine);
    for _ in 0..2 {
        machine.fire(TimerKey::Teardown).slot();
        assert!(rule(1 + spawns(&machine) - before));
    }
    machine.exited().slot();
    assert!(rule(spawns(&machine) - before));

    let mut original = Original::connected();
    original.call(Answer::Error("any"));
    assert!(!rule(original.alive.len()));
}

/// A grandchild holds stdout open when the child dies. The original waited for the end of the
/// output and never noticed.
#[test]
fn b17_an_exit_is_known_without_an_end_of_output() {
    let rule = |noticed: bool| noticed;

    let mut machine = Machine::ready();
    machine.exited();
    assert!(rule(!machine.inner.view().connected));
    assert_eq!(machine.count(|effect| *effect == child_died(1)), 1);
    let mut machine = Machine::lingering();
    machine.fire(TimerKey::Teardown).fire(TimerKey::Teardown);
    assert_eq!(
        machine.count(|effect| *effect == term(1)),
        1,
        "the whole group is ended if only the output has"
    );

    let original = Original::connected();
    // The child dies; nothing happens, because `output_ended` is the only notice of a death.
    assert!(!rule(original.client.is_none()));
}
