//! The circuit breaker: are this server's answers good? Five faults in a row open it; local
//! decisions are no faults; half open, one call tries.

use super::support::*;
use rea_fsm::{
    CallClass, Circuit, Effect, Executed, FaultCause, Leaf, LogEvent, Millis, Refusal, ReplyKind,
    TimerKey, Tuning, Verdict,
};

/// Two faults open it; calls end after 100 ms, and the suspicion that they raise lasts.
fn brittle() -> Tuning {
    Tuning {
        breaker_faults: 2,
        call_cap_ms: Millis(100),
        restart_intensity: 99,
        pong_ms: Millis(1_000_000),
        ..Tuning::default()
    }
}

fn circuit(machine: &Machine) -> Circuit {
    machine.inner.breaker().circuit()
}

/// Runs a call into its hard cap.
fn time_out(machine: &mut Machine, call: u64) -> &mut Machine {
    machine.submit(call, CallClass::Unsafe).fire_call(call)
}

/// Opened by two timeouts at 200 ms.
fn open() -> Machine {
    let mut machine = Machine::ready_with(brittle());
    time_out(&mut machine, 1);
    time_out(&mut machine, 2);
    machine.pong();
    machine
}

fn half_open() -> Machine {
    let mut machine = open();
    machine.fire(TimerKey::Breaker);
    machine
}

#[test]
fn faults_in_a_row_open_it() {
    let mut machine = Machine::ready_with(brittle());
    time_out(&mut machine, 1);
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 1 });
    time_out(&mut machine, 2);
    assert_eq!(
        circuit(&machine),
        Circuit::Open {
            until: Millis(30_200),
            cause: FaultCause::Timeout,
        }
    );
    let opened = [
        arm(TimerKey::Breaker, 30_200),
        log(LogEvent::CircuitOpen {
            retry_at: Millis(30_200),
        }),
    ];
    assert!(machine.effects().windows(2).any(|pair| pair == opened));
}

#[test]
fn its_openings_are_counted() {
    let mut machine = half_open();
    assert_eq!(machine.inner.breaker().open_transitions(), 1);
    time_out(&mut machine, 3);
    assert_eq!(machine.inner.breaker().open_transitions(), 2);
}

#[test]
fn by_default_five() {
    let mut machine = Machine::ready_with(Tuning {
        breaker_faults: Tuning::default().breaker_faults,
        ..brittle()
    });
    for call in 1..=4 {
        time_out(&mut machine, call);
    }
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 4 });
    time_out(&mut machine, 5);
    assert!(matches!(circuit(&machine), Circuit::Open { .. }));
}

#[test]
fn any_answer_between_them_begins_the_count_anew() {
    for reply in [
        ReplyKind::Ok { is_error: false },
        ReplyKind::Ok { is_error: true },
        ReplyKind::RpcError { code: -32_602 },
        ReplyKind::InputRequired,
    ] {
        let mut machine = Machine::ready_with(brittle());
        time_out(&mut machine, 1);
        machine.submit(2, CallClass::Unsafe).reply_with(2, reply);
        assert_eq!(circuit(&machine), Circuit::Closed { faults: 0 });
    }
}

#[test]
fn a_death_is_one_fault_however_many_calls_it_took() {
    let mut machine = Machine::ready_with(brittle());
    for call in 1..=9 {
        machine.submit(call, CallClass::Unsafe);
    }
    machine.exited();
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 1 });
}

#[test]
fn a_death_without_calls_is_none() {
    let mut machine = Machine::ready_with(brittle());
    machine.exited();
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 0 });
}

#[test]
fn local_decisions_are_none() {
    let mut machine = Machine::flap_locked();
    for call in 1..=20 {
        machine.submit(call, CallClass::Unsafe);
    }
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 0 });

    let mut machine = Machine::waiting_with(brittle());
    for call in 1..=50 {
        machine.submit_for(call, CallClass::Unsafe, 10);
    }
    for call in 1..=32 {
        machine.fire_call(call);
    }
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 0 });

    let mut machine = Machine::ready_with(brittle());
    for call in 1..=20 {
        machine.submit(call, CallClass::Unsafe).cancel(call);
    }
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 0 });
}

#[test]
fn open_it_refuses_with_the_time_of_the_next_try() {
    open().submit(3, CallClass::Unsafe).expect(
        Leaf::Ready,
        [refused(
            3,
            Refusal::CircuitOpen {
                retry_at: Millis(30_200),
            },
        )],
    );
}

