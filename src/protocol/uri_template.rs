//! Whether a concrete URI can come from one of a server's URI templates (RFC 6570).
//!
//! A template is a literal begin, then holes, each with a literal behind it. Matching keeps the
//! set of all places of the URI that the parts so far can reach and moves it over one part at a
//! time, so it never goes back.
//!
//! Invariant: every expansion of a template matches it, and the steps are bounded by the number of
//! holes times the length of the URI, whatever a server lists and a client asks for.
//!
//! Absent on purpose: the values of the variables. Who owns a URI is all that is asked, so names,
//! `*` and `:n` are read and don't count, and more matches than what could be expanded.

/// A template with more expressions is refused.
const MAX_EXPRESSIONS: usize = 64;

/// A longer template is refused, a longer URI matches nothing.
const MAX_BYTES: usize = 16 * 1024;

/// A template that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplate {
    prefix: Vec<u8>,
    holes: Vec<Hole>,
}

/// An expression and the literal text behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hole {
    kind: Kind,
    then: Vec<u8>,
}

/// What an expression's operator lets it become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `{var}`
    Simple,
    /// `{+var}`
    Reserved,
    /// `{#var}`
    Fragment,
    /// `{.var}`
    Label,
    /// `{/var}`
    Path,
    /// `{;var}`
    Parameters,
    /// `{?var}`
    Query,
    /// `{&var}`
    MoreQuery,
}

impl UriTemplate {
    /// Reads a template. `None` if its braces or expressions are malformed, or if it's too long.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let mut pieces = text.split('{');
        let prefix = literal(pieces.next()?)?;
        let mut holes = Vec::new();
        for piece in pieces {
            let (expression, then) = piece.split_once('}')?;
            if holes.len() == MAX_EXPRESSIONS {
                return None;
            }
            holes.push(Hole {
                kind: Kind::parse(expression)?,
                then: literal(then)?,
            });
        }
        Some(Self { prefix, holes })
    }

    /// Whether some values of the variables make it this URI. Both are compared with what no URI
    /// can hold percent-encoded, since a client may do so or not.
    pub fn matches(&self, uri: &str) -> bool {
        self.matches_in_steps(uri, || {})
    }

    /// How much literal text it begins with. Of two that match a URI, the one with more says more
    /// about it.
    pub fn literal_prefix_bytes(&self) -> usize {
        self.prefix.len()
    }

    /// As [`matches`](Self::matches), with a call of `step` for each piece of work done.
    fn matches_in_steps(&self, uri: &str, mut step: impl FnMut()) -> bool {
        if uri.len() > MAX_BYTES {
            return false;
        }
        let uri = canonical(uri);
        let Some(rest) = uri.strip_prefix(self.prefix.as_slice()) else {
            return false;
        };
        // `reached[n]`: the parts so far can end before byte n.
        let mut reached = vec![false; rest.len() + 1];
        reached[0] = true;
        for hole in &self.holes {
            hole.kind.fill(rest, &mut reached, &mut step);
            if !hole.then.is_empty() {
                reached = follow(&hole.then, rest, &reached, &mut step);
            }
        }
        reached[rest.len()]
    }
}

impl Kind {
    fn parse(expression: &str) -> Option<Self> {
        let (kind, variables) = match expression.split_at_checked(1)? {
            ("+", rest) => (Self::Reserved, rest),
            ("#", rest) => (Self::Fragment, rest),
            (".", rest) => (Self::Label, rest),
            ("/", rest) => (Self::Path, rest),
            (";", rest) => (Self::Parameters, rest),
            ("?", rest) => (Self::Query, rest),
            ("&", rest) => (Self::MoreQuery, rest),
            _ => (Self::Simple, expression),
        };
        variables.split(',').all(is_variable).then_some(kind)
    }

    /// What an expansion that isn't empty begins with.
    const fn lead(self) -> Option<u8> {
        match self {
            Self::Simple | Self::Reserved => None,
            Self::Fragment => Some(b'#'),
            Self::Label => Some(b'.'),
            Self::Path => Some(b'/'),
            Self::Parameters => Some(b';'),
            Self::Query => Some(b'?'),
            Self::MoreQuery => Some(b'&'),
        }
    }

