//! The style of the house as tests: who may import whom, how long a file may be, and what has to
//! be documented. They read the sources as text, so that they say what is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// For each top-level module, which others it may import. `rea-fsm` may be imported by all, and
/// imports none of them, which its manifest sees to.
const LAYERS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("config", &[]),
    ("journal", &[]),
    ("protocol", &["wire"]),
    ("transport", &["wire"]),
    // What must never be shown is known to the configuration.
    ("publish", &["config"]),
    // Its content is given to it: it knows neither servers nor machines at work.
    ("live_state", &["config", "publish"]),
    ("metrics", &["live_state"]),
    // Never engine or transport: a log is replayed without a world.
    ("replay", &["journal"]),
    // Never transport: the loop acts through the trait `World`, simulated or real.
    ("engine", &["journal", "protocol", "publish", "wire"]),
    (
        "gateway",
        &[
            "engine",
            "journal",
            "live_state",
            "protocol",
            "publish",
            "wire",
        ],
    ),
    // Below the commands alone: nothing that decides knows that there is a disk.
    ("catalogue", &["config", "engine", "protocol", "wire"]),
    (
        "cli",
        &[
            "catalogue",
            "config",
            "engine",
            "gateway",
            "journal",
            "live_state",
            "metrics",
            "protocol",
            "publish",
            "replay",
            "transport",
            "wire",
        ],
    ),
];

/// The modules that know an asynchronous runtime. The others can be driven by anything.
const ASYNCHRONOUS: &[&str] = &["cli", "metrics", "transport"];

/// A file that grows past this holds two ideas.
const LINES_MAX: usize = 450;

/// Where inputs and outputs of the machine are documented.
const DOCUMENTS: &[&str] = &["docs/states.md"];

/// The enums whose variants appear in the log, in status and in the documents.
const PUBLIC_ENUMS: &[(&str, &str)] = &[
    ("fsm/src/event.rs", "EventKind"),
    ("fsm/src/event.rs", "Operator"),
    ("fsm/src/event.rs", "Report"),
    ("fsm/src/effect.rs", "Effect"),
    ("fsm/src/id.rs", "TimerKey"),
    ("fsm/src/decision.rs", "Ignored"),
];

/// Variants that nobody ever sees.
const NEVER_SHOWN: &[&str] = &["Restored"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Every Rust source under a folder, with its path from the root.
fn sources(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let shown = path.strip_prefix(root()).unwrap_or(&path).to_owned();
                found.insert(shown, read(&path));
            }
        }
    }
    assert!(!found.is_empty(), "no sources under {folder}");
    found
}

/// The code without its comments, which may name what they like.
fn code(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The top-level module that a file belongs to; none for `main.rs` and `lib.rs`.
fn module_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (name != "main" && name != "lib").then(|| name.to_owned())
}

fn identifier(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The top-level modules that a source names by `crate::`, in groups too.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, marker) in text.match_indices("crate::") {
        let rest = &text[at + marker.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_members(group)),
            None => {
                found.insert(identifier(rest));
            }
        }
    }
    found
}

/// The first names within `a::b, c::{d, e}}`.
fn group_members(group: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut depth = 1_u32;
    let mut begins = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => begins = true,
            _ if begins && !c.is_whitespace() => {
                found.insert(identifier(&group[at..]));
                begins = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

fn word_occurs(text: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(joins) && !text[at + word.len()..].starts_with(joins))
}

/// The names of an enum's variants, read from its source.
fn variants(text: &str, name: &str) -> Vec<String> {
    let head = format!("pub enum {name} {{");
    let Some(at) = text.find(&head) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut depth = 1_i32;
    for line in code(&text[at + head.len()..]).lines() {
        let word = identifier(line);
        if depth == 1 && word.starts_with(char::is_uppercase) {
            found.push(word);
        }
        for c in line.chars() {
            match c {
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' => depth -= 1,
                _ => {}
            }
        }
        if depth == 0 {
            break;
        }
    }
    found
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

#[test]
fn every_module_imports_only_what_lies_below_it() {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let Some(module) = module_of(&path) else {
            continue;
        };
        let Some(allowed) = layers.get(module.as_str()) else {
            wrong.push(format!("{}: `{module}` is in no layer", path.display()));
            continue;
        };
        for import in imports(&code(&text)) {
            let is_module = layers.contains_key(import.as_str());
            if is_module && import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}: must not import `{import}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_outermost_modules_know_a_runtime() {
    let wrong: Vec<_> = sources("src")
        .into_iter()
        .filter(|(path, text)| {
            module_of(path).is_some_and(|module| !ASYNCHRONOUS.contains(&module.as_str()))
                && code(text).contains("tokio::")
        })
        .map(|(path, _)| path)
        .collect();
    assert!(wrong.is_empty(), "these name tokio: {wrong:?}");
}

#[test]
fn no_file_holds_two_ideas() {
    let long: Vec<_> = ["src", "fsm/src"]
        .into_iter()
        .flat_map(sources)
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "longer than {LINES_MAX} lines: {long:?}");
}

#[test]
fn nothing_is_left_for_later() {
    for (path, text) in ["src", "fsm/src"].into_iter().flat_map(sources) {
        for mark in ["todo!", "unimplemented!", "FIXME", "TODO", "XXX"] {
            assert!(!text.contains(mark), "{}: {mark}", path.display());
        }
    }
}

#[test]
fn every_input_and_output_of_the_machine_is_documented() {
    let documents: String = DOCUMENTS
        .iter()
        .map(|document| read(&root().join(document)))
        .collect();
    for (path, name) in PUBLIC_ENUMS {
        let variants = variants(&read(&root().join(path)), name);
        assert!(variants.len() > 3, "{name} was not found in {path}");
        for variant in variants {
            let is_documented =
                word_occurs(&documents, &variant) || word_occurs(&documents, &snake_case(&variant));
            assert!(
                is_documented || NEVER_SHOWN.contains(&variant.as_str()),
                "{name}::{variant} occurs in none of {DOCUMENTS:?}"
            );
        }
    }
}

#[test]
fn every_decision_is_linked_from_the_architecture() {
    let architecture = root().join("docs/ARCHITECTURE.md");
    if !architecture.exists() {
        return;
    }
    let text = read(&architecture);
    let decisions = fs::read_dir(root().join("docs/decisions"));
    for entry in decisions.into_iter().flatten().flatten() {
        let path = PathBuf::from(entry.file_name());
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        if is_page && path != Path::new("README.md") {
            let link = format!("decisions/{}", path.display());
            assert!(
                text.contains(&link),
                "docs/ARCHITECTURE.md does not link {link}"
            );
        }
    }
}

#[test]
fn imports_are_found_alone_and_in_groups() {
    let text = "use crate::wire::Line;\nuse crate::{journal::{Note, Writer}, engine, config::x};";
    let found: Vec<String> = imports(text).into_iter().collect();
    assert_eq!(found, ["config", "engine", "journal", "wire"]);
}

#[test]
fn variants_are_found_with_and_without_data() {
    let text =
        "pub enum Shape {\n/// One.\n#[default]\nDot,\nLine { length: u8 },\nBox(\nu8,\n),\n}";
    assert_eq!(variants(text, "Shape"), ["Dot", "Line", "Box"]);
}
