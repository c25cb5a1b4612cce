//! The table for people. No line is wider than 80 columns, and no text from outside can do more to a
//! terminal than be read.

use super::{Report, verdict};
use crate::config::halt::Halt;
use crate::live_state::{CircuitState, DownstreamState, Era, Liveness, LogStatus, ReadState, Seen};
use crate::publish::redact::printable;
use jiff::Timestamp;
use rea_fsm::{Health, Leaf};
use std::time::Duration;

const WIDTH: usize = 80;
const INDENT: &str = "    ";
/// Longer names have a line of their own.
const NAME_WIDTH: usize = 20;

/// Whether a terminal shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Coloured,
}

impl Style {
    pub(super) fn of(is_terminal: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if is_terminal && !unwanted {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    fn paint(self, colour: Colour, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\x1b[{}m{text}\x1b[0m", colour as u8),
        }
    }
}

#[derive(Clone, Copy)]
enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// All of it.
pub(super) fn render(report: &Report, style: Style) -> String {
    let mut page = Page {
        text: String::new(),
        style,
    };
    page.head(report);
    page.halt(&report.halt);
    if let Some(seen) = report.main() {
        page.gateway_log(seen);
        page.servers(seen);
    }
    for other in report.others() {
        page.other(other);
    }
    page.text
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A paragraph of any text, indented and wrapped.
    fn said(&mut self, text: &str) {
        for line in wrapped(&printable(text), WIDTH - INDENT.len()) {
            self.line(&format!("{INDENT}{line}"));
        }
    }

    fn loud(&mut self, text: &str) {
        for line in wrapped(&printable(text), WIDTH) {
            let line = self.style.paint(Colour::Red, &line);
            self.line(&line);
        }
    }

    fn head(&mut self, report: &Report) {
        let root = printable(report.root.as_str()).into_owned();
        match (&report.found.owner, report.main()) {
            (Err(ReadState::Unreadable { .. } | ReadState::Unknown { .. }), None) => {
                self.line(&format!("The state of {root} can't be shown."));
            }
            (_, None) if report.found.starting > 0 => {
                self.line(&format!("A gateway is starting in {root}"));
            }
            (_, None) => self.line(&format!(
                "No gateway is running, and none has run yet, in {root}"
            )),
            (_, Some(seen)) => self.session(seen, &root),
        }
    }

    fn session(&mut self, seen: &Seen, root: &str) {
        let state = &seen.state;
        let up = since(state.started_at, seen);
        let version = printable(&state.version).into_owned();
        let id = printable(&state.session_id).into_owned();
        match seen.liveness {
            Liveness::Running | Liveness::Suspended => self.line(&format!(
                "rea {version}, running for {}, process {}, session {id}",
                age(up),
                state.owner_pid,
            )),
            Liveness::Closed => self.line(&format!(
                "No gateway is running. The last one ended {} ago; this is what it left.",
                age(seen.age)
            )),
            Liveness::Crashed => {
                self.loud(&format!(
                    "No gateway is running. The last one was killed or crashed; this is its state \
                     of {} ago.",
                    age(seen.age)
                ));
            }
        }
        self.line(root);
        if seen.liveness == Liveness::Suspended {
            self.loud(&format!(
                "SUSPENDED: its process is stopped and does nothing; what follows is from before. \
                 `kill -CONT {}` lets it go on.",
                state.owner_pid
            ));
        }
    }

    fn halt(&mut self, halt: &Halt) {
        match halt {
            Halt::Absent => {}
            Halt::Present { reason } if reason.is_empty() => {
                self.loud("FROZEN: every call is refused. `rea unfreeze` lifts it.");
            }
            Halt::Present { reason } => self.loud(&format!(
                "FROZEN: every call is refused: {reason}. `rea unfreeze` lifts it."
            )),
            Halt::Unknown { error } => self.loud(&format!(
                "FROZEN: every call is refused, since .rea/HALT can't be looked for ({error})."
            )),
        }
    }

    fn gateway_log(&mut self, seen: &Seen) {
        let log = &seen.state.log;
        let reason = log.reason.as_deref().unwrap_or("no reason is known");
        match log.state {
            LogStatus::Ok => {}
            LogStatus::Off => self.line("The event log is switched off (journal: off)."),
            LogStatus::Gap => self.loud(&format!(
                "THE EVENT LOG CAN'T BE WRITTEN ({reason}): events are missing from it. Free the disk."
            )),
            LogStatus::Unsynced => self.loud(&format!(
                "The event log can't be brought to the disk ({reason}): it may not survive a loss of power."
            )),
        }
    }

    fn servers(&mut self, seen: &Seen) {
        let servers = &seen.state.downstreams;
        self.line("");
        if servers.is_empty() {
            self.line("There is no server: add one to .rea/registry.yaml.");
            return;
        }
        let width = servers
            .iter()
            .map(|server| server.name.chars().count())
            .filter(|width| *width <= NAME_WIDTH)
            .max()
            .unwrap_or(0)
            .max("SERVER".len());
        self.line(&format!(
            "{:width$}  {:<11} {:>7}  {:<9} {:>5} {:>8} {:>5} ERA",
            "SERVER", "STATE", "SINCE", "CIRCUIT", "CALLS", "RESTARTS", "TOOLS"
        ));
        for server in servers {
            self.server(server, seen, width);
        }
    }

    fn server(&mut self, server: &DownstreamState, seen: &Seen, width: usize) {
        let name = printable(&server.name);
        let name = if name.chars().count() > width {
            self.line(&name);
            ""
        } else {
            &name
        };
        let colour = match server.health {
            Health::Healthy => Colour::Green,
            Health::Degraded => Colour::Yellow,
            Health::Unhealthy => Colour::Red,
        };
        let state = self
            .style
            .paint(colour, &format!("{:<11}", state_word(server.state)));
        let calls = server.in_flight.saturating_add(server.queue).to_string();
        let tools = server
            .tools_count
            .map_or("-".to_owned(), |count| count.to_string());
        self.line(&format!(
            "{name:width$}  {state} {:>7}  {:<9} {calls:>5} {:>8} {tools:>5} {}",
            age(since(server.since, seen)),
            circuit_word(server.circuit_state),
            server.restarts_in_window,
            server.era.map_or("-", era_word),
        ));
        if server.session_blocker_emitted {
            self.loud("    SESSION_BLOCKER: it has been in trouble for long; somebody should look");
        }
        if server.queue > 0 {
            self.said(&format!("{} of the calls wait to be sent", server.queue));
        }
        if let Some(error) = &server.last_error {
            self.said(error);
        }
        if verdict::of_server(server) != verdict::Verdict::Well && seen.liveness.is_alive() {
            self.next(server, seen);
        }
        for complaint in &server.complaints {
            self.said(&format!("{} ({} times)", complaint.text, complaint.count));
        }
    }

    /// What happens by itself, and what a person can do.
    fn next(&mut self, server: &DownstreamState, seen: &Seen) {
        let mut next = server.next.iter();
        let by_itself = next.next();
        match (server.retry_at, by_itself) {
            (Some(retry_at), _) => self.said(&next_try(retry_at, seen)),
            (None, Some(by_itself)) => self.said(by_itself),
            (None, None) => {}
        }
        for to_do in next {
            self.said(&format!("→ {to_do}"));
        }
    }

    fn other(&mut self, seen: &Seen) {
        let state = &seen.state;
        let total = state.downstreams.len();
        let well = state
            .downstreams
            .iter()
            .filter(|server| verdict::of_server(server) == verdict::Verdict::Well)
            .count();
        self.line("");
        for line in wrapped(
            &format!(
                "Also running here: {well} of {total} servers well, for {}, process {}, session {}",
                age(since(state.started_at, seen)),
                state.owner_pid,
                printable(&state.session_id),
            ),
            WIDTH,
        ) {
            self.line(&line);
        }
    }
}

fn state_word(leaf: Leaf) -> &'static str {
    match leaf {
        Leaf::Idle => "not started",
        Leaf::Connecting => "starting",
        Leaf::Ready => "ready",
        Leaf::Suspect => "suspect",
        Leaf::Backoff => "pausing",
        Leaf::Reaping => "restarting",
        Leaf::Stuck => "stuck",
        Leaf::Blocked => "blocked",
        Leaf::FlapLocked => "locked",
        Leaf::Draining => "stopping",
        Leaf::Terminating => "stopping",
        Leaf::Closed => "ended",
    }
}

fn era_word(era: Era) -> &'static str {
    match era {
        Era::Legacy => "legacy",
        Era::Modern => "modern",
    }
}

fn circuit_word(circuit: CircuitState) -> &'static str {
    match circuit {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half-open",
    }
}

/// How long ago something was. Times of one state are compared with each other, and its age with the
/// clock that dates files, so that a clock that was set moves nothing.
fn since(at: Timestamp, seen: &Seen) -> Duration {
    let before = Duration::try_from(seen.state.updated_at.duration_since(at)).unwrap_or_default();
    match seen.liveness {
        Liveness::Running | Liveness::Suspended => before + seen.age,
        Liveness::Closed | Liveness::Crashed => before,
    }
}

fn next_try(at: Timestamp, seen: &Seen) -> String {
    let left = Duration::try_from(at.duration_since(seen.state.updated_at)).unwrap_or_default();
    match left.checked_sub(seen.age) {
        Some(left) if !left.is_zero() => format!("next try in {}, at {at:.0}", age(left)),
        Some(_) | None => "next try: now".to_owned(),
    }
}

/// A length of time in one unit, never in more than seven characters.
fn age(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// The text in lines, broken between words where that is possible.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    textwrap::wrap(text, width)
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}
