//! The gateway slept: servers are given the time back in which they could not answer.

use super::support::*;
use rea_fsm::{CallClass, CallId, Leaf, TimerKey};

#[test]
fn what_a_server_is_given_time_for_is_given_that_much_more() {
    Machine::probing().overslept(5_000).expect(
        Leaf::Connecting,
        [
            arm(TimerKey::Handshake, 25_000),
            arm(TimerKey::Probe, 8_000),
        ],
    );
    Machine::suspect()
        .submit(1, CallClass::Unsafe)
        .overslept(5_000)
        .expect(
            Leaf::Suspect,
            [arm(TimerKey::Pong, 10_000), arm_call(1, 65_000)],
        );
    Machine::ready()
        .at(1_000)
        .list_changed()
        .overslept(5_000)
        .expect(Leaf::Ready, [arm(TimerKey::List, 26_000)]);
}

#[test]
fn a_hard_cap_moves_too() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .overslept(5_000)
        .fire_call(1)
        .expect_armed(&[
            (TimerKey::Pong, 70_000),
            (TimerKey::Stable, 30_000),
            (TimerKey::Call(CallId(1)), 3_605_000),
        ]);
}

#[test]
fn pauses_locks_and_the_ending_of_processes_go_on() {
    for mut machine in [
        Machine::backoff(),
        Machine::flap_locked(),
        Machine::reaping(),
        Machine::stuck(),
        Machine::terminating(),
        Machine::blocked(),
        Machine::idle(),
    ] {
        let leaf = machine.inner.leaf();
        machine.overslept(5_000).expect_quiet(leaf);
    }
    Machine::draining()
        .overslept(5_000)
        .expect(Leaf::Draining, [arm_call(1, 65_000)]);
}

#[test]
fn a_waiting_call_has_waited() {
    Machine::backoff()
        .submit(1, CallClass::Unsafe)
        .overslept(5_000)
        .expect_quiet(Leaf::Backoff);
}
