//! Log lines on stderr: JSON for programs, plain lines for people.
//!
//! ```text
//! tracing event → fields → redacted → cut → one line → line queue → stderr
//! ```
//!
//! Invariant: every text is redacted, then bounded, before it enters the queue; one event is one line; an event never
//! waits for whoever reads stderr.
//!
//! Absent on purpose: spans, targets and filters by module. Event names are the contract: `event = "downstream.…"`.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::line_queue::{FlushOnDrop, LineQueue};
use super::redact::{Redactor, SharedRedactor, printable};

/// No field is longer, the mark of a cut aside.
pub const FIELD_BYTES_MAX: usize = 4_096;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStyle {
    /// One JSON object a line.
    Json,
    /// For a terminal.
    Pretty(Colour),
}

/// Whether a terminal gets colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// By level.
    ByLevel,
    /// None.
    None,
}

/// Who is at the other end of stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// It is a terminal.
    Person,
    /// It is anything else.
    Program,
}

impl Reader {
    /// Who reads this descriptor.
    pub fn of(stderr: &impl IsTerminal) -> Self {
        if stderr.is_terminal() {
            Self::Person
        } else {
            Self::Program
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Events of this level and above.
    pub level: Level,
    /// How they look.
    pub style: LogStyle,
    /// Stands in every JSON line.
    pub session_id: String,
    /// What `REA_LOG_LEVEL` says, if that is no level: told once.
    pub unknown_level: Option<String>,
}

impl LogSettings {
    /// What the user's environment and the kind of stderr ask for.
    pub fn from_environment(
        environment: &dyn Fn(&str) -> Option<String>,
        reader: Reader,
        session_id: impl Into<String>,
    ) -> Self {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let level_of = |word: &str| match word {
            // There is nothing finer than debug.
            "debug" | "trace" => Some(Level::DEBUG),
            "info" => Some(Level::INFO),
            "warn" => Some(Level::WARN),
            "error" => Some(Level::ERROR),
            _ => None,
        };
        let asked_for = set("REA_LOG_LEVEL");
        let unknown_level = asked_for.clone().filter(|word| level_of(word).is_none());
        // The other variable is everybody's, and says much that is none of ours.
        let level = asked_for
            .or_else(|| set("RUST_LOG"))
            .and_then(|word| level_of(&word))
            .unwrap_or(Level::INFO);
        let style = match (reader, set("NO_COLOR")) {
            (Reader::Program, _) => LogStyle::Json,
            (Reader::Person, None) => LogStyle::Pretty(Colour::ByLevel),
            (Reader::Person, Some(_)) => LogStyle::Pretty(Colour::None),
        };
        Self {
            level,
            style,
            session_id: session_id.into(),
            unknown_level,
        }
    }
}

/// Turns events into lines.
pub struct LogLines {
    settings: LogSettings,
    redactor: SharedRedactor,
    queue: LineQueue,
}

impl LogLines {
    /// Starts writing to `sink`. The guard is kept until the process ends, and then dropped.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(
        sink: impl AsFd + Send + 'static,
        settings: LogSettings,
        redactor: SharedRedactor,
    ) -> io::Result<(Self, FlushOnDrop)> {
        let for_dropped = settings.clone();
        let dropped_line =
            Box::new(move |dropped| Fields::of_dropped(dropped).line(&for_dropped, Level::WARN));
        let (queue, flush) = LineQueue::start(sink, dropped_line)?;
        if let Some(word) = &settings.unknown_level {
            let shown = redactor.current().redact_bounded(word, FIELD_BYTES_MAX);
            queue.push(Fields::of_unknown_level(&shown).line(&settings, Level::WARN));
        }
        Ok((
            Self {
                settings,
                redactor,
                queue,
            },
            flush,
        ))
    }
}

impl<S: Subscriber> Layer<S> for LogLines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_event() && *metadata.level() <= self.settings.level
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut collector = Collector {
            redactor: &self.redactor.current(),
            fields: Fields::default(),
        };
        event.record(&mut collector);
        self.queue.push(
            collector
                .fields
                .line(&self.settings, *event.metadata().level()),
        );
    }
}

