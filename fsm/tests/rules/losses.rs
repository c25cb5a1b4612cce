//! What becomes of calls when their process dies. Each is settled once, when the process is gone:
//! sent again if it provably did not run, or may be repeated; answered as lost otherwise.

use super::support::*;
use rea_fsm::{
    CallClass, CallId, Effect, Executed, LastError, Leaf, LogEvent, Millis, Phase, Refusal,
    TeardownStep, Then, TimerKey, Tuning, Verdict, Why,
};

fn of_call_one(machine: &Machine) -> Vec<Effect> {
    let one = CallId(1);
    machine
        .effects()
        .iter()
        .filter(|effect| match effect {
            Effect::Complete { call, .. } | Effect::Send { call, .. } => *call == one,
            Effect::Arm { key, .. } | Effect::Disarm { key } => *key == TimerKey::Call(one),
            Effect::AcquireSlot { .. }
            | Effect::ReleaseSlot { .. }
            | Effect::Spawn { .. }
            | Effect::WriteProbe { .. }
            | Effect::WriteInit { .. }
            | Effect::WriteInitialized { .. }
            | Effect::WriteList { .. }
            | Effect::SendCancel { .. }
            | Effect::Ping { .. }
            | Effect::CloseStdin { .. }
            | Effect::SignalGroup { .. }
            | Effect::Ask { .. }
            | Effect::Withdraw { .. }
            | Effect::Answer { .. }
            | Effect::RefuseQuestion { .. }
            | Effect::Offer { .. }
            | Effect::Keep { .. }
            | Effect::CatalogueChanged { .. }
            | Effect::Publish
            | Effect::Log(_) => false,
        })
        .cloned()
        .collect()
}

#[test]
fn a_death_frees_the_slot_and_asks_for_the_next() {
    Machine::ready()
        .at(2_000)
        .exited()
        .expect(
            Leaf::Connecting,
            [
                child_died(1),
                disarm(TimerKey::Stable),
                acquire(2),
                arm(TimerKey::Handshake, 22_000),
                log(LogEvent::ReconnectAttempt { restarts: 1 }),
                arm(TimerKey::Unready, 62_000),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Waiting, Why::Restart));
}

#[test]
fn an_unsafe_call_that_may_have_run_is_lost() {
    let mut machine = Machine::ready();
    machine.submit(1, CallClass::Unsafe).exited();
    assert_eq!(
        of_call_one(&machine),
        [disarm_call(1), lost(1, Executed::Maybe)]
    );
    machine.reconnect();
    assert_eq!(of_call_one(&machine), []);
}

#[test]
fn an_unsafe_call_that_was_never_read_is_sent_again() {
    let mut machine = Machine::ready();
    machine.submit(1, CallClass::Unsafe).exited_unread(&[1]);
    assert_eq!(of_call_one(&machine), [arm_call(1, 10_000)]);
    machine.reconnect();
    assert_eq!(of_call_one(&machine), [send(2, 1), arm_call(1, 60_000)]);
}

#[test]
fn however_often_it_is_not_read() {
    let mut machine = Machine::ready_with(Tuning {
        restart_intensity: 9,
        ..Tuning::default()
    });
    machine.submit(1, CallClass::Unsafe);
    machine.exited_unread(&[1]).reconnect().exited_unread(&[1]);
    assert_eq!(of_call_one(&machine), [arm_call(1, 10_000)]);
    machine.fire(TimerKey::Backoff).reconnect();
    assert_eq!(of_call_one(&machine), [send(3, 1), arm_call(1, 61_000)]);
}

#[test]
fn a_repeatable_call_is_sent_a_second_time_and_never_a_third() {
    for class in [CallClass::ReadOnly, CallClass::Idempotent] {
        let mut machine = Machine::ready_with(Tuning {
            restart_intensity: 9,
            ..Tuning::default()
        });
        machine.submit(1, class).exited();
        assert_eq!(of_call_one(&machine), [arm_call(1, 10_000)]);
        machine.reconnect();
        assert_eq!(of_call_one(&machine), [send(2, 1), arm_call(1, 60_000)]);
        machine.exited();
        assert_eq!(
            of_call_one(&machine),
            [disarm_call(1), lost(1, Executed::Maybe)]
        );
    }
}

#[test]
fn each_call_is_settled_for_itself() {
    let mut machine = Machine::ready();
    for call in [1, 2, 3] {
        machine.submit(call, CallClass::Unsafe);
    }
    machine.exited_unread(&[2, 3]).expect(
        Leaf::Connecting,
        [
            child_died(1),
            disarm_call(1),
            lost(1, Executed::Maybe),
            arm_call(2, 10_000),
            arm_call(3, 10_000),
            disarm(TimerKey::Stable),
            acquire(2),
            arm(TimerKey::Handshake, 20_000),
            log(LogEvent::ReconnectAttempt { restarts: 1 }),
            arm(TimerKey::Unready, 60_000),
            Effect::Publish,
        ],
    );
}

#[test]
fn it_waits_no_longer_than_what_is_left_of_its_deadline() {
    let mut machine = Machine::ready();
    machine.submit(1, CallClass::ReadOnly).at(58_000).exited();
    assert_eq!(of_call_one(&machine), [arm_call(1, 60_000)]);
}

