//! What an operator may ask for, in every state.

use super::support::*;
use rea_fsm::{
    CallClass, Effect, Ignored, Leaf, LogEvent, Millis, Phase, State, TeardownStep, Then, TimerKey,
    Tuning, Why,
};

fn counted(machine: &Machine) -> u32 {
    machine.inner.conn().restarts().counted()
}

#[test]
fn a_second_start_changes_nothing() {
    for mut machine in [
        Machine::waiting(),
        Machine::ready(),
        Machine::suspect(),
        Machine::backoff(),
        Machine::reaping(),
        Machine::stuck(),
        Machine::blocked(),
        Machine::flap_locked(),
    ] {
        machine.ignores(Ignored::AlreadyStarted, Machine::start);
    }
}

#[test]
fn a_retry_ends_a_pause_a_lock_or_a_block() {
    Machine::backoff()
        .retry()
        .expect(
            Leaf::Connecting,
            [
                disarm(TimerKey::Backoff),
                acquire(3),
                arm(TimerKey::Handshake, 20_000),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Waiting, Why::Restart));
    Machine::flap_locked()
        .retry()
        .expect(
            Leaf::Connecting,
            [
                disarm(TimerKey::Lock),
                acquire(3),
                arm(TimerKey::Handshake, 20_000),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Waiting, Why::LockProbe));
    Machine::blocked()
        .retry()
        .expect(
            Leaf::Connecting,
            [
                acquire(2),
                arm(TimerKey::Handshake, 20_000),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Waiting, Why::Operator));
}

#[test]
fn elsewhere_there_is_nothing_to_retry() {
    for mut machine in [
        Machine::idle(),
        Machine::waiting(),
        Machine::listing(),
        Machine::ready(),
        Machine::suspect(),
        Machine::reaping(),
    ] {
        machine.ignores(Ignored::NothingToRetry, Machine::retry);
    }
}

#[test]
fn a_retry_of_a_lock_is_a_lock_probe_and_forgives_nothing() {
    let mut machine = Machine::flap_locked();
    machine
        .retry()
        .slot()
        .exited()
        .expect_leaf(Leaf::FlapLocked);
    assert_eq!(machine.inner.conn().restarts().locks(), 2);
}

#[test]
fn a_restart_replaces_the_process_and_forgives_the_past() {
    let mut machine = Machine::ready();
    machine
        .exited()
        .reconnect()
        .restart(5_000)
        .expect(
            Leaf::Reaping,
            [
                disarm(TimerKey::Stable),
                close_stdin(2),
                arm(TimerKey::Teardown, 2_000),
                arm(TimerKey::Unready, 60_000),
                Effect::Publish,
            ],
        )
        .expect_state(&reaping(
            Then::Again(Why::Operator),
            TeardownStep::StdinClosed,
        ))
        .exited()
        .expect(
            Leaf::Connecting,
            [
                disarm(TimerKey::Teardown),
                acquire(3),
                arm(TimerKey::Handshake, 20_000),
                Effect::Publish,
            ],
        );
    assert_eq!(counted(&machine), 0);
}

#[test]
fn a_restart_during_the_handshake_replaces_the_process_too() {
    for (mut machine, step) in [
        (Machine::spawning(), TeardownStep::AwaitingSpawn),
        (Machine::probing(), TeardownStep::StdinClosed),
        (Machine::initializing(), TeardownStep::StdinClosed),
        (Machine::listing(), TeardownStep::StdinClosed),
    ] {
        machine
            .restart(5_000)
            .expect_state(&reaping(Then::Again(Why::Operator), step));
    }
    Machine::waiting()
        .restart(0)
        .expect_quiet(Leaf::Connecting)
        .expect_state(&connecting(Phase::Waiting, Why::Operator));
}

#[test]
fn a_restart_that_gives_no_time_waits_for_no_call() {
    for (drain_ms, step) in [(0, TeardownStep::StdinClosed), (1, TeardownStep::Draining)] {
        let mut machine = Machine::ready();
        machine
            .submit(1, CallClass::Unsafe)
            .restart(drain_ms)
            .expect_state(&reaping(Then::Again(Why::Operator), step));
    }
}

