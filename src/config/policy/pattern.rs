//! What secrets of a project's own look like.

use std::fmt;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_syntax::ParserBuilder;
use regex_syntax::ast::ErrorKind;

use super::super::decode::{Fields, text};
use super::super::problem::{Problem, ProblemKind};
use super::super::yaml::Node;

const NAME_BYTES_MAX: usize = 64;
const REGEX_BYTES_MAX: usize = 4 << 10;
/// Of one pattern when it is compiled. `\w{30}` takes a tenth of it.
const COMPILED_BYTES_MAX: usize = 2 << 20;

/// A pattern of secrets.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// What it is called.
    pub name: String,
    /// Never matches where there is no text.
    pub regex: Regex,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternFault {
    /// No name to be told by, or one that is too long.
    Name,
    /// Longer than a pattern may be.
    Length,
    /// A flag that means nothing here.
    Flag(char),
    /// `(?=…)`, `(?!…)`, `(?<=…)` or `(?<!…)`.
    LookAround,
    /// `\1`.
    Backreference,
    /// It can't be read.
    Syntax {
        /// What the parser says of it; nothing of the pattern itself.
        detail: String,
    },
    /// Too much memory when compiled.
    Size,
    /// It matches the empty text, which is everywhere.
    Empty,
    /// No text matches it.
    Nothing,
}

impl fmt::Display for PatternFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(
                formatter,
                "its name must have 1 to {NAME_BYTES_MAX} characters"
            ),
            Self::Length => write!(formatter, "it is longer than {REGEX_BYTES_MAX} bytes"),
            Self::Flag(flag) => write!(
                formatter,
                "the flag {flag:?} means nothing here; flags are i, m and s, and g and u are always on"
            ),
            Self::LookAround => formatter.write_str(
                "look-around is not supported, so that a match always takes linear time; match what is around the \
                 secret too, or use \\b",
            ),
            Self::Backreference => formatter.write_str(
                "backreferences are not supported, so that a match always takes linear time",
            ),
            Self::Syntax { detail } => formatter.write_str(detail),
            Self::Size => write!(
                formatter,
                "it takes more than {} MiB when compiled; repeat less, or use [0-9A-Za-z_] for \\w",
                COMPILED_BYTES_MAX >> 20
            ),
            Self::Empty => formatter.write_str("it matches the empty text, which is everywhere"),
            Self::Nothing => formatter.write_str("no text can match it"),
        }
    }
}

/// Reads one item of the list.
pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Option<Pattern> {
    let fields = Fields::read(node, "a pattern", &["name", "regex", "flags"], problems)?;
    let name = fields
        .require("name", "a name to tell it by", problems)
        .and_then(|node| Some((text(node, "name", problems)?, node.at)));
    let regex = fields
        .require("regex", "a regular expression", problems)
        .and_then(|node| Some((text(node, "regex", problems)?, node.at)));
    let flags = match fields.get("flags") {
        None => ("", node.at),
        Some(node) => (text(node, "flags", problems)?, node.at),
    };
    let ((name, name_at), (regex, regex_at)) = name.zip(regex)?;
    let compiled = if (1..=NAME_BYTES_MAX).contains(&name.len()) {
        match Flags::read(flags.0) {
            Ok(flags) => compile(regex, &flags).map_err(|fault| (regex_at, fault)),
            Err(fault) => Err((flags.1, fault)),
        }
    } else {
        Err((name_at, PatternFault::Name))
    };
    let name = name.to_owned();
    match compiled {
        Ok(regex) => Some(Pattern { name, regex }),
        Err((at, fault)) => {
            let kind = ProblemKind::BadPattern { name, fault };
            problems.push(Problem { at, kind });
            None
        }
    }
}

/// JavaScript's letters, since the reference's patterns have them.
#[derive(Debug, Default)]
struct Flags {
    ignores_case: bool,
    has_lines: bool,
    dot_takes_newlines: bool,
}

impl Flags {
    fn read(letters: &str) -> Result<Self, PatternFault> {
        let mut flags = Self::default();
        for letter in letters.chars() {
            match letter {
                'i' => flags.ignores_case = true,
                'm' => flags.has_lines = true,
                's' => flags.dot_takes_newlines = true,
                // Every match is looked for, and text is Unicode, whether they are written or not.
                'g' | 'u' => {}
                other => return Err(PatternFault::Flag(other)),
            }
        }
        Ok(flags)
    }
}

fn compile(regex: &str, flags: &Flags) -> Result<Regex, PatternFault> {
    if regex.len() > REGEX_BYTES_MAX {
        return Err(PatternFault::Length);
    }
    let parsed = ParserBuilder::new()
        .case_insensitive(flags.ignores_case)
        .multi_line(flags.has_lines)
        .dot_matches_new_line(flags.dot_takes_newlines)
        .build()
        .parse(regex)
        .map_err(|error| fault(&error))?;
    match parsed.properties().minimum_len() {
        None => return Err(PatternFault::Nothing),
        Some(0) => return Err(PatternFault::Empty),
        Some(_) => {}
    }
    let syntax = syntax::Config::new()
        .case_insensitive(flags.ignores_case)
        .multi_line(flags.has_lines)
        .dot_matches_new_line(flags.dot_takes_newlines);
    Regex::builder()
        .syntax(syntax)
        .configure(Regex::config().nfa_size_limit(Some(COMPILED_BYTES_MAX)))
        .build(regex)
        // What could be parsed can fail by its size alone.
        .map_err(|_| PatternFault::Size)
}

fn fault(error: &regex_syntax::Error) -> PatternFault {
    let detail = match error {
        regex_syntax::Error::Parse(error) => {
            if *error.kind() == ErrorKind::UnsupportedLookAround {
                return PatternFault::LookAround;
            }
            if *error.kind() == ErrorKind::UnsupportedBackreference {
                return PatternFault::Backreference;
            }
            error.kind().to_string()
        }
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "it can't be read".to_owned(),
    };
    PatternFault::Syntax { detail }
}