#[test]
fn it_half_opens_by_its_own_timer_without_any_traffic() {
    let mut machine = open();
    machine.fire(TimerKey::Breaker).expect(
        Leaf::Ready,
        [log(LogEvent::CircuitHalfOpen), Effect::Publish],
    );
    assert_eq!(machine.now, 30_200);
    assert_eq!(circuit(&machine), Circuit::HalfOpen { probes: 0 });
    assert_eq!(machine.inner.due(TimerKey::Breaker), None);
}

#[test]
fn half_open_it_lets_one_call_try_and_refuses_the_others() {
    let mut machine = half_open();
    machine
        .submit(3, CallClass::Unsafe)
        .expect(
            Leaf::Ready,
            [arm_call(3, 30_300), send(1, 3), Effect::Publish],
        )
        .submit(4, CallClass::Unsafe)
        .expect(Leaf::Ready, [refused(4, Refusal::CircuitProbing)])
        .submit(5, CallClass::Unsafe)
        .expect(Leaf::Ready, [refused(5, Refusal::CircuitProbing)]);
    assert_eq!(circuit(&machine), Circuit::HalfOpen { probes: 1 });
}

#[test]
fn or_as_many_as_are_configured() {
    let mut machine = Machine::ready_with(Tuning {
        breaker_probes: 2,
        ..brittle()
    });
    time_out(&mut machine, 1);
    time_out(&mut machine, 2);
    machine
        .fire(TimerKey::Breaker)
        .submit(3, CallClass::Unsafe)
        .submit(4, CallClass::Unsafe)
        .submit(5, CallClass::Unsafe)
        .expect(Leaf::Suspect, [refused(5, Refusal::CircuitProbing)]);
}

#[test]
fn its_answer_closes_the_circuit() {
    let mut machine = half_open();
    machine.submit(3, CallClass::Unsafe).reply(3).expect(
        Leaf::Ready,
        [
            disarm_call(3),
            replied(3),
            log(LogEvent::CircuitClosed),
            Effect::Publish,
        ],
    );
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 0 });
}

#[test]
fn its_fault_opens_it_for_twice_as_long_up_to_the_cap() {
    let mut machine = open();
    for (call, pause) in [
        (3, 60_000),
        (4, 120_000),
        (5, 240_000),
        (6, 300_000),
        (7, 300_000),
    ] {
        machine.fire(TimerKey::Breaker);
        time_out(&mut machine, call);
        assert_eq!(
            circuit(&machine),
            Circuit::Open {
                until: Millis(machine.now + pause),
                cause: FaultCause::Timeout,
            }
        );
    }
    machine
        .fire(TimerKey::Breaker)
        .submit(8, CallClass::Unsafe)
        .reply(8);
    time_out(&mut machine, 9);
    time_out(&mut machine, 10);
    assert_eq!(
        circuit(&machine),
        Circuit::Open {
            until: Millis(machine.now + 30_000),
            cause: FaultCause::Timeout,
        },
        "an answer forgets the doubling"
    );
}

#[test]
fn a_local_decision_gives_the_try_back() {
    let mut machine = half_open();
    machine.submit(3, CallClass::Unsafe).cancel(3);
    assert_eq!(circuit(&machine), Circuit::HalfOpen { probes: 0 });

    let mut machine = Machine::ready_with(Tuning {
        held_bytes_max: 1_000,
        ..brittle()
    });
    time_out(&mut machine, 1);
    time_out(&mut machine, 2);
    machine
        .fire(TimerKey::Breaker)
        .submit_sized(3, CallClass::Unsafe, TIMEOUT_MS, 1_001)
        .expect(Leaf::Suspect, [refused(3, Refusal::Overloaded)]);
    assert_eq!(circuit(&machine), Circuit::HalfOpen { probes: 0 });
}

#[test]
fn what_was_admitted_before_says_nothing_about_now() {
    let mut machine = Machine::ready_with(brittle());
    machine.submit_for(1, CallClass::Unsafe, 1_000);
    machine.at(50);
    time_out(&mut machine, 2);
    time_out(&mut machine, 3);
    // Call 1 ended at its own cap before call 2 did, so it was the first of the two faults.
    assert!(matches!(circuit(&machine), Circuit::Open { .. }));

    let mut machine = Machine::ready_with(Tuning {
        call_cap_ms: Millis(1_000_000),
        ..brittle()
    });
    machine.submit_for(1, CallClass::Unsafe, 1_000_000);
    machine.configure(brittle());
    for call in [2, 3] {
        time_out(&mut machine, call);
    }
    machine.fire(TimerKey::Breaker).reply(1);
    assert_eq!(
        circuit(&machine),
        Circuit::HalfOpen { probes: 0 },
        "an answer to a call of an older epoch closes nothing"
    );
}

