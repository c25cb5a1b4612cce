//! What is wrong with a file that a person wrote, as data; the words are made here, once.
//!
//! Invariant: a problem never holds a value that could be a secret. Names, numbers and choices are shown (bounded, and
//! with nothing that could steer a terminal); other values are described by what they are.

use std::fmt;

use super::policy::PatternFault;
use super::template::TemplateError;

/// A place in a file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Position {
    pub(super) fn new(line: usize, column: usize) -> Self {
        Self { line, column }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: Position,
    /// What.
    pub kind: ProblemKind,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Not YAML.
    #[error("this is not valid YAML: {detail}")]
    Syntax {
        /// The parser's words.
        detail: String,
    },
    /// YAML that no file here has a use for.
    #[error("{what} can't be used here")]
    Unsupported {
        /// What was met.
        what: String,
    },
    /// A tree beyond the bound.
    #[error(
        "more than {limit} values (aliases count each time): a file that people write is smaller than that"
    )]
    TooLarge {
        /// The bound.
        limit: usize,
    },
    /// A key twice in one map.
    #[error("{} is given twice; the first is on line {first_line}", quoted(key))]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it was first.
        first_line: usize,
    },
    /// A key that nothing reads.
    #[error("unknown key {} in {place}{advice}", quoted(key))]
    UnknownKey {
        /// The key.
        key: String,
        /// The map it stands in.
        place: &'static str,
        /// What was probably meant.
        advice: Advice,
    },
    /// An entry for a server that is reached by HTTP.
    #[error(
        "{} is for a server that is reached by HTTP; rea speaks to servers over standard input and output only: \
         leave this one with the client",
        quoted(key)
    )]
    Http {
        /// The key that says so.
        key: String,
    },
    /// A key that must be there.
    #[error("{place} has no \"{key}\"; expected {expected}")]
    MissingKey {
        /// The map.
        place: &'static str,
        /// The key.
        key: &'static str,
        /// What it holds.
        expected: &'static str,
    },
    /// Another kind of value.
    #[error("{}: expected {expected}, found {found}", quoted(key))]
    WrongKind {
        /// The key it belongs to.
        key: String,
        /// What was expected.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// Text with a NUL byte can't be given to a process.
    #[error("{}: a NUL character can't be used", quoted(key))]
    Nul {
        /// The key it belongs to.
        key: String,
    },
    /// Another version of the format.
    #[error("version {}: expected \"1\"", quoted(found))]
    Version {
        /// What is written.
        found: String,
    },
    /// One of a few words was expected.
    #[error("{key}: expected {expected}, found {}", quoted(found))]
    Choice {
        /// The key.
        key: &'static str,
        /// The words.
        expected: &'static str,
        /// What is written.
        found: String,
    },
    /// A server's name that can't be used.
    #[error(
        "bad server name {}: {}; names are 1 to 32 letters, digits, \".\", \"_\" and \"-\", start with a letter or \
         digit, do not end in \"_\" and have no \"__\", which separates server and tool",
        quoted(name), fault.words()
    )]
    BadName {
        /// What is written.
        name: String,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// Two servers with one name.
    #[error(
        "the server name {} is already used by {} on line {first_line}: names must differ in more than case",
        quoted(name),
        quoted(first)
    )]
    DuplicateName {
        /// The second one.
        name: String,
        /// The first one.
        first: String,
        /// Where the first one is.
        first_line: usize,
    },
    /// The name of a variable that can't be used.
    #[error("{key}: bad variable name {}: {expected}", quoted(name))]
    BadVariable {
        /// The key.
        key: &'static str,
        /// What is written.
        name: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A secret by its name may not be passed through, where nobody sees that it is one.
    #[error(
        "env_passthrough: {} looks like a secret by its name; name it in env instead, as {name}: ${{{name}}}, \
         so that its value is redacted",
        quoted(name)
    )]
    SecretPassthrough {
        /// The variable.
        name: String,
    },
    /// A value's `${…}` is malformed.
    #[error("env {}: {error}", quoted(name))]
    Template {
        /// The variable it is for.
        name: String,
        /// The fault.
        error: TemplateError,
    },
    /// A number that can't be read.
    #[error("{key}: {} is not {expected}", quoted(found))]
    BadNumber {
        /// The key.
        key: String,
        /// What was expected.
        expected: &'static str,
        /// What is written.
        found: String,
    },
    /// A number beyond its bounds.
    #[error("{key}: {found} is out of range: expected {min} to {max}")]
    OutOfRange {
        /// The key.
        key: String,
        /// What is written.
        found: String,
        /// The smallest.
        min: String,
        /// The largest.
        max: String,
    },
    /// Two numbers that don't go together.
    #[error(
        "{smaller} ({smaller_value}) must not be greater than {greater} ({greater_value}): {why}"
    )]
    Order {
        /// The key that must not be greater.
        smaller: String,
        /// Its value.
        smaller_value: String,
        /// The key that must not be smaller.
        greater: &'static str,
        /// Its value.
        greater_value: String,
        /// The promise that would break.
        why: &'static str,
    },
    /// More items than a list may have.
    #[error("\"{key}\": {found} items, expected at most {limit}")]
    TooMany {
        /// The list.
        key: &'static str,
        /// How many there are.
        found: usize,
        /// The bound.
        limit: usize,
    },
    /// A pattern of secrets that can't be used.
    #[error("the pattern {} can't be used: {fault}", quoted(name))]
    BadPattern {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        fault: PatternFault,
    },
    /// The same number under both its names.
    #[error("\"timeout\" and \"call_timeout\" are the same number: give one of them")]
    TimeoutTwice,
}

/// What is wrong with a server's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// Nothing there.
    Empty,
    /// More than 32 characters.
    TooLong,
    /// A first character that is no letter or digit.
    Start,
    /// A character that names can't have.
    Character(char),
    /// `__`, which separates server and tool.
    Separator,
    /// `_` at the end would run into the separator.
    End,
}

impl NameFault {
    fn words(self) -> String {
        match self {
            Self::Empty => "it is empty".to_owned(),
            Self::TooLong => "it is too long".to_owned(),
            Self::Start => "it starts with neither a letter nor a digit".to_owned(),
            Self::Character(character) => {
                format!(
                    "it has the character {}",
                    quoted(character.encode_utf8(&mut [0; 4]))
                )
            }
            Self::Separator => "it has \"__\"".to_owned(),
            Self::End => "it ends in \"_\"".to_owned(),
        }
    }
}

fn quoted(text: &str) -> String {
    const SHOWN_CHARACTERS_MAX: usize = 40;
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    // Rust's own escapes also make control, direction and zero-width characters visible.
    format!("{shown:?}")
}

/// What whoever wrote an unknown key has probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// A known key that is spelled like it.
    Spelling(&'static str),
    /// What other programs' files call so is called otherwise here.
    Instead(&'static str),
    /// Nobody knows: all known keys.
    Known(Vec<&'static str>),
    /// The same, and they have been told before.
    Told,
}

impl fmt::Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spelling(key) => write!(formatter, "; did you mean \"{key}\"?"),
            Self::Instead(words) => write!(formatter, "; {words}"),
            Self::Known(keys) => write!(formatter, "; known keys: {}", keys.join(", ")),
            Self::Told => Ok(()),
        }
    }
}