#[test]
fn a_call_past_its_deadline_is_not_sent_again() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::ReadOnly)
        .fire_call(1)
        .exited_unread(&[1]);
    assert_eq!(
        of_call_one(&machine),
        [disarm_call(1), lost(1, Executed::No)]
    );
}

#[test]
fn the_queue_bound_holds_for_what_comes_back() {
    let mut machine = Machine::ready_with(Tuning {
        queue_max: 1,
        ..Tuning::default()
    });
    machine
        .submit(1, CallClass::ReadOnly)
        .submit(2, CallClass::ReadOnly)
        .exited();
    assert_eq!(machine.inner.conn().calls().queued(), 1);
    assert_eq!(
        machine.count(|effect| *effect == lost(2, Executed::Maybe)),
        1
    );
}

#[test]
fn a_locked_server_lets_nobody_wait() {
    let mut machine = Machine::ready();
    machine
        .exited()
        .reconnect()
        .submit(1, CallClass::Unsafe)
        .exited_unread(&[1])
        .expect_leaf(Leaf::FlapLocked);
    let until = machine.inner.due(TimerKey::Lock).unwrap_or_default();
    assert_eq!(
        of_call_one(&machine),
        [
            arm_call(1, 10_000),
            disarm_call(1),
            refused(1, Refusal::FlapLocked { retry_at: until }),
        ]
    );
}

#[test]
fn an_end_of_output_settles_nothing_yet() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::Unsafe)
        .stdout_eof()
        .expect(
            Leaf::Reaping,
            [
                log(LogEvent::TransportError {
                    error: LastError::OutputClosed,
                }),
                disarm(TimerKey::Stable),
                arm(TimerKey::Teardown, 100),
                arm(TimerKey::Unready, 60_000),
                Effect::Publish,
            ],
        )
        .expect_state(&reaping(Then::Restart, TeardownStep::Lingering))
        .at(30)
        .exited();
    assert_eq!(
        machine.effects()[..3],
        [child_died(1), disarm_call(1), lost(1, Executed::Maybe)]
    );
}

#[test]
fn a_broken_input_is_treated_like_an_end_of_output() {
    Machine::ready()
        .stdin_broken()
        .expect(
            Leaf::Reaping,
            [
                log(LogEvent::TransportError {
                    error: LastError::InputBroken,
                }),
                disarm(TimerKey::Stable),
                arm(TimerKey::Teardown, 100),
                arm(TimerKey::Unready, 60_000),
                Effect::Publish,
            ],
        )
        .fire(TimerKey::Teardown)
        .expect(Leaf::Reaping, [arm(TimerKey::Teardown, 2_100)]);
}

#[test]
fn nothing_is_sent_again_after_a_stop() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::ReadOnly)
        .stop(0)
        .exited_unread(&[1]);
    assert_eq!(
        of_call_one(&machine),
        [disarm_call(1), lost(1, Executed::No)]
    );
}

#[test]
fn an_unread_call_keeps_its_place_before_later_ones() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::Unsafe)
        .exited_unread(&[1])
        .submit(2, CallClass::Unsafe)
        .reconnect();
    let sent: Vec<_> = machine
        .effects()
        .iter()
        .filter(|effect| matches!(effect, Effect::Send { .. }))
        .cloned()
        .collect();
    assert_eq!(sent, [send(2, 1), send(2, 2)]);
    assert_eq!(machine.inner.conn().last_exit(), Some(KILLED));
    assert_eq!(
        machine.inner.due(TimerKey::Call(CallId(1))),
        Some(Millis(60_000))
    );
}

/// Sent once to a process that died, and waiting for the next one.
fn waiting_again() -> Machine {
    let mut machine = Machine::ready();
    machine.submit(1, CallClass::ReadOnly).exited();
    machine
}

#[test]
fn a_call_that_may_have_run_is_never_said_not_to_have_run() {
    let mut machine = waiting_again();
    machine.fire_call(1);
    assert_eq!(
        of_call_one(&machine),
        [
            disarm_call(1),
            complete(1, Verdict::TimedOut, Executed::Maybe)
        ],
        "its time in the queue is over"
    );

    let mut machine = waiting_again();
    machine.cancel(1);
    assert_eq!(
        of_call_one(&machine),
        [
            disarm_call(1),
            complete(1, Verdict::Cancelled, Executed::Maybe)
        ],
        "it is cancelled in the queue"
    );

    let mut machine = waiting_again();
    machine.stop(0);
    let closing = Verdict::Refused(Refusal::Closing);
    assert_eq!(
        of_call_one(&machine),
        [disarm_call(1), complete(1, closing, Executed::Maybe)],
        "the gateway stops"
    );

    let mut machine = waiting_again();
    machine.reconnect().exited_unread(&[1]);
    let until = machine.inner.due(TimerKey::Lock).unwrap_or_default();
    let locked = Verdict::Refused(Refusal::FlapLocked { retry_at: until });
    assert_eq!(
        of_call_one(&machine),
        [
            arm_call(1, 10_000),
            disarm_call(1),
            complete(1, locked, Executed::Maybe)
        ],
        "the second process did not read it, but the first may have"
    );
}
