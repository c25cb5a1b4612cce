//! What a server asks its client: put, answered, taken back, refused. A question is answered or
//! refused at most once, to the process that asked.

use super::support::*;
use rea_fsm::{
    CallClass, CallId, Downstream, Effect, Ignored, Leaf, Phase, QuestionId, QuestionPlace,
    Refusal, Snapshot, State, TimerKey, Tuning, Unasked, Why,
};

#[test]
fn a_client_with_a_session_is_asked_at_once_and_its_answer_goes_to_the_server() {
    let mut machine = Machine::ready();
    machine
        .at(50)
        .asked(1)
        .expect(Leaf::Ready, [arm_question(1, 50 + QUESTION_MS), ask(1)])
        .at(90)
        .answered(1)
        .expect(Leaf::Ready, [disarm_question(1), answer(1, 1)]);
    is_over(&machine);
}

#[test]
fn questions_to_a_session_need_no_call_and_disturb_none() {
    Machine::ready()
        .submit_asking(1, CallClass::Unsafe)
        .asked(1)
        .expect(Leaf::Ready, [arm_question(1, QUESTION_MS), ask(1)])
        .reply(1)
        .expect(Leaf::Ready, [disarm_call(1), replied(1)])
        .answered(1)
        .expect(Leaf::Ready, [disarm_question(1), answer(1, 1)]);
}

#[test]
fn a_client_without_a_session_is_asked_in_the_answer_to_its_call() {
    let mut machine = Machine::ready();
    machine
        .submit_asking(1, CallClass::Unsafe)
        .at(50)
        .asked_in_answers(1)
        .expect(
            Leaf::Ready,
            [
                arm_question(1, 50 + QUESTION_MS),
                arm_held(1, 50 + QUESTION_MS),
                offer_questions(1, 1, &[1]),
            ],
        );
    is_at(&machine, 1, offered(1));
    assert!(machine.inner.conn().calls().get(CallId(1)).is_some());
}

#[test]
fn of_two_calls_the_older_one_carries_the_question_and_is_held_once_at_a_time() {
    let mut machine = Machine::ready();
    machine
        .submit_asking(1, CallClass::Unsafe)
        .submit_asking(2, CallClass::Unsafe)
        .asked_in_answers(1)
        .expect(
            Leaf::Ready,
            [
                arm_question(1, QUESTION_MS),
                arm_held(1, QUESTION_MS),
                offer_questions(1, 1, &[1]),
            ],
        )
        .asked_in_answers(2)
        .expect(
            Leaf::Ready,
            [
                arm_question(2, QUESTION_MS),
                arm_held(2, QUESTION_MS),
                offer_questions(2, 1, &[2]),
            ],
        )
        .asked_in_answers(3)
        .expect(Leaf::Ready, [arm_question(3, QUESTION_MS)]);
    is_at(&machine, 3, QuestionPlace::Waiting);
}

#[test]
fn without_a_call_to_answer_nobody_can_be_asked() {
    let mut machine = Machine::ready();
    machine
        // This one's client can be asked by itself only.
        .submit(1, CallClass::Unsafe)
        .asked_in_answers(1)
        .expect(Leaf::Ready, [refuse_question(1, 1, Unasked::Nobody)]);
    is_over(&machine);
}

#[test]
fn what_waits_is_not_put_in_the_answer_to_a_call_that_came_later() {
    let mut machine = Machine::held();
    machine
        .asked_in_answers(2)
        .expect(Leaf::Ready, [arm_question(2, QUESTION_MS)])
        .at(70)
        .submit_asking(2, CallClass::ReadOnly)
        .expect(Leaf::Ready, [arm_call(2, 70 + TIMEOUT_MS), send(1, 2)]);
    is_at(&machine, 2, QuestionPlace::Waiting);
    machine.resume(1, 1, &[1]);
    is_at(&machine, 2, offered(1));
}

