//! Servers that ask while they work on a call, in the way of their era.

use super::simulation::child::{Birth, Does, Mind, die, say};
use super::simulation::rng::Rng;
use super::witness::Shared;
use rea_fsm::ExitStatus;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// In which way a server asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

const QUESTIONS: [&str; 3] = ["elicitation/create", "sampling/createMessage", "roots/list"];
const ROUNDS_MAX: u64 = 3;

/// A call that waits for answers.
struct Working {
    id: Value,
    nonce: u64,
    open: usize,
    more: u64,
}

struct Curious {
    era: Era,
    rng: Rng,
    witness: Shared,
    calls: BTreeMap<u64, Working>,
    /// The mark of each open question, and for which call it is.
    open: BTreeMap<String, (String, u64)>,
    /// What was asked for in the answer with this state.
    given: BTreeMap<String, Vec<(String, String)>>,
}

pub(crate) fn birth(era: Era, mut rng: Rng, witness: Shared) -> Birth {
    Birth::Lives {
        after_ms: rng.between(1, 40),
        mind: Box::new(Curious {
            era,
            rng,
            witness,
            calls: BTreeMap::new(),
            open: BTreeMap::new(),
            given: BTreeMap::new(),
        }),
    }
}

fn result(id: &Value, result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

fn done(nonce: u64) -> Value {
    json!({"content": [], "nonce": nonce})
}

impl Curious {
    fn says(&mut self, message: &Value) -> Does {
        let after_ms = [0, 0, 1, 5, 60][self.rng.index(5)];
        say(after_ms, message.to_string())
    }

    /// A legacy server asks by requests of its own.
    fn ask(&mut self, nonce: u64) -> Vec<Does> {
        let count = self.rng.between(1, 3);
        let mut does = Vec::new();
        for _ in 0..count {
            let mark = self.witness.borrow_mut().mark();
            let is_withdrawn = self.rng.chance(60);
            // Servers use the same ids, and use them again. What is taken back has an id of its own,
            // so that the withdrawal can't mean another question.
            let id = if is_withdrawn {
                mark.clone()
            } else {
                let mut free = (0..).map(|number| format!("q{number}"));
                free.find(|id| !self.open.contains_key(id))
                    .expect("numbers do not end")
            };
            let method = QUESTIONS[self.rng.index(QUESTIONS.len())];
            let question =
                json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"mark": mark}});
            self.open.insert(id.clone(), (mark, nonce));
            if let Some(call) = self.calls.get_mut(&nonce) {
                call.open += 1;
            }
            does.push(say(0, question.to_string()));
            if is_withdrawn {
                self.witness.borrow_mut().withdrawn += 1;
                let withdrawal = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
                does.push(say(self.rng.below(200), withdrawal.to_string()));
            }
        }
        does
    }

    fn call(&mut self, line: &Value) -> Vec<Does> {
        let id = line["id"].clone();
        let nonce = line["params"]["arguments"]["nonce"].as_u64();
        let nonce = nonce.expect("arguments arrive whole");
        if let Some(state) = line["params"]["requestState"].as_str() {
            return self.resumed(&id, nonce, state, &line["params"]["inputResponses"]);
        }
        *self.witness.borrow_mut().executed.entry(nonce).or_default() += 1;
        match self.rng.below(100) {
            0..=4 => {
                self.witness.borrow_mut().deaths_while_asking += u64::from(!self.open.is_empty());
                vec![die(self.rng.below(30), ExitStatus::Signal(11))]
            }
            5..=8 => Vec::new(),
            9..=24 => vec![self.says(&result(&id, &done(nonce)))],
            _ => match self.era {
                Era::Legacy => {
                    let more = self.rng.below(2);
                    let call = Working {
                        id,
                        nonce,
                        open: 0,
                        more,
                    };
                    self.calls.insert(nonce, call);
                    self.ask(nonce)
                }
                Era::Modern => self.give_back(&id, nonce, 1),
            },
        }
    }

    /// A modern server asks in its answer.
    fn give_back(&mut self, id: &Value, nonce: u64, round: u64) -> Vec<Does> {
        let unique = self.witness.borrow_mut().mark();
        let state = format!("state-{nonce}-{round}-{unique}");
        let mut requests = serde_json::Map::new();
        let mut given = Vec::new();
        for number in 0..self.rng.between(0, 2) {
            let mark = self.witness.borrow_mut().mark();
            let key = format!("k{number}");
            let method = QUESTIONS[self.rng.index(QUESTIONS.len())];
            requests.insert(
                key.clone(),
                json!({"method": method, "params": {"mark": mark}}),
            );
            given.push((key, mark));
        }
        self.given.insert(state.clone(), given);
        let wanted = json!({"resultType": "input_required", "inputRequests": requests, "requestState": state});
        vec![self.says(&result(id, &wanted))]
    }

    fn resumed(&mut self, id: &Value, nonce: u64, state: &str, answers: &Value) -> Vec<Does> {
        assert!(
            state.starts_with(&format!("state-{nonce}-")),
            "{state} is not of call {nonce}"
        );
        {
            let mut witness = self.witness.borrow_mut();
            *witness.resumed.entry(state.to_owned()).or_default() += 1;
            for (key, mark) in self.given.remove(state).unwrap_or_default() {
                if let Some(answer) = answers.get(&key) {
                    witness.answer(&mark, answer["echo"].as_str());
                }
            }
        }
        let round = state.split('-').nth(2).and_then(|round| round.parse().ok());
        let round: u64 = round.expect("our state");
        if round < ROUNDS_MAX && self.rng.chance(300) {
            return self.give_back(id, nonce, round + 1);
        }
        vec![self.says(&result(id, &done(nonce)))]
    }

    /// The answer to a question of a legacy server, or its refusal.
    fn answered(&mut self, line: &Value) -> Vec<Does> {
        let Some((mark, nonce)) = line["id"].as_str().and_then(|id| self.open.remove(id)) else {
            panic!("an answer that nobody waits for: {line}");
        };
        match line.get("result") {
            Some(result) => self
                .witness
                .borrow_mut()
                .answer(&mark, result["echo"].as_str()),
            None => {
                self.witness.borrow_mut().refused.insert(mark);
            }
        }
        let Some(call) = self.calls.get_mut(&nonce) else {
            return Vec::new();
        };
        call.open -= 1;
        if call.open > 0 {
            return Vec::new();
        }
        if call.more > 0 {
            call.more -= 1;
            return self.ask(nonce);
        }
        let answer = result(&call.id.clone(), &done(call.nonce));
        self.calls.remove(&nonce);
        vec![self.says(&answer)]
    }
}

impl Mind for Curious {
    fn hear(&mut self, line: &str) -> Vec<Does> {
        let line: Value = serde_json::from_str(line).expect("servers are sent JSON");
        let id = &line["id"];
        let Some(method) = line["method"].as_str() else {
            return self.answered(&line);
        };
        let refused = |code: i64| {
            let error =
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": "no"}});
            vec![say(0, error.to_string())]
        };
        match (self.era, method) {
            (Era::Legacy, "server/discover") => refused(-32_601),
            (Era::Modern, "initialize" | "ping") => refused(-32_601),
            (Era::Modern, "server/discover") => {
                let offer = json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}});
                vec![say(0, result(id, &offer).to_string())]
            }
            (Era::Legacy, "initialize") => {
                let offer = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}});
                vec![say(0, result(id, &offer).to_string())]
            }
            (Era::Legacy, "ping") => vec![say(0, result(id, &json!({})).to_string())],
            (_, "tools/list") => vec![say(
                0,
                result(id, &json!({"tools": [{"name": "ask"}]})).to_string(),
            )],
            (_, "tools/call") => self.call(&line),
            (_, _) => Vec::new(),
        }
    }
}
