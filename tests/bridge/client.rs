//! A client that answers, repeats, cancels, forges and stays silent as it likes.

use super::simulation::harness::Sim;
use super::simulation::rng::Rng;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    Session,
    RequestByRequest,
}

const META: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"sampling":{},"elicitation":{},"roots":{}}}"#;

/// What the client said with a request.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) nonce: u64,
    pub(crate) at: u64,
    /// The state that it brought back.
    pub(crate) state: Option<String>,
    /// Whether it could be a state that still counts: as it was given, and for the first time.
    pub(crate) is_honest: bool,
}

pub(crate) struct Client {
    speech: Speech,
    rng: Rng,
    servers: Vec<String>,
    next_id: u64,
    next_nonce: u64,
    read: usize,
    /// Every request, by its id.
    pub(crate) said: BTreeMap<u64, Said>,
    pub(crate) cancelled: BTreeSet<u64>,
    pub(crate) answers: BTreeMap<u64, Vec<Value>>,
    /// Questions that the client was asked directly and has not made up its mind about.
    asked: Vec<Value>,
    asked_ids: BTreeSet<u64>,
    pub(crate) withdrawn: BTreeSet<u64>,
    /// Answers with questions: the call's nonce, its server, and what it was given.
    given: Vec<(u64, Value)>,
    brought_back: BTreeSet<String>,
    pub(crate) server_of: BTreeMap<u64, String>,
}

impl Client {
    pub(crate) fn new(speech: Speech, rng: Rng, servers: Vec<String>) -> Self {
        Self {
            speech,
            rng,
            servers,
            next_id: 1,
            next_nonce: 0,
            read: 0,
            said: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            answers: BTreeMap::new(),
            asked: Vec::new(),
            asked_ids: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            given: Vec::new(),
            brought_back: BTreeSet::new(),
            server_of: BTreeMap::new(),
        }
    }

