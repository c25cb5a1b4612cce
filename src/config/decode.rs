//! From a tree to values: the few questions that every part of a file asks of a node.
//!
//! Each answers with a value or records a [`Problem`], so that one load tells everything that is wrong with a file.

use std::collections::BTreeSet;

use super::foreign;
use super::problem::{Advice, Position, Problem, ProblemKind};
use super::yaml::{Key, Node, Value};

/// A map whose keys have been checked against those that are known.
pub(super) struct Fields<'n> {
    /// Where the map begins.
    pub(super) at: Position,
    place: &'static str,
    entries: &'n [(Key, Node)],
}

impl<'n> Fields<'n> {
    /// Takes a map and reports every key that is not in `known`.
    pub(super) fn read(
        node: &'n Node,
        place: &'static str,
        known: &[&'static str],
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        Self::read_beside(node, place, known, &[], problems)
    }

    /// The same, beside keys that are let through and never offered.
    pub(super) fn read_beside(
        node: &'n Node,
        place: &'static str,
        known: &[&'static str],
        let_through: &[&'static str],
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            problems.push(wrong_kind(place, "a map", node));
            return None;
        };
        for (key, _) in entries {
            let text = key.text.as_str();
            if !known.contains(&text) && !let_through.contains(&text) {
                let kind = ProblemKind::UnknownKey {
                    key: key.text.clone(),
                    place,
                    advice: advice(text, known),
                };
                problems.push(Problem { at: key.at, kind });
            }
        }
        Some(Self {
            at: node.at,
            place,
            entries,
        })
    }

    /// A key's value. A key with nothing behind it counts as not given.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        let (_, node) = self.entries.iter().find(|(known, _)| known.text == key)?;
        (node.value != Value::Null).then_some(node)
    }

    /// A key that was written, whatever is behind it.
    pub(super) fn key(&self, key: &str) -> Option<&'n Key> {
        self.entries
            .iter()
            .map(|(known, _)| known)
            .find(|known| known.text == key)
    }

    /// The value of a key that must be there.
    pub(super) fn require(
        &self,
        key: &'static str,
        expected: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let kind = ProblemKind::MissingKey {
                place: self.place,
                key,
                expected,
            };
            problems.push(Problem {
                at: self.key(key).map_or(self.at, |key| key.at),
                kind,
            });
        }
        found
    }
}

/// Text as written, with or without quotes.
pub(super) fn text<'n>(node: &'n Node, key: &str, problems: &mut Vec<Problem>) -> Option<&'n str> {
    match &node.value {
        Value::Plain(text) | Value::Quoted(text) if text.contains('\0') => {
            let kind = ProblemKind::Nul {
                key: key.to_owned(),
            };
            problems.push(Problem { at: node.at, kind });
            None
        }
        Value::Plain(text) | Value::Quoted(text) => Some(text),
        Value::Null | Value::List(_) | Value::Map(_) => {
            problems.push(wrong_kind(key, "text", node));
            None
        }
    }
}

/// `true` or `false`; in quotes they are text.
pub(super) fn boolean(node: &Node, key: &str, problems: &mut Vec<Problem>) -> Option<bool> {
    match &node.value {
        Value::Plain(text) if text == "true" => Some(true),
        Value::Plain(text) if text == "false" => Some(false),
        Value::Plain(_) | Value::Quoted(_) | Value::Null | Value::List(_) | Value::Map(_) => {
            problems.push(wrong_kind(key, "true or false", node));
            None
        }
    }
}

/// The items of a list.
pub(super) fn list<'n>(node: &'n Node, key: &str, problems: &mut Vec<Problem>) -> &'n [Node] {
    let Value::List(items) = &node.value else {
        problems.push(wrong_kind(key, "a list", node));
        return &[];
    };
    items
}

/// The entries of a map whose keys are free.
pub(super) fn map<'n>(node: &'n Node, key: &str, problems: &mut Vec<Problem>) -> &'n [(Key, Node)] {
    let Value::Map(entries) = &node.value else {
        problems.push(wrong_kind(key, "a map", node));
        return &[];
    };
    entries
}

/// The items of a list of texts.
pub(super) fn texts(node: &Node, key: &str, problems: &mut Vec<Problem>) -> Vec<String> {
    let mut found = Vec::new();
    for item in list(node, key, problems) {
        found.extend(text(item, key, problems).map(str::to_owned));
    }
    found
}

/// The version of a file's format, of which there is one.
pub(super) fn version(node: &Node, problems: &mut Vec<Problem>) {
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

/// What was read, if nothing is wrong with it; else the problems in the order of the file.
pub(super) fn finish<T>(read: Option<T>, mut problems: Vec<Problem>) -> Result<T, Vec<Problem>> {
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => {
            // Two readers can trip over the same line, as two servers over one of the defaults.
            problems.sort_by_cached_key(|problem| (problem.at, problem.kind.to_string()));
            problems.dedup();
            tell_known_keys_once(&mut problems);
            Err(problems)
        }
    }
}

fn wrong_kind(key: &str, expected: &'static str, node: &Node) -> Problem {
    let kind = ProblemKind::WrongKind {
        key: key.to_owned(),
        expected,
        found: node.kind(),
    };
    Problem { at: node.at, kind }
}

/// A list of keys is long, and the same at each place of its kind.
fn tell_known_keys_once(problems: &mut [Problem]) {
    let mut told = BTreeSet::new();
    for problem in problems {
        if let ProblemKind::UnknownKey { place, advice, .. } = &mut problem.kind
            && matches!(advice, Advice::Known(_))
            && !told.insert(*place)
        {
            *advice = Advice::Told;
        }
    }
}

fn advice(key: &str, known: &[&'static str]) -> Advice {
    match (foreign::advice(key, known), closest(key, known)) {
        (Some(words), _) => Advice::Instead(words),
        (None, Some(key)) => Advice::Spelling(key),
        (None, None) => Advice::Known(known.to_vec()),
    }
}

/// The known word that `word` was probably meant to be.
pub(super) fn closest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    const LENGTH_MAX: usize = 64;
    if word.len() > LENGTH_MAX {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    known
        .iter()
        .map(|candidate| (distance(&plain(word), candidate), *candidate))
        .min()
        .filter(|&(edits, _)| edits <= allowed)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let replace = rows[i][j] + usize::from(a != b);
            let mut best = replace.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let known = [
            "command",
            "args",
            "env",
            "env_passthrough",
            "enabled",
            "handshake_timeout",
        ];
        assert_eq!(closest("comand", &known), Some("command"));
        assert_eq!(closest("Command", &known), Some("command"));
        assert_eq!(closest("agrs", &known), Some("args"));
        assert_eq!(closest("envPassthrough", &known), Some("env_passthrough"));
        assert_eq!(
            closest("handshake-timeout", &known),
            Some("handshake_timeout")
        );
        assert_eq!(closest("arg", &known), Some("args"));
    }

    #[test]
    fn another_word_is_not() {
        let known = ["command", "args", "env"];
        for word in ["url", "xyz", "description", "a", &"c".repeat(1000)] {
            assert_eq!(closest(word, &known), None, "{word}");
        }
    }
}
