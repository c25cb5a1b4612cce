//! Answers. Every kind is proof of life; none makes a state worse or touches another call.

use super::support::*;
use rea_fsm::{
    CallClass, Effect, Executed, Ignored, Leaf, ReplyKind, Report, TeardownStep, Then, TimerKey,
    Verdict,
};

const KINDS: [ReplyKind; 4] = [
    ReplyKind::Ok { is_error: false },
    ReplyKind::Ok { is_error: true },
    ReplyKind::RpcError { code: -32_602 },
    ReplyKind::InputRequired,
];

#[test]
fn every_kind_of_answer_completes_its_call_and_leaves_the_server_ready() {
    for reply in KINDS {
        Machine::ready()
            .submit(1, CallClass::Unsafe)
            .submit(2, CallClass::Unsafe)
            .reply_with(1, reply)
            .expect(
                Leaf::Ready,
                [
                    disarm_call(1),
                    complete(1, Verdict::Replied(reply), Executed::Yes),
                ],
            );
    }
}

#[test]
fn every_kind_of_answer_clears_a_suspicion() {
    for reply in KINDS {
        Machine::ready()
            .submit(1, CallClass::Unsafe)
            .io_err()
            .expect_leaf(Leaf::Suspect)
            .reply_with(1, reply)
            .expect(
                Leaf::Ready,
                [
                    disarm_call(1),
                    complete(1, Verdict::Replied(reply), Executed::Yes),
                    disarm(TimerKey::Pong),
                    Effect::Publish,
                ],
            );
    }
}

#[test]
fn an_answer_clears_the_last_error() {
    let mut machine = Machine::suspect();
    machine.pong().submit(1, CallClass::Unsafe);
    assert!(machine.inner.view().last_error.is_some());
    machine
        .reply(1)
        .expect(Leaf::Ready, [disarm_call(1), replied(1), Effect::Publish]);
    assert_eq!(machine.inner.view().last_error, None);
}

#[test]
fn an_answer_to_no_call_or_a_second_one_completes_nothing() {
    Machine::ready()
        .ignores(Ignored::UnknownCall, |machine| machine.reply(9))
        .submit(1, CallClass::Unsafe)
        .reply(1)
        .ignores(Ignored::UnknownCall, |machine| machine.reply(1));
}

#[test]
fn an_answer_to_a_call_that_waits_for_the_next_process_is_nobodys() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .exited_unread(&[1])
        .ignores(Ignored::UnknownCall, |machine| machine.reply(1))
        .reconnect()
        .ignores(Ignored::StaleGeneration, |machine| {
            machine.report_of(
                1,
                Report::Reply {
                    call: rea_fsm::CallId(1),
                    reply: OK,
                    bytes: 10,
                },
            )
        })
        .reply(1)
        // Published, because the answer also clears the fault that the death was.
        .expect(Leaf::Ready, [disarm_call(1), replied(1), Effect::Publish]);
}

#[test]
fn a_late_answer_is_still_proof_of_life() {
    Machine::suspect()
        .reply(9)
        .expect(Leaf::Ready, [disarm(TimerKey::Pong), Effect::Publish]);
}

#[test]
fn an_answer_counts_until_the_process_is_gone() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .stdout_eof()
        .reply(1)
        .expect(Leaf::Reaping, [disarm_call(1), replied(1), Effect::Publish])
        .expect_state(&reaping(Then::Restart, TeardownStep::Lingering));
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .stop(0)
        .reply(1)
        .expect(Leaf::Terminating, [disarm_call(1), replied(1)]);
}
