//! Questions and held calls: a question is answered or refused at most once, to the process that
//! asked; a held call ends once; nothing is open or held for ever.

use super::{Checked, Step, effects, ensure};
use crate::support::coverage::{Coverage, Premise};
use crate::support::world::{Asked, End, Line, World};
use rea_fsm::{
    Asks, CallId, Downstream, Effect, Event, EventKind, Leaf, Question, QuestionId, QuestionPlace,
    Report, TimerKey, Unasked, Verdict,
};

pub(super) fn effect(
    world: &World,
    before: &Downstream,
    event: &Event,
    effect: &Effect,
    seen: &mut Coverage,
) -> Checked {
    match effect {
        Effect::Ask { question } => {
            seen.hit(Premise::Q2Asked);
            let asked = asked(world, *question, effect)?;
            let new = asked.asks == Asks::Directly && !world.shown.contains(question);
            ensure(new, || format!("Q2: {effect:?} of {asked:?}"))
        }
        Effect::Withdraw { question } => {
            seen.hit(Premise::Q2Withdrawn);
            ensure(world.shown.contains(question), || {
                format!("Q2: {effect:?}, which the client does not have")
            })
        }
        Effect::Answer {
            generation,
            question,
        } => {
            seen.hit(Premise::Q2Answered);
            let asked = asked(world, *question, effect)?;
            let said = match &event.kind {
                EventKind::Answered { question: said } => said == question,
                EventKind::Resume { answers, .. } => answers.contains(question),
                _ => false,
            };
            ensure(said && asked.generation == *generation, || {
                format!("Q2: {effect:?} to {asked:?} after {event:?}")
            })
        }
        Effect::RefuseQuestion {
            generation,
            question,
            why,
        } => {
            let asked = asked(world, *question, effect)?;
            ensure(asked.generation == *generation, || {
                format!("Q2: {effect:?} to {asked:?}")
            })?;
            ensure(refused(world, before, event, asked, *why, seen), || {
                format!("Q2: {effect:?} after {event:?}")
            })
        }
        Effect::Offer {
            call,
            round,
            questions,
        } => offered(world, *call, *round, questions, seen),
        Effect::Keep { call } => {
            seen.hit(Premise::Q1Kept);
            let answered = matches!(
                &event.kind,
                EventKind::Child { report: Report::Reply { call: answered, .. }, .. }
                    if answered == call
            );
            ensure(answered && world.held_call(*call).is_some(), || {
                format!("Q1: {effect:?} after {event:?}")
            })
        }
        _ => Ok(()),
    }
}

fn asked<'a>(world: &'a World, question: QuestionId, effect: &Effect) -> Result<&'a Asked, String> {
    let mut asked = world.asked.iter();
    asked
        .find(|asked| asked.id == question)
        .ok_or_else(|| format!("Q2: {effect:?}, which nobody asks (any more)"))
}

/// Whether a reason to refuse a question is one.
fn refused(
    world: &World,
    before: &Downstream,
    event: &Event,
    asked: &Asked,
    why: Unasked,
    seen: &mut Coverage,
) -> bool {
    match why {
        Unasked::TooMany => {
            seen.hit(Premise::Q2TooMany);
            let most = before.conn().tuning().questions_max as usize;
            before.questions().open().count() >= most
        }
        Unasked::Nobody => {
            seen.hit(Premise::Q2Nobody);
            let left = asked.newest_cause.map(|newest| world.has_carrier(newest));
            asked.asks == Asks::InAnswers && left != Some(true)
        }
        Unasked::Unanswered => {
            seen.hit(Premise::Q2Refused);
            match &event.kind {
                EventKind::Timer { key } => match key {
                    TimerKey::Question(question) => *question == asked.id,
                    TimerKey::Held(call) => {
                        let open = before.questions().get(asked.id);
                        let place = QuestionPlace::Offered { call: *call };
                        open.is_some_and(|open| open.place == place)
                    }
                    _ => false,
                },
                _ => false,
            }
        }
    }
}

