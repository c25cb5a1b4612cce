//! One entry of the registry's list of servers.

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::decode::{Fields, boolean, list, map, text, texts};
use super::foreign::http_key;
use super::ignored::Ignored;
use super::launcher::installs_first;
use super::numbers::{
    CALL_HARD_CAP, CALL_TIMEOUT, Fallbacks, Numbers, ROWS, Sources, TIMEOUT, Written, number,
    order, row, written_for_server,
};
use super::problem::{NameFault, Position, Problem, ProblemKind};
use super::secret::is_secret_name;
use super::template::{Template, is_variable_name};
use super::yaml::{Key, Node};

/// A server as the registry describes it, with every number resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Unique without regard to case.
    pub name: ServerName,
    /// As written; see [`super::command::resolve`].
    pub command: String,
    /// Given to the command as they are.
    pub args: Vec<String>,
    /// In the order of the file.
    pub env: Vec<(String, Template)>,
    /// Variables of the host that it gets too.
    pub env_passthrough: Vec<String>,
    /// Whether it is started at all.
    pub enabled: bool,
    /// The folder it is started in; absolute.
    pub cwd: Utf8PathBuf,
    /// What is known about single tools, by the server's own names for them.
    pub tools: BTreeMap<String, ToolRule>,
    /// Whether the server's own hints say which calls may be repeated.
    pub trust_annotations: bool,
    /// Which era of the protocol it is spoken to in.
    pub protocol: Protocol,
    /// The numbers of its machine.
    pub numbers: Numbers,
}

/// Which era of the protocol a server is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Found out by asking, and remembered.
    #[default]
    Auto,
    /// With a handshake (up to 2025-11-25).
    Legacy,
    /// Without one (from 2026-07-28).
    Modern,
}

/// What the registry says about one tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ToolRule {
    /// That a call may be repeated, if somebody said so.
    pub retry: Option<Retry>,
    /// A deadline of its own.
    pub timeout_ms: Option<u64>,
}

/// Why a call may be repeated after a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Twice has the effect of once.
    Idempotent,
    /// It has no effect.
    ReadOnly,
}

/// A server's name, the part of a tool's name before `__`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerName(String);

