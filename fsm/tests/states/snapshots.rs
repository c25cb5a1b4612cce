//! Machines in every state, with what an outcome can depend on: phases, steps, calls, budgets,
//! listings, eras, the breaker and the blocker.

use crate::support::Machine;
use rea_fsm::{CallClass, Leaf, Millis, Protocol, SpawnFailure, TimerKey, Tuning};

type Step = fn(&mut Machine) -> &mut Machine;

fn after(mut machine: Machine, steps: &[Step]) -> Machine {
    for step in steps {
        step(&mut machine);
    }
    machine
}

fn allowing(restart_intensity: u32) -> Tuning {
    Tuning {
        restart_intensity,
        ..Tuning::default()
    }
}

fn speaking(protocol: Protocol) -> Tuning {
    Tuning {
        protocol,
        ..Tuning::default()
    }
}

/// A fault opens the circuit, calls end after 100 ms, silence is noticed after a while.
fn brittle() -> Tuning {
    Tuning {
        breaker_faults: 1,
        call_cap_ms: Millis(100),
        heartbeat_ms: Millis(40_000),
        ..Tuning::default()
    }
}

/// The same with questions at the client and in the answer to a call, where a server can ask.
fn asking(machine: &Machine) -> Option<Machine> {
    let mut asking = machine.clone();
    asking.submit_asking(52, CallClass::Unsafe).asked(1);
    asking.asked_in_answers(2).asked_in_answers(3);
    // A question is proof of life.
    if machine.inner.leaf() == Leaf::Suspect {
        asking.io_err();
    }
    let open = asking.inner.questions().open().count();
    (open > 0).then_some(asking)
}

/// The snapshots, each of them with calls, and with questions where a server can ask.
pub(crate) fn all() -> Vec<Machine> {
    let mut machines = on_the_way();
    machines.extend(connected());
    machines.extend(without_a_process());
    machines.extend(ending());
    machines.extend(stopping());
    let busy: Vec<Machine> = machines
        .iter()
        .map(|machine| {
            let mut machine = machine.clone();
            machine.submit_for(50, CallClass::ReadOnly, 20);
            machine.submit(51, CallClass::Unsafe);
            machine
        })
        .collect();
    let asking: Vec<Machine> = machines.iter().filter_map(asking).collect();
    machines.extend(busy);
    machines.extend(asking);
    machines
}

fn on_the_way() -> Vec<Machine> {
    let lock_probe: Step = |machine| machine.fire(TimerKey::Lock);
    let unknown_era = after(
        Machine::spawning(),
        &[
            Machine::exited,
            Machine::slot,
            Machine::exited,
            lock_probe,
            Machine::slot,
        ],
    );
    vec![
        Machine::waiting(),
        Machine::spawning(),
        Machine::spawning_with(speaking(Protocol::Legacy)),
        after(
            Machine::spawning_with(allowing(3)),
            &[Machine::exited, Machine::slot],
        ),
        Machine::probing(),
        Machine::probing_with(speaking(Protocol::Modern)),
        Machine::initializing(),
        Machine::listing(),
        after(Machine::listing(), &[Machine::list_changed]),
        after(Machine::flap_locked(), &[lock_probe]),
        after(Machine::flap_locked(), &[lock_probe, Machine::slot]),
        after(
            Machine::flap_locked(),
            &[lock_probe, Machine::slot, Machine::spawn_ok],
        ),
        after(unknown_era, &[Machine::spawn_ok]),
        after(
            Machine::initializing_with(allowing(3)),
            &[
                Machine::exited,
                Machine::slot,
                Machine::spawn_ok,
                Machine::probe_legacy,
            ],
        ),
        after(
            Machine::ready_with(brittle()),
            &[
                |machine| machine.submit(1, CallClass::Unsafe),
                Machine::exited,
                Machine::slot,
                Machine::spawn_ok,
                Machine::init_ok,
            ],
        ),
    ]
}

fn connected() -> Vec<Machine> {
    let late: Step = |machine| machine.at(machine.now + 2_000);
    let mut machines = vec![
        Machine::ready(),
        Machine::ready_with(brittle()),
        Machine::ready_with(allowing(0)),
        after(Machine::ready(), &[Machine::exited, Machine::reconnect]),
        after(
            Machine::ready_with(allowing(3)),
            &[Machine::exited, Machine::reconnect],
        ),
        after(Machine::ready(), &[Machine::list_changed]),
        after(Machine::ready(), &[late, Machine::list_changed]),
        after(
            Machine::ready(),
            &[late, Machine::list_changed, Machine::list_changed],
        ),
        after(Machine::listing(), &[Machine::list_err]),
        after(
            Machine::ready(),
            &[
                |machine| machine.submit_for(1, CallClass::ReadOnly, 10),
                |machine| machine.fire_call(1),
                Machine::pong,
            ],
        ),
        after(
            Machine::waiting(),
            &[
                |machine| machine.fire(TimerKey::Unready),
                Machine::reconnect,
            ],
        ),
        after(
            Machine::ready_with(brittle()),
            &[
                |machine| machine.submit(1, CallClass::Unsafe),
                |machine| machine.fire_call(1),
                Machine::pong,
            ],
        ),
    ];
    machines.push(after(
        Machine::ready_with(brittle()),
        &[
            |machine| machine.submit(1, CallClass::Unsafe),
            |machine| machine.fire_call(1),
            Machine::pong,
            |machine| machine.fire(TimerKey::Breaker),
        ],
    ));
    let suspects: Vec<Machine> = machines
        .iter()
        .flat_map(|machine| {
            let plain = after(machine.clone(), &[Machine::io_err]);
            let with_a_witness = after(
                machine.clone(),
                &[
                    |machine| machine.submit(40, CallClass::ReadOnly),
                    Machine::io_err,
                ],
            );
            [plain, with_a_witness]
        })
        .collect();
    machines.extend(suspects);
    machines
}

