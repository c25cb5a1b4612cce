//! Stopping: calls in flight may finish, then the process is ended. No way leads back.

use super::support::*;
use rea_fsm::{
    CallClass, Effect, Executed, Ignored, Leaf, LogEvent, Refusal, Remains, State, TeardownStep,
    TimerKey,
};

fn terminating(step: TeardownStep) -> State {
    State::Terminating { step }
}

const CLEAN: State = State::Closed {
    remains: Remains::Nothing,
};

#[test]
fn with_calls_in_flight_a_stop_drains() {
    for mut machine in [Machine::ready(), Machine::suspect()] {
        machine.submit(1, CallClass::Unsafe).stop(1_000);
        machine.expect_leaf(Leaf::Draining).expect_armed(&[
            (TimerKey::Drain, 1_000),
            (TimerKey::Call(rea_fsm::CallId(1)), 60_000),
        ]);
        assert_eq!(machine.effects()[0], arm(TimerKey::Drain, 1_000));
    }
}

#[test]
fn without_any_it_ends_the_process_at_once() {
    Machine::ready().stop(1_000).expect(
        Leaf::Terminating,
        [
            disarm(TimerKey::Stable),
            close_stdin(1),
            arm(TimerKey::Teardown, 2_000),
            Effect::Publish,
        ],
    );
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .stop(0)
        .expect_state(&terminating(TeardownStep::StdinClosed));
}

#[test]
fn a_stop_now_kills() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .stop_now()
        .expect(
            Leaf::Terminating,
            [
                disarm(TimerKey::Stable),
                close_stdin(1),
                kill(1),
                arm(TimerKey::Teardown, 2_000),
                Effect::Publish,
            ],
        )
        .expect_state(&terminating(TeardownStep::KillSent));
}

#[test]
fn the_last_answer_or_the_end_of_the_time_ends_the_drain() {
    let end = |first: &[Effect], at: u64| {
        let mut effects = first.to_vec();
        effects.extend([
            close_stdin(1),
            arm(TimerKey::Teardown, at + 2_000),
            Effect::Publish,
        ]);
        effects
    };
    Machine::draining().at(300).reply(1).expect(
        Leaf::Terminating,
        end(&[disarm_call(1), replied(1), disarm(TimerKey::Drain)], 300),
    );
    Machine::draining()
        .fire(TimerKey::Drain)
        .expect(Leaf::Terminating, end(&[], 1_000));
    Machine::draining()
        .stdout_eof()
        .expect(Leaf::Terminating, end(&[disarm(TimerKey::Drain)], 0));
}

#[test]
fn a_broken_input_ends_the_drain() {
    Machine::draining().stdin_broken().expect(
        Leaf::Terminating,
        [
            disarm(TimerKey::Drain),
            arm(TimerKey::Teardown, 2_000),
            Effect::Publish,
        ],
    );
}

#[test]
fn one_of_two_answers_does_not() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::Unsafe)
        .submit(2, CallClass::Unsafe)
        .stop(1_000)
        .reply(2)
        .expect(Leaf::Draining, [disarm_call(2), replied(2)]);
}

#[test]
fn a_death_ends_it_and_nothing_is_sent_again() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::ReadOnly)
        .submit(2, CallClass::ReadOnly)
        .stop(1_000)
        .exited_unread(&[2]);
    machine.expect_state(&CLEAN).expect_armed(&[]);
    assert_eq!(
        machine.effects(),
        [
            child_died(1),
            disarm_call(1),
            lost(1, Executed::Maybe),
            disarm_call(2),
            lost(2, Executed::No),
            disarm(TimerKey::Drain),
            Effect::Publish,
        ]
    );
}

#[test]
fn a_second_stop_can_only_make_it_faster() {
    Machine::draining()
        .ignores(Ignored::AlreadyStopping, |machine| machine.stop(2_000))
        .ignores(Ignored::AlreadyStopping, |machine| machine.stop(1_000))
        .stop(400)
        .expect(Leaf::Draining, [arm(TimerKey::Drain, 400)])
        .stop(0)
        .expect(
            Leaf::Terminating,
            [
                disarm(TimerKey::Drain),
                close_stdin(1),
                arm(TimerKey::Teardown, 2_000),
                Effect::Publish,
            ],
        )
        .ignores(Ignored::AlreadyStopping, |machine| machine.stop(0))
        .at(100)
        .stop_now()
        .expect(
            Leaf::Terminating,
            [
                disarm(TimerKey::Teardown),
                kill(1),
                arm(TimerKey::Teardown, 2_100),
            ],
        )
        .ignores(Ignored::AlreadyStopping, Machine::stop_now);
    Machine::draining().stop_now().expect(
        Leaf::Terminating,
        [
            disarm(TimerKey::Drain),
            close_stdin(1),
            kill(1),
            arm(TimerKey::Teardown, 2_000),
            Effect::Publish,
        ],
    );
}