#[test]
fn a_restart_of_what_has_no_process_begins_one() {
    for (mut machine, ticket) in [
        (Machine::backoff(), 3),
        (Machine::blocked(), 2),
        (Machine::flap_locked(), 3),
    ] {
        machine
            .restart(0)
            .expect_state(&connecting(Phase::Waiting, Why::Operator));
        assert_eq!(machine.count(|effect| *effect == acquire(ticket)), 1);
        let restarts = machine.inner.conn().restarts();
        assert_eq!((restarts.counted(), restarts.locks()), (0, 0));
    }
}

#[test]
fn a_restart_while_the_process_is_being_ended_decides_what_follows() {
    Machine::reaping()
        .at(500)
        .restart(0)
        .expect_quiet(Leaf::Reaping)
        .expect_state(&reaping(
            Then::Again(Why::Operator),
            TeardownStep::StdinClosed,
        ))
        .expect_armed(&[(TimerKey::Teardown, 2_000), (TimerKey::Unready, 60_000)]);
}

#[test]
fn new_numbers_count_from_the_next_decision() {
    let mut machine = Machine::ready();
    machine
        .configure(Tuning {
            stable_ms: Millis(1_000),
            ..Tuning::default()
        })
        .expect_quiet(Leaf::Ready)
        .expect_armed(&[(TimerKey::Stable, 30_000)])
        .exited()
        .reconnect()
        .expect_armed(&[(TimerKey::Stable, 1_000)]);
}

#[test]
fn new_numbers_of_a_blocked_server_are_a_reason_to_try() {
    let tuning = Tuning {
        queue_max: 3,
        ..Tuning::default()
    };
    let mut machine = Machine::blocked();
    machine
        .configure(tuning.clone())
        .expect_state(&connecting(Phase::Waiting, Why::Operator));
    assert_eq!(machine.inner.conn().tuning(), &tuning);
    Machine::flap_locked()
        .configure(tuning)
        .expect_quiet(Leaf::FlapLocked);
}

