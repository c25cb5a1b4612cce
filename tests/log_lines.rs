//! The table of log lines in `docs/log-lines.md` says what the sources say.
#![allow(clippy::expect_used, reason = "a test that can't go on says so")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// An event's level and the fields that some line of it has.
type Events = BTreeMap<String, (String, BTreeSet<String>)>;

const OPENING: &str = "event = \"";

fn source_files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_some_and(|name| name != "tests.rs")
        {
            let text = fs::read_to_string(&path).expect("text");
            let code = text.split("#[cfg(test)]\nmod tests").next();
            found.push(code.unwrap_or_default().to_owned());
        }
    }
}

/// The arguments of a macro's call, which begins behind its opening parenthesis.
fn arguments(call: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let (mut depth, mut in_string, mut escaped) = (1, false, false);
    for character in call.chars() {
        let current = arguments.last_mut().expect("there is one");
        if in_string {
            in_string = escaped || character != '"';
            escaped = character == '\\' && !escaped;
        } else {
            match character {
                '"' => in_string = true,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 1 => {
                    arguments.push(String::new());
                    continue;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        current.push(character);
    }
    arguments
        .iter()
        .map(|argument| argument.trim().to_owned())
        .filter(|argument| !argument.is_empty())
        .collect()
}

fn in_sources() -> Events {
    let mut sources = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    source_files(&root, &mut sources);
    let mut events = Events::new();
    for source in &sources {
        for level in ["error", "warn", "info", "debug"] {
            for (_, call) in source
                .match_indices(&format!("{level}!("))
                .map(|(at, found)| (at, &source[at + found.len()..]))
            {
                let Some(rest) = call.trim_start().strip_prefix(OPENING) else {
                    continue;
                };
                let event = rest.split('"').next().unwrap_or_default();
                let fields = arguments(call)
                    .into_iter()
                    .take_while(|argument| !argument.starts_with('"'))
                    .map(|argument| {
                        let name = argument.split('=').next().unwrap_or_default();
                        name.trim().trim_start_matches(['%', '?']).to_owned()
                    })
                    .filter(|name| name != "event");
                let entry = events
                    .entry(event.to_owned())
                    .or_insert_with(|| (level.to_owned(), BTreeSet::new()));
                assert_eq!(entry.0, level, "{event} has two levels");
                entry.1.extend(fields);
            }
        }
    }
    events
}

fn in_the_table() -> Events {
    let page = include_str!("../docs/log-lines.md");
    let code = |cell: &str| cell.trim().trim_matches('`').to_owned();
    page.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            assert_eq!(cells.len(), 4, "{line}");
            assert!(!cells[3].trim().is_empty(), "{line}");
            let fields = cells[2].split(',').map(code).filter(|name| name != "–");
            (
                code(cells[0]),
                (cells[1].trim().to_owned(), fields.collect()),
            )
        })
        .collect()
}

#[test]
fn every_event_stands_in_the_table_with_its_level_and_fields() {
    let (said, written) = (in_sources(), in_the_table());
    assert!(said.len() > 40, "the sources are read: {said:#?}");
    for (event, line) in &said {
        assert_eq!(
            written.get(event),
            Some(line),
            "{event} in docs/log-lines.md"
        );
    }
    let unknown: Vec<&String> = written
        .keys()
        .filter(|event| !said.contains_key(*event))
        .collect();
    assert!(unknown.is_empty(), "nothing says {unknown:?}");
}

/// What is told of a server's faults names log lines that there are.
#[test]
fn every_fault_of_a_server_has_its_line() {
    let said = in_sources();
    let names = include_str!("../src/engine/complaints.rs");
    let faults: Vec<&str> = names
        .split('"')
        .filter(|text| text.starts_with("downstream."))
        .collect();
    assert!(faults.len() > 5, "{faults:?}");
    for fault in faults {
        assert!(said.contains_key(fault), "{fault}");
    }
}
