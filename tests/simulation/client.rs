//! What the client says, from a seed, and what it was sent, as it reads it.

use super::rng::Rng;
use super::world::Waiting;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One request, and where in the client's output it ends.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) ends_at: usize,
    pub(crate) id: String,
    pub(crate) what: Ask,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Initialize,
    List,
    Ping,
    /// Refused with this code, whatever servers do.
    Wrong(i64),
    Call {
        server: usize,
        is_safe: bool,
        nonce: u64,
        token: Option<String>,
        /// No other request of this client has its id.
        has_own_id: bool,
    },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) happenings: Vec<(u64, Waiting)>,
    pub(crate) asked: Vec<Asked>,
    /// Ids of given up calls, and where that stands.
    pub(crate) cancelled: Vec<(usize, String)>,
    /// Where lines end that are answered with an error and no id.
    pub(crate) garbage: Vec<usize>,
}

struct Writer<'a> {
    rng: &'a mut Rng,
    script: Script,
    bytes: usize,
    at: u64,
    next_nonce: u64,
    servers: &'a [String],
}

const IDS_SHARED: [&str; 3] = ["1", "\"1\"", "1.0"];

/// A client's whole life.
pub(crate) fn script(rng: &mut Rng, servers: &[String]) -> Script {
    let mut writer = Writer {
        rng,
        script: Script::default(),
        bytes: 0,
        at: 0,
        next_nonce: 1,
        servers,
    };
    writer.at = writer.rng.below(40);
    if writer.rng.chance(900) {
        let id = writer.own_id();
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"initialize","params":{{"protocolVersion":"2025-06-18","capabilities":{{}}}}}}"#
        );
        writer.ask(id, Ask::Initialize, &line);
    }
    let bursts = writer.rng.between(2, 14);
    for _ in 0..bursts {
        writer.at += [0, 1, 20, 150, 700, 2_000][writer.rng.index(6)];
        for _ in 0..writer.rng.between(1, 6) {
            writer.anything();
        }
    }
    writer.end();
    writer.script
}

impl Writer<'_> {
    fn own_id(&mut self) -> String {
        let nonce = self.next_nonce;
        match self.rng.below(6) {
            0 => format!("\"call \\u0061 {nonce}\""),
            1 => format!("-{nonce}"),
            2 => format!("{nonce}.50"),
            3 => format!("{}", u64::MAX - nonce),
            4 => format!("{nonce}0000000000000000000000000000001"),
            _ => format!("{}", 100 + nonce),
        }
    }

    fn write(&mut self, line: &str) -> usize {
        let mut bytes = line.as_bytes().to_vec();
        bytes.push(b'\n');
        self.bytes += bytes.len();
        let mut at = self.at;
        while self.rng.chance(100) && bytes.len() > 1 {
            let cut = 1 + self.rng.index(bytes.len() - 1);
            let rest = bytes.split_off(cut);
            self.script.happenings.push((at, Waiting::Client(bytes)));
            bytes = rest;
            at += self.rng.below(3);
        }
        self.script.happenings.push((at, Waiting::Client(bytes)));
        self.at = at;
        self.bytes
    }

    fn ask(&mut self, id: String, what: Ask, line: &str) {
        let ends_at = self.write(line);
        self.next_nonce += 1;
        self.script.asked.push(Asked { ends_at, id, what });
    }

    fn anything(&mut self) {
        match self.rng.below(100) {
            0..=64 => self.call(),
            65..=74 => {
                let id = self.own_id();
                let line = format!(r#"{{"method":"tools/list","id":{id},"jsonrpc":"2.0"}}"#);
                self.ask(id, Ask::List, &line);
            }
            75..=79 => {
                let id = self.own_id();
                let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
                self.ask(id, Ask::Ping, &line);
            }
            80..=83 => {
                let id = self.own_id();
                let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"no/such"}}"#);
                self.ask(id, Ask::Wrong(-32_601), &line);
            }
            84..=86 => {
                let id = self.own_id();
                let name = ["nobody__work", "work", ""][self.rng.index(3)];
                let line = format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}"}}}}"#
                );
                self.ask(id, Ask::Wrong(-32_602), &line);
            }
            87..=90 => {
                let lines = ["{", "no json", "[]", "7", r#"{"jsonrpc":"2.0"}"#];
                let line = lines[self.rng.index(lines.len())];
                let ends_at = self.write(line);
                self.script.garbage.push(ends_at);
            }
            91 => {
                self.write(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
            }
            _ => self.cancel(),
        }
    }

    fn call(&mut self) {
        let server = self.rng.index(self.servers.len());
        let is_safe = self.rng.chance(400);
        let nonce = self.next_nonce;
        let has_own_id = !self.rng.chance(150);
        let id = if has_own_id {
            self.own_id()
        } else {
            IDS_SHARED[self.rng.index(IDS_SHARED.len())].to_owned()
        };
        let token = self.rng.chance(300).then(|| match self.rng.below(2) {
            0 => format!("\"token {nonce}\""),
            _ => format!("{nonce}"),
        });
        let meta = token.as_ref().map_or_else(String::new, |token| {
            format!(r#","_meta":{{"progressToken":{token}}}"#)
        });
        let tool = if is_safe { "safe" } else { "work" };
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{}__{tool}","arguments":{{"nonce":{nonce}}}{meta}}}}}"#,
            self.servers[server]
        );
        let what = Ask::Call {
            server,
            is_safe,
            nonce,
            token,
            has_own_id,
        };
        self.ask(id, what, &line);
    }

    fn cancel(&mut self) {
        let calls: Vec<String> = self
            .script
            .asked
            .iter()
            .rev()
            .filter(|asked| matches!(asked.what, Ask::Call { .. }))
            .take(4)
            .map(|asked| asked.id.clone())
            .collect();
        if calls.is_empty() {
            return;
        }
        let id = calls[self.rng.index(calls.len())].clone();
        let ends_at = self.write(&format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
        ));
        self.script.cancelled.push((ends_at, id));
    }

    fn end(&mut self) {
        let mut at = self.at + [0, 0, 5, 300, 2_500][self.rng.index(5)];
        match self.rng.below(10) {
            0..=3 => self.script.happenings.push((at, Waiting::ClientEnded)),
            4..=5 => self.script.happenings.push((at, Waiting::Signalled)),
            6 => self.script.happenings.push((at, Waiting::ClientGone)),
            7 => {
                self.script.happenings.push((at, Waiting::ClientEnded));
                at += self.rng.below(2_000);
                self.script.happenings.push((at, Waiting::Signalled));
            }
            8 => {
                self.script.happenings.push((at, Waiting::Signalled));
                at += self.rng.below(1_500);
                self.script.happenings.push((at, Waiting::Signalled));
            }
            _ => {
                self.script.happenings.push((at, Waiting::ClientEnded));
                at += self.rng.below(2_000);
                self.script.happenings.push((at, Waiting::ClientGone));
            }
        }
    }
}