    pub(crate) fn begin(&mut self, sim: &mut Sim) {
        match self.speech {
            Speech::Session => sim.says(&[
                r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"sampling":{},"elicitation":{},"roots":{}},"clientInfo":{"name":"c","version":"1"}}}"#,
                r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            ]),
            Speech::RequestByRequest => {
                let line = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{{"_meta":{META}}}}}"#);
                sim.says(&[&line]);
            }
        }
    }

    /// Takes in what the gateway has said since.
    pub(crate) fn listen(&mut self, sim: &mut Sim) {
        let heard: Vec<Vec<u8>> = sim.world().heard[self.read..]
            .iter()
            .map(|(_, bytes)| bytes.clone())
            .collect();
        self.read += heard.len();
        for bytes in heard {
            let text = String::from_utf8(bytes).expect("the client is sent text");
            for line in text.lines() {
                self.hear(serde_json::from_str(line).expect("the client is sent JSON"));
            }
        }
    }

    fn hear(&mut self, line: Value) {
        let id = line["id"].as_u64();
        match (line["method"].as_str(), id) {
            (Some("notifications/cancelled"), None) => {
                let id = line["params"]["requestId"]
                    .as_u64()
                    .expect("our own numbers");
                assert!(
                    self.asked_ids.contains(&id),
                    "{line} takes back what was never asked"
                );
                assert!(self.withdrawn.insert(id), "{line} takes back twice");
                self.asked.retain(|asked| asked["id"].as_u64() != Some(id));
            }
            (Some(_), None) => {}
            (Some(_), Some(id)) => {
                assert_eq!(
                    self.speech,
                    Speech::Session,
                    "nobody may ask directly: {line}"
                );
                assert!(
                    self.asked_ids.insert(id),
                    "two questions with one id: {line}"
                );
                self.asked.push(line);
            }
            (None, Some(0)) => {}
            (None, Some(id)) => {
                let said = self
                    .said
                    .get(&id)
                    .unwrap_or_else(|| panic!("nobody has asked for {line}"));
                if line["result"]["resultType"] == "input_required" {
                    self.given.push((said.nonce, line["result"].clone()));
                }
                self.answers.entry(id).or_default().push(line);
            }
            (None, None) => panic!("{line} answers nothing"),
        }
    }

    /// Does one thing.
    pub(crate) fn act(&mut self, sim: &mut Sim) {
        match self.rng.below(100) {
            0..=34 => self.call(sim),
            35..=74 => match self.speech {
                Speech::Session => self.reply(sim),
                Speech::RequestByRequest => self.repeat(sim),
            },
            75..=79 => self.cancel(sim),
            80..=82 => {
                // An answer that nobody waits for.
                let id = 1_000_000 + self.rng.below(10);
                sim.says(&[
                    &json!({"jsonrpc": "2.0", "id": id, "result": {"echo": "nobody"}}).to_string(),
                ]);
            }
            _ => {}
        }
    }

    fn call(&mut self, sim: &mut Sim) {
        self.next_nonce += 1;
        let server = self.servers[self.rng.index(self.servers.len())].clone();
        self.server_of.insert(self.next_nonce, server);
        self.send(sim, self.next_nonce, "", None, true);
    }

    fn send(
        &mut self,
        sim: &mut Sim,
        nonce: u64,
        members: &str,
        state: Option<String>,
        is_honest: bool,
    ) {
        let id = self.next_id;
        self.next_id += 1;
        let server = &self.server_of[&nonce];
        let meta = match self.speech {
            Speech::Session => String::new(),
            Speech::RequestByRequest => format!(r#""_meta":{META},"#),
        };
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{{meta}"name":"{server}__ask","arguments":{{"nonce":{nonce}}}{members}}}}}"#
        );
        let at = sim.now;
        self.said.insert(
            id,
            Said {
                nonce,
                at,
                state,
                is_honest,
            },
        );
        sim.says(&[&line]);
    }

    /// Answers a question, or refuses it, or answers twice, or forgets it.
    fn reply(&mut self, sim: &mut Sim) {
        if self.asked.is_empty() {
            return;
        }
        let asked = self.asked.remove(self.rng.index(self.asked.len()));
        let id = &asked["id"];
        let answer =
            json!({"jsonrpc": "2.0", "id": id, "result": {"echo": asked["params"]["mark"]}})
                .to_string();
        match self.rng.below(20) {
            0 => sim.says(&[
                &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -1, "message": "no"}})
                    .to_string(),
            ]),
            1 => sim.says(&[&answer, &answer]),
            2 => {}
            _ => sim.says(&[&answer]),
        }
    }

    /// Repeats a call with answers, all or some; twice; for another call; or with a state that it
    /// has altered.
    fn repeat(&mut self, sim: &mut Sim) {
        if self.given.is_empty() {
            return;
        }
        let at = self.rng.index(self.given.len());
        let keeps = self.rng.chance(100);
        let (nonce, given) = if keeps {
            self.given[at].clone()
        } else {
            self.given.remove(at)
        };
        let Some(state) = given["requestState"].as_str() else {
            panic!("a call can't be repeated without a state: {given}");
        };
        let is_ours = state.starts_with("rea1.");
        let mut brought = state.to_owned();
        if is_ours && self.rng.chance(80) {
            let last = brought.pop().expect("it is long");
            brought.push(if last == '0' { '1' } else { '0' });
        }
        let other = 1 + self.rng.below(self.next_nonce);
        let about = if is_ours && self.rng.chance(50) {
            other
        } else {
            nonce
        };
        // What is refused for what it says has not been used.
        let is_as_given = brought == state && about == nonce;
        let is_honest = is_as_given && self.brought_back.insert(brought.clone());
        let requests = given["inputRequests"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let answers: serde_json::Map<String, Value> = requests
            .into_iter()
            .filter(|_| !self.rng.chance(80))
            .map(|(key, request)| (key, json!({"echo": request["params"]["mark"]})))
            .collect();
        let members = format!(
            r#","inputResponses":{},"requestState":{}"#,
            Value::Object(answers),
            Value::String(brought.clone())
        );
        self.send(sim, about, &members, Some(brought), is_honest);
    }

    fn cancel(&mut self, sim: &mut Sim) {
        if self.next_id == 1 {
            return;
        }
        let id = self.next_id
            - 1
            - self
                .rng
                .below(self.next_id.min(6) - 1)
                .min(self.next_id - 2);
        self.cancelled.insert(id);
        let line = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        sim.says(&[&line.to_string()]);
    }
}
