//! A call's limits: at its deadline the server is asked whether it lives; at its hard cap the call
//! ends, and only that call.

use super::support::*;
use rea_fsm::{
    CallClass, CallId, Effect, Executed, Leaf, Millis, Place, TimerKey, Tuning, Verdict,
};

fn timed_out(call: u64) -> Effect {
    complete(call, Verdict::TimedOut, Executed::Maybe)
}

#[test]
fn a_deadline_raises_a_suspicion_and_the_call_goes_on() {
    let mut machine = Machine::ready();
    machine.submit(1, CallClass::Unsafe).fire_call(1).expect(
        Leaf::Suspect,
        [
            arm_call(1, 3_600_000),
            ping(1),
            arm(TimerKey::Pong, 65_000),
            Effect::Publish,
        ],
    );
    let place = machine
        .inner
        .conn()
        .calls()
        .get(CallId(1))
        .map(|call| call.place);
    assert_eq!(place, Some(Place::Overdue { at: Millis(0) }));
    machine
        .pong()
        .expect(Leaf::Ready, [disarm(TimerKey::Pong), Effect::Publish])
        .at(3_000_000)
        .reply(1)
        .expect(Leaf::Ready, [disarm_call(1), replied(1)]);
}

#[test]
fn a_second_deadline_sends_no_second_ping() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .at(1_000)
        .submit(2, CallClass::Unsafe)
        .fire_call(1)
        .fire_call(2)
        .expect(Leaf::Suspect, [arm_call(2, 3_601_000)]);
    Machine::draining_for(100_000)
        .fire_call(1)
        .expect(Leaf::Draining, [arm_call(1, 3_600_000)]);
}

#[test]
fn a_hard_cap_ends_its_own_call_and_nothing_else() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::Unsafe)
        .fire_call(1)
        .pong()
        .at(3_590_000)
        .submit(2, CallClass::Unsafe)
        .fire_call(1)
        .expect(
            Leaf::Ready,
            [
                send_cancel(1, 1),
                disarm_call(1),
                timed_out(1),
                Effect::Publish,
            ],
        );
    assert_eq!(machine.now, 3_600_000);
    machine
        .reply(2)
        .expect(Leaf::Ready, [disarm_call(2), replied(2), Effect::Publish]);
}

#[test]
fn under_suspicion_and_while_draining_too() {
    let tuning = Tuning {
        call_cap_ms: Millis(70_000),
        pong_ms: Millis(50_000),
        ..Tuning::default()
    };
    let mut machine = Machine::ready_with(tuning);
    machine
        .submit(1, CallClass::Unsafe)
        .fire_call(1)
        .fire_call(1)
        .expect(
            Leaf::Suspect,
            [
                send_cancel(1, 1),
                disarm_call(1),
                timed_out(1),
                Effect::Publish,
            ],
        );
    Machine::draining_for(5_000_000)
        .fire_call(1)
        .fire_call(1)
        .expect(
            Leaf::Terminating,
            [
                send_cancel(1, 1),
                disarm_call(1),
                timed_out(1),
                disarm(TimerKey::Drain),
                close_stdin(1),
                arm(TimerKey::Teardown, 3_602_000),
                Effect::Publish,
            ],
        );
}

#[test]
fn while_the_process_is_being_ended_a_deadline_still_passes() {
    let mut machine = Machine::ready();
    machine
        .submit_for(1, CallClass::ReadOnly, 50)
        .stdout_eof()
        .fire_call(1)
        .expect(Leaf::Reaping, [arm_call(1, 3_600_000)])
        .exited();
    assert_eq!(
        machine.count(|effect| *effect == lost(1, Executed::Maybe)),
        1,
        "nothing is sent again after its deadline"
    );
}

#[test]
fn a_deadline_as_long_as_the_hard_cap_asks_whether_the_server_lives() {
    let mut machine = Machine::ready();
    machine
        .submit_for(1, CallClass::Unsafe, 5_000_000)
        .fire_call(1)
        .expect(
            Leaf::Suspect,
            [
                send_cancel(1, 1),
                disarm_call(1),
                timed_out(1),
                ping(1),
                arm(TimerKey::Pong, 3_605_000),
                Effect::Publish,
            ],
        );
}
