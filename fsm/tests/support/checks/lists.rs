//! Lists, and what servers say of themselves: nobody is left with less than the server has.

use super::{Checked, Step, ensure};
use crate::support::coverage::{Coverage, Premise};
use crate::support::world::Lists;
use rea_fsm::{Leaf, TimerKey};

pub(super) fn c1_what_is_owed_is_asked_for_again(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let owes = step
        .later
        .child
        .is_some_and(|child| child.lists == Lists::Owed);
    if !owes || !matches!(step.after.leaf(), Leaf::Ready | Leaf::Suspect) {
        return Ok(());
    }
    seen.hit(Premise::C1);
    ensure(step.later.due(TimerKey::List).is_some(), || {
        "C1: a list is missing, and nobody will ask for it".into()
    })
}

pub(super) fn c2_what_a_ready_server_says_of_itself_is_told(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    let Some(child) = step.later.child.filter(|child| child.said > 0) else {
        return Ok(());
    };
    if step.after.leaf() != Leaf::Ready {
        return Ok(());
    }
    seen.hit(Premise::C2);
    ensure(step.later.told == child.said, || {
        format!("C2: it said {}, told was {}", child.said, step.later.told)
    })
}
