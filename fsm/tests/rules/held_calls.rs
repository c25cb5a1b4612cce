//! Calls that are held for a question: resumed, ended meanwhile, given up. A held call is completed
//! exactly once.

use super::support::*;
use rea_fsm::{
    CallClass, CallId, Effect, Executed, Ignored, Leaf, QuestionId, QuestionPlace, TimerKey,
    Unasked, Verdict,
};

#[test]
fn a_call_that_is_resumed_with_the_answer_goes_on() {
    let mut machine = Machine::held();
    machine
        .at(40)
        .resume(1, 1, &[1])
        .expect(
            Leaf::Ready,
            [disarm_held(1), disarm_question(1), answer(1, 1)],
        )
        .reply(1)
        .expect(Leaf::Ready, [disarm_call(1), replied(1)]);
    is_over(&machine);
}

#[test]
fn a_call_that_is_resumed_without_the_answer_is_given_back_again() {
    let mut machine = Machine::held();
    machine
        .at(40)
        .resume(1, 1, &[])
        .expect(
            Leaf::Ready,
            [
                disarm_held(1),
                arm_held(1, 40 + QUESTION_MS),
                offer_questions(1, 2, &[1]),
            ],
        )
        // The client has the question no longer than before.
        .expect_armed(&[
            (TimerKey::Stable, 30_000),
            (TimerKey::Call(CallId(1)), TIMEOUT_MS),
            (TimerKey::Question(QuestionId(1)), QUESTION_MS),
            (TimerKey::Held(CallId(1)), 40 + QUESTION_MS),
        ]);
}

#[test]
fn a_resumed_call_is_given_back_with_everything_that_waits() {
    Machine::held()
        .asked_in_answers(2)
        .asked_in_answers(3)
        .asked_in_answers(4)
        .withdrew(3)
        .resume(1, 1, &[1])
        .expect(
            Leaf::Ready,
            [
                disarm_held(1),
                disarm_question(1),
                answer(1, 1),
                arm_held(1, QUESTION_MS),
                offer_questions(1, 2, &[2, 4]),
            ],
        )
        .resume(1, 2, &[4])
        .expect(
            Leaf::Ready,
            [
                disarm_held(1),
                disarm_question(4),
                answer(1, 4),
                arm_held(1, QUESTION_MS),
                offer_questions(1, 3, &[2]),
            ],
        );
}

#[test]
fn of_the_calls_at_the_server_the_one_that_was_held_least_often_is_held() {
    let mut machine = Machine::held();
    machine
        .submit_asking(2, CallClass::Unsafe)
        .submit_asking(3, CallClass::Unsafe)
        .resume(1, 1, &[1])
        .asked_in_answers(2)
        .expect(
            Leaf::Ready,
            [
                arm_question(2, QUESTION_MS),
                arm_held(2, QUESTION_MS),
                offer_questions(2, 1, &[2]),
            ],
        )
        .resume(2, 1, &[2])
        .asked_in_answers(3);
    is_at(&machine, 3, offered(3));
    machine.resume(3, 1, &[3]).asked_in_answers(4);
    is_at(&machine, 4, offered(1));
}

#[test]
fn only_the_last_round_can_be_resumed_and_only_once() {
    Machine::held()
        .ignores(Ignored::NotHeld, |machine| machine.resume(1, 0, &[1]))
        .ignores(Ignored::NotHeld, |machine| machine.resume(1, 2, &[1]))
        .ignores(Ignored::NotHeld, |machine| machine.resume(2, 1, &[1]))
        .resume(1, 1, &[])
        .ignores(Ignored::NotHeld, |machine| machine.resume(1, 1, &[1]))
        .resume(1, 2, &[1])
        .ignores(Ignored::NotHeld, |machine| machine.resume(1, 2, &[1]));
}

#[test]
fn answers_to_questions_that_were_not_in_it_are_left_out() {
    let mut machine = Machine::ready();
    machine
        .submit_asking(1, CallClass::Unsafe)
        .submit_asking(2, CallClass::Unsafe)
        .asked_in_answers(1)
        .asked_in_answers(2)
        .asked(3)
        .resume(1, 1, &[1, 2, 3, 9])
        .expect(
            Leaf::Ready,
            [disarm_held(1), disarm_question(1), answer(1, 1)],
        );
    is_at(&machine, 2, offered(2));
    is_at(&machine, 3, QuestionPlace::WithClient);
}