/// A call is given back with open questions that nobody has, once at a time, and is counted.
fn offered(
    world: &World,
    call: CallId,
    round: u32,
    questions: &[QuestionId],
    seen: &mut Coverage,
) -> Checked {
    seen.hit(Premise::Q2Offered);
    let Some(open) = world.call(call) else {
        return Err(format!("Q2: {call:?} is given back and not open"));
    };
    if round > 1 {
        seen.hit(Premise::Q2Again);
    }
    let free = open.asks == Asks::InAnswers && world.held_call(call).is_none();
    ensure(free && round == open.rounds + 1, || {
        format!("Q2: round {round} of {open:?}")
    })?;
    let ascending = questions.is_sorted_by(|one, next| one < next);
    ensure(!questions.is_empty() && ascending, || {
        format!("Q2: {call:?} is given back with {questions:?}")
    })?;
    questions.iter().try_for_each(|question| {
        let mut held = world.held.iter();
        let elsewhere =
            world.shown.contains(question) || held.any(|held| held.questions.contains(question));
        let mut asked = world.asked.iter();
        let can_be_caused = |asked: &Asked| asked.newest_cause.is_some_and(|newest| call <= newest);
        let open = asked.any(|asked| asked.id == *question && can_be_caused(asked));
        ensure(open && !elsewhere, || {
            format!("Q2: {question:?} is put in the answer to {call:?}")
        })
    })
}

/// What a held call came to is told to nobody in the step in which it comes to it.
pub(crate) fn ended(
    world: &mut World,
    event: &Event,
    after: &Downstream,
    effects: &[Effect],
    seen: &mut Coverage,
) -> Checked {
    for (call, held) in after.questions().held() {
        let Some(outcome) = &held.outcome else {
            continue;
        };
        if world.ended.iter().any(|ended| ended.call == call) {
            continue;
        }
        seen.hit(Premise::Q1Ended);
        let (verdict, executed) = (outcome.verdict.clone(), outcome.executed);
        effects::ends(world, event, call, &verdict, executed, seen)?;
        let kept = effects.contains(&Effect::Keep { call });
        ensure(kept == matches!(verdict, Verdict::Replied(_)), || {
            format!("Q1: {call:?} came to {verdict:?}, kept: {kept}")
        })?;
        world.end(call, verdict, executed);
    }
    Ok(())
}

pub(super) fn q1_a_call_that_is_held_ends_later(step: &Step<'_>, _: &mut Coverage) -> Checked {
    let questions = step.after.questions();
    let held = questions.held().map(|(call, held)| (call, held.round));
    let known = step.later.held.iter().map(|held| (held.call, held.round));
    ensure(held.eq(known), || {
        format!("Q1: {questions:?}, clients have {:?}", step.later.held)
    })?;
    let ended = questions.held().filter(|(_, held)| held.outcome.is_some());
    let known = step.later.ended.iter().map(|ended| ended.call);
    ensure(ended.map(|(call, _)| call).eq(known), || {
        format!("Q1: {questions:?}, ended {:?}", step.later.ended)
    })
}

/// Every question that was asked is where it was put, and none is forgotten.
pub(super) fn q2_every_question_is_where_it_was_put(step: &Step<'_>, _: &mut Coverage) -> Checked {
    let world = step.later;
    let questions = step.after.questions();
    for (id, open) in questions.open() {
        let mut held = world.held.iter();
        let shown = world.shown.contains(&id);
        let with = held.find(|held| held.questions.contains(&id));
        let right = match open.place {
            QuestionPlace::WithClient => shown && with.is_none(),
            QuestionPlace::Waiting => !shown && with.is_none(),
            QuestionPlace::Offered { call } => !shown && with.is_some_and(|held| held.call == call),
        };
        ensure(right, || format!("Q2: {id:?} is not at {:?}", open.place))?;
    }
    let mut shown = world.shown.iter();
    ensure(shown.all(|shown| questions.get(*shown).is_some()), || {
        format!("Q2: the client has {:?}, of {questions:?}", world.shown)
    })?;
    let heard = world.child.is_some_and(|child| child.is_heard());
    let open = questions.open().map(|(id, _)| id);
    let same = open.eq(world.asked.iter().map(|asked| asked.id));
    ensure(!heard || same, || {
        format!("Q2: asked {:?}, open {questions:?}", world.asked)
    })
}

