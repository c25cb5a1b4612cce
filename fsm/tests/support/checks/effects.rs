//! Each effect, in the world in which it is carried out.

use super::{Checked, ensure};
use crate::support::coverage::{Coverage, Premise};
use crate::support::world::{End, Line, Pressure, Slot, Stage, World};
use rea_fsm::{
    CallClass, CallId, Downstream, Drain, Effect, Event, EventKind, Executed, Generation, Leaf,
    Operator, Report, Signal, State, TeardownStep, Verdict,
};

pub(super) fn check(
    world: &World,
    before: &Downstream,
    event: &Event,
    effect: &Effect,
    seen: &mut Coverage,
) -> Checked {
    match effect {
        Effect::Spawn { generation } => spawn(world, before, event, *generation, seen),
        Effect::Send { generation, call } => {
            p15_nothing_after_a_stop(before, event, effect, seen)?;
            writable(world, *generation, effect)?;
            send(world, *generation, *call, seen)
        }
        Effect::WriteProbe { generation }
        | Effect::WriteInit { generation }
        | Effect::WriteInitialized { generation }
        | Effect::WriteList { generation }
        | Effect::Ping { generation } => writable(world, *generation, effect),
        Effect::SendCancel { generation, .. } | Effect::CloseStdin { generation } => {
            held(world, *generation, effect)
        }
        Effect::SignalGroup { generation, signal } => {
            p8_politely(world, before, event, *generation, *signal, seen)
        }
        Effect::Complete {
            call,
            verdict,
            executed,
        } => complete(world, event, *call, verdict, *executed, seen),
        Effect::AcquireSlot { ticket } => {
            seen.hit(Premise::Slots);
            let free = world.slot == Slot::Free || world.slot == Slot::Asked(*ticket);
            ensure(free, || format!("slots: {effect:?} while {:?}", world.slot))
        }
        Effect::ReleaseSlot { ticket } => {
            let held = world.slot == Slot::Granted(*ticket) || world.slot == Slot::Asked(*ticket);
            ensure(held, || format!("slots: {effect:?} while {:?}", world.slot))
        }
        Effect::Answer { generation, .. } | Effect::RefuseQuestion { generation, .. } => {
            held(world, *generation, effect)?;
            super::questions::effect(world, before, event, effect, seen)
        }
        Effect::Ask { .. }
        | Effect::Withdraw { .. }
        | Effect::Offer { .. }
        | Effect::Keep { .. } => super::questions::effect(world, before, event, effect, seen),
        Effect::Arm { .. }
        | Effect::Disarm { .. }
        | Effect::CatalogueChanged { .. }
        | Effect::Publish
        | Effect::Log(_) => Ok(()),
    }
}

fn is_stop(event: &Event) -> bool {
    matches!(event.kind, EventKind::Operator(Operator::Stop { .. }))
}

fn p15_nothing_after_a_stop(
    before: &Downstream,
    event: &Event,
    effect: &Effect,
    seen: &mut Coverage,
) -> Checked {
    let stopped = matches!(
        before.leaf(),
        Leaf::Draining | Leaf::Terminating | Leaf::Closed
    ) || is_stop(event);
    seen.hit(Premise::P15);
    ensure(!stopped, || format!("P15: {effect:?} after a stop"))
}

fn spawn(
    world: &World,
    before: &Downstream,
    event: &Event,
    generation: Generation,
    seen: &mut Coverage,
) -> Checked {
    seen.hit(Premise::P5);
    let effect = Effect::Spawn { generation };
    p15_nothing_after_a_stop(before, event, &effect, seen)?;
    ensure(world.child.is_none(), || {
        format!("P5: {effect:?} beside {:?}", world.child)
    })?;
    seen.hit(Premise::P6);
    ensure(matches!(world.slot, Slot::Granted(_)), || {
        format!("P6: {effect:?} without a slot: {:?}", world.slot)
    })?;
    let expected = before.conn().generation().map_or(1, |last| last.0 + 1);
    ensure(generation.0 == expected, || {
        format!("P1: {effect:?}, expected {expected}")
    })
}

/// What is written goes to the current process, and its stdin is open.
fn writable(world: &World, generation: Generation, effect: &Effect) -> Checked {
    let open = world.child.is_some_and(|child| {
        child.generation == generation && child.stage == Stage::Running && child.stdin == End::Open
    });
    ensure(open, || format!("P7: {effect:?} while {:?}", world.child))
}

