//! Calls: each ends once, none is lost, none runs twice without leave.

use super::{Checked, Step, ensure};
use crate::support::coverage::{Coverage, Premise};
use crate::support::world::Line;
use rea_fsm::{CallClass, Effect, EventKind, Leaf, Place, Report, TimerKey};

pub(super) fn p9_every_open_call_is_held_and_the_reverse(
    step: &Step<'_>,
    _: &mut Coverage,
) -> Checked {
    let held = step.after.conn().calls().iter();
    let same = held.map(|(id, call)| (id, call.place.is_sent())).eq(step
        .later
        .open
        .iter()
        .map(|open| (open.id, open.line != Line::Absent)));
    ensure(same, || {
        format!(
            "P9: open {:?}, held {:?}",
            step.later.open,
            step.after.conn().calls()
        )
    })
}

/// Calls that were with a process that is now gone, and are held still.
pub(super) fn p10_lost_calls_are_kept_only_if_that_is_safe(
    step: &Step<'_>,
    _: &mut Coverage,
) -> Checked {
    let Some(Report::Exited { unread, .. }) = step.report() else {
        return Ok(());
    };
    step.world
        .open
        .iter()
        .filter(|open| open.line != Line::Absent)
        .try_for_each(|open| {
            let kept = step.after.conn().calls().get(open.id).is_some();
            let may =
                unread.contains(&open.id) || (open.class != CallClass::Unsafe && open.runs == 0);
            ensure(!kept || may, || {
                format!("P10: {open:?} is kept after a death")
            })
        })
}

pub(super) fn p10_unread_calls_wait_for_the_next_generation(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    let Some(Report::Exited { unread, .. }) = step.report() else {
        return Ok(());
    };
    if !matches!(step.after.leaf(), Leaf::Connecting | Leaf::Backoff) {
        return Ok(());
    }
    let before = step.before.conn();
    let mut room = before
        .tuning()
        .queue_max
        .saturating_sub(before.calls().queued());
    for (id, call) in before.calls().iter() {
        let safe = call.class != CallClass::Unsafe && call.repeats == 0;
        if !matches!(call.place, Place::Sent { .. }) || !(unread.contains(&id) || safe) {
            continue;
        }
        if room == 0 {
            break;
        }
        room -= 1;
        seen.hit(Premise::P10Unread);
        let kept = step.after.conn().calls().get(id).is_some();
        ensure(kept, || {
            format!("P10: {id:?} could have waited and was given up")
        })?;
    }
    Ok(())
}

pub(super) fn p11_an_overdue_call_is_not_sent_again(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    let Some(Report::Exited { .. }) = step.report() else {
        return Ok(());
    };
    step.before
        .conn()
        .calls()
        .iter()
        .try_for_each(|(id, call)| {
            let Place::Overdue { .. } = call.place else {
                return Ok(());
            };
            seen.hit(Premise::P11Overdue);
            let kept = step.after.conn().calls().get(id).is_some();
            ensure(!kept, || {
                format!("P11: {id:?} is past its deadline and waits again")
            })
        })
}

/// A held call has an armed deadline and the reverse, and so has everything else.
pub(super) fn p12_armed_timers_are_the_interpreters(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    seen.hit(Premise::P12);
    ensure(
        step.after.armed().eq(step.later.armed.iter().copied()),
        || {
            let armed: Vec<_> = step.after.armed().collect();
            format!(
                "P12: armed {armed:?}, interpreter has {:?}",
                step.later.armed
            )
        },
    )?;
    let calls = step.after.conn().calls();
    let with_timer = step.later.armed.iter().filter_map(|(key, _)| match key {
        TimerKey::Call(id) => Some(*id),
        _ => None,
    });
    ensure(with_timer.eq(calls.iter().map(|(id, _)| id)), || {
        format!("P12: calls {calls:?}, timers {:?}", step.later.armed)
    })
}

pub(super) fn p13_queue_and_flight_are_bounded(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let conn = step.after.conn();
    let (calls, tuning) = (conn.calls(), conn.tuning());
    if calls.queued() == tuning.queue_max {
        seen.hit(Premise::P13);
    }
    ensure(calls.queued() <= tuning.queue_max, || {
        format!("P13: {} wait", calls.queued())
    })?;
    let most = tuning.in_flight_max.max(tuning.queue_max);
    ensure(calls.in_flight() <= most, || {
        format!("P13: {} in flight", calls.in_flight())
    })?;
    ensure(calls.bytes() <= tuning.held_bytes_max, || {
        format!("P13: {} bytes", calls.bytes())
    })
}

pub(super) fn p25_one_calls_failure_is_its_own(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let own = match &step.event.kind {
        EventKind::Cancel { call }
        | EventKind::Timer {
            key: TimerKey::Call(call),
        }
        | EventKind::Child {
            report: Report::Reply { call, .. },
            ..
        } => *call,
        _ => return Ok(()),
    };
    if step.world.open.len() < 2 {
        return Ok(());
    }
    seen.hit(Premise::P25);
    step.effects.iter().try_for_each(|effect| match effect {
        Effect::Complete { call, .. } => ensure(*call == own, || {
            format!("P25: {call:?} completed by an event of {own:?}")
        }),
        _ => Ok(()),
    })
}
