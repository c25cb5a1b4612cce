//! Processes: ended in order and in time, never without a reason, never forgotten.

use super::{Checked, Step, ensure};
use crate::support::coverage::{Coverage, Premise};
use crate::support::world::{Line, Pressure, Slot, Stage};
use rea_fsm::{
    CallId, Downstream, Drain, EventKind, Leaf, Millis, Operator, Phase, Place, Remains, Report,
    State, TimerKey,
};

const fn is_closing(leaf: Leaf) -> bool {
    matches!(leaf, Leaf::Draining | Leaf::Terminating | Leaf::Closed)
}

pub(super) fn p15_stopped_stays_stopped(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let stop = matches!(step.event.kind, EventKind::Operator(Operator::Stop { .. }));
    if !stop && !is_closing(step.before.leaf()) {
        return Ok(());
    }
    seen.hit(Premise::P15);
    ensure(is_closing(step.after.leaf()), || {
        format!("P15: left to {}", step.after.leaf())
    })?;
    let reopened = step.before.leaf() == Leaf::Closed && step.after.leaf() != Leaf::Closed;
    ensure(!reopened, || "P15: Closed was left".into())
}

pub(super) fn p16_closed_holds_nothing(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    if step.after.leaf() != Leaf::Closed {
        return Ok(());
    }
    seen.hit(Premise::P16);
    let empty = step.after.armed().next().is_none()
        && step.after.conn().calls().iter().next().is_none()
        && step.later.slot == Slot::Free;
    ensure(empty, || {
        format!(
            "P16: Closed with {:?}, {:?}, {:?}",
            step.later.armed, step.later.open, step.later.slot
        )
    })
}

pub(super) fn p17_a_stop_ends_in_time(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let Some(by) = step.past.stop_by else {
        return Ok(());
    };
    if step.after.leaf() == Leaf::Closed {
        return Ok(());
    }
    seen.hit(Premise::P17);
    // A timer that is late is no fault of the machine; one that is armed for too late is.
    let next = [TimerKey::Drain, TimerKey::Teardown]
        .into_iter()
        .filter_map(|key| step.later.due(key))
        .min();
    let in_time = next.is_some_and(|due| due <= by);
    ensure(in_time, || {
        format!("P17: has to end by {by:?}, next step at {next:?}")
    })
}

pub(super) fn stop_now_kills_at_once(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let EventKind::Operator(Operator::Stop { drain: Drain::Now }) = &step.event.kind else {
        return Ok(());
    };
    let Some(child) = step.later.child else {
        return Ok(());
    };
    // Stuck: KILL was sent already. Closed: the process was given up on.
    if child.stage == Stage::Starting || step.after.leaf() == Leaf::Closed {
        return Ok(());
    }
    seen.hit(Premise::StopNow);
    ensure(child.pressure == Pressure::Kill, || {
        format!("Stop now did not kill: {child:?}")
    })
}

/// Whether some call that was sent before the probe is inside its deadline.
fn has_witness(machine: &Downstream, ping_at: Millis, at: Millis) -> Option<CallId> {
    machine
        .conn()
        .calls()
        .iter()
        .find(|(_, call)| match call.place {
            Place::Sent { at: sent } => sent <= ping_at && call.due > at,
            Place::Overdue { .. } | Place::Queued => false,
        })
        .map(|(id, _)| id)
}

pub(super) fn p23_no_innocent_kill(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    if !matches!(step.before.leaf(), Leaf::Ready | Leaf::Suspect)
        || matches!(step.after.leaf(), Leaf::Ready | Leaf::Suspect)
    {
        return Ok(());
    }
    let reason = match (&step.event.kind, step.report()) {
        (EventKind::Operator(Operator::Stop { .. } | Operator::Restart { .. }), _) => true,
        (_, Some(Report::Exited { .. } | Report::StdoutEof {} | Report::StdinBroken {})) => true,
        (
            EventKind::Timer {
                key: TimerKey::Pong,
            },
            _,
        ) => match step.before.state() {
            State::Suspect { ping_at } => {
                seen.hit(Premise::P23);
                has_witness(step.before, *ping_at, step.event.at_ms).is_none()
            }
            _ => false,
        },
        _ => false,
    };
    ensure(reason, || {
        format!("P23: ended without a reason, now {:?}", step.after.state())
    })
}