fn without_a_process() -> Vec<Machine> {
    vec![
        Machine::idle(),
        Machine::backoff(),
        Machine::blocked(),
        Machine::flap_locked(),
        after(
            Machine::ready_with(Tuning {
                restart_intensity: 0,
                ..brittle()
            }),
            &[
                |machine| machine.submit(1, CallClass::Unsafe),
                Machine::exited,
            ],
        ),
        after(
            Machine::waiting(),
            &[
                |machine| machine.fire(TimerKey::Unready),
                Machine::slot,
                |machine| {
                    machine.spawn_failed(SpawnFailure::Blocked(crate::support::missing_env()))
                },
            ],
        ),
    ]
}

fn ending() -> Vec<Machine> {
    let teardown: Step = |machine| machine.fire(TimerKey::Teardown);
    let unsupported: Step = |machine| machine.handshake_err(rea_fsm::HandshakeFailure::Unsupported);
    let malformed: Step = |machine| machine.handshake_err(rea_fsm::HandshakeFailure::Malformed);
    let lock_probe = after(
        Machine::flap_locked(),
        &[
            |machine| machine.fire(TimerKey::Lock),
            Machine::slot,
            Machine::spawn_ok,
        ],
    );
    let given_up = after(
        Machine::spawning(),
        &[|machine| machine.fire(TimerKey::Handshake)],
    );
    let given_up_again = |restart_intensity| {
        after(
            Machine::ready_with(allowing(restart_intensity)),
            &[Machine::exited, Machine::slot, |machine| {
                machine.fire(TimerKey::Handshake)
            }],
        )
    };
    vec![
        given_up_again(1),
        given_up_again(2),
        after(given_up_again(2), &[teardown]),
        given_up.clone(),
        after(given_up, &[teardown]),
        after(Machine::spawning(), &[|machine| machine.restart(0)]),
        after(
            Machine::ready(),
            &[
                |machine| machine.submit(1, CallClass::Unsafe),
                |machine| machine.restart(5_000),
            ],
        ),
        after(Machine::ready(), &[|machine| machine.restart(0)]),
        Machine::lingering(),
        after(
            Machine::ready(),
            &[
                |machine| machine.submit(1, CallClass::ReadOnly),
                Machine::stdout_eof,
            ],
        ),
        after(
            Machine::ready(),
            &[Machine::exited, Machine::reconnect, Machine::stdout_eof],
        ),
        after(
            Machine::ready_with(allowing(2)),
            &[Machine::exited, Machine::reconnect, Machine::stdout_eof],
        ),
        Machine::reaping(),
        after(Machine::reaping(), &[teardown]),
        after(Machine::reaping(), &[teardown, teardown]),
        after(Machine::initializing(), &[unsupported]),
        after(lock_probe, &[malformed]),
        Machine::stuck(),
        after(
            Machine::ready(),
            &[
                Machine::exited,
                Machine::reconnect,
                Machine::stdout_eof,
                teardown,
                teardown,
                teardown,
                teardown,
            ],
        ),
    ]
}

fn stopping() -> Vec<Machine> {
    let teardown: Step = |machine| machine.fire(TimerKey::Teardown);
    let machines = vec![
        Machine::draining(),
        after(
            Machine::ready(),
            &[
                |machine| machine.submit_for(1, CallClass::ReadOnly, 10),
                |machine| machine.stop(5_000_000),
                |machine| machine.fire_call(1),
            ],
        ),
        after(
            Machine::ready(),
            &[
                |machine| machine.submit_for(1, CallClass::ReadOnly, 10),
                |machine| machine.submit(2, CallClass::ReadOnly),
                |machine| machine.stop(60_000),
            ],
        ),
        after(Machine::spawning(), &[|machine| machine.stop(0)]),
        Machine::terminating(),
        after(
            Machine::ready(),
            &[
                |machine| machine.submit(1, CallClass::ReadOnly),
                |machine| machine.stop(0),
            ],
        ),
        after(Machine::terminating(), &[teardown]),
        after(Machine::terminating(), &[teardown, teardown]),
        Machine::closed(),
        after(Machine::terminating(), &[Machine::exited]),
        after(Machine::terminating(), &[teardown, teardown, teardown]),
    ];
    assert!(machines.iter().all(|machine| matches!(
        machine.inner.leaf(),
        Leaf::Draining | Leaf::Terminating | Leaf::Closed
    )));
    machines
}
