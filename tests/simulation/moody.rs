//! A server whose every choice comes from a seed: what it does well, and all that can go wrong.

use super::child::{Birth, Does, Mind, What, die, say};
use super::rng::Rng;
use rea_fsm::{BlockReason, ExitStatus, Signal, SpawnFailure};
use serde_json::Value;

/// How much goes wrong, of a thousand chances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temper {
    Good,
    Fair,
    Bad,
    Awful,
    /// Starts, and then says nothing.
    Mute,
    /// Works well, and ends for nobody, or late after KILL.
    Stubborn,
}

impl Temper {
    const fn badness(self) -> u64 {
        match self {
            Self::Good | Self::Mute | Self::Stubborn => 0,
            Self::Fair => 60,
            Self::Bad => 250,
            Self::Awful => 600,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shakes {
    Well,
    Never,
    WithError,
    WithNonsense,
    WithUnknownVersion,
    DiesWhenAsked,
    DiesOfProbe,
    NotProbed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lists {
    Well,
    Never,
    WithError,
    WithNonsense,
    InCircles,
    Dies,
}

pub(crate) struct Moody {
    rng: Rng,
    temper: Temper,
    shakes: Shakes,
    lists: Lists,
    pages: u64,
    heeds_end: bool,
    heeds_term: bool,
    kill_ms: Option<u64>,
    pace_ms: u64,
    reads_left: Option<u64>,
}

/// A line longer than simulated gateways take.
pub(crate) const LINE_BYTES_MAX: usize = 4_096;

pub(crate) fn birth(temper: Temper, mut rng: Rng) -> Birth {
    let bad = temper.badness();
    let after_ms = rng.below(30);
    if rng.chance(bad / 4) {
        let failure = if rng.chance(100) {
            SpawnFailure::Blocked(BlockReason::CommandNotFound {
                detail: "nothing".to_owned(),
            })
        } else {
            SpawnFailure::System { errno: 11 }
        };
        return Birth::Fails { after_ms, failure };
    }
    if rng.chance(bad / 40) {
        return Birth::NeverKnown;
    }
    let after_ms = if rng.chance(bad / 8) {
        rng.between(500, 3_000)
    } else {
        after_ms
    };
    Birth::Lives {
        after_ms,
        mind: Box::new(Moody::new(temper, rng)),
    }
}

impl Moody {
    fn new(temper: Temper, mut rng: Rng) -> Self {
        let bad = temper.badness();
        let shakes = if rng.chance(bad / 2) {
            [
                Shakes::Never,
                Shakes::WithError,
                Shakes::WithNonsense,
                Shakes::WithUnknownVersion,
                Shakes::DiesWhenAsked,
                Shakes::DiesOfProbe,
                Shakes::NotProbed,
            ][rng.index(7)]
        } else {
            Shakes::Well
        };
        let lists = if rng.chance(bad / 2) {
            [
                Lists::Never,
                Lists::WithError,
                Lists::WithNonsense,
                Lists::InCircles,
                Lists::Dies,
            ][rng.index(5)]
        } else {
            Lists::Well
        };
        Self {
            shakes: if temper == Temper::Mute {
                Shakes::Never
            } else {
                shakes
            },
            lists,
            pages: rng.between(1, 3),
            heeds_end: temper != Temper::Stubborn && !rng.chance(bad),
            heeds_term: temper != Temper::Stubborn && !rng.chance(bad),
            kill_ms: if temper == Temper::Stubborn || rng.chance(bad / 20) {
                rng.chance(700).then(|| rng.between(100, 3_000))
            } else {
                Some(rng.below(5))
            },
            pace_ms: if bad > 0 { rng.below(5) } else { 0 },
            reads_left: rng.chance(bad / 4).then(|| rng.below(12)),
            temper,
            rng,
        }
    }

    fn delay_ms(&mut self) -> u64 {
        if self.temper == Temper::Good {
            self.rng.below(5)
        } else {
            [0, 3, 30, 120][self.rng.index(4)]
        }
    }

    fn death(&mut self, after_ms: u64) -> Does {
        let status = if self.rng.chance(500) {
            ExitStatus::Code(1)
        } else {
            ExitStatus::Signal(11)
        };
        die(after_ms, status)
    }

    fn shake(&mut self, id: &Value, method: &str) -> Vec<Does> {
        let after_ms = self.delay_ms();
        let result = |result: &str| vec![say(after_ms, answer(id, result))];
        let failure = || vec![say(after_ms, error(id, -32_601))];
        let is_probe = method == "server/discover";
        match self.shakes {
            Shakes::Never => Vec::new(),
            Shakes::DiesOfProbe if is_probe => vec![self.death(after_ms)],
            Shakes::NotProbed if is_probe => Vec::new(),
            _ if is_probe => failure(),
            Shakes::WithError => failure(),
            Shakes::WithNonsense => result("[1,2]"),
            Shakes::WithUnknownVersion => {
                result(r#"{"protocolVersion":"1999-01-01","capabilities":{}}"#)
            }
            Shakes::DiesWhenAsked => vec![self.death(after_ms)],
            Shakes::Well | Shakes::DiesOfProbe | Shakes::NotProbed => {
                result(r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}"#)
            }
        }
    }

    fn list(&mut self, id: &Value, cursor: Option<&str>) -> Vec<Does> {
        let after_ms = self.delay_ms();
        let page: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let tools = match page {
            0 => r#"{"name":"work","x":1e400}"#.to_owned(),
            1 => r#"{"name":"safe","annotations":{"idempotentHint":true}}"#.to_owned(),
            _ => format!(r#"{{"name":"extra{page}"}}"#),
        };
        let next = page + 1;
        match self.lists {
            Lists::Never => Vec::new(),
            Lists::WithError => vec![say(after_ms, error(id, -32_603))],
            Lists::WithNonsense => vec![say(after_ms, answer(id, r#"{"tools":7}"#))],
            Lists::Dies => vec![self.death(after_ms)],
            Lists::InCircles => {
                let result = format!(r#"{{"tools":[{tools}],"nextCursor":"1"}}"#);
                vec![say(after_ms, answer(id, &result))]
            }
            Lists::Well if next < self.pages => {
                let result = format!(r#"{{"tools":[{tools}],"nextCursor":"{next}"}}"#);
                vec![say(after_ms, answer(id, &result))]
            }
            Lists::Well => {
                let result = format!(r#"{{"tools":[{tools}]}}"#);
                vec![say(after_ms, answer(id, &result))]
            }
        }
    }

    /// Progress behind the answer, which is nobody's any more.
    fn late_progress(&mut self, params: &Value, after_ms: u64) -> Option<Does> {
        let token = params["_meta"].get("progressToken")?;
        self.rng.chance(200).then(|| {
            let after_ms = after_ms + self.rng.below(3);
            say(
                after_ms,
                format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":99}}}}"#
                ),
            )
        })
    }

    fn call(&mut self, id: &Value, params: &Value) -> Vec<Does> {
        let nonce = params["arguments"]["nonce"].as_u64().unwrap_or(0);
        let good = answer(
            id,
            &format!(r#"{{"content":[{{"type":"text","text":"Not connected"}}],"nonce":{nonce}}}"#),
        );
        let mut after_ms = self.delay_ms();
        let mut does = Vec::new();
        if let Some(token) = params["_meta"].get("progressToken")
            && self.rng.chance(700)
        {
            for progress in 1..=self.rng.between(1, 3) {
                let line = format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{progress}}}}}"#
                );
                does.push(say(after_ms, line));
                after_ms += self.delay_ms();
            }
        }
        if !self.rng.chance(self.temper.badness()) {
            if self.rng.chance(150) {
                let failure = format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32602,"message":"Not connected","data":{{"nonce":{nonce}}}}}}}"#
                );
                does.push(say(after_ms, failure));
            } else {
                does.push(say(after_ms, good));
            }
            does.extend(self.late_progress(params, after_ms));
            return does;
        }
        match self.rng.below(12) {
            0 => does.push(self.death(0)),
            1 => does.push(self.death(after_ms)),
            2 => {
                does.push(say(after_ms, &good));
                does.push(self.death(after_ms));
            }
            3 => {
                does.push(say(after_ms, &good));
                does.push(say(after_ms, &good));
            }
            4 => {
                // Ids that nobody has asked for, in several forms.
                does.push(say(after_ms, answer(&Value::from(9_999_998), "{}")));
                does.push(say(after_ms, answer(&Value::from(id.to_string()), "{}")));
                does.push(say(after_ms, &good));
            }
            5 => {}
            6 => {
                let filler = "x".repeat(LINE_BYTES_MAX);
                does.push(say(
                    after_ms,
                    answer(id, &format!(r#"{{"nonce":{nonce},"x":"{filler}"}}"#)),
                ));
            }
            7 => {
                does.push(say(after_ms, b"\xff\xfe not text"));
                does.push(say(after_ms, &good));
            }
            8 => {
                let what = if self.rng.chance(500) {
                    What::CloseStdout
                } else {
                    What::CloseStdin
                };
                does.push(say(after_ms, &good));
                does.push(Does { after_ms, what });
            }
            9 => does.push(say(after_ms + self.rng.between(400, 2_500), good)),
            10 => {
                does.push(say(after_ms, "a stray print"));
                does.push(say(
                    after_ms,
                    r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
                ));
                does.push(say(after_ms, good));
            }
            _ => {
                does.push(say(
                    after_ms,
                    r#"{"jsonrpc":"2.0","id":"mine","method":"ping"}"#,
                ));
                does.push(say(
                    after_ms,
                    r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}"#,
                ));
                does.push(say(after_ms, good));
            }
        }
        does
    }
}

impl Mind for Moody {
    fn born(&mut self) -> Vec<Does> {
        let bad = self.temper.badness();
        let mut does = Vec::new();
        if self.rng.chance(bad) {
            does.push(say(0, "Listening on stdio\r"));
        }
        if self.rng.chance(bad / 3) {
            let after_ms = self.rng.below(4_000);
            does.push(self.death(after_ms));
        }
        if self.rng.chance(bad) {
            let after_ms = self.rng.below(3_000);
            does.push(say(
                after_ms,
                r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
            ));
        }
        does
    }

    fn hear(&mut self, line: &str) -> Vec<Does> {
        if let Some(left) = &mut self.reads_left {
            *left = left.saturating_sub(1);
        }
        let message: Value = serde_json::from_str(line).expect("servers are sent JSON");
        let id = &message["id"];
        match message["method"].as_str() {
            Some(method @ ("server/discover" | "initialize")) => self.shake(id, method),
            Some("tools/list") => self.list(id, message["params"]["cursor"].as_str()),
            Some("tools/call") => self.call(id, &message["params"]),
            Some("ping") if self.temper == Temper::Mute => Vec::new(),
            Some("ping") if self.rng.chance(self.temper.badness() / 2) => Vec::new(),
            Some("ping") => vec![say(self.rng.below(20), answer(id, "{}"))],
            Some(_) | None => Vec::new(),
        }
    }

    fn end_of_input(&mut self) -> Vec<Does> {
        if self.heeds_end {
            vec![die(self.rng.below(20), ExitStatus::Code(0))]
        } else {
            Vec::new()
        }
    }

    fn signalled(&mut self, signal: Signal) -> Vec<Does> {
        match signal {
            Signal::Term if self.heeds_term => {
                vec![die(self.rng.below(20), ExitStatus::Signal(15))]
            }
            Signal::Term => Vec::new(),
            Signal::Kill => self
                .kill_ms
                .map(|after_ms| die(after_ms, ExitStatus::Signal(9)))
                .into_iter()
                .collect(),
        }
    }

    fn pace_ms(&mut self) -> Option<u64> {
        (self.reads_left != Some(0)).then_some(self.pace_ms)
    }
}

fn answer(id: &Value, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

fn error(id: &Value, code: i64) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"no"}}}}"#)
}