pub(super) fn p23_the_guilty_are_ended(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let (
        State::Suspect { ping_at },
        EventKind::Timer {
            key: TimerKey::Pong,
        },
    ) = (step.before.state(), &step.event.kind)
    else {
        return Ok(());
    };
    let due = step
        .world
        .due(TimerKey::Pong)
        .is_some_and(|due| due <= step.event.at_ms);
    // Whoever waits for a person may do nothing else meanwhile.
    let mut asked = step.before.questions().open();
    let waits = asked.any(|(_, question)| question.due > step.event.at_ms);
    if !due || waits || has_witness(step.before, *ping_at, step.event.at_ms).is_some() {
        return Ok(());
    }
    seen.hit(Premise::P23Guilty);
    ensure(step.after.leaf() == Leaf::Reaping, || {
        "P23: a hung server is kept".into()
    })
}

pub(super) fn p26_connected_means_handshaken(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    if !step.after.view().connected {
        return Ok(());
    }
    seen.hit(Premise::P26);
    let real = step.later.child.is_some_and(|child| {
        child.handshaken
            && child.stage == Stage::Running
            && step.after.conn().generation() == Some(child.generation)
    });
    ensure(real, || format!("P26: connected to {:?}", step.later.child))
}

pub(super) fn p27_failing_fast_holds_nothing(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let (child, calls) = (step.later.child.is_some(), !step.later.open.is_empty());
    let fine = match step.after.state() {
        State::Idle | State::Blocked { .. } | State::FlapLocked { .. } => !child && !calls,
        State::Closed {
            remains: Remains::Nothing,
        } => !child && !calls,
        State::Closed {
            remains: Remains::Orphan,
        } => !calls,
        State::Stuck => child && !calls,
        State::Backoff { .. }
        | State::Connecting {
            phase: Phase::Waiting,
            ..
        } => !child,
        State::Connecting { .. } | State::Ready | State::Suspect { .. } | State::Draining => child,
        State::Reaping { .. } | State::Terminating { .. } => child,
    };
    seen.hit(Premise::P27);
    let in_flight = step.later.open.iter().any(|open| open.line != Line::Absent);
    ensure(fine && (child || !in_flight), || {
        format!(
            "P27: {:?} with {:?}, {:?}",
            step.after.state(),
            step.later.child,
            step.later.open
        )
    })
}

pub(super) fn p28_no_dead_ends(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let own = match step.after.leaf() {
        Leaf::Idle | Leaf::Ready | Leaf::Blocked | Leaf::Closed => return Ok(()),
        Leaf::Connecting => TimerKey::Handshake,
        Leaf::Suspect => TimerKey::Pong,
        Leaf::Backoff => TimerKey::Backoff,
        Leaf::Reaping | Leaf::Stuck | Leaf::Terminating => TimerKey::Teardown,
        Leaf::FlapLocked => TimerKey::Lock,
        Leaf::Draining => TimerKey::Drain,
    };
    seen.hit(Premise::P28);
    ensure(step.later.due(own).is_some(), || {
        format!(
            "P28: {} without {own:?}: {:?}",
            step.after.leaf(),
            step.later.armed
        )
    })
}

/// A server that is watched for silence is watched for as long as it is connected.
pub(super) fn p28_the_heartbeat_goes_on(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let watched = step.after.conn().tuning().heartbeat_ms > Millis::ZERO;
    if step.after.leaf() != Leaf::Ready || !watched {
        return Ok(());
    }
    seen.hit(Premise::P28Heartbeat);
    ensure(step.later.due(TimerKey::Heartbeat).is_some(), || {
        "P28: ready, to be watched for silence, and no heartbeat is armed".into()
    })
}
