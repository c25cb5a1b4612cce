//! `.rea/registry.yaml`: which servers there are, and the numbers they run with.
//!
//! Strict: a key that nothing reads is an error, because a setting that silently does nothing is worse than none. Only
//! the reference gateway's own keys without effect here are let through, with one warning.
//!
//! Invariant: a registry that loads can be run. Names are unique, templates are well formed, and no pair of numbers
//! makes a promise impossible. A load reports every problem it can find, each with its line, not the first one alone.
//!
//! Absent on purpose: values of variables (they are read when a server is started, so that one missing variable stops
//! one server), looking for commands (the same), and writing the file.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};

use super::TextLookup;
use super::decode::{Fields, list, text};
use super::journal::{self, Journal};
use super::numbers::{
    BadVariable, Fallbacks, GATEWAY_ROWS, GatewayNumbers, ROWS, Sources, TIMEOUT, Written, gateway,
    written, written_for_server,
};
use super::problem::{Position, Problem, ProblemKind};
use super::root::Root;
use super::server::{self, Server, Surroundings};
use super::yaml::{self, Node, Value};

/// A registry is written by people; a larger file is a mistake.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Everything that the file says, with every number resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// In the order of the file, disabled ones too.
    pub servers: Vec<Server>,
    /// The gateway's own numbers.
    pub gateway: GatewayNumbers,
    /// How events are recorded.
    pub journal: Journal,
    /// To be shown once each.
    pub warnings: Vec<Warning>,
}

/// Something that does not stop a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Keys of the reference gateway that do nothing here.
    Ignored(Vec<Ignored>),
    /// A variable that can't be used.
    Variable(BadVariable),
}

/// A key that was read over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The key.
    pub key: &'static str,
    /// Where it stands.
    pub line: usize,
}

impl Ignored {
    pub(super) const REVIEWER: &'static str = "reviewer";
    pub(super) const TIER_OVERRIDES: &'static str = "tier_overrides";
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignored(keys) => {
                formatter.write_str("the registry has keys without effect: ")?;
                for (index, Ignored { key, line }) in keys.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(formatter, "{separator}{key} (line {line})")?;
                }
                Ok(())
            }
            Self::Variable(BadVariable { name, expected }) => {
                write!(formatter, "{name} is not used: expected {expected}")
            }
        }
    }
}

/// Why there is no registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No such file.
    #[error("there is no {path}; make one, for example:\n\n{EXAMPLE}")]
    Missing {
        /// Where it would be.
        path: Utf8PathBuf,
    },
    /// It can't be read.
    #[error("{path} can't be read")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Too large.
    #[error("{path} is larger than 1 MiB: a registry is smaller than that")]
    TooLarge {
        /// The file.
        path: Utf8PathBuf,
    },
    /// Not text.
    #[error("{path}:{line}: this is not UTF-8 text")]
    NotUtf8 {
        /// The file.
        path: Utf8PathBuf,
        /// The first line that isn't.
        line: usize,
    },
    /// It says something that can't be done.
    #[error("{}", listing(path, problems))]
    Invalid {
        /// The file.
        path: Utf8PathBuf,
        /// Every problem, in the order of the file; at least one.
        problems: Vec<Problem>,
    },
}

/// The smallest registry that does something; shown to who has none.
pub const EXAMPLE: &str = "\
version: \"1\"
servers:
  - name: time
    command: uvx
    args: [mcp-server-time]
";

/// One line for each problem, so that editors can jump to them.
fn listing(path: &Utf8Path, problems: &[Problem]) -> String {
    const SHOWN_MAX: usize = 20;
    let mut lines: Vec<String> = problems
        .iter()
        .take(SHOWN_MAX)
        .map(|problem| format!("{path}:{}: {}", problem.at, problem.kind))
        .collect();
    if problems.len() > SHOWN_MAX {
        lines.push(format!("… and {} more", problems.len() - SHOWN_MAX));
    }
    lines.join("\n")
}

