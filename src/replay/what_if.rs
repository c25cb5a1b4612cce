//! The same events under other numbers: where would the first decision have been another?
//!
//! A timer that is armed for another time is not yet another decision. It is one once it would
//! have fired before the next recorded event, or once its recorded firing finds it not due.

use rea_fsm::{
    Decision, Effect, EventKind, Millis, ProtocolVersion, Snapshot, TimerKey, Tuning, TuningError,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// Numbers to put in place of the recorded ones, by the keys of [`Tuning`].
#[derive(Clone, Debug, Default)]
pub struct WhatIf {
    numbers: Map<String, Value>,
}

/// Why numbers can't be tried.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// It is not `KEY=VALUE`.
    #[error("`{given}` should be KEY=VALUE, for example backoff_base=2s")]
    NoPair {
        /// What was given.
        given: String,
    },
    /// There is no such number.
    #[error("there is no number `{key}`; there are: {known}")]
    UnknownKey {
        /// What was given.
        key: String,
        /// What could be.
        known: String,
    },
    /// It is written as nobody can read it.
    #[error("{detail}")]
    Unreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// The number is none of that kind.
    #[error("`{server}` can't have these numbers: {error}")]
    BadValue {
        /// Whose.
        server: String,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The machine would break a promise with it.
    #[error("`{server}` can't have these numbers: {error}")]
    Refused {
        /// Whose.
        server: String,
        /// Why.
        error: TuningError,
    },
}

impl WhatIf {
    /// Reads pairs of the form `KEY=VALUE`; none if there are no pairs.
    ///
    /// # Errors
    /// A pair is none, or its key is unknown.
    pub fn parse(pairs: &[String]) -> Result<Option<Self>, WhatIfError> {
        if pairs.is_empty() {
            return Ok(None);
        }
        let known = keys();
        let mut numbers = Map::new();
        for pair in pairs {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(WhatIfError::NoPair {
                    given: pair.clone(),
                });
            };
            if !known.contains_key(key) {
                return Err(WhatIfError::UnknownKey {
                    key: key.to_owned(),
                    known: known.keys().cloned().collect::<Vec<_>>().join(", "),
                });
            }
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            numbers.insert(key.to_owned(), value);
        }
        Ok(Some(Self { numbers }))
    }

    pub(super) fn apply(&self, server: &str, tuning: &Tuning) -> Result<Tuning, WhatIfError> {
        let bad = |error| WhatIfError::BadValue {
            server: server.to_owned(),
            error,
        };
        let mut value = serde_json::to_value(tuning).map_err(bad)?;
        if let Value::Object(fields) = &mut value {
            fields.extend(self.numbers.clone());
        }
        let tuning: Tuning = serde_json::from_value(value).map_err(bad)?;
        tuning.check().map_err(|error| WhatIfError::Refused {
            server: server.to_owned(),
            error,
        })?;
        Ok(tuning)
    }

    /// A machine in the middle of its life, with other numbers from now on. Nothing but the
    /// numbers is touched, so that no rule about a change of numbers applies.
    pub(super) fn apply_to(
        &self,
        server: &str,
        snapshot: &Snapshot,
    ) -> Result<Snapshot, WhatIfError> {
        let bad = |error| WhatIfError::BadValue {
            server: server.to_owned(),
            error,
        };
        let tuning = self.apply(server, snapshot.conn.tuning())?;
        let mut value = serde_json::to_value(snapshot).map_err(bad)?;
        value["conn"]["tuning"] = serde_json::to_value(tuning).map_err(bad)?;
        serde_json::from_value(value).map_err(bad)
    }
}

fn keys() -> Map<String, Value> {
    // Some are written only if they are not the default.
    let written = Tuning {
        known_version: Some(ProtocolVersion::V2025_11_25),
        questions_max: 0,
        question_ms: Millis::ZERO,
        gather_ms: Millis::ZERO,
        ..Tuning::default()
    };
    match serde_json::to_value(written) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// The first decision of a server that other numbers change.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The record at which it shows.
    pub seq: u64,
    /// When.
    pub at_ms: Millis,
    /// Whose machine.
    pub server: String,
    /// The recorded event.
    pub event: EventKind,
    /// How it shows.
    pub why: Why,
}

/// How a changed decision shows.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A timer would have fired before the recorded event.
    TimerFirst {
        /// Which.
        key: TimerKey,
        /// When.
        due: Millis,
    },
    /// The same event is decided otherwise.
    Decided {
        /// As recorded.
        recorded: Decided,
        /// Under the other numbers.
        otherwise: Decided,
    },
}

/// What one machine made of an event.
#[derive(Clone, Debug)]
pub struct Decided {
    /// From which state to which, or why nothing.
    pub decision: Decision,
    /// What it asked for.
    pub effects: Vec<Effect>,
}

impl Serialize for Decided {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            from: rea_fsm::Leaf,
            to: rea_fsm::Leaf,
            #[serde(skip_serializing_if = "Option::is_none")]
            ignored: Option<rea_fsm::Ignored>,
            effects: &'a [Effect],
        }
        let Decision { from, to, ignored } = self.decision;
        Fields {
            from,
            to,
            ignored,
            effects: &self.effects,
        }
        .serialize(serializer)
    }
}

impl Decided {
    pub(super) fn is_same(&self, decision: Decision, effects: &[Effect]) -> bool {
        self.decision == decision
            && self.effects.len() == effects.len()
            && self.effects.iter().zip(effects).all(|pair| match pair {
                (Effect::Arm { key: one, .. }, Effect::Arm { key: other, .. }) => one == other,
                (one, other) => one == other,
            })
    }
}