impl ServerName {
    /// Takes a name that keeps the rules.
    ///
    /// # Errors
    /// The first rule that the name breaks.
    pub fn parse(name: &str) -> Result<Self, NameFault> {
        const LENGTH_MAX: usize = 32;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let first = name.chars().next().ok_or(NameFault::Empty)?;
        if let Some(character) = name.chars().find(|&character| !allowed(character)) {
            return Err(NameFault::Character(character));
        }
        match name {
            _ if !first.is_ascii_alphanumeric() => Err(NameFault::Start),
            _ if name.len() > LENGTH_MAX => Err(NameFault::TooLong),
            _ if name.contains("__") => Err(NameFault::Separator),
            _ if name.ends_with('_') => Err(NameFault::End),
            _ => Ok(Self(name.to_owned())),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What every entry is read with.
pub(super) struct Surroundings<'a> {
    pub(super) root: &'a Utf8Path,
    pub(super) gateway: &'a Written,
    pub(super) defaults: &'a Written,
    pub(super) fallbacks: &'a Fallbacks,
}

const PLACE: &str = "a server";
/// A key of the reference gateway without effect.
pub(super) const TIER_OVERRIDES: &str = "tier_overrides";
pub(super) const KEYS: [&str; 11] = [
    "name",
    "command",
    "args",
    "env",
    "env_passthrough",
    "enabled",
    "cwd",
    "protocol",
    "tools",
    "trust_annotations",
    TIMEOUT,
];

/// Reads one entry. Gives the server, and where its name stands, only if nothing is wrong with it.
pub(super) fn read(
    node: &Node,
    around: &Surroundings<'_>,
    ignored: &mut Vec<Ignored>,
    problems: &mut Vec<Problem>,
) -> Option<(Server, Position)> {
    let known: Vec<&'static str> = KEYS
        .into_iter()
        .chain(ROWS.iter().map(|row| row.key))
        .collect();
    let before = problems.len();
    if let Some(key) = http_key(node) {
        let kind = ProblemKind::Http {
            key: key.text.clone(),
        };
        problems.push(Problem { at: key.at, kind });
        return None;
    }
    let let_through = [TIER_OVERRIDES];
    let fields = Fields::read_beside(node, PLACE, &known, &let_through, problems)?;
    let name = fields
        .require("name", "a name for the server", problems)
        .and_then(|node| Some((read_name(node, problems)?, node.at)));
    let command = fields
        .require("command", "the program that starts the server", problems)
        .and_then(|node| read_command(node, problems));
    let args = fields
        .get("args")
        .map_or_else(Vec::new, |node| texts(node, "args", problems));
    let env = fields
        .get("env")
        .map_or_else(Vec::new, |node| read_env(node, problems));
    let env_passthrough = fields
        .get("env_passthrough")
        .map_or_else(Vec::new, |node| read_passthrough(node, problems));
    let mut flag = |key, default| {
        fields
            .get(key)
            .and_then(|node| boolean(node, key, problems))
            .unwrap_or(default)
    };
    let (enabled, trust_annotations) = (flag("enabled", true), flag("trust_annotations", false));
    let cwd = fields
        .get("cwd")
        .and_then(|node| text(node, "cwd", problems));
    let protocol = fields
        .get("protocol")
        .and_then(|node| read_protocol(node, problems));
    if let Some(key) = fields.key(TIER_OVERRIDES) {
        ignored.push(Ignored {
            key: TIER_OVERRIDES,
            line: key.at.line,
        });
    }
    let own = written_for_server(&fields, problems);
    let launcher;
    let fallbacks = if command.is_some_and(|command| installs_first(command, &args)) {
        launcher = around.fallbacks.for_launcher();
        &launcher
    } else {
        around.fallbacks
    };
    let sources = Sources {
        own: &own,
        defaults: around.defaults,
        fallbacks,
    };
    let numbers = sources.resolve(around.gateway, problems);
    let cap_ms = sources.value(CALL_HARD_CAP);
    let tools = fields
        .get("tools")
        .map_or_else(BTreeMap::new, |node| read_tools(node, cap_ms, problems));

    let ((name, at), command) = name.zip(command)?;
    (problems.len() == before).then(|| {
        let server = Server {
            name,
            command: command.to_owned(),
            args,
            env,
            env_passthrough,
            enabled,
            cwd: cwd.map_or_else(|| around.root.to_owned(), |cwd| around.root.join(cwd)),
            tools,
            trust_annotations,
            protocol: protocol.unwrap_or_default(),
            numbers,
        };
        (server, at)
    })
}

fn read_name(node: &Node, problems: &mut Vec<Problem>) -> Option<ServerName> {
    let name = text(node, "name", problems)?;
    ServerName::parse(name)
        .map_err(|fault| {
            let kind = ProblemKind::BadName {
                name: name.to_owned(),
                fault,
            };
            problems.push(Problem { at: node.at, kind });
        })
        .ok()
}

fn read_command<'n>(node: &'n Node, problems: &mut Vec<Problem>) -> Option<&'n str> {
    let command = text(node, "command", problems)?;
    if command.trim().is_empty() {
        let kind = ProblemKind::MissingKey {
            place: PLACE,
            key: "command",
            expected: "the program that starts the server",
        };
        problems.push(Problem { at: node.at, kind });
        return None;
    }
    Some(command)
}

fn read_env(node: &Node, problems: &mut Vec<Problem>) -> Vec<(String, Template)> {
    let mut env = Vec::new();
    for (Key { at, text: name }, value) in map(node, "env", problems) {
        if name.is_empty() || name.contains(['=', '\0']) {
            let expected = "expected a name that is not empty and has no \"=\"";
            let kind = ProblemKind::BadVariable {
                key: "env",
                name: name.clone(),
                expected,
            };
            problems.push(Problem { at: *at, kind });
        }
        let Some(found) = text(value, name, problems) else {
            continue;
        };
        match Template::parse(found) {
            Ok(template) => env.push((name.clone(), template)),
            Err(error) => {
                let kind = ProblemKind::Template {
                    name: name.clone(),
                    error,
                };
                problems.push(Problem { at: value.at, kind });
            }
        }
    }
    env
}