#[test]
fn too_many_questions_are_refused() {
    let mut machine = Machine::ready_with(Tuning {
        questions_max: 2,
        ..Tuning::default()
    });
    machine
        .submit_asking(1, CallClass::Unsafe)
        .asked(1)
        .asked_in_answers(2)
        .asked(3)
        .expect(Leaf::Ready, [refuse_question(1, 3, Unasked::TooMany)])
        .asked_in_answers(4)
        .expect(Leaf::Ready, [refuse_question(1, 4, Unasked::TooMany)])
        .answered(1)
        .asked(5)
        .expect(Leaf::Ready, [arm_question(5, QUESTION_MS), ask(5)]);
    assert_eq!(machine.inner.questions().open().count(), 2);
}

#[test]
fn a_question_with_the_number_of_an_earlier_one_is_no_question() {
    Machine::ready()
        .asked(4)
        .at(10)
        .ignores(Ignored::DuplicateQuestion, |machine| machine.asked(4))
        .ignores(Ignored::DuplicateQuestion, |machine| machine.asked(3))
        .answered(4)
        .ignores(Ignored::DuplicateQuestion, |machine| machine.asked(4))
        .exited()
        .reconnect()
        .ignores(Ignored::DuplicateQuestion, |machine| machine.asked(4));
}

#[test]
fn a_question_that_is_taken_back_is_taken_from_the_client() {
    let mut machine = Machine::ready();
    machine
        .asked(1)
        .withdrew(1)
        .expect(Leaf::Ready, [disarm_question(1), withdraw(1)])
        .ignores(Ignored::UnknownQuestion, |machine| machine.answered(1))
        .at(10)
        .ignores(Ignored::UnknownQuestion, |machine| machine.withdrew(1))
        .ignores(Ignored::UnknownQuestion, |machine| machine.withdrew(9));
    is_over(&machine);
}

#[test]
fn a_question_that_is_taken_back_while_it_waits_is_forgotten() {
    Machine::held()
        .asked_in_answers(2)
        .withdrew(2)
        .expect(Leaf::Ready, [disarm_question(2)])
        .resume(1, 1, &[1, 2])
        .expect(
            Leaf::Ready,
            [disarm_held(1), disarm_question(1), answer(1, 1)],
        );
}

#[test]
fn a_question_that_is_taken_back_after_it_was_put_in_an_answer_leaves_the_call_held() {
    let mut machine = Machine::held();
    machine
        .withdrew(1)
        .expect(Leaf::Ready, [disarm_question(1)])
        .resume(1, 1, &[1])
        .expect(Leaf::Ready, [disarm_held(1)])
        .reply(1)
        .expect(Leaf::Ready, [disarm_call(1), replied(1)]);
    is_over(&machine);
}

#[test]
fn a_second_answer_is_nobodys() {
    Machine::ready()
        .ignores(Ignored::UnknownQuestion, |machine| machine.answered(1))
        .asked(1)
        .answered(1)
        .ignores(Ignored::UnknownQuestion, |machine| machine.answered(1));
}

#[test]
fn what_was_put_in_an_answer_or_waits_is_not_the_clients_to_answer_by_itself() {
    Machine::held()
        .asked_in_answers(2)
        .ignores(Ignored::UnknownQuestion, |machine| machine.answered(1))
        .ignores(Ignored::UnknownQuestion, |machine| machine.answered(2));
}

#[test]
fn when_the_last_call_that_can_have_caused_it_ends_what_waits_is_refused() {
    let mut machine = Machine::held();
    machine
        .asked_in_answers(2)
        .asked_in_answers(3)
        .submit_asking(2, CallClass::ReadOnly)
        .reply(1)
        .resume(1, 1, &[1])
        .expect(
            Leaf::Ready,
            [
                disarm_held(1),
                disarm_question(1),
                answer(1, 1),
                replied(1),
                disarm_question(2),
                refuse_question(1, 2, Unasked::Nobody),
                disarm_question(3),
                refuse_question(1, 3, Unasked::Nobody),
            ],
        );
    is_over(&machine);
}

