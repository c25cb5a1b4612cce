//! Waiting for one of the engine's spawn slots, and the start of the process.

use super::support::*;
use rea_fsm::{
    CallClass, Effect, Ignored, LastError, Leaf, LogEvent, Phase, Refusal, SpawnFailure, TimerKey,
    Why,
};

fn connect_failed(failure: SpawnFailure) -> Effect {
    log(LogEvent::ConnectFailed {
        error: LastError::SpawnFailed { failure },
    })
}

#[test]
fn a_granted_slot_starts_the_next_generation() {
    Machine::waiting()
        .at(500)
        .slot()
        .expect(
            Leaf::Connecting,
            [
                log(LogEvent::ConnectAttempt {
                    generation: generation(1),
                }),
                spawn(1),
                arm(TimerKey::Handshake, 20_500),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Spawning, Why::Cold));
}

#[test]
fn a_slot_that_was_not_asked_for_or_is_granted_twice_starts_nothing() {
    Machine::waiting()
        .ignores(Ignored::StaleTicket, |machine| machine.slot_for(0))
        .ignores(Ignored::StaleTicket, |machine| machine.slot_for(2));
    Machine::spawning().ignores(Ignored::StaleTicket, Machine::slot);
    Machine::ready().ignores(Ignored::StaleTicket, Machine::slot);
}

#[test]
fn a_long_wait_asks_again_with_the_same_ticket_and_costs_nothing() {
    let mut machine = Machine::waiting();
    for due in [40_000, 60_000, 80_000] {
        machine
            .fire(TimerKey::Handshake)
            .expect(
                Leaf::Connecting,
                [acquire(1), arm(TimerKey::Handshake, due)],
            )
            .expect_state(&connecting(Phase::Waiting, Why::Cold));
    }
    assert_eq!(machine.inner.conn().restarts().counted(), 0);
}

#[test]
fn a_stop_takes_the_request_back_and_fails_what_waits() {
    Machine::waiting()
        .submit(1, CallClass::ReadOnly)
        .stop(5_000)
        .expect(
            Leaf::Closed,
            [
                disarm(TimerKey::Handshake),
                release(1),
                disarm_call(1),
                refused(1, Refusal::Closing),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        )
        .expect_armed(&[]);
}

#[test]
fn a_start_that_the_system_refuses_spends_a_restart_and_asks_anew() {
    let failure = SpawnFailure::System { errno: 11 };
    Machine::spawning()
        .at(100)
        .spawn_failed(failure.clone())
        .expect(
            Leaf::Connecting,
            [
                connect_failed(failure.clone()),
                release(1),
                acquire(2),
                arm(TimerKey::Handshake, 20_100),
                log(LogEvent::ReconnectAttempt { restarts: 1 }),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Waiting, Why::Restart))
        .slot()
        .spawn_failed(failure)
        .expect_leaf(Leaf::FlapLocked);
}

#[test]
fn a_start_that_cannot_succeed_blocks_and_fails_what_waits() {
    let failure = SpawnFailure::Blocked(missing_env());
    Machine::spawning()
        .submit(1, CallClass::Unsafe)
        .spawn_failed(failure.clone())
        .expect(
            Leaf::Blocked,
            [
                connect_failed(failure),
                disarm(TimerKey::Handshake),
                release(1),
                log(LogEvent::Blocked {
                    reason: missing_env(),
                }),
                disarm_call(1),
                refused(1, Refusal::Blocked(missing_env())),
                Effect::Publish,
            ],
        )
        .expect_armed(&[(TimerKey::Unready, 60_000)]);
}

#[test]
fn reports_of_the_last_process_while_the_next_waits_are_not_expected() {
    Machine::ready()
        .exited()
        .expect_leaf(Leaf::Connecting)
        .ignores(Ignored::Unexpected, Machine::exited)
        .ignores(Ignored::Unexpected, Machine::stdout_eof)
        .ignores(Ignored::Unexpected, Machine::stdin_broken)
        .ignores(Ignored::UnknownCall, |machine| machine.reply(1))
        .slot()
        .ignores(Ignored::StaleGeneration, |machine| {
            machine.report_of(1, rea_fsm::Report::StdoutEof {})
        });
}
