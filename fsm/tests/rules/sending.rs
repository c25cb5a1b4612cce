//! Calls to a connected server, within its bounds.

use super::support::*;
use rea_fsm::{CallClass, Leaf, Millis, Refusal, Tuning};

#[test]
fn a_connected_server_gets_a_call_at_once_under_suspicion_too() {
    Machine::ready()
        .at(100)
        .submit(1, CallClass::Unsafe)
        .expect(Leaf::Ready, [arm_call(1, 60_100), send(1, 1)]);
    Machine::suspect()
        .at(100)
        .submit(1, CallClass::Unsafe)
        .expect(Leaf::Suspect, [arm_call(1, 60_100), send(1, 1)]);
}

#[test]
fn so_many_calls_are_in_flight_and_no_more() {
    let mut machine = Machine::ready_with(Tuning {
        in_flight_max: 2,
        ..Tuning::default()
    });
    machine
        .submit(1, CallClass::Unsafe)
        .submit(2, CallClass::Unsafe)
        .submit(3, CallClass::Unsafe)
        .expect(Leaf::Ready, [refused(3, Refusal::Overloaded)])
        .reply(1)
        .submit(4, CallClass::Unsafe)
        .expect(Leaf::Ready, [arm_call(4, 60_000), send(1, 4)]);
}

#[test]
fn and_so_many_bytes() {
    let mut machine = Machine::ready_with(Tuning {
        held_bytes_max: 150,
        ..Tuning::default()
    });
    machine
        .submit_sized(1, CallClass::Unsafe, TIMEOUT_MS, 100)
        .submit_sized(2, CallClass::Unsafe, TIMEOUT_MS, 51)
        .expect(Leaf::Ready, [refused(2, Refusal::Overloaded)])
        .reply(1)
        .submit_sized(3, CallClass::Unsafe, TIMEOUT_MS, 150)
        .expect(Leaf::Ready, [arm_call(3, 60_000), send(1, 3)]);
}

#[test]
fn no_deadline_lies_beyond_the_hard_cap() {
    let mut machine = Machine::ready_with(Tuning {
        call_cap_ms: Millis(90_000),
        ..Tuning::default()
    });
    machine
        .submit_for(1, CallClass::Unsafe, 100_000)
        .expect(Leaf::Ready, [arm_call(1, 90_000), send(1, 1)]);
}