/// One line that the client was sent.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: u64,
    pub(crate) line: String,
    /// The id's text.
    pub(crate) id: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) error_code: Option<i64>,
    pub(crate) nonce: Option<u64>,
    pub(crate) progress_token: Option<String>,
    pub(crate) progress: Option<u64>,
    /// What the gateway says itself about a call that did not come back.
    pub(crate) executed: Option<String>,
    pub(crate) reason: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    jsonrpc: &'a str,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    #[serde(borrow)]
    progress_token: Option<&'a RawValue>,
    progress: Option<u64>,
}

#[derive(Deserialize)]
struct Failure {
    code: i64,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    nonce: Option<u64>,
}

#[derive(Deserialize)]
struct Outcome {
    nonce: Option<u64>,
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "rea/failure")]
    failure: Option<Facts>,
}

#[derive(Deserialize)]
struct Facts {
    executed: String,
    reason: String,
}

/// Reads everything that the client was sent.
pub(crate) fn told(heard: &[(u64, Vec<u8>)]) -> Vec<Told> {
    let mut told = Vec::new();
    for (at, bytes) in heard {
        let text = std::str::from_utf8(bytes).expect("the client is sent text");
        for line in text.lines() {
            told.push(read(*at, line));
        }
    }
    told
}

fn read(at: u64, line: &str) -> Told {
    let envelope: Envelope<'_> = serde_json::from_str(line)
        .unwrap_or_else(|error| panic!("the client was sent no message: {line}: {error}"));
    assert_eq!(envelope.jsonrpc, "2.0");
    // An id that is null is there, and `Option` would hide it.
    let has_null_id = envelope.id.is_none() && envelope.method.is_none();
    let id = if has_null_id {
        Some("null".to_owned())
    } else {
        envelope.id.map(|id| id.get().to_owned())
    };
    let outcome: Option<Outcome> = envelope
        .result
        .and_then(|result| serde_json::from_str(result.get()).ok());
    let params = envelope.params;
    let nonce = outcome.as_ref().and_then(|outcome| outcome.nonce);
    let facts = outcome
        .and_then(|outcome| outcome.meta)
        .and_then(|meta| meta.failure);
    let (executed, reason) = facts.map(|facts| (facts.executed, facts.reason)).unzip();
    let data = envelope
        .error
        .as_ref()
        .and_then(|error| error.data.as_ref());
    Told {
        at,
        line: line.to_owned(),
        id,
        method: envelope.method.map(str::to_owned),
        error_code: envelope.error.as_ref().map(|error| error.code),
        nonce: nonce.or_else(|| data.and_then(|data| data.nonce)),
        progress_token: params
            .as_ref()
            .and_then(|params| params.progress_token)
            .map(|token| token.get().to_owned()),
        progress: params.as_ref().and_then(|params| params.progress),
        executed,
        reason,
    }
}
