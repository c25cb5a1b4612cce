//! YAML text as a tree in which everything knows its line.
//!
//! Only the shape is decided here; what a value means is decided where its key is known. So the text of a scalar stays
//! as written: `PORT: 0123` is "0123" and never a number.
//!
//! Invariant: a tree has a bounded size. The file, the nesting and the copies that aliases make are limited, and the
//! limits are errors with a line. A key given twice in one map is a problem, never "the last one wins".
//!
//! Absent on purpose: tags other than `!!str`, merge keys, several documents, maps as keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::problem::{Position, Problem, ProblemKind};

/// Far more than any file needs, and little memory.
const NODES_MAX: usize = 20_000;
const NESTING_MAX: usize = 32;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

/// What a value is, before anybody knows what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing written, `~` or `null`.
    Null,
    /// Text without quotes: could be meant as a number or a boolean.
    Plain(String),
    /// Text in quotes or in a block.
    Quoted(String),
    /// A list.
    List(Vec<Node>),
    /// A map; keys are unique and in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A map's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) at: Position,
    pub(super) text: String,
}

impl Node {
    /// What it is, in words for a message. Never shows the value.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Plain(_) | Value::Quoted(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Plain(_) | Value::Quoted(_) => 0,
            Value::List(items) => items.iter().map(Self::size).sum(),
            Value::Map(entries) => entries.iter().map(|(_, node)| node.size()).sum(),
        }
    }
}

/// Reads one document. `None` is a file with nothing in it. Duplicate keys go to `problems`; any other fault ends it.
pub(super) fn parse(text: &str, problems: &mut Vec<Problem>) -> Result<Option<Node>, Problem> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: NESTING_MAX,
        block_nesting_limit: NESTING_MAX,
    };
    let mut tree = Tree::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| fault(text, &error))?;
        tree.take(event, position(&span), problems)?;
    }
    Ok(tree.root)
}

/// A tab in the indentation is the commonest slip, and the parser finds it only once something no longer fits.
fn fault(text: &str, error: &ScanError) -> Problem {
    let marker = error.marker();
    let lines = text
        .lines()
        .enumerate()
        .skip(marker.line().saturating_sub(1))
        .take(2);
    let tab = lines.into_iter().find_map(|(index, line)| {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        line[spaces..]
            .starts_with('\t')
            .then(|| Position::new(index + 1, spaces + 1))
    });
    let line = text.lines().nth(marker.line().saturating_sub(1));
    let met = line.and_then(|line| line.chars().nth(marker.col()));
    let (at, detail) = match (tab, met) {
        (Some(at), _) => (at, "a tab can't be used to indent, use spaces".to_owned()),
        // Names of packages begin so, and YAML keeps the character for itself.
        (None, Some(met @ ('@' | '`'))) => (
            Position::new(marker.line(), marker.col() + 1),
            format!("text that begins with \"{met}\" has to stand in quotes"),
        ),
        (None, Some(_) | None) => (
            Position::new(marker.line(), marker.col() + 1),
            error.kind().to_string(),
        ),
    };
    Problem {
        at,
        kind: ProblemKind::Syntax { detail },
    }
}

fn position(span: &Span) -> Position {
    Position::new(span.start.line(), span.start.col() + 1)
}

/// The tree so far: finished nodes hang in `root`, unfinished ones wait in `open`.
#[derive(Default)]
struct Tree {
    root: Option<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    documents: usize,
}

struct Open {
    at: Position,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map {
        entries: Vec<(Key, Node)>,
        key: Option<Key>,
    },
}

impl Tree {
    fn take(
        &mut self,
        event: Event<'_>,
        at: Position,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Problem> {
        let refuse = |detail: &str| {
            Err(Problem {
                at,
                kind: ProblemKind::Unsupported {
                    what: detail.to_owned(),
                },
            })
        };
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return refuse("a second document (\"---\")");
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let Some(value) = scalar(text, style, tag.as_deref()) else {
                    return refuse("a tag other than !!str");
                };
                self.add(Node { at, value }, anchor, problems)?;
            }
            Event::SequenceStart(_, _, tag) | Event::MappingStart(_, _, tag) if tag.is_some() => {
                return refuse("a tag on a list or a map");
            }
            Event::SequenceStart(_, anchor, _) => {
                let kind = OpenKind::List(Vec::new());
                self.open.push(Open { at, anchor, kind });
            }
            Event::MappingStart(_, anchor, _) => {
                let (entries, key) = (Vec::new(), None);
                let kind = OpenKind::Map { entries, key };
                self.open.push(Open { at, anchor, kind });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { at, anchor, kind }) = self.open.pop() {
                    let value = match kind {
                        OpenKind::List(items) => Value::List(items),
                        OpenKind::Map { entries, .. } => Value::Map(entries),
                    };
                    self.add(Node { at, value }, anchor, problems)?;
                }
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return refuse("an alias inside what it stands for");
                };
                let node = Node {
                    at,
                    value: node.value.clone(),
                };
                self.nodes += node.size();
                self.add(node, 0, problems)?;
            }
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_) => {}
            // The parser may learn new kinds; what isn't known can't be read over.
            _ => return refuse("this construct"),
        }
        Ok(())
    }

    fn add(
        &mut self,
        node: Node,
        anchor: usize,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let kind = ProblemKind::TooLarge { limit: NODES_MAX };
            return Err(Problem { at: node.at, kind });
        }
        if anchor != 0 {
            self.nodes += node.size();
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map { entries, key }) => match key.take() {
                None => *key = Some(as_key(node)?),
                Some(key) => match entries.iter().find(|(known, _)| known.text == key.text) {
                    None => entries.push((key, node)),
                    Some((first, _)) => {
                        let kind = ProblemKind::DuplicateKey {
                            key: key.text,
                            first_line: first.at.line,
                        };
                        problems.push(Problem { at: key.at, kind });
                    }
                },
            },
        }
        Ok(())
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Option<Value> {
    let text = text.into_owned();
    match tag {
        Some(tag) if tag.core_suffix() == Some("str") => return Some(Value::Quoted(text)),
        Some(_) => return None,
        None => {}
    }
    Some(match (style, text.as_str()) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
        (ScalarStyle::Plain, _) => Value::Plain(text),
        _ => Value::Quoted(text),
    })
}

fn as_key(node: Node) -> Result<Key, Problem> {
    let Node { at, value } = node;
    match value {
        Value::Plain(text) | Value::Quoted(text) => Ok(Key { at, text }),
        Value::Null | Value::List(_) | Value::Map(_) => {
            let what = "a key that is not text".to_owned();
            Err(Problem {
                at,
                kind: ProblemKind::Unsupported { what },
            })
        }
    }
}

#[cfg(test)]
#[path = "yaml/tests.rs"]
mod tests;
