//! The way back: files of one session, line by line, each proven before it is parsed.
//!
//! Memory is bounded by one line. What is wrong with a log has one of four names, and they call
//! for different things: *torn* (the writer was killed inside a write; everything before holds),
//! *corrupt* (a whole line is not what was written), *unreadable* (no log, or a newer one),
//! *missing* (files between two others are gone; the later one has snapshots to go on from).
//!
//! Invariant: no entry is returned whose link was not checked.

mod error;
mod files;
mod lines;

pub use error::ReadError;
pub use files::{LogFiles, MemoryFiles, NamedBytes, Source};

use super::chain::Chain;
use super::format::{FORMAT, HEADER_OPENING, Header, Hex64, Note, RULES};
use super::upcast::Known;
use lines::{Line, Lines};
use rea_fsm::{Event, EventKind, Leaf, Millis};
use serde::Deserialize;

/// One line, proven and parsed.
#[derive(Debug)]
pub enum Entry {
    /// A file begins.
    File {
        /// Its first line.
        header: Box<Header>,
        /// How many files between the one before and this one are gone.
        missing: u32,
    },
    /// A machine was told something.
    Input(Input),
    /// Something that no machine was told.
    Note(Noted),
}

/// What a machine was told, and what it came to then.
#[derive(Debug)]
pub struct Input {
    /// The record's number.
    pub seq: u64,
    /// Whose machine.
    pub server: String,
    /// What it was told, and when.
    pub event: Event,
    /// Beside a submitted call of a tool: its name.
    pub tool: Option<String>,
    /// Beside a submitted call that is another request: its method, and what it names.
    pub request: Option<String>,
    /// The state afterwards.
    pub state: Leaf,
    /// Digest over the effects.
    pub effects: Hex64,
    /// Digest over the machine afterwards.
    pub digest: Hex64,
    /// Digest over the machine's whole snapshot, beside some records.
    pub snapshot: Option<Hex64>,
}

impl Input {
    /// What is said beside the event, if anything is.
    pub fn label(&self) -> Option<&str> {
        self.tool.as_deref().or(self.request.as_deref())
    }
}

/// Something that no machine was told.
#[derive(Debug)]
pub struct Noted {
    /// The record's number.
    pub seq: u64,
    /// When.
    pub at: Millis,
    /// What.
    pub note: Note,
}

/// Both kinds of record as they stand in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    seq: u64,
    at_ms: Millis,
    server: Option<String>,
    event: Option<EventKind>,
    tool: Option<String>,
    request: Option<String>,
    state: Option<Leaf>,
    effects: Option<Hex64>,
    digest: Option<Hex64>,
    snapshot: Option<Hex64>,
    note: Option<Note>,
}

/// How a log ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Whether the session was stopped, rather than killed or still going on.
    pub closed: bool,
    /// Bytes behind the last newline.
    pub torn: Option<Torn>,
}

/// Bytes behind the last newline: a write that was cut short. What they said was never acted on,
/// or the writer was killed before it could act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Which file.
    pub file: String,
    /// Where they begin.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
}

/// Reads one session's log.
pub struct Reader {
    source: Box<dyn Source>,
    lines: Option<Lines>,
    known: Known,
    rules: u32,
    file: Option<u32>,
    chain: Chain,
    next_seq: u64,
    ending: Ending,
}

impl Reader {
    /// Reads from the first file that the source has.
    pub fn new(source: Box<dyn Source>) -> Self {
        Self {
            source,
            lines: None,
            known: Known::One,
            rules: RULES,
            file: None,
            chain: Chain::START,
            next_seq: 1,
            ending: Ending::default(),
        }
    }