#[test]
fn the_process_is_ended_step_by_step_and_given_up_on_in_the_end() {
    Machine::terminating()
        .fire(TimerKey::Teardown)
        .expect(Leaf::Terminating, [term(1), arm(TimerKey::Teardown, 4_000)])
        .fire(TimerKey::Teardown)
        .expect(Leaf::Terminating, [kill(1), arm(TimerKey::Teardown, 6_000)])
        .fire(TimerKey::Teardown)
        .expect(
            Leaf::Closed,
            [
                log(LogEvent::Orphaned {
                    generation: generation(1),
                }),
                Effect::Publish,
            ],
        )
        .expect_state(&State::Closed {
            remains: Remains::Orphan,
        })
        .expect_armed(&[]);
}

#[test]
fn it_is_closed_when_the_process_is_gone() {
    Machine::terminating()
        .at(70)
        .exited()
        .expect(Leaf::Closed, [disarm(TimerKey::Teardown), Effect::Publish])
        .expect_state(&CLEAN);
}

#[test]
fn a_start_that_was_under_way_is_killed_or_was_nothing() {
    Machine::spawning()
        .stop(1_000)
        .at(50)
        .spawn_ok()
        .expect(
            Leaf::Terminating,
            [
                disarm(TimerKey::Teardown),
                close_stdin(1),
                kill(1),
                arm(TimerKey::Teardown, 2_050),
            ],
        )
        .exited()
        .expect_state(&CLEAN);
    Machine::spawning()
        .stop(1_000)
        .spawn_failed(rea_fsm::SpawnFailure::System { errno: 12 })
        .expect_state(&CLEAN);
    Machine::spawning()
        .stop(1_000)
        .ignores(Ignored::AlreadyStopping, Machine::stop_now)
        .fire(TimerKey::Teardown)
        .expect_state(&State::Closed {
            remains: Remains::Orphan,
        })
        .spawn_ok()
        .expect(Leaf::Closed, [kill(1)]);
}

#[test]
fn a_start_told_of_a_running_process_changes_nothing() {
    Machine::terminating()
        .ignores(Ignored::Unexpected, |machine| {
            machine.spawn_failed(rea_fsm::SpawnFailure::System { errno: 12 })
        })
        .ignores(Ignored::Unexpected, Machine::spawn_ok)
        .expect_leaf(Leaf::Terminating);
}

#[test]
fn calls_are_refused_from_the_first_moment() {
    for mut machine in [
        Machine::draining(),
        Machine::terminating(),
        Machine::closed(),
    ] {
        let leaf = machine.inner.leaf();
        machine
            .submit(7, CallClass::ReadOnly)
            .expect(leaf, [refused(7, Refusal::Closing)]);
    }
}

#[test]
fn nothing_starts_again() {
    let events: [fn(&mut Machine) -> &mut Machine; 3] =
        [Machine::start, Machine::retry, |machine| machine.restart(0)];
    for mut machine in [
        Machine::draining(),
        Machine::terminating(),
        Machine::closed(),
    ] {
        for event in events {
            machine.ignores(Ignored::AlreadyStopping, event);
        }
        machine.ignores(Ignored::StaleTicket, Machine::slot);
    }
}

#[test]
fn a_closed_server_hears_nothing() {
    let mut machine = Machine::terminating();
    machine
        .exited()
        .ignores(Ignored::Unexpected, Machine::exited)
        .ignores(Ignored::Unexpected, Machine::stdout_eof)
        .ignores(Ignored::UnknownCall, |machine| machine.reply(1))
        .ignores(Ignored::UnknownCall, |machine| machine.cancel(1))
        .ignores(Ignored::AlreadyStopping, |machine| machine.stop(1_000))
        .ignores(Ignored::StaleTimer, |machine| {
            machine.timer(TimerKey::Teardown)
        });
}
