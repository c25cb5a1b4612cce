//! A client's stream into the gateway, and what came of it.
//!
//! An input's first line has the milliseconds between pieces, how it ends (0: with the client's
//! input, 1: with a signal, 2: with nobody reading any more) and the sizes of the pieces. In its
//! other lines `@state@` is the `requestState` that was heard last, `@question@` the id that the
//! gateway has asked under last, and a line `@wait 100@` lets time pass.

use crate::head::{pieces, split};
use crate::model::{Said, last, read};
use crate::servers::{NAMES, birth};
use crate::simulation::harness::{Remainder, ServerSpec, Setup, Sim};
use crate::simulation::world::Waiting;
use rea_fsm::Protocol;

/// Small enough for seeds to go over it.
pub(crate) const LINE_BYTES_MAX: usize = 2048;
/// More says nothing new, and takes long.
const LINES_MAX: usize = 48;
const PIECES_PER_LINE_MAX: usize = 64;
const GAP_MS_MAX: u64 = 200;
const WAIT_MS_MAX: u64 = 700_000;
const WAITS_MAX: usize = 2;
const ENDED_MS_MAX: u64 = 1_000_000;

/// What ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    Input,
    Signal,
    NobodyReads,
}

pub(crate) struct Conversation {
    /// What was written, with everything put in for what stood for it.
    pub(crate) written: Vec<u8>,
    pub(crate) ends: Ends,
    /// What the client was sent.
    pub(crate) heard: Vec<String>,
    pub(crate) left: Remainder,
}

impl Conversation {
    pub(crate) fn of(input: &[u8]) -> Self {
        let (numbers, stream) = split(input);
        let mut numbers = numbers.into_iter();
        let gap_ms = numbers.next().unwrap_or(0).min(GAP_MS_MAX);
        let ends = match numbers.next().unwrap_or(0) % 3 {
            0 => Ends::Input,
            1 => Ends::Signal,
            _ => Ends::NobodyReads,
        };
        let sizes: Vec<u64> = numbers.collect();

        let mut sim = gateway();
        let mut written = Vec::new();
        let mut waits = 0;
        for line in stream
            .split_inclusive(|byte| *byte == b'\n')
            .take(LINES_MAX)
        {
            if let Some(wait_ms) = wait(line) {
                waits += 1;
                if waits <= WAITS_MAX {
                    let at = sim.now + wait_ms.min(WAIT_MS_MAX);
                    sim.run_to(at);
                }
                continue;
            }
            let line = put_in(line, &mut sim);
            written.extend_from_slice(&line);
            let mut pieces = pieces(&line, &sizes);
            if pieces.len() > PIECES_PER_LINE_MAX {
                pieces = vec![&line];
            }
            for piece in pieces {
                sim.happens(Waiting::Client(piece.to_vec()));
                let at = sim.now + gap_ms;
                sim.run_to(at);
            }
        }
        sim.happens(match ends {
            Ends::Input => Waiting::ClientEnded,
            Ends::Signal => Waiting::Signalled,
            Ends::NobodyReads => Waiting::ClientGone,
        });
        let limit = sim.now + ENDED_MS_MAX;
        let left = sim.run_out(limit);
        let heard = left.world.client_text();
        let heard = heard.lines().map(str::to_owned).collect();
        Self {
            written,
            ends,
            heard,
            left,
        }
    }

    /// The lines that the gateway has to have taken, the `\n` taken off.
    pub(crate) fn lines(&self) -> Vec<&[u8]> {
        let mut lines: Vec<&[u8]> = self.written.split(|byte| *byte == b'\n').collect();
        // What no line break ends is a line if the input ends there.
        if self.ends != Ends::Input || lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        lines
    }
}

fn gateway() -> Sim {
    let specs = NAMES.map(|name| {
        let mut spec = ServerSpec::named(name);
        spec.tuning.protocol = Protocol::Auto;
        spec
    });
    let mut setup = Setup::of(specs.into());
    setup.line_bytes_max = LINE_BYTES_MAX;
    Sim::new(setup, Box::new(|server, _| birth(server)))
}

fn wait(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?.trim_end();
    text.strip_prefix("@wait ")?.strip_suffix('@')?.parse().ok()
}

/// The line with what is known by now in place of what stands for it.
fn put_in(line: &[u8], sim: &mut Sim) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(line) else {
        return line.to_vec();
    };
    if !text.contains('@') {
        return line.to_vec();
    }
    let heard = sim.heard();
    let state = heard.iter().rev().find_map(|line| {
        let result = last(line, "result")?;
        Some(last(result, "requestState")?.trim_matches('"').to_owned())
    });
    let question = heard
        .iter()
        .rev()
        .find_map(|line| match read(line.as_bytes()) {
            Ok(Said::Request { id, .. }) => Some(id.to_owned()),
            Ok(Said::Notification { .. } | Said::Result { .. } | Said::Error { .. }) | Err(_) => {
                None
            }
        });
    let text = text.replace("@state@", state.as_deref().unwrap_or("none"));
    let text = text.replace("@question@", question.as_deref().unwrap_or("0"));
    text.into_bytes()
}
