//! The account of a server, as text for people or as an object for programs.

use super::chain::Link;
use super::clock;
use super::last_words::LastWords;
use super::standing::Standing;
use super::story::WholeStory;
use crate::publish::advice::{self, Around, Stderr};
use crate::publish::terminal::safe;
use crate::replay::{Outcome, Report};
use jiff::Timestamp;
use rea_fsm::{Leaf, Millis};
use serde::Serialize;
use std::io::{self, Write};

/// Whether the gateway still runs, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It runs.
    Live,
    /// It was stopped.
    Stopped,
    /// It was killed, or the machine went down.
    Lost,
    /// It does not run; the log can't be read to its end.
    Unknown,
}

/// Everything that is told about a server.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    server: String,
    live: bool,
    state: Leaf,
    #[serde(serialize_with = "to_the_millisecond")]
    since: Timestamp,
    links: Vec<LinkTold>,
    left_out: u64,
    now: String,
    next: Vec<String>,
    /// What it has written to its standard error last, if something is wrong.
    last_words: Vec<String>,
    #[serde(skip)]
    headings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct LinkTold {
    #[serde(serialize_with = "to_the_millisecond")]
    at: Timestamp,
    seq: u64,
    text: String,
    state_after: Leaf,
    #[serde(skip)]
    left_out_before: u64,
}

fn to_the_millisecond<S: serde::Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{at:.3}"))
}

impl Account {
    pub(super) fn new(
        server: &str,
        story: WholeStory,
        ending: Ending,
        report: &Report,
        words: Option<LastWords>,
    ) -> Self {
        let WholeStory {
            session,
            clock,
            last_at,
            last_seq,
            standing,
            at_stop,
            links,
            left_out,
        } = story;
        let wall = |at: Millis| clock.beside(last_at, at);
        let end = wall(last_at);
        let mut headings = vec![format!(
            "Server `{server}` in session {session}. Times are UTC."
        )];
        headings.extend(match ending {
            Ending::Live => None,
            Ending::Stopped => Some(format!("This gateway has ended: it was stopped at {end}.")),
            Ending::Lost => Some(format!(
                "This gateway has ended without being stopped: it was killed, or the machine went \
                 down. Its last record is of {end}."
            )),
            Ending::Unknown => Some("This gateway has ended.".to_owned()),
        });
        headings.extend(match report.outcome {
            Outcome::Identical => None,
            Outcome::Diverged(_) | Outcome::Unreadable(_) => Some(format!(
                "The log can be followed up to record {last_seq} only, at {end}."
            )),
        });
        // What was wrong with a server says more than that it was stopped.
        let told = at_stop.as_ref().unwrap_or(&standing);
        let file = words.as_ref().map(|words| safe(words.file.as_str()));
        let around = Around {
            wall: &wall,
            due: told.due,
            stderr: file.as_deref().map_or(Stderr::Nothing, Stderr::In),
        };
        let next = match ending {
            Ending::Live => advice::next(&standing.view, &around),
            Ending::Stopped | Ending::Lost | Ending::Unknown => {
                let restart = "It is started again with the next gateway, which its client starts.";
                let mut next = vec![restart.to_owned()];
                next.extend(advice::to_do(&told.view, around.stderr));
                next
            }
        };
        let is_down = told.view.state != Leaf::Blocked && told.view.last_error.is_some();
        Self {
            server: server.to_owned(),
            live: ending == Ending::Live,
            state: standing.view.state,
            since: clock.at(standing.view.since_ms),
            links: links.iter().map(LinkTold::of).collect(),
            left_out,
            now: harmless(&now(&standing, at_stop.as_ref(), ending, &wall)),
            next: next.iter().map(|text| harmless(text)).collect(),
            last_words: words
                .filter(|_| is_down)
                .map(|words| words.lines.iter().map(|line| harmless(line)).collect())
                .unwrap_or_default(),
            headings: headings.iter().map(|text| harmless(text)).collect(),
        }
    }