#[test]
fn when_its_process_dies_a_question_is_taken_from_the_client() {
    let mut machine = Machine::ready();
    machine.asked(1).exited();
    assert_eq!(machine.count(|effect| *effect == withdraw(1)), 1);
    assert_eq!(machine.count(|effect| *effect == disarm_question(1)), 1);
    is_over(&machine);
    machine
        .ignores(Ignored::UnknownQuestion, |machine| machine.answered(1))
        .reconnect()
        .ignores(Ignored::UnknownQuestion, |machine| machine.answered(1));
}

#[test]
fn a_question_that_finds_no_answer_in_time_is_refused_and_taken_from_the_client() {
    let mut machine = Machine::ready();
    machine.asked(1).fire_question(1).expect(
        Leaf::Ready,
        [refuse_question(1, 1, Unasked::Unanswered), withdraw(1)],
    );
    is_over(&machine);
    machine.ignores(Ignored::UnknownQuestion, |machine| machine.answered(1));
}

#[test]
fn one_millisecond_early_is_early() {
    Machine::held()
        .at(QUESTION_MS - 1)
        .ignores(Ignored::StaleTimer, |machine| {
            machine.timer(TimerKey::Question(QuestionId(1)))
        })
        .ignores(Ignored::StaleTimer, |machine| {
            machine.timer(TimerKey::Held(CallId(1)))
        });
}

#[test]
fn once_stdin_is_closed_no_question_is_open() {
    let mut machine = Machine::held();
    machine.asked(2).stop(0).expect_leaf(Leaf::Terminating);
    assert_eq!(machine.count(|effect| *effect == withdraw(2)), 1);
    assert_eq!(machine.inner.questions().open().count(), 0);
    assert!(machine.inner.questions().held_call(CallId(1)).is_some());
    machine
        .ignores(Ignored::Unexpected, |machine| machine.asked(3))
        .ignores(Ignored::Unexpected, |machine| machine.asked_in_answers(3))
        .ignores(Ignored::UnknownQuestion, |machine| machine.withdrew(1))
        // Its answer may come still.
        .reply(1)
        .expect(Leaf::Terminating, [disarm_call(1), keep(1)])
        .exited()
        .expect_leaf(Leaf::Closed);
    assert_eq!(machine.count(|effect| *effect == replied(1)), 1);
    is_over(&machine);
}

#[test]
fn a_call_that_is_refused_carries_nothing() {
    let mut machine = Machine::ready_with(Tuning {
        in_flight_max: 1,
        ..Tuning::default()
    });
    machine
        .submit(1, CallClass::Unsafe)
        .submit_asking(2, CallClass::Unsafe)
        .expect(Leaf::Ready, [refused(2, Refusal::Overloaded)])
        .asked_in_answers(1)
        .expect(Leaf::Ready, [refuse_question(1, 1, Unasked::Nobody)]);
}

#[test]
fn a_question_is_proof_of_life() {
    let events: [fn(&mut Machine, u64) -> &mut Machine; 2] =
        [Machine::asked, Machine::asked_in_answers];
    for event in events {
        let mut machine = Machine::suspect();
        event(machine.submit_asking(1, CallClass::Unsafe), 1).expect_leaf(Leaf::Ready);
        assert_eq!(machine.inner.questions().open().count(), 1);
        assert_eq!(machine.count(|effect| *effect == disarm(TimerKey::Pong)), 1);
    }
    Machine::ready().asked(1).io_err().withdrew(1).expect(
        Leaf::Ready,
        [
            disarm(TimerKey::Pong),
            disarm_question(1),
            withdraw(1),
            Effect::Publish,
        ],
    );
}

#[test]
fn so_is_one_that_was_put_before_and_one_that_is_taken_back_twice() {
    Machine::ready()
        .asked(1)
        .answered(1)
        .io_err()
        .asked(1)
        .expect(Leaf::Ready, [disarm(TimerKey::Pong), Effect::Publish])
        .io_err()
        .withdrew(1)
        .expect(Leaf::Ready, [disarm(TimerKey::Pong), Effect::Publish]);
}

