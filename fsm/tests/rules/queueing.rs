//! Calls that wait for a server on its way: bounded in number, size and time, first in first out.

use super::support::*;
use rea_fsm::{
    CallClass, Effect, Executed, Ignored, Leaf, LogEvent, Refusal, TimerKey, Tuning, Verdict,
};

#[test]
fn a_call_waits_wherever_a_server_is_on_its_way() {
    for mut machine in [
        Machine::waiting(),
        Machine::spawning(),
        Machine::probing(),
        Machine::initializing(),
        Machine::listing(),
        Machine::backoff(),
        Machine::reaping(),
        Machine::lingering(),
    ] {
        let leaf = machine.inner.leaf();
        machine
            .submit(1, CallClass::Unsafe)
            .expect(leaf, [arm_call(1, 10_000)]);
        assert_eq!(machine.inner.conn().calls().queued(), 1);
    }
}

#[test]
fn it_waits_no_longer_than_its_own_time() {
    Machine::waiting()
        .at(1_000)
        .submit_for(1, CallClass::Unsafe, 2_500)
        .expect(Leaf::Connecting, [arm_call(1, 3_500)]);
}

#[test]
fn its_time_over_it_is_answered_as_not_executed() {
    Machine::waiting()
        .submit(1, CallClass::Unsafe)
        .fire_call(1)
        .expect(
            Leaf::Connecting,
            [disarm_call(1), complete(1, Verdict::TimedOut, Executed::No)],
        );
}

#[test]
fn the_queue_holds_so_many_calls_and_no_more() {
    let mut machine = Machine::waiting_with(Tuning {
        queue_max: 2,
        ..Tuning::default()
    });
    machine
        .submit(1, CallClass::Unsafe)
        .submit(2, CallClass::Unsafe)
        .submit(3, CallClass::Unsafe)
        .expect(Leaf::Connecting, [refused(3, Refusal::QueueFull)])
        .cancel(1)
        .submit(4, CallClass::Unsafe)
        .expect(Leaf::Connecting, [arm_call(4, 10_000)]);
}

#[test]
fn and_so_many_bytes() {
    let mut machine = Machine::waiting_with(Tuning {
        held_bytes_max: 150,
        ..Tuning::default()
    });
    machine
        .submit_sized(1, CallClass::Unsafe, TIMEOUT_MS, 100)
        .submit_sized(2, CallClass::Unsafe, TIMEOUT_MS, 51)
        .expect(Leaf::Connecting, [refused(2, Refusal::Overloaded)])
        .submit_sized(3, CallClass::Unsafe, TIMEOUT_MS, 50)
        .expect(Leaf::Connecting, [arm_call(3, 10_000)]);
}

#[test]
fn a_ready_server_gets_them_in_the_order_of_arrival_with_their_full_time() {
    let mut machine = Machine::listing();
    for call in [1, 2, 3] {
        machine.submit(call, CallClass::Unsafe);
    }
    machine.at(5_000).listed(1, 3).expect(
        Leaf::Ready,
        [
            catalogue_changed(1),
            disarm(TimerKey::Handshake),
            release(1),
            log(LogEvent::Connected {
                generation: generation(1),
            }),
            arm(TimerKey::Stable, 35_000),
            send(1, 1),
            arm_call(1, 65_000),
            send(1, 2),
            arm_call(2, 65_000),
            send(1, 3),
            arm_call(3, 65_000),
            disarm(TimerKey::Unready),
            Effect::Publish,
        ],
    );
}

#[test]
fn the_hard_cap_counts_from_the_arrival() {
    let mut machine = Machine::listing_with(Tuning {
        call_cap_ms: rea_fsm::Millis(61_000),
        ..Tuning::default()
    });
    machine
        .submit(1, CallClass::Unsafe)
        .at(5_000)
        .listed(1, 3)
        .expect_armed(&[
            (TimerKey::Stable, 35_000),
            (TimerKey::Call(rea_fsm::CallId(1)), 61_000),
        ]);
}

#[test]
fn an_id_is_used_once_even_if_its_call_was_refused() {
    Machine::idle()
        .submit(5, CallClass::Unsafe)
        .ignores(Ignored::DuplicateCall, |machine| {
            machine.submit(5, CallClass::Unsafe)
        })
        .ignores(Ignored::DuplicateCall, |machine| {
            machine.submit(4, CallClass::Unsafe)
        });
    Machine::ready()
        .submit(5, CallClass::Unsafe)
        .reply(5)
        .ignores(Ignored::DuplicateCall, |machine| {
            machine.submit(5, CallClass::Unsafe)
        });
}

#[test]
fn no_more_calls_wait_than_may_be_in_flight() {
    let mut machine = Machine::listing_with(Tuning {
        in_flight_max: 1,
        ..Tuning::default()
    });
    machine
        .submit(1, CallClass::ReadOnly)
        .submit(2, CallClass::ReadOnly)
        .expect(Leaf::Connecting, [refused(2, Refusal::QueueFull)])
        .listed(1, 3);
    assert_eq!(machine.inner.conn().calls().in_flight(), 1);
    machine
        .exited()
        .submit(3, CallClass::ReadOnly)
        .expect(Leaf::Connecting, [refused(3, Refusal::QueueFull)]);
}