    /// One object.
    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// What is so whatever the log says stands above everything else.
    pub(super) fn head(&mut self, text: &str) {
        self.headings.insert(1, harmless(text));
    }

    /// The chain, then the present, then the future. On a terminal lines are broken between words.
    pub(super) fn write_text(&self, out: &mut dyn Write, columns: Option<usize>) -> io::Result<()> {
        let say = |first: &str, text: &str, out: &mut dyn Write| {
            let Some(columns) = columns else {
                return writeln!(out, "{first}{text}");
            };
            let rest = " ".repeat(first.chars().count());
            let options = textwrap::Options::new(columns)
                .initial_indent(first)
                .subsequent_indent(&rest)
                .word_separator(textwrap::WordSeparator::AsciiSpace)
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            textwrap::wrap(text, options)
                .iter()
                .try_for_each(|line| writeln!(out, "{line}"))
        };
        for heading in &self.headings {
            say("", heading, out)?;
        }
        writeln!(out)?;
        let width = self
            .links
            .iter()
            .map(|link| link.seq.to_string().len())
            .max();
        let width = width.unwrap_or(0);
        let mut day = None;
        for link in &self.links {
            let date = clock::date(link.at);
            if day.as_ref() != Some(&date) {
                writeln!(out, "{date}")?;
                day = Some(date);
            }
            if link.left_out_before > 0 {
                writeln!(out, "  … {} more left out here", link.left_out_before)?;
            }
            let (time, seq) = (clock::time(link.at), link.seq);
            say(&format!("  {time}  seq {seq:<width$}  "), &link.text, out)?;
        }
        if self.links.is_empty() {
            writeln!(out, "Nothing has happened to it yet.")?;
        }
        writeln!(out)?;
        say("Now:   ", &self.now, out)?;
        for (index, next) in self.next.iter().enumerate() {
            let label = if index == 0 { "Next: " } else { "      " };
            say(&format!("{label} "), next, out)?;
        }
        if !self.last_words.is_empty() {
            writeln!(out, "Its last words on standard error:")?;
            for line in &self.last_words {
                writeln!(out, "  | {line}")?;
            }
        }
        Ok(())
    }
}

fn now(
    standing: &Standing,
    at_stop: Option<&Standing>,
    ending: Ending,
    wall: &dyn Fn(Millis) -> String,
) -> String {
    let since = |standing: &Standing| wall(standing.view.since_ms);
    let state = |standing: &Standing| advice::state(&standing.view);
    let (is, told) = match (ending, at_stop) {
        (Ending::Live, _) => (
            format!("Since {} it is {}.", since(standing), state(standing)),
            standing,
        ),
        (Ending::Stopped | Ending::Lost | Ending::Unknown, Some(before)) => (
            format!(
                "Since {} it is {}. Before the gateway stopped it, since {}, it was {}.",
                since(standing),
                state(standing),
                since(before),
                state(before)
            ),
            before,
        ),
        (Ending::Stopped | Ending::Lost | Ending::Unknown, None) => (
            format!(
                "At the end, since {}, it was {}.",
                since(standing),
                state(standing)
            ),
            standing,
        ),
    };
    let mut sentences = vec![is];
    sentences.extend(told.awaited().map(|awaited| format!("So far, {awaited}.")));
    let circuit = advice::circuit(told.view.circuit, wall);
    sentences.push(format!("Its circuit is {circuit}."));
    let error = advice::last_error(&told.view);
    sentences.extend(error.map(|error| format!("Last error: {error}.")));
    sentences.join(" ")
}

fn harmless(text: &str) -> String {
    safe(text).into_owned()
}

impl LinkTold {
    fn of(link: &Link) -> Self {
        Self {
            at: link.place.at,
            seq: link.place.seq,
            text: harmless(&link.text),
            state_after: link.place.state_after,
            left_out_before: link.left_out_before,
        }
    }
}
