//! A server for examples: it does its handshake and its list, and a test says what it makes of
//! calls.

use super::child::{Birth, Does, Mind, die, say};
use rea_fsm::{ExitStatus, Signal};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

type OnCall = Box<dyn FnMut(&Asked) -> Vec<Does>>;
type OnAny = Box<dyn FnMut(&Asked) -> Option<Vec<Does>>>;

/// A request as a scripted server reads it.
pub(crate) struct Asked {
    /// The id's text.
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) line: String,
}

impl Asked {
    fn of(line: &str) -> Self {
        // Payloads are skipped, so that what is no text for serde_json does not matter.
        #[derive(Default, Deserialize)]
        struct Envelope<'a> {
            #[serde(borrow)]
            id: Option<&'a RawValue>,
            #[serde(borrow)]
            method: Option<Cow<'a, str>>,
        }
        let envelope: Envelope<'_> = serde_json::from_str(line).unwrap_or_default();
        Self {
            id: envelope.id.map_or_else(String::new, ToString::to_string),
            method: envelope.method.unwrap_or_default().into_owned(),
            line: line.to_owned(),
        }
    }

    pub(crate) fn result(&self, after_ms: u64, result: &str) -> Does {
        let id = &self.id;
        say(
            after_ms,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
        )
    }

    pub(crate) fn error(&self, after_ms: u64, error: &str) -> Does {
        let id = &self.id;
        say(
            after_ms,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#),
        )
    }
}

/// What the server does about one kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    After(u64),
    Never,
}

pub(crate) struct Scripted {
    pub(crate) handshake: Manner,
    pub(crate) listing: Manner,
    pub(crate) pong: Manner,
    /// The text of each page's tools.
    pub(crate) pages: Vec<String>,
    pub(crate) on_call: OnCall,
    /// Looks at every message first; what it does not want goes its usual way.
    pub(crate) on_any: OnAny,
    pub(crate) ignores_end: bool,
    pub(crate) last_words: &'static str,
}

pub(crate) const DONE: &str = r#"{"content":[{"type":"text","text":"done"}]}"#;

impl Scripted {
    /// Answers everything at once; has the tools `work` and `other`.
    pub(crate) fn prompt() -> Self {
        Self {
            handshake: Manner::After(0),
            listing: Manner::After(0),
            pong: Manner::After(0),
            pages: vec![
                r#"{"name":"work","inputSchema":{"type":"object"}},{"name":"other"}"#.to_owned(),
            ],
            on_call: Box::new(|asked| vec![asked.result(0, DONE)]),
            on_any: Box::new(|_| None),
            ignores_end: false,
            last_words: "",
        }
    }

    pub(crate) fn on_call(mut self, on_call: impl FnMut(&Asked) -> Vec<Does> + 'static) -> Self {
        self.on_call = Box::new(on_call);
        self
    }

    pub(crate) fn on_any(
        mut self,
        on_any: impl FnMut(&Asked) -> Option<Vec<Does>> + 'static,
    ) -> Self {
        self.on_any = Box::new(on_any);
        self
    }

    pub(crate) fn handshake(mut self, manner: Manner) -> Self {
        self.handshake = manner;
        self
    }

    pub(crate) fn listing(mut self, manner: Manner) -> Self {
        self.listing = manner;
        self
    }

    pub(crate) fn pong(mut self, manner: Manner) -> Self {
        self.pong = manner;
        self
    }

    pub(crate) fn pages(mut self, pages: &[&str]) -> Self {
        self.pages = pages.iter().map(|page| (*page).to_owned()).collect();
        self
    }

    pub(crate) fn birth(self) -> Birth {
        Birth::Lives {
            after_ms: 1,
            mind: Box::new(self),
        }
    }
}

impl Mind for Scripted {
    fn hear(&mut self, line: &str) -> Vec<Does> {
        let asked = Asked::of(line);
        if let Some(does) = (self.on_any)(&asked) {
            return does;
        }
        let answer = |manner: Manner, result: &str| match manner {
            Manner::After(after_ms) => vec![asked.result(after_ms, result)],
            Manner::Never => Vec::new(),
        };
        match asked.method.as_str() {
            "server/discover" => match self.handshake {
                Manner::After(after_ms) => {
                    vec![asked.error(after_ms, r#"{"code":-32601,"message":"what?"}"#)]
                }
                Manner::Never => Vec::new(),
            },
            "initialize" => answer(
                self.handshake,
                r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}"#,
            ),
            "ping" => answer(self.pong, "{}"),
            "tools/list" => {
                let page: usize = serde_json::from_str::<Value>(line)
                    .ok()
                    .and_then(|line| line["params"]["cursor"].as_str()?.parse().ok())
                    .unwrap_or(0);
                let tools = &self.pages[page];
                let next = page + 1;
                let cursor = if next < self.pages.len() {
                    format!(r#","nextCursor":"{next}""#)
                } else {
                    String::new()
                };
                answer(self.listing, &format!(r#"{{"tools":[{tools}]{cursor}}}"#))
            }
            "tools/call" => (self.on_call)(&asked),
            _ => Vec::new(),
        }
    }

    fn end_of_input(&mut self) -> Vec<Does> {
        if self.ignores_end {
            Vec::new()
        } else {
            vec![die(0, ExitStatus::Code(0))]
        }
    }

    fn last_words(&self) -> String {
        self.last_words.to_owned()
    }

    fn signalled(&mut self, signal: Signal) -> Vec<Does> {
        match signal {
            Signal::Term if self.ignores_end => Vec::new(),
            Signal::Term => vec![die(0, ExitStatus::Signal(15))],
            Signal::Kill => vec![die(0, ExitStatus::Signal(9))],
        }
    }
}