fn read_passthrough(node: &Node, problems: &mut Vec<Problem>) -> Vec<String> {
    let mut names = Vec::new();
    for item in list(node, "env_passthrough", problems) {
        let Some(name) = text(item, "env_passthrough", problems).map(str::to_owned) else {
            continue;
        };
        let kind = if !is_variable_name(&name) {
            let expected = "expected letters, digits and \"_\", not starting with a digit";
            ProblemKind::BadVariable {
                key: "env_passthrough",
                name,
                expected,
            }
        } else if is_secret_name(&name) {
            ProblemKind::SecretPassthrough { name }
        } else {
            names.push(name);
            continue;
        };
        problems.push(Problem { at: item.at, kind });
    }
    names
}

fn read_protocol(node: &Node, problems: &mut Vec<Problem>) -> Option<Protocol> {
    match text(node, "protocol", problems)? {
        "auto" => Some(Protocol::Auto),
        "legacy" => Some(Protocol::Legacy),
        "modern" => Some(Protocol::Modern),
        found => {
            let kind = ProblemKind::Choice {
                key: "protocol",
                expected: "auto, legacy or modern",
                found: found.to_owned(),
            };
            problems.push(Problem { at: node.at, kind });
            None
        }
    }
}

pub(super) const TOOL_KEYS: [&str; 2] = ["retry", TIMEOUT];

fn read_tools(node: &Node, cap_ms: u64, problems: &mut Vec<Problem>) -> BTreeMap<String, ToolRule> {
    let mut tools = BTreeMap::new();
    for (name, rule) in map(node, "tools", problems) {
        let Some(fields) = Fields::read(rule, "a tool", &TOOL_KEYS, problems) else {
            continue;
        };
        let retry = fields
            .get("retry")
            .and_then(|node| read_retry(node, problems));
        let timeout_ms = fields.get(TIMEOUT).and_then(|node| {
            let value = number(node, TIMEOUT, row(CALL_TIMEOUT), problems)?;
            if value > cap_ms {
                let why = "a call ends at the hard cap";
                let kind = order((TIMEOUT, value), (CALL_HARD_CAP, cap_ms), why);
                problems.push(Problem { at: node.at, kind });
            }
            Some(value)
        });
        tools.insert(name.text.clone(), ToolRule { retry, timeout_ms });
    }
    tools
}

fn read_retry(node: &Node, problems: &mut Vec<Problem>) -> Option<Retry> {
    match text(node, "retry", problems)? {
        "idempotent" => Some(Retry::Idempotent),
        "read_only" => Some(Retry::ReadOnly),
        found => {
            let expected = "idempotent or read_only";
            let kind = ProblemKind::Choice {
                key: "retry",
                expected,
                found: found.to_owned(),
            };
            problems.push(Problem { at: node.at, kind });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_can_be_used() {
        for name in [
            "a",
            "time",
            "Time.v2",
            "my-server",
            "a_b",
            "0",
            &"x".repeat(32),
        ] {
            assert_eq!(ServerName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_can_not() {
        for (name, fault) in [
            ("", NameFault::Empty),
            (&*"x".repeat(33), NameFault::TooLong),
            ("-a", NameFault::Start),
            ("_a", NameFault::Start),
            ("a b", NameFault::Character(' ')),
            ("zeit/ü", NameFault::Character('/')),
            ("a__b", NameFault::Separator),
            ("a_", NameFault::End),
        ] {
            assert_eq!(ServerName::parse(name), Err(fault), "{name:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The first `__` of a full name must always be the separator.
        #[test]
        fn a_full_name_splits_back_into_its_parts(name in "[A-Za-z0-9._-]{1,33}", tool in "[a-z_]{1,8}") {
            if let Ok(server) = ServerName::parse(&name) {
                let full = format!("{server}__{tool}");
                prop_assert_eq!(full.split_once("__"), Some((name.as_str(), tool.as_str())));
            }
        }
    }
}
