use super::*;
use crate::config::secret::Secret;
use std::io::{PipeReader, Read};
use tracing::{debug, error, info, warn};
use tracing_subscriber::layer::SubscriberExt;

fn settings(level: Level, style: LogStyle) -> LogSettings {
    LogSettings {
        level,
        style,
        session_id: "s1".to_owned(),
        unknown_level: None,
    }
}

/// Everything that is written while `act` runs.
fn written(settings: LogSettings, act: impl FnOnce()) -> String {
    let (reader, writer) = io::pipe().unwrap();
    let secrets = [Secret::new("hunter2hunter2")];
    let redactor = Redactor::new().unwrap().with_secrets(&secrets).unwrap();
    let (layer, flush) = LogLines::start(writer, settings, SharedRedactor::new(redactor)).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
    drop(flush);
    all(reader)
}

fn all(mut reader: PipeReader) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

fn json(level: Level, act: impl FnOnce()) -> Vec<Value> {
    let text = written(settings(level, LogStyle::Json), act);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_line_has_the_named_fields_first_and_in_order() {
    let text = written(settings(Level::INFO, LogStyle::Json), || {
        warn!(
            attempt = 2,
            event = "downstream.child_died",
            server_name = "time",
            ok = false,
            "it died: {}",
            9
        );
    });
    let (stamp, rest) = text.split_once("\",").unwrap();
    assert!(
        stamp.starts_with("{\"timestamp\":\"20") && stamp.ends_with('Z'),
        "{stamp}"
    );
    assert_eq!(
        stamp.len(),
        "{\"timestamp\":\"2026-01-01T00:00:00.000Z".len()
    );
    assert_eq!(
        rest,
        "\"level\":\"warn\",\"session_id\":\"s1\",\"event\":\"downstream.child_died\",\"server_name\":\"time\",\
         \"message\":\"it died: 9\",\"attempt\":2,\"ok\":false}\n"
    );
}

#[test]
fn fields_that_an_event_does_not_have_are_left_out() {
    let lines = json(Level::INFO, || info!("hello"));
    let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["level", "message", "session_id", "timestamp"]);
}

#[test]
fn an_event_can_not_speak_for_the_gateway() {
    let lines = json(Level::INFO, || {
        info!(level = "error", session_id = "other", timestamp = 0, "x");
    });
    assert_eq!(lines[0]["level"], "info");
    assert_eq!(lines[0]["session_id"], "s1");
    assert!(lines[0]["timestamp"].is_string());
}