pub(super) fn q3_every_question_and_every_held_call_ends_in_time(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    let questions = step.after.questions();
    let length = step.after.conn().tuning().question_ms;
    let armed = step.later.armed.iter();
    let timers = armed.filter(|(key, _)| matches!(key, TimerKey::Question(_) | TimerKey::Held(_)));
    let open = questions
        .open()
        .map(|(id, open)| (TimerKey::Question(id), open.due));
    let held = questions
        .held()
        .map(|(id, held)| (TimerKey::Held(id), held.due));
    ensure(timers.copied().eq(open.chain(held)), || {
        format!("Q3: {questions:?}, timers {:?}", step.later.armed)
    })?;
    step.later.asked.iter().try_for_each(|asked| {
        let Some(open) = questions.get(asked.id) else {
            return Ok(());
        };
        seen.hit(Premise::Q3);
        ensure(open.due == asked.at.plus(length), || {
            format!("Q3: {asked:?} is due at {:?}", open.due)
        })
    })?;
    step.later.held.iter().try_for_each(|known| {
        seen.hit(Premise::Q3Held);
        let held = questions.held_call(known.call);
        ensure(
            held.is_some_and(|held| held.due == known.at.plus(length)),
            || format!("Q3: {known:?}, held {held:?}"),
        )
    })
}

pub(super) fn q4_what_the_client_says_twice_changes_nothing(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    match &step.event.kind {
        EventKind::Answered { question } if !step.world.shown.contains(question) => {
            seen.hit(Premise::Q4Answered);
        }
        EventKind::Resume { call, round, .. }
            if step
                .world
                .held_call(*call)
                .is_none_or(|held| held.round != *round) =>
        {
            seen.hit(Premise::Q4Resume);
        }
        _ => return Ok(()),
    }
    ensure(step.is_quiet(), || {
        format!("Q4: {:?} changed something", step.event.kind)
    })
}

/// Said again it is proof of life and nothing else.
pub(super) fn q4_what_the_server_says_twice_changes_nothing(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    match step.report() {
        Some(Report::Asked { question, .. }) if question.0 < step.world.next_question => {
            seen.hit(Premise::Q4Asked);
        }
        Some(Report::Withdrew { question })
            if step.world.asked.iter().all(|asked| asked.id != *question) =>
        {
            seen.hit(Premise::Q4Withdrew);
        }
        _ => return Ok(()),
    }
    let lives = step.before.leaf() == Leaf::Suspect
        && step.after.leaf() == Leaf::Ready
        && step.decision.ignored.is_none()
        && step.before.questions() == step.after.questions();
    ensure(step.is_quiet() || lives, || {
        format!("Q4: {:?} changed something", step.event.kind)
    })
}

pub(super) fn q5_who_is_not_there_asks_nothing(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let questions = step.after.questions();
    let there = step
        .later
        .child
        .is_some_and(|child| child.stdin != End::Closed);
    if !there && step.before.questions().open().next().is_some() {
        seen.hit(Premise::Q5);
    }
    ensure(there || questions.open().next().is_none(), || {
        format!("Q5: nobody is there, and {questions:?}")
    })?;
    if step.after.leaf() != Leaf::Closed {
        return Ok(());
    }
    if step.before.questions().held().next().is_some() {
        seen.hit(Premise::Q5Closed);
    }
    let empty = questions.held().next().is_none() && questions.carriers().next().is_none();
    ensure(empty, || format!("Q5: Closed with {questions:?}"))
}

pub(super) fn q7_open_questions_are_bounded(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let most = step.after.conn().tuning().questions_max as usize;
    let open = step.after.questions().open().count();
    if open == most {
        seen.hit(Premise::Q7);
    }
    ensure(open <= most, || format!("Q7: {open} are open"))
}

/// A question waits only while further ones are waited for, and then for no longer than that; or
/// while every call that can have caused it is held, or not at the server.
pub(super) fn q8_nothing_waits_beside_a_free_call(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let world = step.later;
    let questions = step.after.questions();
    let gathering = world.due(TimerKey::Gather);
    let mut open = questions.open();
    let is_waiting = |(_, open): &(_, &Question)| open.place == QuestionPlace::Waiting;
    let length = step.after.conn().tuning().gather_ms;
    if let Some(due) = gathering {
        seen.hit(Premise::Q8Gathering);
        ensure(open.any(|open| is_waiting(&open)), || {
            "Q8: nobody waits for what is gathered".to_owned()
        })?;
        return ensure(due <= world.now.plus(length), || {
            format!("Q8: it is gathered until {due:?}")
        });
    }
    open.filter(is_waiting).try_for_each(|(waits, open)| {
        seen.hit(Premise::Q8);
        let newest = open.newest_cause.unwrap_or(CallId(0));
        let mut calls = world.open.iter();
        let free = calls.find(|open| {
            open.asks == Asks::InAnswers
                && open.line != Line::Absent
                && open.id <= newest
                && world.held_call(open.id).is_none()
        });
        ensure(free.is_none() && world.has_carrier(newest), || {
            format!("Q8: {waits:?} waits beside {free:?}")
        })
    })
}