#[test]
fn a_question_puts_the_heartbeat_off() {
    let mut machine = Machine::ready_with(Tuning {
        heartbeat_ms: rea_fsm::Millis(1_000),
        ..Tuning::default()
    });
    machine
        .at(600)
        .asked(1)
        .fire(TimerKey::Heartbeat)
        .expect(Leaf::Ready, [arm(TimerKey::Heartbeat, 1_600)]);
}

#[test]
fn a_question_before_the_handshake_is_put_like_any_other() {
    let initializing = connecting(Phase::Initializing, Why::Cold);
    let mut machine = Machine::initializing();
    machine
        .asked(1)
        .expect(Leaf::Connecting, [arm_question(1, QUESTION_MS), ask(1)])
        .asked_in_answers(2)
        .expect(Leaf::Connecting, [refuse_question(1, 2, Unasked::Nobody)])
        .expect_state(&initializing)
        .answered(1)
        .expect(Leaf::Connecting, [disarm_question(1), answer(1, 1)]);
}

#[test]
fn a_call_that_its_server_has_not_been_sent_has_caused_no_question() {
    let mut machine = Machine::listing();
    machine
        .submit_asking(1, CallClass::Unsafe)
        .asked_in_answers(1)
        .expect(Leaf::Connecting, [refuse_question(1, 1, Unasked::Nobody)]);
    is_over(&machine);
}

#[test]
fn a_question_of_a_dead_process_is_stale() {
    let mut machine = Machine::ready();
    machine
        .exited()
        .reconnect()
        .ignores(Ignored::StaleGeneration, |machine| {
            machine.report_of(
                1,
                rea_fsm::Report::Asked {
                    question: QuestionId(1),
                    asks: rea_fsm::Asks::Directly,
                },
            )
        });
}

#[test]
fn a_server_that_is_not_there_asks_nothing() {
    let mut machine = Machine::spawning();
    machine.ignores(Ignored::Unexpected, |machine| machine.asked(1));
    assert!(matches!(machine.inner.state(), State::Connecting { .. }));
    Machine::stuck().ignores(Ignored::Unexpected, |machine| machine.asked(1));
}

#[test]
fn a_machine_taken_up_in_the_middle_goes_on_alike() {
    let mut machine = Machine::held();
    machine.submit_asking(2, CallClass::Unsafe);
    machine.asked_in_answers(2).asked(3).reply(2);
    let written = serde_json::to_string(&machine.inner.snapshot()).unwrap();
    let read: Snapshot = serde_json::from_str(&written).unwrap();
    let mut other = machine.clone();
    other.inner = Downstream::restore(read);
    assert_eq!(other.inner.digest(), machine.inner.digest());
    let events: [fn(&mut Machine) -> &mut Machine; 7] = [
        |machine| machine.answered(3),
        |machine| machine.asked(3),
        |machine| machine.asked_in_answers(4),
        |machine| machine.resume(1, 1, &[]),
        |machine| machine.resume(2, 1, &[2]),
        |machine| machine.exited(),
        |machine| machine.fire_held(1),
    ];
    for event in events {
        event(&mut machine);
        event(&mut other);
        assert_eq!(machine.effects(), other.effects());
        assert_eq!(machine.decision(), other.decision());
        assert_eq!(machine.inner.digest(), other.inner.digest());
    }
}

#[test]
fn without_questions_a_snapshot_says_nothing_of_them() {
    let mut machine = Machine::ready();
    machine
        .submit_asking(1, CallClass::Unsafe)
        .reply(1)
        .submit(2, CallClass::Unsafe);
    let written = serde_json::to_string(&machine.inner.snapshot()).unwrap();
    assert!(!written.contains("question"), "{written}");
    machine.asked(1);
    let written = serde_json::to_string(&machine.inner.snapshot()).unwrap();
    assert!(written.contains("\"questions\""), "{written}");
}
