//! `docs/states.md` is what the machine does, not what somebody remembers: every representative
//! snapshot of every state is given every kind of event, and what was seen is written down. The
//! test fails if the page says otherwise.

mod states {
    pub(crate) mod events;
    pub(crate) mod page;
    pub(crate) mod snapshots;
}

#[allow(dead_code, reason = "these tests need only a part of the vocabulary")]
#[path = "rules/support/mod.rs"]
mod support;

use rea_fsm::{Decision, Effect, Leaf};
use states::page::{Seen, name_of};
use std::collections::BTreeSet;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/states.md");

/// Every snapshot meets every event.
fn observe() -> Seen {
    let mut seen = Seen::default();
    for machine in states::snapshots::all() {
        for row in states::events::ROWS {
            for event in (row.events)(&machine) {
                let mut downstream = machine.inner.clone();
                let from = downstream.state().clone();
                let mut effects: Vec<Effect> = Vec::new();
                let Decision { ignored, .. } = downstream.step(&event, &mut effects);
                seen.note(row, &from, downstream.state(), ignored, &effects);
            }
        }
    }
    seen
}

#[test]
fn the_page_says_what_the_machine_does() {
    let page = states::page::render(&observe());
    if std::env::var_os("REA_UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/states.md is out of date: run `REA_UPDATE_DOCS=1 cargo test -p rea-fsm --test states`"
    );
}

#[test]
fn every_state_phase_and_step_is_represented() {
    let names: BTreeSet<String> = states::snapshots::all()
        .iter()
        .map(|machine| name_of(machine.inner.state()))
        .collect();
    for leaf in Leaf::ALL {
        assert!(
            names.iter().any(|name| name.starts_with(leaf.name())),
            "{leaf}"
        );
    }
    for phase in ["waiting", "spawning", "probing", "initializing", "listing"] {
        assert!(names.contains(&format!("connecting/{phase}")), "{phase}");
    }
    for step in [
        "awaiting_spawn",
        "draining",
        "lingering",
        "stdin_closed",
        "term_sent",
        "kill_sent",
    ] {
        assert!(names.contains(&format!("reaping/{step}")), "{step}");
    }
    for step in ["awaiting_spawn", "stdin_closed", "term_sent", "kill_sent"] {
        assert!(names.contains(&format!("terminating/{step}")), "{step}");
    }
}

#[test]
fn every_state_has_an_answer_to_every_event() {
    let seen = observe();
    for leaf in Leaf::ALL {
        for row in states::events::ROWS {
            assert!(
                !seen.outcomes(leaf, row.name).is_empty(),
                "{leaf}: nothing was seen of {}",
                row.name
            );
        }
    }
}
