//! What secrets of well-known makers look like, as one linear-time alternation.
//!
//! Where a name or scheme stands in front (`api_key=`, `Bearer`), only the value is taken, so that a line stays readable.

use std::ops::Range;

use regex::Regex;

/// Groups 1 to 3 are the values behind a name; a match without them is a secret as a whole. ASCII only, so that the
/// automaton stays small.
const PATTERNS: &str = r#"(?x-u)
    # AWS access key id
    \b (?:AKIA|ASIA|ABIA|ACCA) [A-Z0-9]{16} \b
    # AWS secret access key, behind its name
    | (?i:secret_?access_?key|aws_?secret_?key) ["'\\]* \s* [:=] \s* ["'\\]* ([A-Za-z0-9/+]{40}={0,2})
    # GitHub, classic and fine-grained
    | \b gh[pousr]_ [A-Za-z0-9]{36,}
    | \b github_pat_ [A-Za-z0-9_]{22,}
    # a key of anything, behind its name
    | (?i:api[_-]?key|api[_-]?secret|api[_-]?token|access[_-]?token|auth[_-]?token|refresh[_-]?token|client[_-]?secret|secret[_-]?key)
      ["'\\]* \s* [:=] \s* ["'\\]* ([A-Za-z0-9_./+=\-]{16,})
    # an authorisation header
    | \b (?i:bearer) \s+ ([A-Za-z0-9._~+/=\-]{16,})
    # a private key: its header, and its body where it is in the same text
    | -----BEGIN\x20 (?:[A-Z0-9]+\x20)* PRIVATE\x20KEY (?:\x20BLOCK)? ----- [A-Za-z0-9+/=\s\\:,\-]*
    # Discord: a bot's token, and a hook's address
    | \b [MNO][A-Za-z0-9_\-]{23,27} \. [A-Za-z0-9_\-]{6} \. [A-Za-z0-9_\-]{27,}
    | discord(?:app)?\.com/api/webhooks/ [0-9]+ / [A-Za-z0-9_\-]+
    # an AWS access key id in base64
    | \b Q(?:UtJQ|VNJQ) [A-Za-z0-9+/]{21,} ={0,2}
    # Anthropic
    | \b sk-ant- [A-Za-z0-9_\-]{20,}
    # OpenAI, of a project and the older form
    | \b sk-(?:proj|svcacct|admin)- [A-Za-z0-9_\-]{20,}
    | \b sk- [A-Za-z0-9]{32,}
    # Hugging Face
    | \b hf_ [A-Za-z0-9]{30,}
"#;

pub(super) fn compile() -> Result<Regex, regex::Error> {
    Regex::new(PATTERNS)
}

/// Where secrets by their looks are.
pub(super) fn find(patterns: &Regex, text: &str) -> impl Iterator<Item = Range<usize>> {
    patterns.captures_iter(text).filter_map(|captures| {
        let value = (1..=3).find_map(|group| captures.get(group));
        value.or_else(|| captures.get(0)).map(|found| found.range())
    })
}
