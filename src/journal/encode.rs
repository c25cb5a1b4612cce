//! Lines, written into one reusable piece of memory.
//!
//! Invariant: `batch` holds whole lines only, and `chain` is the last one's link.

use super::chain::{Chain, push_hex};
use super::format::{Annotated, Header, Note, SNAPSHOT_EVERY};
use rea_fsm::{Downstream, Effect, Event, Millis, digest};
use serde::Serialize;

/// The lines of one turn.
#[derive(Debug)]
pub(super) struct Encoder {
    pub(super) batch: Vec<u8>,
    pub(super) chain: Chain,
}

impl Encoder {
    pub(super) const fn new(chain: Chain) -> Self {
        Self {
            batch: Vec::new(),
            chain,
        }
    }

    pub(super) fn header(&mut self, header: &Header) {
        let start = self.batch.len();
        self.json(header);
        // The link takes the place of the closing brace, and brings its own.
        self.batch.pop();
        self.chain = self.chain.seal(&mut self.batch, start);
    }

    pub(super) fn input(
        &mut self,
        seq: u64,
        server: &str,
        event: &Event,
        annotated: Annotated<'_>,
        effects: &[Effect],
        machine: &Downstream,
    ) {
        let start = self.begin(seq, event.at_ms);
        self.raw(b",\"server\":");
        self.json(server);
        self.raw(b",\"event\":");
        self.json(&event.kind);
        match annotated {
            Annotated::Nothing => {}
            Annotated::Tool(tool) => {
                self.raw(b",\"tool\":");
                self.json(tool);
            }
            Annotated::Request(request) => {
                self.raw(b",\"request\":");
                self.json(request);
            }
        }
        self.raw(b",\"state\":\"");
        self.raw(machine.leaf().name().as_bytes());
        self.raw(b"\",\"effects\":\"");
        push_hex(&mut self.batch, digest(effects));
        self.raw(b"\",\"digest\":\"");
        push_hex(&mut self.batch, machine.digest());
        self.raw(b"\"");
        if seq.is_multiple_of(SNAPSHOT_EVERY) {
            self.raw(b",\"snapshot\":\"");
            push_hex(&mut self.batch, digest(&machine.snapshot()));
            self.raw(b"\"");
        }
        self.chain = self.chain.seal(&mut self.batch, start);
    }

    pub(super) fn note(&mut self, seq: u64, at: Millis, note: &Note) {
        let start = self.begin(seq, at);
        self.raw(b",\"note\":");
        self.json(note);
        self.chain = self.chain.seal(&mut self.batch, start);
    }

    fn begin(&mut self, seq: u64, at: Millis) -> usize {
        let start = self.batch.len();
        self.raw(b"{\"seq\":");
        self.json(&seq);
        self.raw(b",\"at_ms\":");
        self.json(&at);
        start
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.batch.extend_from_slice(bytes);
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Memory takes every byte, and none of our types can refuse to be written. If one ever
        // did, its line would not parse, which no reader overlooks.
        if serde_json::to_writer(&mut self.batch, value).is_err() {
            self.raw(b"!");
        }
    }
}