#[test]
fn the_servers_answer_to_a_held_call_is_kept_until_the_client_is_there_again() {
    let mut machine = Machine::held();
    machine
        .reply(1)
        .expect(Leaf::Ready, [disarm_call(1), keep(1)])
        .ignores(Ignored::UnknownCall, |machine| machine.reply(1))
        .ignores(Ignored::UnknownCall, |machine| machine.cancel(1))
        .resume(1, 1, &[1])
        .expect(
            Leaf::Ready,
            [disarm_held(1), disarm_question(1), answer(1, 1), replied(1)],
        );
    is_over(&machine);
}

#[test]
fn a_kept_answer_is_given_also_to_a_client_that_does_not_answer() {
    let mut machine = Machine::held();
    machine.reply(1).resume(1, 1, &[]).expect(
        Leaf::Ready,
        [
            disarm_held(1),
            replied(1),
            disarm_question(1),
            refuse_question(1, 1, Unasked::Nobody),
        ],
    );
    is_over(&machine);
}

#[test]
fn what_the_client_of_a_finished_call_does_not_answer_is_put_in_the_answer_to_another() {
    let mut machine = Machine::ready();
    machine
        .submit_asking(1, CallClass::Unsafe)
        .submit_asking(2, CallClass::Unsafe)
        .asked_in_answers(1);
    machine.reply(1).at(30).resume(1, 1, &[]).expect(
        Leaf::Ready,
        [
            disarm_held(1),
            replied(1),
            arm_held(2, 30 + QUESTION_MS),
            offer_questions(2, 1, &[1]),
        ],
    );
}

#[test]
fn a_held_call_that_has_ended_carries_nothing() {
    Machine::held()
        .reply(1)
        .asked_in_answers(2)
        .expect(Leaf::Ready, [refuse_question(1, 2, Unasked::Nobody)]);
}

#[test]
fn a_held_call_that_takes_too_long_is_told_so_when_it_is_resumed() {
    let mut machine = Machine::held();
    machine.fire_call(1).pong().fire_call(1);
    assert_eq!(
        machine.ever(|effect| matches!(effect, Effect::Complete { .. })),
        0
    );
    machine.resume(1, 1, &[1]).expect(
        Leaf::Ready,
        [
            disarm_held(1),
            disarm_question(1),
            answer(1, 1),
            complete(1, Verdict::TimedOut, Executed::Maybe),
        ],
    );
}

#[test]
fn a_held_call_that_is_given_up_is_given_up_at_the_server() {
    let mut machine = Machine::held();
    machine
        .cancel(1)
        .expect(Leaf::Ready, [send_cancel(1, 1), disarm_call(1)])
        .resume(1, 1, &[1])
        .expect(
            Leaf::Ready,
            [
                disarm_held(1),
                disarm_question(1),
                answer(1, 1),
                complete(1, Verdict::Cancelled, Executed::Maybe),
            ],
        );
    is_over(&machine);
}

#[test]
fn when_its_process_dies_a_held_call_that_must_not_run_twice_is_lost_when_it_is_resumed() {
    let mut machine = Machine::held();
    machine.exited().expect_leaf(Leaf::Connecting);
    let told = |effect: &Effect| {
        matches!(
            effect,
            Effect::Complete { .. } | Effect::Withdraw { .. } | Effect::Keep { .. }
        )
    };
    assert_eq!(machine.count(told), 0);
    assert_eq!(machine.count(|effect| *effect == disarm_question(1)), 1);
    machine
        .resume(1, 1, &[1])
        .expect(Leaf::Connecting, [disarm_held(1), lost(1, Executed::Maybe)]);
    is_over(&machine);
}

#[test]
fn when_its_process_dies_a_held_call_that_may_run_twice_is_sent_again_while_it_is_held() {
    let mut machine = Machine::ready();
    machine
        .submit_asking(1, CallClass::ReadOnly)
        .asked_in_answers(1)
        .exited()
        .reconnect();
    assert_eq!(machine.count(|effect| *effect == send(2, 1)), 1);
    machine
        // It is held still: the new process's question waits.
        .asked_in_answers(2)
        .expect(Leaf::Ready, [arm_question(2, QUESTION_MS)])
        .resume(1, 1, &[1])
        .expect(
            Leaf::Ready,
            [
                disarm_held(1),
                arm_held(1, QUESTION_MS),
                offer_questions(1, 2, &[2]),
            ],
        )
        .resume(1, 2, &[2])
        .expect(
            Leaf::Ready,
            [disarm_held(1), disarm_question(2), answer(2, 2)],
        )
        .reply(1)
        // Published, because the answer also clears the fault that the death was.
        .expect(Leaf::Ready, [disarm_call(1), replied(1), Effect::Publish]);
}

