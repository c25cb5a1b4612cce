//! A call that its client gives up.

use super::support::*;
use rea_fsm::{CallClass, Executed, Ignored, Leaf, TeardownStep, TimerKey, Verdict};

#[test]
fn a_sent_call_is_cancelled_at_the_server_too() {
    Machine::ready()
        .submit(1, CallClass::ReadOnly)
        .submit(2, CallClass::ReadOnly)
        .cancel(1)
        .expect(
            Leaf::Ready,
            [
                send_cancel(1, 1),
                disarm_call(1),
                complete(1, Verdict::Cancelled, Executed::Maybe),
            ],
        )
        .expect_armed(&[
            (TimerKey::Stable, 30_000),
            (TimerKey::Call(rea_fsm::CallId(2)), 60_000),
        ]);
}

#[test]
fn a_waiting_call_was_never_executed() {
    Machine::waiting()
        .submit(1, CallClass::ReadOnly)
        .cancel(1)
        .expect(
            Leaf::Connecting,
            [
                disarm_call(1),
                complete(1, Verdict::Cancelled, Executed::No),
            ],
        )
        .expect_armed(&[(TimerKey::Handshake, 20_000), (TimerKey::Unready, 60_000)]);
}

#[test]
fn a_cancelled_call_is_never_sent_again() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::ReadOnly)
        .cancel(1)
        .exited_unread(&[1])
        .reconnect();
    assert_eq!(machine.inner.conn().calls().in_flight(), 0);
    assert_eq!(machine.ever(|effect| *effect == send(2, 1)), 0);
}

#[test]
fn a_finished_or_unknown_call_can_not_be_cancelled() {
    Machine::ready()
        .ignores(Ignored::UnknownCall, |machine| machine.cancel(1))
        .submit(1, CallClass::Unsafe)
        .reply(1)
        .ignores(Ignored::UnknownCall, |machine| machine.cancel(1));
}

#[test]
fn nothing_is_written_to_a_closed_pipe() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .stop(0)
        .expect_leaf(Leaf::Terminating)
        .cancel(1)
        .expect(
            Leaf::Terminating,
            [
                disarm_call(1),
                complete(1, Verdict::Cancelled, Executed::Maybe),
            ],
        );
}

#[test]
fn the_last_call_of_a_drain_ends_the_drain() {
    Machine::draining().cancel(1).expect(
        Leaf::Terminating,
        [
            send_cancel(1, 1),
            disarm_call(1),
            complete(1, Verdict::Cancelled, Executed::Maybe),
            disarm(TimerKey::Drain),
            close_stdin(1),
            arm(TimerKey::Teardown, 2_000),
            rea_fsm::Effect::Publish,
        ],
    );
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .restart(5_000)
        .cancel(1)
        .expect_state(&reaping(
            rea_fsm::Then::Again(rea_fsm::Why::Operator),
            TeardownStep::StdinClosed,
        ));
}