    /// Whether an expansion can hold this byte. Each kind admits its own lead.
    const fn admits(self, byte: u8) -> bool {
        match self {
            Self::Simple | Self::Label | Self::Parameters => !matches!(byte, b'/' | b'?' | b'#'),
            Self::Path => !matches!(byte, b'?' | b'#'),
            Self::Query | Self::MoreQuery => byte != b'#',
            Self::Reserved | Self::Fragment => true,
        }
    }

    /// Adds the places that are reached with the hole filled. Where it is left empty, they stay.
    fn fill(self, uri: &[u8], reached: &mut [bool], step: &mut impl FnMut()) {
        let mut inside = false;
        for (at, &byte) in uri.iter().enumerate() {
            step();
            let begins = reached[at] && self.lead().is_none_or(|lead| lead == byte);
            // A place that this hole itself has reached adds nothing as a begin: it is inside.
            inside = (inside || begins) && self.admits(byte);
            reached[at + 1] |= inside;
        }
    }
}

/// The places that are reached behind `literal`, found by Knuth, Morris and Pratt's search: its
/// occurrences may overlap, and it isn't known which one counts.
fn follow(literal: &[u8], uri: &[u8], reached: &[bool], step: &mut impl FnMut()) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    // `borders[n]`: how long a begin of the literal its first n + 1 bytes also end in.
    let mut borders = vec![0; literal.len()];
    let mut matched = 0;
    for at in 1..literal.len() {
        matched = extend(literal, &borders, matched, literal[at], step);
        borders[at] = matched;
    }
    matched = 0;
    for (at, &byte) in uri.iter().enumerate() {
        matched = extend(literal, &borders, matched, byte, step);
        if matched == literal.len() {
            next[at + 1] = reached[at + 1 - literal.len()];
            matched = borders[matched - 1];
        }
    }
    next
}

/// How much of the literal is matched after one more byte. `matched` is less than all of it.
fn extend(
    literal: &[u8],
    borders: &[usize],
    mut matched: usize,
    byte: u8,
    step: &mut impl FnMut(),
) -> usize {
    loop {
        step();
        if literal[matched] == byte {
            return matched + 1;
        }
        if matched == 0 {
            return 0;
        }
        matched = borders[matched - 1];
    }
}

/// Literal text as it stands in a URI.
fn literal(text: &str) -> Option<Vec<u8>> {
    (!text.contains('}')).then(|| canonical(text))
}

/// The text with all that no URI can hold percent-encoded, in upper case like the rest.
fn canonical(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    // How many bytes are left of what a `%` begins.
    let mut encoded = 0_usize;
    for byte in text.bytes() {
        encoded = if byte == b'%' {
            3
        } else {
            encoded.saturating_sub(1)
        };
        match byte {
            b'a'..=b'f' if encoded > 0 => out.push(byte.to_ascii_uppercase()),
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(byte),
            b'-' | b'.' | b'_' | b'~' | b'%' => out.push(byte),
            b':' | b'/' | b'?' | b'#' | b'[' | b']' | b'@' => out.push(byte),
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' => out.push(byte),
            b'*' | b'+' | b',' | b';' | b'=' => out.push(byte),
            _ => {
                let (high, low) = (
                    DIGITS[usize::from(byte >> 4)],
                    DIGITS[usize::from(byte & 15)],
                );
                out.extend([b'%', high, low]);
            }
        }
    }
    out
}

/// Whether it is a variable's name, with `*` or `:n` behind it. The name plays no part in
/// matching, so what common SDKs let servers use passes too: `-` and letters of any script.
fn is_variable(text: &str) -> bool {
    let name = match text.split_once(':') {
        Some((name, length)) => {
            let is_number = length.bytes().all(|digit| digit.is_ascii_digit());
            if !is_number || !(1..=4).contains(&length.len()) || length.starts_with('0') {
                return false;
            }
            name
        }
        None => text.strip_suffix('*').unwrap_or(text),
    };
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '%');
    !name.is_empty() && name.chars().all(allowed)
}

#[cfg(test)]
mod tests;
