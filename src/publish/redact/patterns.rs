//! What secrets look like: of well-known makers, and behind the names that people give them.
//!
//! Invariant: time is linear in the text, whatever the text is. The rows of the [`table`] are one automaton, which goes
//! over a text once.

mod table;

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex_automata::meta::{BuildError, Regex};
use regex_automata::{Anchored, Input, Match, PatternID};

use table::{ADDRESS, JWT, Judge, NAMED, TOKENS};

/// The rows of the table, compiled. Clones share it.
#[derive(Clone)]
pub(super) struct Patterns(Arc<Compiled>);

struct Compiled {
    /// Pattern `n` is row `n`: first the tokens, then what is named.
    rows: Regex,
    address: Regex,
    jwt: Regex,
}

impl Patterns {
    pub(super) fn compile() -> Result<Self, Box<BuildError>> {
        let tokens = TOKENS.iter().map(|(_, regex, _)| ascii(regex));
        let named = NAMED
            .iter()
            .map(|(_, named)| ascii(named.before) + named.value);
        Ok(Self(Arc::new(Compiled {
            rows: many(tokens.chain(named))?,
            address: Regex::new(&ascii(ADDRESS))?,
            jwt: Regex::new(&ascii(JWT))?,
        })))
    }

    /// Adds where secrets by their looks are, in no order.
    pub(super) fn find(&self, text: &str, spans: &mut Vec<Range<usize>>) {
        let compiled = &*self.0;
        let mut from = 0;
        while let Some(found) = compiled.rows.find(Input::new(text).range(from..)) {
            match judge(text, &found) {
                Ok(secret) => {
                    from = found.end();
                    spans.push(secret);
                }
                Err(resume_at) => from = resume_at,
            }
        }
        let addresses = compiled.address.find_iter(text);
        spans.extend(addresses.map(|found| password(text, &found)));
        spans.extend(compiled.jwt.find_iter(text).map(|found| found.range()));
    }
}

/// The secret of a match, or where to look on if it is none.
fn judge(text: &str, found: &Match) -> Result<Range<usize>, usize> {
    // What is too short to be a secret is short enough to be looked through for others.
    let inside = found.start() + 1;
    let row = found.pattern().as_usize();
    if let Some((_, _, bytes_min)) = TOKENS.get(row) {
        return if found.len() < *bytes_min {
            Err(inside)
        } else {
            Ok(found.range())
        };
    }
    let row = row - TOKENS.len();
    let (_, named) = &NAMED[row];
    let value = value_at(text, found, PatternID::new_unchecked(row))..found.end();
    if value.len() < named.bytes_min {
        Err(inside)
    } else if named.judge.takes(&text[value.clone()]) {
        Ok(value)
    } else {
        Err(value.end)
    }
}

/// Where the value of what is named begins.
fn value_at(text: &str, found: &Match, row: PatternID) -> usize {
    /// What stands before the values. Made when one is met, since making it delays the start of the gateway.
    static BEFORE: LazyLock<Option<Regex>> =
        LazyLock::new(|| many(NAMED.iter().map(|(_, named)| ascii(named.before))).ok());
    let input = Input::new(text)
        .range(found.range())
        .anchored(Anchored::Pattern(row));
    let before = BEFORE.as_ref().and_then(|regex| regex.search_half(&input));
    before.map_or(found.start(), |before| before.offset())
}

fn ascii(regex: &str) -> String {
    format!("(?-u){regex}")
}

/// Rows have no few literals in common that could be searched for first; looking for some costs a third of the time.
fn many(rows: impl Iterator<Item = String>) -> Result<Regex, Box<BuildError>> {
    let rows: Vec<String> = rows.collect();
    let regex = Regex::builder()
        .configure(Regex::config().auto_prefilter(false))
        .build_many(&rows)?;
    Ok(regex)
}

/// What stands between the colon and the at sign of `://user:password@`.
fn password(text: &str, found: &Match) -> Range<usize> {
    const SCHEME_END: &str = "://";
    let user_at = found.start() + SCHEME_END.len();
    let user_bytes = text[user_at..found.end()].find(':').unwrap_or_default();
    user_at + user_bytes + 1..found.end() - 1
}

impl Judge {
    fn takes(self, value: &str) -> bool {
        let count = |is: fn(&u8) -> bool| value.bytes().filter(is).count();
        let digits = count(u8::is_ascii_digit);
        match self {
            Self::Any => true,
            Self::Random => {
                let (upper, lower) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
                // Names in code are joined so, and some have a digit: `base64.decode`.
                let joined = count(|byte| matches!(byte, b'.' | b'_')) > 0;
                match digits {
                    0 => upper == value.len() || lower == value.len(),
                    1 | 2 => !joined,
                    _ => true,
                }
            }
            Self::Unwordly => digits > 0 || count(|byte| b"!#$%+=?@^~".contains(byte)) > 0,
        }
    }
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
