//! A process that KILL did not end: never a second one beside it.

use super::support::*;
use rea_fsm::{
    CallClass, Effect, Executed, Ignored, Leaf, LogEvent, Phase, Refusal, Remains, State, TimerKey,
    Verdict, Why,
};

#[test]
fn giving_up_answers_everything_that_is_held() {
    let mut machine = Machine::ready();
    machine.submit(1, CallClass::ReadOnly).stdout_eof();
    for _ in 0..3 {
        machine.fire(TimerKey::Teardown);
    }
    machine
        .at(6_000)
        .submit(2, CallClass::ReadOnly)
        .fire(TimerKey::Teardown)
        .expect(
            Leaf::Stuck,
            [
                log(LogEvent::Unkillable {
                    generation: generation(1),
                }),
                disarm_call(1),
                complete(1, Verdict::TransportLost { status: None }, Executed::Maybe),
                disarm_call(2),
                refused(2, Refusal::Unkillable),
                arm(TimerKey::Teardown, 36_100),
                Effect::Publish,
            ],
        )
        .expect_armed(&[(TimerKey::Teardown, 36_100), (TimerKey::Unready, 60_000)]);
}

#[test]
fn kill_is_sent_again_and_again() {
    let mut machine = Machine::stuck();
    for due in [66_000, 96_000, 126_000] {
        machine
            .fire(TimerKey::Teardown)
            .expect(Leaf::Stuck, [kill(1), arm(TimerKey::Teardown, due)]);
    }
}

#[test]
fn calls_are_refused() {
    Machine::stuck()
        .submit(1, CallClass::Unsafe)
        .expect(Leaf::Stuck, [refused(1, Refusal::Unkillable)]);
}

#[test]
fn asking_for_another_process_does_not_help() {
    let mut machine = Machine::stuck();
    machine.ignores(Ignored::Unkillable, Machine::retry);
    machine.ignores(Ignored::Unkillable, |machine| machine.restart(0));
}

#[test]
fn its_end_at_last_frees_the_slot() {
    Machine::stuck()
        .at(10_000)
        .exited()
        .expect(
            Leaf::Connecting,
            [
                disarm(TimerKey::Teardown),
                acquire(2),
                arm(TimerKey::Handshake, 30_000),
                log(LogEvent::ReconnectAttempt { restarts: 1 }),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Waiting, Why::Restart));
}

#[test]
fn a_start_that_was_given_up_and_succeeds_is_killed_at_once() {
    let mut machine = Machine::spawning();
    machine
        .fire(TimerKey::Handshake)
        .fire(TimerKey::Teardown)
        .expect_leaf(Leaf::Stuck)
        .spawn_ok()
        .expect(Leaf::Stuck, [kill(1)]);
    let mut machine = Machine::spawning();
    machine
        .fire(TimerKey::Handshake)
        .fire(TimerKey::Teardown)
        .spawn_failed(rea_fsm::SpawnFailure::System { errno: 12 })
        .expect_leaf(Leaf::Connecting);
}

#[test]
fn a_stop_leaves_it_and_says_so() {
    Machine::stuck()
        .stop(1_000)
        .expect(
            Leaf::Closed,
            [
                disarm(TimerKey::Teardown),
                log(LogEvent::Orphaned {
                    generation: generation(1),
                }),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        )
        .expect_state(&State::Closed {
            remains: Remains::Orphan,
        });
}