#[test]
fn levels_below_the_wanted_one_are_silent() {
    let all_levels = || {
        error!("e");
        warn!("w");
        info!("i");
        debug!("d");
        tracing::trace!("t");
    };
    for (level, expected) in [
        (Level::ERROR, "e"),
        (Level::WARN, "ew"),
        (Level::INFO, "ewi"),
        (Level::DEBUG, "ewid"),
    ] {
        let lines = json(level, all_levels);
        let told: String = lines
            .iter()
            .map(|line| line["message"].as_str().unwrap())
            .collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn texts_of_every_kind_are_redacted() {
    let failure = io::Error::other("with hunter2hunter2");
    let lines = json(Level::INFO, || {
        info!(
            text = "hunter2hunter2",
            display = %"a hunter2hunter2",
            debug = ?Some("hunter2hunter2"),
            failure = &failure as &(dyn std::error::Error + 'static),
            "message hunter2hunter2, Bearer 0123456789abcdef"
        );
    });
    assert!(!lines[0].to_string().contains("hunter2"), "{}", lines[0]);
    assert_eq!(lines[0]["display"], "a [REDACTED]");
    assert_eq!(lines[0]["failure"], "with [REDACTED]");
    assert_eq!(lines[0]["message"], "message [REDACTED], Bearer [REDACTED]");
}

#[test]
fn long_texts_are_cut_after_redaction() {
    let long = format!("{}hunter2hunter2", "x".repeat(FIELD_BYTES_MAX - 4));
    let huge = "y".repeat(10 << 20);
    let lines = json(Level::INFO, || info!(long, huge = ?huge, "m"));
    let shown = lines[0]["long"].as_str().unwrap();
    assert_eq!(&shown[FIELD_BYTES_MAX - 4..], "[RED…[truncated]");
    assert_eq!(
        lines[0]["huge"].as_str().unwrap().len(),
        FIELD_BYTES_MAX + "…[truncated]".len()
    );
}

#[test]
fn one_event_is_one_line_whatever_is_in_it() {
    for style in [LogStyle::Json, LogStyle::Pretty(Colour::None)] {
        let text = written(settings(Level::INFO, style), || {
            info!(event = "a.b", "one\ntwo\r\u{2028}three");
        });
        assert_eq!(text.matches('\n').count(), 1, "{text}");
    }
}

#[test]
fn people_get_a_short_line_that_can_not_steer_their_terminal() {
    let text = written(
        settings(Level::INFO, LogStyle::Pretty(Colour::None)),
        || {
            warn!(
                event = "downstream.child_died",
                server_name = "time",
                status = 1,
                "\u{1b}[2Jgone"
            );
        },
    );
    assert_eq!(
        text,
        "[rea] warn  downstream.child_died time ?[2Jgone status=1\n"
    );
    let text = written(
        settings(Level::INFO, LogStyle::Pretty(Colour::ByLevel)),
        || error!("no"),
    );
    assert_eq!(text, "[rea] \u{1b}[31merror\u{1b}[0m no\n");
}

#[test]
fn the_environment_chooses_the_level() {
    let level = |rea: Option<&str>, rust: Option<&str>| {
        let environment = |name: &str| match name {
            "REA_LOG_LEVEL" => rea.map(str::to_owned),
            "RUST_LOG" => rust.map(str::to_owned),
            _ => None,
        };
        LogSettings::from_environment(&environment, Reader::Program, "s").level
    };
    assert_eq!(level(None, None), Level::INFO);
    assert_eq!(level(Some("debug"), Some("error")), Level::DEBUG);
    assert_eq!(level(Some(""), Some("error")), Level::ERROR);
    assert_eq!(level(None, Some("warn")), Level::WARN);
    assert_eq!(level(Some("trace"), None), Level::DEBUG);
    assert_eq!(level(Some("verbose"), Some("error")), Level::INFO);
    assert_eq!(level(None, Some("info,hyper=debug")), Level::INFO);
}

#[test]
fn a_word_that_is_no_level_is_told_once() {
    let environment = |name: &str| (name == "REA_LOG_LEVEL").then(|| "loud".to_owned());
    let settings = LogSettings::from_environment(&environment, Reader::Program, "s");
    let told = written(settings, || {});
    let line: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(line["level"], "warn");
    assert_eq!(line["event"], "log.unknown_level");
    assert_eq!(
        line["message"],
        "REA_LOG_LEVEL \"loud\" is no level, info is used: write debug, info, warn or error"
    );
    for (name, value) in [("REA_LOG_LEVEL", "debug"), ("RUST_LOG", "loud")] {
        let environment = |asked: &str| (asked == name).then(|| value.to_owned());
        let settings = LogSettings::from_environment(&environment, Reader::Program, "s");
        assert_eq!(written(settings, || {}), "", "{name}");
    }
}

#[test]
fn a_terminal_gets_lines_for_people_and_colour_unless_refused() {
    let style = |reader, no_colour: Option<&str>| {
        let environment = |name: &str| no_colour.filter(|_| name == "NO_COLOR").map(str::to_owned);
        LogSettings::from_environment(&environment, reader, "s").style
    };
    assert_eq!(style(Reader::Program, None), LogStyle::Json);
    assert_eq!(
        style(Reader::Person, None),
        LogStyle::Pretty(Colour::ByLevel)
    );
    assert_eq!(
        style(Reader::Person, Some("")),
        LogStyle::Pretty(Colour::ByLevel)
    );
    assert_eq!(
        style(Reader::Person, Some("1")),
        LogStyle::Pretty(Colour::None)
    );
    let (reader, _writer) = io::pipe().unwrap();
    assert_eq!(
        Reader::of(&std::os::fd::OwnedFd::from(reader).as_fd()),
        Reader::Program
    );
}

#[test]
fn dropped_lines_are_told_in_the_same_form() {
    let fields = Fields::of_dropped(7);
    let line: Value =
        serde_json::from_str(&fields.line(&settings(Level::INFO, LogStyle::Json), Level::WARN))
            .unwrap();
    assert_eq!(
        (&line["event"], &line["dropped_lines"]),
        (&"log.dropped".into(), &7.into())
    );
    assert_eq!(
        fields.line(
            &settings(Level::INFO, LogStyle::Pretty(Colour::None)),
            Level::WARN
        ),
        "[rea] warn  log.dropped log lines were dropped: stderr was not read dropped_lines=7\n"
    );
}