#[test]
fn a_stop_without_a_process_ends_at_once() {
    for mut machine in [
        Machine::backoff(),
        Machine::blocked(),
        Machine::flap_locked(),
        Machine::waiting(),
    ] {
        machine
            .stop(5_000)
            .expect_leaf(Leaf::Closed)
            .expect_armed(&[]);
    }
    Machine::backoff()
        .submit(1, CallClass::Unsafe)
        .stop_now()
        .expect(
            Leaf::Closed,
            [
                disarm(TimerKey::Backoff),
                disarm_call(1),
                refused(1, rea_fsm::Refusal::Closing),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        );
}

#[test]
fn a_stop_during_the_handshake_ends_the_process() {
    Machine::spawning()
        .stop(5_000)
        .expect(
            Leaf::Terminating,
            [
                disarm(TimerKey::Handshake),
                release(1),
                arm(TimerKey::Teardown, 4_000),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        )
        .expect_state(&State::Terminating {
            step: TeardownStep::AwaitingSpawn,
        });
    Machine::initializing()
        .submit(1, CallClass::Unsafe)
        .stop(5_000)
        .expect(
            Leaf::Terminating,
            [
                disarm(TimerKey::Handshake),
                release(1),
                disarm_call(1),
                refused(1, rea_fsm::Refusal::Closing),
                close_stdin(1),
                arm(TimerKey::Teardown, 2_000),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        );
    Machine::listing().stop_now().expect(
        Leaf::Terminating,
        [
            disarm(TimerKey::Handshake),
            release(1),
            close_stdin(1),
            kill(1),
            arm(TimerKey::Teardown, 2_000),
            disarm(TimerKey::Unready),
            Effect::Publish,
        ],
    );
}

#[test]
fn a_stop_while_the_process_is_being_ended_goes_on_from_there() {
    Machine::reaping()
        .fire(TimerKey::Teardown)
        .submit(1, CallClass::ReadOnly)
        .stop(5_000)
        .expect(
            Leaf::Terminating,
            [
                disarm_call(1),
                refused(1, rea_fsm::Refusal::Closing),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        )
        .expect_state(&State::Terminating {
            step: TeardownStep::TermSent,
        })
        .expect_armed(&[(TimerKey::Teardown, 4_000)]);
    Machine::lingering()
        .stop(5_000)
        .expect_state(&State::Terminating {
            step: TeardownStep::StdinClosed,
        });
}

#[test]
fn a_stop_during_a_replacement_drains_or_ends() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .restart(9_000)
        .stop(3_000)
        .expect(
            Leaf::Draining,
            [
                disarm(TimerKey::Teardown),
                arm(TimerKey::Drain, 3_000),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        );
}

#[test]
fn a_restart_is_told_as_a_reconnection() {
    let mut machine = Machine::ready();
    machine.restart(0).exited().reconnect();
    assert_eq!(
        machine.count(|effect| {
            *effect
                == log(LogEvent::Reconnected {
                    generation: generation(2),
                })
        }),
        1
    );
}

#[test]
fn a_stop_now_kills_a_process_that_is_being_ended() {
    let mut term_sent = Machine::reaping();
    term_sent.fire(TimerKey::Teardown);
    for (mut machine, stdin) in [
        (Machine::lingering(), Some(close_stdin(1))),
        (Machine::reaping(), None),
        (term_sent, None),
    ] {
        let due = machine.now + 2_000;
        let mut effects = vec![disarm(TimerKey::Teardown)];
        effects.extend(stdin);
        effects.extend([
            kill(1),
            arm(TimerKey::Teardown, due),
            disarm(TimerKey::Unready),
            Effect::Publish,
        ]);
        machine
            .stop_now()
            .expect(Leaf::Terminating, effects)
            .expect_state(&State::Terminating {
                step: TeardownStep::KillSent,
            });
    }
}

#[test]
fn what_blocked_a_server_may_be_repaired_while_its_process_is_being_ended() {
    let repairs: [fn(&mut Machine) -> &mut Machine; 2] = [Machine::retry, |machine| {
        machine.configure(Tuning {
            protocol: rea_fsm::Protocol::Legacy,
            ..Tuning::default()
        })
    }];
    for repair in repairs {
        let mut machine = Machine::initializing();
        machine.handshake_err(rea_fsm::HandshakeFailure::Unsupported);
        repair(&mut machine)
            .expect_quiet(Leaf::Reaping)
            .expect_state(&reaping(
                Then::Again(Why::Operator),
                TeardownStep::StdinClosed,
            ))
            .exited()
            .expect_state(&connecting(Phase::Waiting, Why::Operator));
    }
}

#[test]
fn a_restart_while_a_lock_probe_waits_for_its_slot_makes_it_an_ordinary_start() {
    let mut machine = Machine::flap_locked();
    machine.fire(TimerKey::Lock).restart(0);
    let (phase, why) = (Phase::Waiting, Why::Operator);
    machine.expect_state(&State::Connecting { phase, why });
    machine.slot().spawn_ok().exited();
    machine.expect_leaf(Leaf::Connecting);
}

#[test]
fn a_second_restart_gives_calls_less_time_and_never_more() {
    let draining = || {
        let mut machine = Machine::ready();
        machine.submit(1, CallClass::Unsafe).restart(600_000);
        machine
    };
    let teardown = |machine: &Machine| machine.inner.due(TimerKey::Teardown);
    let mut machine = draining();
    machine.restart(5_000);
    assert_eq!(teardown(&machine), Some(Millis(5_000)));
    machine.restart(9_000);
    assert_eq!(teardown(&machine), Some(Millis(5_000)));
    let mut machine = draining();
    machine.restart(0);
    let then = Then::Again(Why::Operator);
    let step = TeardownStep::StdinClosed;
    machine.expect_state(&State::Reaping { then, step });
}