#[test]
fn a_held_call_that_was_not_read_waits_for_the_next_process_held_or_not() {
    let mut machine = Machine::held();
    machine
        .exited_unread(&[1])
        .resume(1, 1, &[1])
        .expect(Leaf::Connecting, [disarm_held(1)])
        .reconnect();
    assert_eq!(machine.count(|effect| *effect == send(2, 1)), 1);
    machine
        .asked_in_answers(2)
        .expect(
            Leaf::Ready,
            [
                arm_question(2, QUESTION_MS),
                arm_held(1, QUESTION_MS),
                offer_questions(1, 2, &[2]),
            ],
        )
        .ignores(Ignored::NotHeld, |machine| machine.resume(1, 1, &[2]));
}

#[test]
fn a_question_in_an_answer_is_refused_in_time_and_its_call_is_held_on() {
    let mut machine = Machine::held();
    machine
        .fire_question(1)
        .expect(Leaf::Ready, [refuse_question(1, 1, Unasked::Unanswered)])
        .resume(1, 1, &[1])
        .expect(Leaf::Ready, [disarm_held(1)])
        .reply(1)
        .expect(Leaf::Ready, [disarm_call(1), replied(1)]);
    is_over(&machine);
}

#[test]
fn a_held_call_that_nobody_resumes_is_given_up_at_the_server() {
    let mut machine = Machine::held();
    machine.fire_held(1).expect(
        Leaf::Ready,
        [
            disarm_question(1),
            refuse_question(1, 1, Unasked::Unanswered),
            send_cancel(1, 1),
            disarm_call(1),
            complete(1, Verdict::Cancelled, Executed::Maybe),
        ],
    );
    is_over(&machine);
    machine.ignores(Ignored::NotHeld, |machine| machine.resume(1, 1, &[1]));
}

#[test]
fn a_kept_answer_that_nobody_fetches_is_given_to_nobody() {
    let mut machine = Machine::held();
    machine.asked_in_answers(2).reply(1).fire_held(1).expect(
        Leaf::Ready,
        [
            disarm_question(1),
            refuse_question(1, 1, Unasked::Unanswered),
            replied(1),
            disarm_question(2),
            refuse_question(1, 2, Unasked::Nobody),
        ],
    );
    is_over(&machine);
}

#[test]
fn a_held_call_that_nobody_resumes_while_it_waits_for_a_process_is_given_up() {
    let mut machine = Machine::held();
    machine.exited_unread(&[1]).fire_held(1).expect(
        Leaf::Connecting,
        [
            disarm_call(1),
            complete(1, Verdict::Cancelled, Executed::No),
        ],
    );
    is_over(&machine);
}

#[test]
fn a_stop_that_drains_lets_a_held_call_be_resumed_and_answered() {
    Machine::held()
        .stop(5_000)
        .expect_leaf(Leaf::Draining)
        .asked_in_answers(2)
        .expect(Leaf::Draining, [arm_question(2, QUESTION_MS)])
        .resume(1, 1, &[1])
        .expect(
            Leaf::Draining,
            [
                disarm_held(1),
                disarm_question(1),
                answer(1, 1),
                arm_held(1, QUESTION_MS),
                offer_questions(1, 2, &[2]),
            ],
        )
        .resume(1, 2, &[2])
        .reply(1)
        .expect_leaf(Leaf::Terminating);
}

#[test]
fn closed_holds_nothing() {
    let mut machine = Machine::held();
    machine.stop_now().exited().expect_leaf(Leaf::Closed);
    assert_eq!(machine.count(|effect| *effect == disarm_held(1)), 1);
    assert_eq!(
        machine.count(|effect| *effect == lost(1, Executed::Maybe)),
        1
    );
    is_over(&machine);
    machine.ignores(Ignored::NotHeld, |machine| machine.resume(1, 1, &[1]));
}
