//! What was seen, and the page that says so.

use super::events::{ROWS, Row};
use rea_fsm::{Effect, Ignored, Leaf, State};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What became of an event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Another state, phase or step.
    To(String),
    /// The event counted; the state is the same.
    Same,
    /// It changed nothing.
    Ignored(Ignored),
}

/// Everything that was seen.
#[derive(Default)]
pub(crate) struct Seen {
    table: BTreeMap<(Leaf, &'static str), BTreeSet<Outcome>>,
    edges: BTreeMap<(Leaf, Leaf), BTreeSet<&'static str>>,
    effects: BTreeMap<String, BTreeSet<Leaf>>,
    ignored: BTreeSet<Ignored>,
}

impl Seen {
    pub(crate) fn note(
        &mut self,
        row: &'static Row,
        from: &State,
        to: &State,
        ignored: Option<Ignored>,
        effects: &[Effect],
    ) {
        let outcome = match ignored {
            Some(reason) => {
                self.ignored.insert(reason);
                Outcome::Ignored(reason)
            }
            None if name_of(from) == name_of(to) => Outcome::Same,
            None => Outcome::To(name_of(to)),
        };
        let outcomes = self.table.entry((from.leaf(), row.name)).or_default();
        outcomes.insert(outcome);
        if from.leaf() != to.leaf() {
            let labels = self.edges.entry((from.leaf(), to.leaf())).or_default();
            labels.insert(row.short);
        }
        for effect in effects {
            let leaves = self.effects.entry(variant(effect)).or_default();
            leaves.insert(from.leaf());
        }
    }

    pub(crate) fn outcomes(&self, leaf: Leaf, row: &'static str) -> BTreeSet<Outcome> {
        self.table.get(&(leaf, row)).cloned().unwrap_or_default()
    }
}

/// The variant's name, without its data.
fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let end = text
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(text.len());
    text[..end].to_owned()
}

/// The state's name with its phase or step.
pub(crate) fn name_of(state: &State) -> String {
    let leaf = state.leaf().name();
    let part = match state {
        State::Connecting { phase, .. } => snake_case(&variant(phase)),
        State::Reaping { step, .. } | State::Terminating { step } => snake_case(&variant(step)),
        State::Idle
        | State::Ready
        | State::Suspect { .. }
        | State::Backoff { .. }
        | State::Stuck
        | State::Blocked { .. }
        | State::FlapLocked { .. }
        | State::Draining
        | State::Closed { .. } => return leaf.to_owned(),
    };
    format!("{leaf}/{part}")
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

const HEAD: &str = "\
# The states of a server's connection

Generated from the machine; do not edit: `REA_UPDATE_DOCS=1 cargo test -p rea-fsm --test states`.

How to read this page:
- The diagram shows every change of state that occurs, with the events that lead there.
- The tables are total: each state has a row for each kind of event. `=` means that the event counts and the state stays.
- Several outcomes in a row depend on what the machine remembers: calls, the restart budget, the phase, the era.
- A name after a slash is a phase or step within a state. *Ignored* means that nothing at all changes, and why.
- A report that is not \"of another generation\" comes from the current process; a timer fires when it is due, if it is armed.
";

/// The whole page.
pub(crate) fn render(seen: &Seen) -> String {
    let mut page = String::from(HEAD);
    diagram(seen, &mut page);
    tables(seen, &mut page);
    effects(seen, &mut page);
    reasons(seen, &mut page);
    page
}

fn diagram(seen: &Seen, page: &mut String) {
    page.push_str("\n## Diagram\n\n```mermaid\nstateDiagram-v2\n    [*] --> idle\n");
    for ((from, to), labels) in &seen.edges {
        let labels: Vec<&str> = labels.iter().copied().collect();
        line(page, &format!("    {from} --> {to}: {}", labels.join(", ")));
    }
    page.push_str("    closed --> [*]\n```\n");
}

fn tables(seen: &Seen, page: &mut String) {
    page.push_str("\n## Every state and every event\n");
    for leaf in Leaf::ALL {
        line(
            page,
            &format!("\n### {leaf}\n\n| event | outcome |\n|---|---|"),
        );
        for row in ROWS {
            let outcomes: Vec<String> = seen
                .outcomes(leaf, row.name)
                .iter()
                .map(|outcome| match outcome {
                    Outcome::To(name) => format!("**{name}**"),
                    Outcome::Same => "=".to_owned(),
                    Outcome::Ignored(reason) => format!("ignored: {}", reason.words()),
                })
                .collect();
            line(page, &format!("| {} | {} |", row.name, outcomes.join("; ")));
        }
    }
}

fn effects(seen: &Seen, page: &mut String) {
    page.push_str("\n## What is asked for, and in which state\n\n| effect | in |\n|---|---|\n");
    for (effect, leaves) in &seen.effects {
        let leaves: Vec<&str> = leaves.iter().map(|leaf| leaf.name()).collect();
        line(page, &format!("| {effect} | {} |", leaves.join(", ")));
    }
}

fn reasons(seen: &Seen, page: &mut String) {
    page.push_str("\n## Why an event changes nothing\n\n| reason | in words |\n|---|---|\n");
    for reason in &seen.ignored {
        line(page, &format!("| {reason:?} | {} |", reason.words()));
    }
}

fn line(page: &mut String, text: &str) {
    let written = writeln!(page, "{text}");
    assert!(written.is_ok(), "a string takes every line");
}