/// A pipe that broke may still be closed, and a cancellation that it swallows harms nobody.
fn held(world: &World, generation: Generation, effect: &Effect) -> Checked {
    let held = world.child.is_some_and(|child| {
        child.generation == generation
            && child.stage == Stage::Running
            && child.stdin != End::Closed
    });
    ensure(held, || format!("P8: {effect:?} while {:?}", world.child))
}

fn send(world: &World, generation: Generation, call: CallId, seen: &mut Coverage) -> Checked {
    seen.hit(Premise::P7);
    let handshaken = world.child.is_some_and(|child| child.handshaken);
    ensure(handshaken, || {
        format!("P7: {call:?} sent to {generation:?} before its handshake")
    })?;
    let Some(open) = world.call(call) else {
        return Err(format!("P11: {call:?} sent after it was completed"));
    };
    ensure(open.line == Line::Absent, || {
        format!("P10: {call:?} sent twice to {generation:?}")
    })?;
    let most = match open.class {
        CallClass::Unsafe => 0,
        CallClass::ReadOnly | CallClass::Idempotent => 1,
    };
    if open.class == CallClass::Unsafe {
        seen.hit(Premise::P10Unsafe);
    } else if open.runs > 0 {
        seen.hit(Premise::P10Safe);
    }
    ensure(open.runs <= most, || {
        format!(
            "P10: {call:?} ({:?}) sent although it may have run {} times",
            open.class, open.runs
        )
    })?;
    seen.hit(Premise::P14);
    let waiting = world
        .open
        .iter()
        .find(|other| other.id < call && other.line == Line::Absent);
    ensure(waiting.is_none(), || {
        format!("P14: {call:?} overtakes {waiting:?}")
    })
}

fn p8_politely(
    world: &World,
    before: &Downstream,
    event: &Event,
    generation: Generation,
    signal: Signal,
    seen: &mut Coverage,
) -> Checked {
    seen.hit(Premise::P8);
    // A start that was given up on has done nothing for anybody; one that KILL did not end is
    // beyond politeness.
    let given_up = matches!(
        before.state(),
        State::Stuck
            | State::Closed { .. }
            | State::Terminating {
                step: TeardownStep::AwaitingSpawn
            }
    );
    if given_up {
        return ensure(signal == Signal::Kill, || {
            "P8: TERM to what was given up on".into()
        });
    }
    let Some(child) = world.child else {
        return Err(format!(
            "P8: {signal:?} to {generation:?}, which is not there"
        ));
    };
    let known = child.generation == generation && child.stage == Stage::Running;
    ensure(known, || {
        format!("P8: {signal:?} to {generation:?} while {child:?}")
    })?;
    ensure(child.stdin != End::Open, || {
        format!("P8: {signal:?} before stdin was closed")
    })?;
    let now = matches!(
        event.kind,
        EventKind::Operator(Operator::Stop { drain: Drain::Now })
    );
    ensure(
        signal == Signal::Term || child.pressure == Pressure::Term || now,
        || "P8: KILL before TERM".into(),
    )
}

fn complete(
    world: &World,
    event: &Event,
    call: CallId,
    verdict: &Verdict,
    executed: Executed,
    seen: &mut Coverage,
) -> Checked {
    let is_held = world.held_call(call).is_some();
    ensure(!is_held, || {
        format!("Q1: {call:?} is held, and completed as {verdict:?}")
    })?;
    if let Some(ended) = world.ended.iter().find(|ended| ended.call == call) {
        seen.hit(Premise::Q1Told);
        let same = ended.verdict == *verdict && ended.executed == executed;
        return ensure(same, || {
            format!("Q1: {ended:?} was completed as {verdict:?}, {executed:?}")
        });
    }
    ends(world, event, call, verdict, executed, seen)
}

/// How a call ends is what has become of it, told to its client or not.
pub(super) fn ends(
    world: &World,
    event: &Event,
    call: CallId,
    verdict: &Verdict,
    executed: Executed,
    seen: &mut Coverage,
) -> Checked {
    seen.hit(Premise::P9);
    let Some(open) = world.call(call) else {
        return Err(format!(
            "P9: {call:?} completed though it was not open: {verdict:?}"
        ));
    };
    let answered = matches!(
        &event.kind,
        EventKind::Child { report: Report::Reply { call: answered, .. }, .. } if *answered == call
    );
    ensure(answered == matches!(verdict, Verdict::Replied(_)), || {
        format!("P9: {call:?} completed as {verdict:?}, answered: {answered}")
    })?;
    seen.hit(Premise::Truth);
    let truth = if answered {
        Executed::Yes
    } else {
        World::truth(open)
    };
    ensure(executed == truth, || {
        format!("executed: {call:?} said {executed:?}, truth is {truth:?} ({open:?}, {verdict:?})")
    })
}
