//! The table for people. No line is wider than 80 columns, and no text from outside can do more to a
//! terminal than be read.

use super::Report;
use super::verdict::{self, A_MOMENT, Verdict};
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
    page.unseen(&report.found.unseen);
    page.halt(&report.halt);
    if let Some(seen) = report.main() {
        page.gateway_log(seen);
        page.servers(seen);
    }
    for other in report.others() {
        page.other(other);
    }
    page.registry(report);
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

    /// What went wrong, as far as there is room; `rea explain` has all of it.
    fn error(&mut self, text: &str) {
        const LINES_MAX: usize = 4;
        let lines = wrapped(&printable(text), WIDTH - INDENT.len() - 1);
        for (number, line) in lines.iter().take(LINES_MAX).enumerate() {
            let is_cut = number + 1 == LINES_MAX && lines.len() > LINES_MAX;
            self.line(&format!("{INDENT}{line}{}", if is_cut { "…" } else { "" }));
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
            (_, None) if !report.found.unseen.is_empty() => self.line(&root),
            (_, None) => self.line(&format!(
                "No gateway is running, and none has run yet, in {root}"
            )),
            (_, Some(seen)) => self.session(seen, &root, &report.found.unseen),
        }
    }

    fn session(&mut self, seen: &Seen, root: &str, unseen: &[Duration]) {
        let is_running = if unseen.is_empty() {
            "No gateway is running."
        } else {
            "No gateway that runs has written its state."
        };
        let state = &seen.state;
        let up = since(state.started_at, seen);
        let version = printable(&state.version).into_owned();
        let id = printable(&state.session_id).into_owned();
        match seen.liveness {
            Liveness::Running | Liveness::Silent | Liveness::Suspended => self.line(&format!(
                "rea {version}, running for {}, process {}, session {id}",
                age(up),
                state.owner_pid,
            )),
            Liveness::Closed => self.line(&format!(
                "{is_running} The last one ended {} ago; this is what it left.",
                age(seen.age)
            )),
            Liveness::Crashed => {
                self.loud(&format!(
                    "{is_running} The last one was killed or crashed; this is its state of {} \
                     ago. The next one starts when its client connects again.",
                    age(seen.age)
                ));
            }
        }
        for line in wrapped(root, WIDTH) {
            self.line(&line);
        }
        match seen.liveness {
            Liveness::Suspended => self.loud(&format!(
                "SUSPENDED: its process is stopped and does nothing; what follows is from before. \
                 `kill -CONT {}` lets it go on.",
                state.owner_pid
            )),
            Liveness::Silent => self.loud(&format!(
                "NOT HEARD OF for {}: it hangs, or its state can't be written (is the disk full?). \
                 What follows is from before.",
                age(seen.age)
            )),
            Liveness::Running | Liveness::Closed | Liveness::Crashed => {}
        }
    }

    /// Gateways of which nothing is known but that they live.
    fn unseen(&mut self, unseen: &[Duration]) {
        for began in unseen {
            if *began > A_MOMENT {
                self.loud(&format!(
                    "A gateway that was started {} ago has not written its state: it hangs, or the \
                     disk takes nothing (is it full?).",
                    age(*began)
                ));
            } else {
                self.line("A gateway is starting.");
            }
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
        match (server.session_blocker_emitted, verdict::of_server(server)) {
            (false, _) => {}
            (true, Verdict::Well) => self.said("it was in trouble for long before that"),
            (true, _) => {
                self.loud(
                    "    SESSION_BLOCKER: it has been in trouble for long; somebody should look",
                );
            }
        }
        if server.queue > 0 {
            self.said(&format!("{} of the calls wait to be sent", server.queue));
        }
        if let Some(error) = &server.last_error {
            self.error(error);
        }
        if verdict::of_server(server) != Verdict::Well && seen.liveness.is_alive() {
            self.next(server, seen);
        }
        for complaint in &server.complaints {
            let count = match complaint.count {
                1 => "once".to_owned(),
                count => format!("{count} times"),
            };
            self.said(&format!("{} ({count})", complaint.text));
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

    /// What the registry says beside that.
    fn registry(&mut self, report: &Report) {
        match &report.registry {
            Ok(disabled) if disabled.is_empty() => {}
            Ok(disabled) => {
                let names = format!("Not enabled in the registry: {}", disabled.join(", "));
                for line in wrapped(&printable(&names), WIDTH) {
                    self.line(&line);
                }
            }
            Err(problem) => {
                self.loud("The registry can't be used, and no gateway can start with it:");
                for line in problem.lines().filter(|line| !line.is_empty()) {
                    self.said(line);
                }
            }
        }
    }

    fn other(&mut self, seen: &Seen) {
        let state = &seen.state;
        let total = state.downstreams.len();
        let well = state
            .downstreams
            .iter()
            .filter(|server| verdict::of_server(server) == Verdict::Well)
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
        Liveness::Running | Liveness::Silent | Liveness::Suspended => before + seen.age,
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
    let options = textwrap::Options::new(width)
        // A path is copied as a whole.
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options)
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}
