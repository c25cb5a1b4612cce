//! `.rea/policy.yaml`: what may be shown and what has to be hidden. A project may have none.
//!
//! Strict like the registry. The keys of the reference gateway's policy are all known and checked; those that do nothing
//! here are told in one warning, so that nobody relies on them.
//!
//! Invariant: a policy that loads can be carried out: every pattern in it compiles, takes linear time and finds text.
//!
//! Absent on purpose: a limit on the time that a match takes. There is nothing to limit where time is linear.

mod pattern;
mod schema;

use super::decode::{Fields, boolean, finish, list, text, version};
use super::file::{self, FileError};
use super::ignored::{Ignored, IgnoredKeys};
use super::problem::{Problem, ProblemKind};
use super::root::Root;
use super::yaml::{self, Node, Value};
pub use pattern::{Pattern, PatternFault};

/// Each costs memory, and a pass over every text.
const PATTERNS_MAX: usize = 64;

/// Everything that the file says.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What counts as a secret, and where it is looked for.
    pub redact: Redact,
    /// Whether the health tool shows the words behind a server's state.
    pub expose_diagnostics: bool,
    /// What else it says, for whoever looks.
    pub said: Said,
    /// To be shown once.
    pub warning: Option<IgnoredKeys>,
}

/// What has no effect here, and is shown beside the state because the reference gateway shows it there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// `profile`.
    pub profile: Option<String>,
    /// `autonomy_level`.
    pub autonomy_level: Option<String>,
    /// `max_autonomy_level`.
    pub max_autonomy_level: Option<String>,
    /// `block_ai_attribution`.
    pub block_ai_attribution: Option<bool>,
    /// How many `blocked_paths` there are.
    pub blocked_paths_count: Option<usize>,
    /// `review.codex_required`.
    pub codex_required: Option<bool>,
}

/// What counts as a secret, beside what is always one, and where it is looked for, beside everything that is kept or shown.
#[derive(Debug, Clone, Default)]
pub struct Redact {
    /// In the order of the file.
    pub patterns: Vec<Pattern>,
    /// Whether arguments of calls are redacted before a server gets them.
    pub arguments: bool,
    /// Whether results are redacted before the client gets them.
    pub results: bool,
}

impl Policy {
    /// Reads the policy of a project. Without a file it is the default one.
    ///
    /// # Errors
    /// No text, or every problem that was found in it.
    pub fn load(root: &Root) -> Result<Self, FileError> {
        let path = root.policy();
        match file::read(&path)? {
            None => Ok(Self::default()),
            Some(text) => {
                Self::parse(&text).map_err(|problems| FileError::Invalid { path, problems })
            }
        }
    }

    /// Takes a policy's text apart.
    ///
    /// # Errors
    /// Every problem that was found, in the order of the file; at least one.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let read = match yaml::parse(text, &mut problems) {
            Ok(document) => read(document.as_ref(), &mut problems),
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        finish(read, problems)
    }
}

const PLACE: &str = "the policy";

fn read(document: Option<&Node>, problems: &mut Vec<Problem>) -> Option<Policy> {
    let Some(document) = document.filter(|node| node.value != Value::Null) else {
        return Some(Policy::default());
    };
    let mut ignored = Vec::new();
    let own = ["version", "redact", "gateway"];
    let fields = with_ignored(document, PLACE, &own, schema::TOP, &mut ignored, problems)?;
    if let Some(node) = fields.get("version") {
        version(node, problems);
    }
    let redact = fields.get("redact").map_or_else(Redact::default, |node| {
        read_redact(node, &mut ignored, problems).unwrap_or_default()
    });
    let expose_diagnostics = fields
        .get("gateway")
        .and_then(|node| read_gateway(node, problems))
        .unwrap_or_default();
    Some(Policy {
        redact,
        expose_diagnostics,
        said: said(&fields),
        warning: IgnoredKeys::of(PLACE, ignored),
    })
}

/// Read again without complaint: what is wrong has been told when it was checked.
fn said(fields: &Fields<'_>) -> Said {
    let mut told = Vec::new();
    let mut word = |key| {
        let node = fields.get(key)?;
        text(node, key, &mut told).map(str::to_owned)
    };
    let (profile, autonomy_level) = (word("profile"), word("autonomy_level"));
    let max_autonomy_level = word("max_autonomy_level");
    let flag = |node: &Node, key| boolean(node, key, &mut Vec::new());
    let review = fields.get("review").and_then(|node| match &node.value {
        Value::Map(entries) => entries.iter().find(|(key, _)| key.text == "codex_required"),
        Value::Null | Value::Plain(_) | Value::Quoted(_) | Value::List(_) => None,
    });
    Said {
        profile,
        autonomy_level,
        max_autonomy_level,
        block_ai_attribution: fields
            .get("block_ai_attribution")
            .and_then(|node| flag(node, "block_ai_attribution")),
        blocked_paths_count: fields
            .get("blocked_paths")
            .map(|node| list(node, "blocked_paths", &mut Vec::new()).len()),
        codex_required: review.and_then(|(_, node)| flag(node, "codex_required")),
    }
}

/// A map of which some keys are read here, and some only checked.
fn with_ignored<'n>(
    node: &'n Node,
    place: &'static str,
    own: &[&'static str],
    checked: &'static [schema::Row],
    ignored: &mut Vec<Ignored>,
    problems: &mut Vec<Problem>,
) -> Option<Fields<'n>> {
    let known: Vec<&'static str> = own
        .iter()
        .copied()
        .chain(checked.iter().map(schema::Row::key))
        .collect();
    let fields = Fields::read(node, place, &known, problems)?;
    schema::check(&fields, checked, ignored, problems);
    Some(fields)
}

fn read_redact(
    node: &Node,
    ignored: &mut Vec<Ignored>,
    problems: &mut Vec<Problem>,
) -> Option<Redact> {
    let own = ["patterns", "arguments", "results"];
    let fields = with_ignored(node, "redact", &own, schema::REDACT, ignored, problems)?;
    let patterns = fields
        .get("patterns")
        .map_or_else(Vec::new, |node| read_patterns(node, problems));
    let mut flag = |key| {
        let node = fields.get(key)?;
        boolean(node, key, problems)
    };
    Some(Redact {
        patterns,
        arguments: flag("arguments").unwrap_or_default(),
        results: flag("results").unwrap_or_default(),
    })
}

fn read_patterns(node: &Node, problems: &mut Vec<Problem>) -> Vec<Pattern> {
    const KEY: &str = "patterns";
    let items = list(node, KEY, problems);
    if items.len() > PATTERNS_MAX {
        let kind = ProblemKind::TooMany {
            key: KEY,
            found: items.len(),
            limit: PATTERNS_MAX,
        };
        problems.push(Problem { at: node.at, kind });
        return Vec::new();
    }
    items
        .iter()
        .filter_map(|item| pattern::read(item, problems))
        .collect()
}

fn read_gateway(node: &Node, problems: &mut Vec<Problem>) -> Option<bool> {
    const KEY: &str = "expose_diagnostics";
    let gateway = Fields::read(node, "gateway", &["health"], problems)?;
    let health = Fields::read(gateway.get("health")?, "gateway.health", &[KEY], problems)?;
    boolean(health.get(KEY)?, KEY, problems)
}

#[cfg(test)]
mod tests;
