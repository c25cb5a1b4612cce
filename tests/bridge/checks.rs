//! What must hold of every interleaving.

use super::client::{Client, Said, Speech};
use super::servers::Era;
use super::simulation::harness::Sim;
use super::witness::Witness;
use serde_json::Value;
use std::collections::BTreeMap;

/// Queued, asked about as often as it may be, and at its hard cap each time: longer takes no call.
pub(crate) const LONGEST_CALL_MS: u64 = 40_000;

/// How often what a check speaks of was there at all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    completed: u64,
    failed: u64,
    cancelled: u64,
    answered_directly: u64,
    resumed_held: u64,
    resumed_modern: u64,
    refused_states: u64,
    forged: u64,
    refused_questions: u64,
    withdrawn: u64,
    deaths_while_asking: u64,
}

impl Seen {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.answered_directly += other.answered_directly;
        self.resumed_held += other.resumed_held;
        self.resumed_modern += other.resumed_modern;
        self.refused_states += other.refused_states;
        self.forged += other.forged;
        self.refused_questions += other.refused_questions;
        self.withdrawn += other.withdrawn;
        self.deaths_while_asking += other.deaths_while_asking;
    }

    /// A check whose premise never holds checks nothing.
    pub(crate) fn every_premise_was_met(&self) {
        for (what, count) in [
            ("calls that were completed", self.completed),
            ("calls that failed", self.failed),
            ("calls given up", self.cancelled),
            ("questions answered directly", self.answered_directly),
            ("held calls that went on", self.resumed_held),
            ("calls repeated for a modern server", self.resumed_modern),
            ("states that did not count", self.refused_states),
            ("states that were altered or used again", self.forged),
            ("questions refused", self.refused_questions),
            ("questions taken back", self.withdrawn),
            ("deaths with questions open", self.deaths_while_asking),
        ] {
            assert!(count >= 100, "too seldom seen: {what}, {count} times");
        }
    }
}

/// A timer that is due has fired: nothing waits for a time that is past.
pub(crate) fn nothing_is_held_past_its_time(sim: &mut Sim) {
    let now = sim.now;
    for (_, name, downstream) in sim.gateway.engine().servers() {
        let questions = downstream.questions();
        for (id, question) in questions.open() {
            assert!(
                question.due.0 >= now,
                "{name}: {id:?} is open at {now}: {question:?}"
            );
        }
        for (call, held) in questions.held() {
            assert!(
                held.due.0 >= now,
                "{name}: {call:?} is held at {now}: {held:?}"
            );
        }
    }
}

pub(crate) fn nothing_is_open(sim: &mut Sim) {
    for (_, name, downstream) in sim.gateway.engine().servers() {
        let questions = downstream.questions();
        assert_eq!(questions.open().count(), 0, "{name} still asks");
        assert_eq!(questions.held().count(), 0, "{name} still holds");
        assert_eq!(
            questions.carriers().count(),
            0,
            "{name} still works for somebody"
        );
        assert_eq!(
            downstream.conn().calls().iter().count(),
            0,
            "{name} still has calls"
        );
    }
}

pub(crate) fn check(speech: Speech, eras: &[Era], client: &Client, witness: &Witness) -> Seen {
    let mut seen = Seen {
        refused_questions: witness.refused.len() as u64,
        withdrawn: witness.withdrawn,
        deaths_while_asking: witness.deaths_while_asking,
        ..Seen::default()
    };
    every_request_has_one_answer(client, &mut seen);
    every_call_completes_once_and_under_its_own_id(client, &mut seen);
    nothing_runs_twice(speech, eras, client, witness, &mut seen);
    states_count_once_and_as_they_were_given(client, &mut seen);
    if speech == Speech::Session {
        seen.answered_directly += witness.answered.len() as u64;
    }
    seen
}

fn every_request_has_one_answer(client: &Client, seen: &mut Seen) {
    for (id, said) in &client.said {
        let count = client.answers.get(id).map_or(0, Vec::len);
        let is_given_up = client.cancelled.contains(id);
        seen.cancelled += u64::from(is_given_up);
        assert!(
            count == 1 || count == 0 && is_given_up,
            "{count} answers to {id}: {said:?}"
        );
    }
}

fn completions(client: &Client) -> impl Iterator<Item = (&Said, &Value)> {
    client
        .answers
        .iter()
        .flat_map(|(id, answers)| answers.iter().map(|answer| (&client.said[id], answer)))
}

fn every_call_completes_once_and_under_its_own_id(client: &Client, seen: &mut Seen) {
    let mut completed: BTreeMap<u64, u64> = BTreeMap::new();
    for (said, answer) in completions(client) {
        match answer["result"]["nonce"].as_u64() {
            Some(nonce) => {
                assert_eq!(nonce, said.nonce, "whose answer is {answer}?");
                *completed.entry(nonce).or_default() += 1;
            }
            None => seen.failed += u64::from(answer["result"]["isError"] == true),
        }
    }
    for (nonce, count) in completed {
        assert!(
            count == 1 || is_repeated_freely(client, nonce),
            "call {nonce} came back {count} times"
        );
        seen.completed += count;
    }
}

/// Whether its client has itself brought a server's own state back more than once: then it is the
/// server's affair what it makes of it.
fn is_repeated_freely(client: &Client, nonce: u64) -> bool {
    let mut said = client.said.values().filter(|said| said.nonce == nonce);
    said.any(|said| {
        !said.is_honest
            && said
                .state
                .as_ref()
                .is_some_and(|state| state.starts_with("state-"))
    })
}

fn nothing_runs_twice(
    speech: Speech,
    eras: &[Era],
    client: &Client,
    witness: &Witness,
    seen: &mut Seen,
) {
    for (nonce, count) in &witness.executed {
        assert_eq!(*count, 1, "call {nonce} was executed {count} times");
    }
    for (state, count) in &witness.resumed {
        seen.resumed_modern += u64::from(*count);
        let brought = client
            .said
            .values()
            .filter(|said| said.state.as_ref() == Some(state))
            .count();
        let most = match speech {
            Speech::Session => 1,
            Speech::RequestByRequest => u32::try_from(brought).expect("it is small"),
        };
        assert!(
            *count <= most,
            "{state} was read {count} times and brought back {most} times"
        );
    }
    let has_modern = eras.contains(&Era::Modern);
    assert!(
        has_modern || witness.resumed.is_empty(),
        "a state for a server that gives none"
    );
}

fn states_count_once_and_as_they_were_given(client: &Client, seen: &mut Seen) {
    for (said, answer) in completions(client) {
        let Some(state) = said
            .state
            .as_ref()
            .filter(|state| state.starts_with("rea1."))
        else {
            continue;
        };
        let is_refused = answer["error"]["code"] == -32_602;
        seen.refused_states += u64::from(is_refused);
        if said.is_honest {
            seen.resumed_held += u64::from(!is_refused);
        } else {
            seen.forged += 1;
            assert!(is_refused, "at {}, {state} counted: {answer}", said.at);
        }
    }
}