/// An event's fields, ready to be shown; the ones that every line has are told apart.
#[derive(Default)]
struct Fields {
    event: Option<Value>,
    server_name: Option<Value>,
    message: Option<Value>,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn of_dropped(dropped: u64) -> Self {
        Self {
            event: Some("log.dropped".into()),
            server_name: None,
            message: Some("log lines were dropped: stderr was not read".into()),
            others: vec![("dropped_lines", dropped.into())],
        }
    }

    fn of_unknown_level(word: &str) -> Self {
        let message = format!(
            "REA_LOG_LEVEL {word:?} is no level, info is used: write debug, info, warn or error"
        );
        Self {
            event: Some("log.unknown_level".into()),
            server_name: None,
            message: Some(message.into()),
            others: Vec::new(),
        }
    }

    fn line(&self, settings: &LogSettings, level: Level) -> String {
        match settings.style {
            LogStyle::Json => {
                let line = JsonLine {
                    fields: self,
                    level,
                    session_id: &settings.session_id,
                };
                // Values are text, numbers and booleans: there is nothing that JSON can't say.
                let mut line = serde_json::to_string(&line).unwrap_or_default();
                line.push('\n');
                line
            }
            LogStyle::Pretty(colour) => self.pretty(level, colour),
        }
    }

    fn pretty(&self, level: Level, colour: Colour) -> String {
        let (start, end) = match (colour, level) {
            (Colour::None, _) => ("", ""),
            (Colour::ByLevel, Level::ERROR) => ("\u{1b}[31m", "\u{1b}[0m"),
            (Colour::ByLevel, Level::WARN) => ("\u{1b}[33m", "\u{1b}[0m"),
            (Colour::ByLevel, Level::INFO) => ("\u{1b}[32m", "\u{1b}[0m"),
            (Colour::ByLevel, _) => ("\u{1b}[2m", "\u{1b}[0m"),
        };
        let mut line = format!("[rea] {start}{:<5}{end}", level_word(level));
        for value in [&self.event, &self.server_name, &self.message]
            .into_iter()
            .flatten()
        {
            line.push(' ');
            line.push_str(&printable(&shown(value)));
        }
        for (name, value) in &self.others {
            // Writing to a String can't fail.
            let _ = write!(line, " {name}={}", printable(&shown(value)));
        }
        line.push('\n');
        line
    }
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        // Finer levels than debug are never let through.
        _ => "debug",
    }
}

struct JsonLine<'a> {
    fields: &'a Fields,
    level: Level,
    session_id: &'a str,
}

impl Serialize for JsonLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Fields {
            event,
            server_name,
            message,
            others,
        } = self.fields;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("timestamp", &format!("{:.3}", jiff::Timestamp::now()))?;
        map.serialize_entry("level", level_word(self.level))?;
        map.serialize_entry("session_id", self.session_id)?;
        for (name, value) in [
            ("event", event),
            ("server_name", server_name),
            ("message", message),
        ] {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        for (name, value) in others {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

struct Collector<'a> {
    redactor: &'a Redactor,
    fields: Fields,
}

impl Collector<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        let value = Some(value.into());
        match field.name() {
            "event" => self.fields.event = value,
            "server_name" => self.fields.server_name = value,
            "message" => self.fields.message = value,
            // Ours stand in every line; a second one of the same name would make the object ambiguous.
            "timestamp" | "level" | "session_id" => {}
            name => self.fields.others.extend(value.map(|value| (name, value))),
        }
    }
}

impl Visit for Collector<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = BoundedText {
            text: String::new(),
            room: self.redactor.window_bytes(FIELD_BYTES_MAX) + 1,
        };
        // It stops early when there is no more room.
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text.text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, self.redactor.redact_bounded(value, FIELD_BYTES_MAX));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

/// Takes what a value writes until there is no more room, so that a huge value costs no more than a line.
struct BoundedText {
    text: String,
    room: usize,
}

impl fmt::Write for BoundedText {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.text.len() >= self.room {
            return Err(fmt::Error);
        }
        // One piece more than there is room for does no harm; the redactor looks at its window alone.
        self.text.push_str(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
