//! A server that was never started: it waits for a start, and refuses.

use super::support::*;
use rea_fsm::{CallClass, Effect, Ignored, Leaf, Phase, Refusal, Report, TimerKey, Tuning, Why};

#[test]
fn a_start_asks_for_a_slot_and_bounds_the_wait() {
    Machine::idle()
        .at(500)
        .start()
        .expect(
            Leaf::Connecting,
            [
                acquire(1),
                arm(TimerKey::Handshake, 20_500),
                arm(TimerKey::Unready, 60_500),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Waiting, Why::Cold));
}

#[test]
fn a_call_is_refused_and_touches_nothing() {
    Machine::idle()
        .submit(1, CallClass::ReadOnly)
        .expect(Leaf::Idle, [refused(1, Refusal::NotStarted)])
        .expect_armed(&[]);
}

#[test]
fn a_stop_ends_it_at_once() {
    Machine::idle()
        .stop(1_000)
        .expect(Leaf::Closed, [Effect::Publish])
        .expect_armed(&[]);
    Machine::idle()
        .stop_now()
        .expect(Leaf::Closed, [Effect::Publish]);
}

#[test]
fn new_numbers_are_taken() {
    let tuning = Tuning {
        queue_max: 3,
        ..Tuning::default()
    };
    let mut machine = Machine::idle();
    machine.configure(tuning.clone()).expect_quiet(Leaf::Idle);
    assert_eq!(machine.inner.conn().tuning(), &tuning);
}

#[test]
fn what_belongs_to_a_process_or_a_wait_is_not_for_it() {
    Machine::idle()
        .ignores(Ignored::NothingToRetry, Machine::retry)
        .ignores(Ignored::NothingToRestart, |machine| machine.restart(0))
        .ignores(Ignored::StaleTicket, Machine::slot)
        .ignores(Ignored::UnknownCall, |machine| machine.cancel(1))
        .ignores(Ignored::StaleTimer, |machine| {
            machine.timer(TimerKey::Handshake)
        })
        .ignores(Ignored::StaleGeneration, |machine| {
            machine.report_of(1, Report::SpawnOk { pid: 100 })
        });
}
