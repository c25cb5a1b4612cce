//! Stale, spurious and unknown: events that must change nothing.

use super::{Checked, Step, ensure};
use crate::support::coverage::{Coverage, Premise};
use crate::support::world::Line;
use rea_fsm::{Effect, EventKind, Leaf, Report, TimerKey};

pub(super) fn p1_stale_generation_changes_nothing(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let EventKind::Child { generation, .. } = &step.event.kind else {
        return Ok(());
    };
    if step.before.conn().generation() == Some(*generation) {
        return Ok(());
    }
    seen.hit(Premise::P1);
    ensure(step.is_quiet(), || {
        "P1: a stale generation changed something".into()
    })
}

pub(super) fn p2_unarmed_or_early_timer_changes_nothing(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    let EventKind::Timer { key } = &step.event.kind else {
        return Ok(());
    };
    if step
        .world
        .due(*key)
        .is_some_and(|due| due <= step.event.at_ms)
    {
        return Ok(());
    }
    seen.hit(Premise::P2);
    ensure(step.is_quiet(), || {
        format!("P2: {key:?} is not armed or not due, yet it counted")
    })
}

pub(super) fn p3_late_or_duplicate_reply_completes_nothing(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    let Some(Report::Reply { call, .. }) = step.report() else {
        return Ok(());
    };
    let in_flight = step
        .world
        .call(*call)
        .is_some_and(|open| open.line != Line::Absent);
    if in_flight {
        return Ok(());
    }
    seen.hit(Premise::P3);
    let completes = step
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Complete { .. }));
    ensure(!completes, || "P3: a late reply completed something".into())?;
    if step.before.leaf() == Leaf::Suspect {
        return Ok(());
    }
    ensure(step.is_quiet(), || {
        "P3: a late reply changed something".into()
    })
}

pub(super) fn p4_duplicate_submit_sends_nothing(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let EventKind::Submit { call, .. } = &step.event.kind else {
        return Ok(());
    };
    if call.0 >= step.world.next_call {
        return Ok(());
    }
    seen.hit(Premise::P4);
    ensure(step.is_quiet(), || {
        "P4: a duplicate submit changed something".into()
    })
}

pub(super) fn p39_unknown_names_create_nothing(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let call = match &step.event.kind {
        EventKind::Cancel { call }
        | EventKind::Timer {
            key: TimerKey::Call(call),
        } => *call,
        EventKind::Timer { .. }
        | EventKind::Operator(_)
        | EventKind::SlotGranted { .. }
        | EventKind::Child { .. }
        | EventKind::Submit { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => return Ok(()),
    };
    if step.world.call(call).is_some() {
        return Ok(());
    }
    seen.hit(Premise::P39);
    ensure(step.is_quiet(), || {
        format!("P39: {call:?} is unknown, yet it counted")
    })
}
