//! How a process is ended: stdin closed, TERM, KILL, each two seconds after the other.

use super::support::*;
use rea_fsm::{
    CallClass, Effect, Ignored, Leaf, Report, SpawnFailure, TeardownStep, Then, TimerKey, Why,
};

#[test]
fn stdin_then_term_then_kill() {
    let mut machine = Machine::reaping();
    machine
        .expect_armed(&[(TimerKey::Teardown, 2_000), (TimerKey::Unready, 60_000)])
        .fire(TimerKey::Teardown)
        .expect(Leaf::Reaping, [term(1), arm(TimerKey::Teardown, 4_000)])
        .expect_state(&reaping(Then::Restart, TeardownStep::TermSent))
        .fire(TimerKey::Teardown)
        .expect(Leaf::Reaping, [kill(1), arm(TimerKey::Teardown, 6_000)])
        .expect_state(&reaping(Then::Restart, TeardownStep::KillSent));
}

#[test]
fn the_next_process_is_started_only_when_this_one_is_gone() {
    for steps in 0..3 {
        let mut machine = Machine::reaping();
        for _ in 0..steps {
            machine.fire(TimerKey::Teardown);
            assert_eq!(
                machine.count(|effect| matches!(effect, Effect::AcquireSlot { .. })),
                0
            );
        }
        machine.at(machine.now + 10).exited();
        machine.expect_leaf(Leaf::Connecting);
        assert_eq!(machine.effects()[0], disarm(TimerKey::Teardown));
        assert_eq!(machine.count(|effect| *effect == acquire(2)), 1);
    }
}

#[test]
fn an_output_that_ended_is_given_a_moment_before_stdin_is_closed() {
    Machine::lingering()
        .expect_armed(&[(TimerKey::Teardown, 100), (TimerKey::Unready, 60_000)])
        .fire(TimerKey::Teardown)
        .expect(
            Leaf::Reaping,
            [close_stdin(1), arm(TimerKey::Teardown, 2_100)],
        )
        .expect_state(&reaping(Then::Restart, TeardownStep::StdinClosed));
}

#[test]
fn a_process_that_appears_late_is_ended_from_the_first_step() {
    Machine::spawning()
        .fire(TimerKey::Handshake)
        .at(21_000)
        .spawn_ok()
        .expect(
            Leaf::Reaping,
            [
                disarm(TimerKey::Teardown),
                close_stdin(1),
                arm(TimerKey::Teardown, 23_000),
            ],
        )
        .ignores(Ignored::Unexpected, Machine::spawn_ok);
}

#[test]
fn a_start_that_fails_late_frees_the_slot() {
    let mut machine = Machine::spawning();
    machine
        .fire(TimerKey::Handshake)
        .spawn_failed(SpawnFailure::System { errno: 12 })
        .expect_leaf(Leaf::Connecting);
    assert_eq!(machine.inner.conn().restarts().counted(), 1);
}

#[test]
fn a_start_that_is_never_acknowledged_is_given_up() {
    Machine::spawning()
        .fire(TimerKey::Handshake)
        .fire(TimerKey::Teardown)
        .expect_leaf(Leaf::Stuck);
}

#[test]
fn what_a_dying_process_still_says_changes_nothing() {
    Machine::reaping()
        .ignores(Ignored::Unexpected, Machine::stdout_eof)
        .ignores(Ignored::Unexpected, Machine::stdin_broken)
        .ignores(Ignored::Unexpected, Machine::pong)
        .ignores(Ignored::Unexpected, Machine::init_ok)
        .ignores(Ignored::Unexpected, Machine::io_err)
        .ignores(Ignored::Unexpected, Machine::list_changed)
        .ignores(Ignored::StaleGeneration, |machine| {
            machine.report_of(0, Report::StdoutEof {})
        });
}

#[test]
fn a_replacement_lets_calls_finish_first() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .submit(2, CallClass::Unsafe)
        .restart(5_000)
        .expect_state(&reaping(Then::Again(Why::Operator), TeardownStep::Draining))
        .reply(1)
        .expect(Leaf::Reaping, [disarm_call(1), replied(1)])
        .reply(2)
        .expect(
            Leaf::Reaping,
            [
                disarm_call(2),
                replied(2),
                disarm(TimerKey::Teardown),
                close_stdin(1),
                arm(TimerKey::Teardown, 2_000),
            ],
        )
        .exited()
        .expect_state(&connecting(rea_fsm::Phase::Waiting, Why::Operator));
}

#[test]
fn but_not_for_ever() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .restart(5_000)
        .fire(TimerKey::Teardown)
        .expect(
            Leaf::Reaping,
            [close_stdin(1), arm(TimerKey::Teardown, 7_000)],
        );
}

#[test]
fn nor_after_its_pipes_have_ended() {
    for end in [Machine::stdout_eof, Machine::stdin_broken] {
        let mut machine = Machine::ready();
        machine.submit(1, CallClass::Unsafe).restart(5_000);
        end(&mut machine).expect_state(&reaping(
            Then::Again(Why::Operator),
            TeardownStep::StdinClosed,
        ));
    }
}

#[test]
fn a_start_told_of_a_process_that_runs_already_changes_nothing() {
    Machine::reaping()
        .ignores(Ignored::Unexpected, Machine::spawn_ok)
        .ignores(Ignored::Unexpected, |machine| {
            machine.spawn_failed(SpawnFailure::System { errno: 12 })
        });
}
