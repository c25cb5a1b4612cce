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

use camino::{Utf8Path, Utf8PathBuf};

use super::TextLookup;
use super::decode::{Fields, finish, list, version};
use super::file::{self, FileError};
use super::ignored::{Ignored, IgnoredKeys};
use super::journal::{self, Journal};
use super::numbers::{
    BadVariable, Fallbacks, GATEWAY_ROWS, GatewayNumbers, ROWS, Sources, TIMEOUT, Written, gateway,
    written, written_for_server,
};
use super::problem::{Position, Problem, ProblemKind};
use super::root::Root;
use super::server::{self, Server, Surroundings};
use super::yaml::{self, Node, Value};

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
    Ignored(IgnoredKeys),
    /// A variable that can't be used.
    Variable(BadVariable),
    /// There are servers, and none is to be started.
    AllDisabled,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignored(keys) => keys.fmt(formatter),
            Self::Variable(BadVariable { name, expected }) => {
                write!(formatter, "{name} is not used: expected {expected}")
            }
            Self::AllDisabled => formatter.write_str(
                "every server is disabled: take enabled: false away from those that are wanted",
            ),
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
    /// There is one under the other ending.
    #[error("there is no {path}, but a file {found}: rename it")]
    OtherEnding {
        /// Where it would be.
        path: Utf8PathBuf,
        /// What is there.
        found: Utf8PathBuf,
    },
    /// It can't be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The smallest registry that does something; shown to who has none.
pub const EXAMPLE: &str = "\
version: \"1\"
servers:
  - name: time
    command: uvx
    args: [mcp-server-time]
";

impl Registry {
    /// Reads the registry of a project.
    ///
    /// # Errors
    /// No file, no text, or every problem that was found in it.
    pub fn load(root: &Root, environment: TextLookup<'_>) -> Result<Self, RegistryError> {
        let path = root.registry();
        let Some(text) = file::read(&path)? else {
            let found = path.with_extension("yml");
            return Err(if found.is_file() {
                RegistryError::OtherEnding { path, found }
            } else {
                RegistryError::Missing { path }
            });
        };
        Self::parse(&text, &root.path, environment)
            .map_err(|problems| FileError::Invalid { path, problems }.into())
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
        finish(read, problems)
    }
}

const PLACE: &str = "the registry";
pub(super) const KEYS: [&str; 4] = ["version", "servers", "defaults", "journal"];
/// A key of the reference gateway without effect.
pub(super) const REVIEWER: &str = "reviewer";

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
    let document_or_nothing = document.unwrap_or(&nothing);
    let let_through = [REVIEWER];
    let fields = Fields::read_beside(document_or_nothing, PLACE, &known, &let_through, problems)?;
    // A file with nothing in it is a registry without servers; one that says anything says its version.
    if document.is_some()
        && let Some(node) = fields.require("version", "version: \"1\"", problems)
    {
        version(node, problems);
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
    if let Some(key) = fields.key(REVIEWER) {
        ignored.push(Ignored {
            key: REVIEWER,
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
    let mut warnings: Vec<Warning> = bad_variables.into_iter().map(Warning::Variable).collect();
    warnings.extend(IgnoredKeys::of(PLACE, ignored).map(Warning::Ignored));
    if !servers.is_empty() && servers.iter().all(|server| !server.enabled) {
        warnings.push(Warning::AllDisabled);
    }
    Some(Registry {
        servers,
        gateway,
        journal,
        warnings,
    })
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
