//! Questions of one moment are put in one answer.

use super::support::*;
use rea_fsm::{
    CallClass, Ignored, Leaf, Millis, QuestionPlace, TimerKey, Tuning, TuningError, Unasked,
};

/// How long further questions are waited for, by default.
const GATHER_MS: u64 = 20;

/// Connected, with an unsafe call 1 at the server.
fn with_a_call() -> Machine {
    let mut machine = Machine::ready_with(Tuning::default());
    machine.submit_asking(1, CallClass::Unsafe);
    machine
}

#[test]
fn what_is_asked_within_a_moment_comes_in_one_answer() {
    let mut machine = with_a_call();
    machine
        .at(50)
        .asked_in_answers(1)
        .expect(
            Leaf::Ready,
            [
                arm_question(1, 50 + QUESTION_MS),
                arm(TimerKey::Gather, 50 + GATHER_MS),
            ],
        )
        .at(60)
        .asked_in_answers(2)
        .expect(Leaf::Ready, [arm_question(2, 60 + QUESTION_MS)])
        .fire(TimerKey::Gather)
        .expect(
            Leaf::Ready,
            [
                arm_held(1, 70 + QUESTION_MS),
                offer_questions(1, 1, &[1, 2]),
            ],
        );
    is_at(&machine, 2, offered(1));
}

#[test]
fn a_client_with_a_session_is_not_kept_waiting() {
    with_a_call()
        .asked(1)
        .expect(Leaf::Ready, [arm_question(1, QUESTION_MS), ask(1)]);
}

#[test]
fn when_all_of_it_is_taken_back_nothing_is_gathered() {
    let mut machine = with_a_call();
    machine
        .asked_in_answers(1)
        .withdrew(1)
        .expect(Leaf::Ready, [disarm_question(1), disarm(TimerKey::Gather)])
        .at(GATHER_MS)
        .ignores(Ignored::StaleTimer, |machine| {
            machine.timer(TimerKey::Gather)
        });
    is_over(&machine);
}

#[test]
fn when_the_call_ends_meanwhile_it_is_refused() {
    let mut machine = with_a_call();
    machine.asked_in_answers(1).reply(1).expect(
        Leaf::Ready,
        [
            disarm_call(1),
            replied(1),
            disarm_question(1),
            refuse_question(1, 1, Unasked::Nobody),
            disarm(TimerKey::Gather),
        ],
    );
    is_over(&machine);
}

#[test]
fn what_was_gathered_while_the_call_was_held_comes_when_it_is_there_again() {
    let mut machine = with_a_call();
    machine
        .asked_in_answers(1)
        .fire(TimerKey::Gather)
        .asked_in_answers(2)
        .fire(TimerKey::Gather)
        .expect(Leaf::Ready, []);
    is_at(&machine, 2, QuestionPlace::Waiting);
    let at = 2 * GATHER_MS;
    machine.resume(1, 1, &[1]).expect(
        Leaf::Ready,
        [
            disarm_held(1),
            disarm_question(1),
            answer(1, 1),
            arm_held(1, at + QUESTION_MS),
            offer_questions(1, 2, &[2]),
        ],
    );
}

#[test]
fn a_client_that_is_there_again_takes_along_what_is_still_being_gathered() {
    let mut machine = with_a_call();
    machine
        .asked_in_answers(1)
        .fire(TimerKey::Gather)
        .asked_in_answers(2)
        .resume(1, 1, &[1])
        .expect(
            Leaf::Ready,
            [
                disarm_held(1),
                disarm_question(1),
                answer(1, 1),
                arm_held(1, GATHER_MS + QUESTION_MS),
                offer_questions(1, 2, &[2]),
                disarm(TimerKey::Gather),
            ],
        );
}

#[test]
fn a_process_that_dies_has_nothing_gathered() {
    let mut machine = with_a_call();
    machine.asked_in_answers(1).exited();
    assert_eq!(
        machine.count(|effect| *effect == disarm(TimerKey::Gather)),
        1
    );
    is_over(&machine);
}

#[test]
fn without_time_to_gather_each_is_put_at_once() {
    let tuning = Tuning {
        gather_ms: Millis::ZERO,
        ..Tuning::default()
    };
    assert_eq!(tuning.check(), Ok::<(), TuningError>(()));
    Machine::ready_with(tuning)
        .submit_asking(1, CallClass::Unsafe)
        .asked_in_answers(1)
        .expect(
            Leaf::Ready,
            [
                arm_question(1, QUESTION_MS),
                arm_held(1, QUESTION_MS),
                offer_questions(1, 1, &[1]),
            ],
        );
}

#[test]
fn what_only_an_earlier_call_can_have_caused_does_not_come_along() {
    let mut machine = Machine::held();
    machine
        .asked_in_answers(2)
        .submit_asking(2, CallClass::Unsafe)
        .asked_in_answers(3)
        .expect(
            Leaf::Ready,
            [
                arm_question(3, QUESTION_MS),
                arm_held(2, QUESTION_MS),
                offer_questions(2, 1, &[3]),
            ],
        );
    is_at(&machine, 2, QuestionPlace::Waiting);
    machine.resume(2, 1, &[3]).expect(
        Leaf::Ready,
        [disarm_held(2), disarm_question(3), answer(1, 3)],
    );
    is_at(&machine, 2, QuestionPlace::Waiting);
}