impl Registry {
    /// Reads the registry of a project.
    ///
    /// # Errors
    /// No file, no text, or every problem that was found in it.
    pub fn load(root: &Root, environment: TextLookup<'_>) -> Result<Self, RegistryError> {
        let path = root.registry();
        let mut bytes = Vec::new();
        std::fs::File::open(&path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
            .map_err(|source| {
                let path = path.clone();
                if source.kind() == io::ErrorKind::NotFound {
                    RegistryError::Missing { path }
                } else {
                    RegistryError::Unreadable { path, source }
                }
            })?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(RegistryError::TooLarge { path });
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + memchr::memchr_iter(b'\n', valid).count();
            RegistryError::NotUtf8 {
                path: path.clone(),
                line,
            }
        })?;
        Self::parse(&text, &root.path, environment)
            .map_err(|problems| RegistryError::Invalid { path, problems })
    }

    /// Takes a registry's text apart. Relative paths in it count from `root`.
    ///
    /// # Errors
    /// Every problem that was found, in the order of the file; at least one.
    pub fn parse(
        text: &str,
        root: &Utf8Path,
        environment: TextLookup<'_>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let read = match yaml::parse(text, &mut problems) {
            Ok(document) => read(document.as_ref(), root, environment, &mut problems),
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        match read {
            Some(registry) if problems.is_empty() => Ok(registry),
            _ => {
                // Two servers can trip over the same line of the defaults.
                problems.sort_by_cached_key(|problem| (problem.at, problem.kind.to_string()));
                problems.dedup();
                Err(problems)
            }
        }
    }
}

const PLACE: &str = "the registry";
const KEYS: [&str; 5] = [
    "version",
    "servers",
    "defaults",
    "journal",
    Ignored::REVIEWER,
];

fn read(
    document: Option<&Node>,
    root: &Utf8Path,
    environment: TextLookup<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Registry> {
    let nothing = Node {
        at: Position::new(1, 1),
        value: Value::Map(Vec::new()),
    };
    let document = document.filter(|node| node.value != Value::Null);
    let known: Vec<&'static str> = KEYS
        .into_iter()
        .chain(GATEWAY_ROWS.iter().map(|row| row.key))
        .collect();
    let fields = Fields::read(document.unwrap_or(&nothing), PLACE, &known, problems)?;
    // A file with nothing in it is a registry without servers; one that says anything says its version.
    if document.is_some() {
        check_version(&fields, problems);
    }
    let gateway_written = written(&fields, GATEWAY_ROWS, problems);
    let defaults = fields.get("defaults").map_or_else(Written::new, |node| {
        let known: Vec<&'static str> = ROWS.iter().map(|row| row.key).chain([TIMEOUT]).collect();
        let fields = Fields::read(node, "defaults", &known, problems);
        fields.map_or_else(Written::new, |fields| written_for_server(&fields, problems))
    });
    let (fallbacks, bad_variables) = Fallbacks::from_environment(environment);
    // Defaults that can't work are told even if every server has numbers of its own.
    let nobody = Sources {
        own: &Written::new(),
        defaults: &defaults,
        fallbacks: &fallbacks,
    };
    nobody.resolve(&gateway_written, problems);

    let mut ignored = Vec::new();
    if let Some(key) = fields.key(Ignored::REVIEWER) {
        ignored.push(Ignored {
            key: Ignored::REVIEWER,
            line: key.at.line,
        });
    }
    let around = Surroundings {
        root,
        gateway: &gateway_written,
        defaults: &defaults,
        fallbacks: &fallbacks,
    };
    let servers = fields.get("servers").map_or_else(Vec::new, |node| {
        read_servers(node, &around, &mut ignored, problems)
    });
    let journal = journal::read(fields.get("journal"), root, problems);
    let gateway = gateway(&gateway_written, problems);
    ignored.sort_by_key(|ignored| ignored.line);
    let mut warnings: Vec<Warning> = bad_variables.into_iter().map(Warning::Variable).collect();
    if !ignored.is_empty() {
        warnings.push(Warning::Ignored(ignored));
    }
    Some(Registry {
        servers,
        gateway,
        journal,
        warnings,
    })
}

fn check_version(fields: &Fields<'_>, problems: &mut Vec<Problem>) {
    let Some(node) = fields.require("version", "version: \"1\"", problems) else {
        return;
    };
    match text(node, "version", problems) {
        None | Some("1") => {}
        Some(found) => {
            let kind = ProblemKind::Version {
                found: found.to_owned(),
            };
            problems.push(Problem { at: node.at, kind });
        }
    }
}

fn read_servers(
    node: &Node,
    around: &Surroundings<'_>,
    ignored: &mut Vec<Ignored>,
    problems: &mut Vec<Problem>,
) -> Vec<Server> {
    let mut servers = Vec::new();
    let mut names: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for item in list(node, "servers", problems) {
        let Some((server, at)) = server::read(item, around, ignored, problems) else {
            continue;
        };
        let name = server.name.as_str();
        match names.get(&name.to_ascii_lowercase()) {
            None => {
                names.insert(name.to_ascii_lowercase(), (name.to_owned(), at.line));
                servers.push(server);
            }
            Some((first, first_line)) => {
                let (first, first_line) = (first.clone(), *first_line);
                let kind = ProblemKind::DuplicateName {
                    name: name.to_owned(),
                    first,
                    first_line,
                };
                problems.push(Problem { at, kind });
            }
        }
    }
    servers
}