    /// The next line; none at the end of the last file.
    ///
    /// # Errors
    /// The log is corrupt or can't be read. Nothing can be read after that.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ReadError> {
        loop {
            let Some(lines) = &mut self.lines else {
                let Some((name, bytes)) = self.source.next_file()? else {
                    return Ok(None);
                };
                self.lines = Some(Lines::new(name, bytes));
                if let Some(entry) = self.header()? {
                    return Ok(Some(entry));
                }
                continue;
            };
            match lines.next_line()? {
                Line::Whole => return self.record().map(Some),
                Line::Torn { bytes } => self.ending.torn = Some(lines.torn(bytes)),
                Line::End => {}
            }
            self.lines = None;
        }
    }

    /// How the log ended; for after the last entry.
    pub fn into_ending(self) -> Ending {
        self.ending
    }

    /// Reads a file's first line; none if it was torn.
    fn header(&mut self) -> Result<Option<Entry>, ReadError> {
        let Some(lines) = &mut self.lines else {
            return Ok(None);
        };
        match lines.next_line()? {
            Line::Whole => {}
            Line::Torn { bytes } => {
                self.ending.torn = Some(lines.torn(bytes));
                self.lines = None;
                return Ok(None);
            }
            Line::End => {
                // Made, and killed before the first write. A log without even a header is torn;
                // behind other files it is only one more beginning.
                if self.file.is_none() {
                    self.ending.torn = Some(lines.torn(0));
                }
                self.lines = None;
                return Ok(None);
            }
        }
        if !lines.line().starts_with(HEADER_OPENING) {
            return Err(if self.file.is_none() {
                lines.not_a_log()
            } else {
                lines.corrupt("the first line of the file is no header")
            });
        }
        self.known = known_format(lines)?;
        let Some((body, link)) = Chain::split(lines.line()) else {
            return Err(lines.corrupt("the header does not end in its chain"));
        };
        let body = body.to_vec();
        let mut text = body.clone();
        text.push(b'}');
        self.known.upcast(&mut text);
        let parsed = serde_json::from_slice::<Header>(&text);
        // The header says itself what it is tied to, because a log may be read from any file on.
        let tied_to = match &parsed {
            Ok(header) => header
                .continues
                .as_ref()
                .map_or(Chain::START, |before| before.chain),
            Err(_) => self.chain,
        };
        if tied_to.next(&body) != link {
            return Err(lines.corrupt("the header's chain does not fit it"));
        }
        let header = parsed.map_err(|error| not_understood(lines, self.rules, &error))?;
        let missing = self.follow(&header)?;
        self.chain = link;
        Ok(Some(Entry::File {
            header: Box::new(header),
            missing,
        }))
    }

    /// Checks that a file goes on where the one before ended.
    fn follow(&mut self, header: &Header) -> Result<u32, ReadError> {
        let Some(lines) = &self.lines else {
            return Ok(0);
        };
        let (seq, chain) = header
            .continues
            .as_ref()
            .map_or((1, Chain::START), |before| (before.seq, before.chain));
        if self.ending.torn.is_some() {
            return Err(lines.corrupt("the file before this one ends in a torn line"));
        }
        let missing = match self.file {
            None => 0,
            Some(before) if header.file == before.saturating_add(1) => {
                if chain != self.chain || seq != self.next_seq {
                    return Err(lines.corrupt(&format!(
                        "the file goes on at record {seq}, but the file before ends at record {}",
                        self.next_seq - 1
                    )));
                }
                0
            }
            Some(before) if header.file > before => header.file - before - 1,
            Some(_) => return Err(lines.corrupt("the file's number is not above the one before")),
        };
        self.file = Some(header.file);
        self.rules = header.rules;
        self.next_seq = seq;
        self.ending = Ending::default();
        Ok(missing)
    }

    fn record(&mut self) -> Result<Entry, ReadError> {
        let Some(lines) = &mut self.lines else {
            return Err(ReadError::Ended);
        };
        let Some((body, link)) = Chain::split(lines.line()) else {
            return Err(lines.corrupt("the line does not end in its chain"));
        };
        if self.chain.next(body) != link {
            return Err(lines.corrupt("the line's chain does not fit it and what is before it"));
        }
        if self.ending.closed {
            return Err(lines.corrupt("a record follows the end of the session"));
        }
        let length = body.len();
        let text = lines.line_mut();
        text.truncate(length);
        text.push(b'}');
        self.known.upcast(text);
        let record = match serde_json::from_slice::<Record>(text) {
            Ok(record) => record,
            Err(error) => return Err(not_understood(lines, self.rules, &error)),
        };
        let seq = record.seq;
        let Some(entry) = record.into_entry() else {
            return Err(lines.corrupt("the line is neither an input nor a note"));
        };
        let mut expected = self.next_seq;
        if let Entry::Note(Noted { note, .. }) = &entry {
            if let Note::Gap(gap) = note
                && gap.first == expected
                && gap.last.checked_add(1).is_some_and(|next| next >= expected)
            {
                expected = gap.last + 1;
            }
            self.ending.closed = matches!(note, Note::Closed {});
        }
        if seq != expected {
            return Err(lines.corrupt(&format!("record {expected} should stand here, not {seq}")));
        }
        self.chain = link;
        self.next_seq = seq + 1;
        Ok(entry)
    }
}

fn known_format(lines: &Lines) -> Result<Known, ReadError> {
    let digits = &lines.line()[HEADER_OPENING.len()..];
    let end = digits
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(digits.len());
    let number = std::str::from_utf8(&digits[..end])
        .ok()
        .and_then(|digits| digits.parse().ok());
    let Some(number) = number else {
        return Err(lines.corrupt("the header's format is no number"));
    };
    Known::of(number).ok_or_else(|| {
        if number > FORMAT {
            ReadError::NewerFormat {
                file: lines.name().to_owned(),
                format: number,
            }
        } else {
            lines.corrupt("there never was such a format")
        }
    })
}

/// A line that is as it was written, and still makes no sense.
fn not_understood(lines: &Lines, rules: u32, error: &serde_json::Error) -> ReadError {
    if rules > RULES {
        ReadError::NewerRules {
            file: lines.name().to_owned(),
            rules,
        }
    } else {
        lines.corrupt(&format!("the line is not understood: {error}"))
    }
}

impl Record {
    fn into_entry(self) -> Option<Entry> {
        let Self {
            seq,
            at_ms: at,
            server,
            event,
            tool,
            request,
            state,
            effects,
            digest,
            snapshot,
            note,
        } = self;
        match (note, server, event, state, effects, digest) {
            (None, Some(server), Some(event), Some(state), Some(effects), Some(digest)) => {
                let event = Event {
                    at_ms: at,
                    kind: event,
                };
                Some(Entry::Input(Input {
                    seq,
                    server,
                    event,
                    tool,
                    request,
                    state,
                    effects,
                    digest,
                    snapshot,
                }))
            }
            (Some(note), None, None, None, None, None)
                if tool.is_none() && request.is_none() && snapshot.is_none() =>
            {
                Some(Entry::Note(Noted { seq, at, note }))
            }
            _ => None,
        }
    }
}
