//! The breaker: what counts, what does not, and that what is shown is what is.

use super::{Checked, Step, ensure};
use crate::support::coverage::{Coverage, Premise};
use rea_fsm::{Circuit, Effect, EventKind, Leaf, State, Then, TimerKey, Verdict, Why};

const fn rank(leaf: Leaf) -> u8 {
    match leaf {
        Leaf::Ready => 0,
        Leaf::Suspect => 1,
        _ => 2,
    }
}

pub(super) fn p24_a_reply_never_makes_it_worse(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let Some(rea_fsm::Report::Reply { call, .. }) = step.report() else {
        return Ok(());
    };
    if rank(step.before.leaf()) > 1 {
        return Ok(());
    }
    seen.hit(Premise::P24);
    let better = step.after.leaf() == Leaf::Ready;
    ensure(better, || {
        format!("P24: {} became {}", step.before.leaf(), step.after.leaf())
    })?;
    let known = step.before.conn().calls().get(*call).is_some();
    ensure(!known || step.after.view().last_error.is_none(), || {
        "P24: an answer left an error standing".into()
    })?;
    let worse = |circuit| match circuit {
        Circuit::Closed { .. } => 0,
        Circuit::HalfOpen { .. } => 1,
        Circuit::Open { .. } => 2,
    };
    let (before, after) = (
        step.before.breaker().circuit(),
        step.after.breaker().circuit(),
    );
    ensure(worse(after) <= worse(before), || {
        format!("P24: {before:?} became {after:?}")
    })
}

/// Calls that ended, whether their clients were told or have to fetch it.
fn completed<'a>(step: &'a Step<'_>) -> impl Iterator<Item = (rea_fsm::CallId, &'a Verdict)> {
    let told = step.effects.iter().filter_map(|effect| match effect {
        Effect::Complete { call, verdict, .. } => Some((*call, verdict)),
        _ => None,
    });
    let ended = step.later.ended.iter();
    let new = ended.filter(|ended| !step.world.ended.contains(ended));
    told.chain(new.map(|ended| (ended.call, &ended.verdict)))
}

pub(super) fn p30_refusals_never_reach_the_breaker(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    let refused = matches!(step.event.kind, EventKind::Submit { .. })
        && completed(step).any(|(_, verdict)| matches!(verdict, Verdict::Refused(_)));
    if !refused {
        return Ok(());
    }
    seen.hit(Premise::P30);
    ensure(step.before.breaker() == step.after.breaker(), || {
        format!(
            "P30: {:?} became {:?}",
            step.before.breaker(),
            step.after.breaker()
        )
    })
}

pub(super) fn p31_half_open_slots_are_bounded(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let Circuit::HalfOpen { probes } = step.after.breaker().circuit() else {
        return Ok(());
    };
    seen.hit(Premise::P31);
    let most = step.after.conn().tuning().breaker_probes;
    ensure(probes <= most, || format!("P31: {probes} probes at once"))?;
    let epoch = step.after.epoch();
    let held = step
        .after
        .conn()
        .calls()
        .iter()
        .filter(|(_, call)| call.epoch == epoch)
        .count();
    ensure(held == probes as usize, || {
        format!("P31: {held} probes are held, {probes} counted")
    })
}

pub(super) fn p32_old_epochs_are_ignored(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let epoch = step.before.epoch();
    let calls = step.before.conn().calls();
    let of_now = |call: &rea_fsm::Call| call.epoch == epoch;
    let mut ended = completed(step)
        .filter_map(|(id, _)| calls.get(id))
        .peekable();
    let becomes_ready = step.after.leaf() == Leaf::Ready && !step.before.leaf().is_connected();
    let elsewhere = becomes_ready || step.after.leaf() == Leaf::Closed;
    if ended.peek().is_none() || elsewhere || calls.iter().any(|(_, call)| of_now(call)) {
        return Ok(());
    }
    seen.hit(Premise::P32);
    ensure(step.before.breaker() == step.after.breaker(), || {
        format!(
            "P32: {:?} became {:?}",
            step.before.breaker(),
            step.after.breaker()
        )
    })
}

pub(super) fn p33_the_gauge_is_the_state(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let circuit = step.after.breaker().circuit();
    ensure(step.after.view().circuit == circuit, || {
        format!("P33: shown as other than {circuit:?}")
    })?;
    let expected = match circuit {
        Circuit::Open { until, .. } => {
            seen.hit(Premise::P33);
            Some(until)
        }
        Circuit::Closed { .. } | Circuit::HalfOpen { .. } => None,
    };
    ensure(step.later.due(TimerKey::Breaker) == expected, || {
        format!(
            "P33: {circuit:?}, timer {:?}",
            step.later.due(TimerKey::Breaker)
        )
    })
}

/// Whether a process is being ended because somebody said so: what is lost with it is no fault.
fn ended_on_request(state: &State) -> bool {
    matches!(
        state,
        State::Draining
            | State::Terminating { .. }
            | State::Reaping {
                then: Then::Again(Why::Operator),
                ..
            }
    )
}

/// While the circuit is closed: an answer clears the count, a timeout or a death with calls in
/// flight adds one, and the last one that is allowed opens it.
pub(super) fn p33_faults_are_counted(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let Circuit::Closed { faults } = step.before.breaker().circuit() else {
        return Ok(());
    };
    if step.after.leaf() == Leaf::Closed {
        return Ok(());
    }
    let calls = step.before.conn().calls();
    let epoch = step.before.epoch();
    let counts = |call: &rea_fsm::Call| call.epoch == epoch && call.place.is_sent();
    let of_now = completed(step)
        .filter(|(id, _)| calls.get(*id).is_some_and(counts))
        .map(|(_, verdict)| verdict);
    let (mut answers, mut timeouts) = (0_u32, 0_u32);
    for verdict in of_now {
        match verdict {
            Verdict::Replied(_) => answers += 1,
            Verdict::TimedOut => timeouts += 1,
            Verdict::Refused(_) | Verdict::Cancelled | Verdict::TransportLost { .. } => {}
        }
    }
    let gone = matches!(step.report(), Some(rea_fsm::Report::Exited { .. }))
        || (step.after.leaf() == Leaf::Stuck && step.before.leaf() != Leaf::Stuck);
    let lost = gone
        && !ended_on_request(step.before.state())
        && calls.iter().any(|(_, call)| counts(call));
    if answers + timeouts > 0 || lost {
        seen.hit(Premise::P33Counts);
    }
    let kept = if answers > 0 { 0 } else { faults };
    let expected = kept + timeouts + u32::from(lost);
    let (after, most) = (
        step.after.breaker().circuit(),
        step.before.conn().tuning().breaker_faults,
    );
    let right = match after {
        Circuit::Closed { faults } => faults == expected && expected < most,
        Circuit::Open { .. } => expected >= most,
        Circuit::HalfOpen { .. } => expected >= most && step.after.leaf() == Leaf::Ready,
    };
    ensure(right, || {
        format!("P33: expected {expected} faults of {most}, got {after:?}")
    })
}