#[test]
fn a_new_process_half_opens_what_a_death_has_opened() {
    let mut machine = Machine::ready_with(brittle());
    for call in [1, 2] {
        machine.submit(call, CallClass::Unsafe).exited();
        if machine.inner.leaf() == Leaf::Backoff {
            machine.fire(TimerKey::Backoff);
        }
        if call == 1 {
            machine.reconnect();
        }
    }
    assert!(matches!(
        circuit(&machine),
        Circuit::Open {
            cause: FaultCause::TransportLost,
            ..
        }
    ));
    machine.reconnect();
    assert_eq!(circuit(&machine), Circuit::HalfOpen { probes: 0 });
    assert_eq!(machine.inner.due(TimerKey::Breaker), None);
    assert_eq!(
        machine.count(|effect| *effect == log(LogEvent::CircuitHalfOpen)),
        1
    );
}

#[test]
fn but_not_what_timeouts_have_opened() {
    let mut machine = open();
    machine.exited().reconnect();
    assert!(matches!(circuit(&machine), Circuit::Open { .. }));
}

#[test]
fn a_closed_server_has_no_circuit() {
    let mut machine = open();
    machine
        .stop(0)
        .exited()
        .expect_leaf(Leaf::Closed)
        .expect_armed(&[]);
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 0 });
}

#[test]
fn a_try_that_never_reached_the_server_is_no_fault() {
    let mut machine = half_open();
    machine
        .exited()
        .submit_for(3, CallClass::Unsafe, 10)
        .fire_call(3)
        .expect(
            Leaf::Connecting,
            [
                disarm_call(3),
                complete(3, Verdict::TimedOut, Executed::No),
                Effect::Publish,
            ],
        );
    assert_eq!(circuit(&machine), Circuit::HalfOpen { probes: 0 });
}

#[test]
fn a_process_that_is_ended_because_somebody_said_so_is_no_fault() {
    let brittle = Tuning {
        breaker_faults: 1,
        ..brittle()
    };
    let orders: [fn(&mut Machine) -> &mut Machine; 3] = [
        |machine| machine.stop(0),
        Machine::stop_now,
        |machine| machine.restart(0),
    ];
    for order in orders {
        let mut machine = Machine::ready_with(brittle.clone());
        machine.submit(1, CallClass::Unsafe);
        order(&mut machine).exited();
        assert_eq!(machine.inner.breaker().open_transitions(), 0);
        assert_eq!(
            machine.count(|effect| *effect == lost(1, Executed::Maybe)),
            1
        );
    }
    let mut machine = Machine::ready_with(brittle);
    machine.submit(1, CallClass::Unsafe).stop(0);
    for _ in 0..3 {
        machine.fire(TimerKey::Teardown);
    }
    machine.expect_leaf(Leaf::Closed);
    assert_eq!(machine.inner.breaker().open_transitions(), 0);
}

#[test]
fn where_the_state_refuses_it_says_why_and_not_the_circuit() {
    let mut machine = Machine::ready_with(Tuning {
        breaker_faults: 1,
        restart_intensity: 0,
        ..Tuning::default()
    });
    machine.submit(1, CallClass::Unsafe).exited();
    assert!(matches!(circuit(&machine), Circuit::Open { .. }));
    let retry_at = machine.inner.due(TimerKey::Lock).unwrap_or_default();
    machine.submit(2, CallClass::Unsafe).expect(
        Leaf::FlapLocked,
        [refused(2, Refusal::FlapLocked { retry_at })],
    );
    assert_eq!(machine.inner.view().retry_at_ms, Some(retry_at));
}

#[test]
fn other_numbers_are_no_fault() {
    let mut machine = Machine::ready_with(Tuning {
        breaker_faults: 5,
        ..brittle()
    });
    for call in 1..=2 {
        time_out(&mut machine, call);
    }
    machine.configure(brittle());
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 2 });
    time_out(&mut machine, 3);
    assert!(matches!(circuit(&machine), Circuit::Open { .. }));
}

#[test]
fn calls_that_are_lost_to_a_restart_that_somebody_asked_for_are_no_fault_even_if_it_gets_stuck() {
    let mut machine = Machine::ready_with(Tuning {
        breaker_faults: 1,
        ..Tuning::default()
    });
    machine.submit(1, CallClass::Unsafe).restart(0);
    for _ in 0..3 {
        machine.fire(TimerKey::Teardown);
    }
    machine.expect_leaf(Leaf::Stuck);
    assert_eq!(circuit(&machine), Circuit::Closed { faults: 0 });
}
