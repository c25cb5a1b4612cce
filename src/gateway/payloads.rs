//! Secrets in arguments and results, taken out where the policy says so. Else no payload is looked at.
//!
//! Invariants: only what is inside a string is replaced, so JSON stays JSON; every other byte is passed on
//! as it came.

use crate::wire::raw::Raw;
use crate::wire::splice::{Edit, splice};
use std::ops::Range;

/// Where secrets are in a text: in order, apart from each other.
pub type SecretFinder = Box<dyn Fn(&str) -> Vec<Range<usize>>>;

/// What is looked for, and where.
#[derive(Default)]
pub struct Payloads {
    /// In the arguments of calls, before a server gets them.
    pub arguments: Option<SecretFinder>,
    /// In answers, before the client gets them.
    pub results: Option<SecretFinder>,
}

/// What stands where a secret was, inside a string.
const REDACTED: &[u8] = b"[REDACTED]";

impl Payloads {
    /// Takes secrets out of the arguments of a request, which is all of `line`.
    pub(super) fn redact_arguments(&self, line: &mut Vec<u8>) {
        if let Some(finder) = &self.arguments {
            redact(line, 0, finder, &[&["params", "arguments"]]);
        }
    }

    /// Takes secrets out of an answer, which is what stands in `out` from `start` on.
    pub(super) fn redact_result(&self, out: &mut Vec<u8>, start: usize) {
        if let Some(finder) = &self.results {
            redact(out, start, finder, &[&["result"], &["error"]]);
        }
    }
}

fn redact(out: &mut Vec<u8>, start: usize, finder: &SecretFinder, paths: &[&[&str]]) {
    let Ok(text) = std::str::from_utf8(&out[start..]) else {
        return;
    };
    let Some(message) = Raw::parse(text) else {
        return;
    };
    let mut spans = Vec::new();
    for path in paths {
        let found = path
            .iter()
            .try_fold(message, |value, name| value.member(name));
        if let Some(value) = found {
            spans.extend(inside_strings(value, finder));
        }
    }
    if spans.is_empty() {
        return;
    }
    let mut edits: Vec<Edit<'_>> = spans
        .into_iter()
        .map(|span| Edit {
            span,
            with: REDACTED,
        })
        .collect();
    let mut redacted = Vec::new();
    // The edits were found in this text, in order and apart.
    if splice(text.as_bytes(), &mut edits, &mut redacted).is_ok() {
        out.truncate(start);
        out.extend_from_slice(&redacted);
    }
}

/// The parts of secrets that are inside strings, in bytes of the message.
///
/// The value is looked through as a whole, since a key can give away what stands behind it, and each string by itself,
/// since a pattern may ask for the string's ends.
fn inside_strings(value: Raw<'_>, finder: &SecretFinder) -> Vec<Range<usize>> {
    let (text, base) = (value.text(), value.span().start);
    let secrets = finder(text);
    let mut secrets = secrets.iter().peekable();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(string) = next_string(text.as_bytes(), at) {
        at = string.end + 1;
        let inside = finder(&text[string.clone()]);
        let mut parts: Vec<Range<usize>> = inside
            .iter()
            .map(|secret| string.start + secret.start..string.start + secret.end)
            .collect();
        while let Some(secret) = secrets.peek() {
            if secret.start >= string.end {
                break;
            }
            let clipped = secret.start.max(string.start)..secret.end.min(string.end);
            if clipped.start < clipped.end {
                parts.push(clipped);
            }
            if secret.end > string.end {
                // It goes on in the next string.
                break;
            }
            secrets.next();
        }
        parts.sort_unstable_by_key(|part| part.start);
        let mut looked_to = string.start;
        for part in merged(parts) {
            let whole = around_escapes(text.as_bytes(), looked_to..string.end, part);
            looked_to = whole.end;
            found.push(base + whole.start..base + whole.end);
        }
    }
    merged(found)
}

/// What is inside the next string from `at` on. The text is JSON.
fn next_string(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at + memchr::memchr(b'"', text.get(at..)?)? + 1;
    let mut end = start;
    loop {
        match text.get(end)? {
            b'"' => return Some(start..end),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
}

/// The same without cutting an escape in two. No escape is cut where the rest of the string begins.
fn around_escapes(text: &[u8], rest: Range<usize>, part: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (part.start, part.end);
    let mut at = rest.start;
    while at < part.end {
        let length = match (text[at], text.get(at + 1)) {
            (b'\\', Some(b'u')) => 6,
            (b'\\', _) => 2,
            (_, _) => 1,
        };
        let escape = at..at + length;
        if escape.contains(&part.start) {
            start = escape.start;
        }
        if escape.start < part.end && part.end < escape.end {
            end = escape.end;
        }
        at = escape.end;
    }
    start..end.min(rest.end)
}

fn merged(spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payloads(secrets: &'static [&'static str]) -> Payloads {
        let finder = || -> SecretFinder {
            Box::new(|text| {
                let mut found: Vec<Range<usize>> = secrets
                    .iter()
                    .flat_map(|secret| text.match_indices(secret))
                    .map(|(at, found)| at..at + found.len())
                    .collect();
                found.sort_by_key(|span| span.start);
                found
            })
        };
        Payloads {
            arguments: Some(finder()),
            results: Some(finder()),
        }
    }

    fn in_result(secrets: &'static [&'static str], line: &str) -> String {
        let mut out = b"before\n".to_vec();
        let start = out.len();
        out.extend_from_slice(line.as_bytes());
        payloads(secrets).redact_result(&mut out, start);
        String::from_utf8(out.split_off(start)).expect("text")
    }

    #[test]
    fn secrets_are_taken_out_of_strings_and_nothing_else_changes() {
        assert_eq!(
            in_result(
                &["hush"],
                r#"{"jsonrpc":"2.0","id":"hush","result":{ "a" : "x hush y", "n":1e400,"hush":["hush"] }}"#
            ),
            r#"{"jsonrpc":"2.0","id":"hush","result":{ "a" : "x [REDACTED] y", "n":1e400,"[REDACTED]":["[REDACTED]"] }}"#
        );
        let untouched = r#"{"id":1,"result":{"a":"\u0068ush"}}"#;
        assert_eq!(in_result(&["hush"], untouched), untouched);
        assert_eq!(
            in_result(&["hush"], r#"{"id":1,"error":{"code":1,"message":"hush"}}"#),
            r#"{"id":1,"error":{"code":1,"message":"[REDACTED]"}}"#
        );
    }

    #[test]
    fn an_escape_is_never_cut_and_a_quote_never_lost() {
        for (secret, line, expected) in [
            (
                &["nb"][..],
                r#"{"result":"a\nb"}"#,
                r#"{"result":"a[REDACTED]"}"#,
            ),
            (
                &["a\\"],
                r#"{"result":"a\"b"}"#,
                r#"{"result":"[REDACTED]b"}"#,
            ),
            (
                &["00e9x"],
                r#"{"result":"\u00e9x"}"#,
                r#"{"result":"[REDACTED]"}"#,
            ),
            (
                &["x\\u00"],
                r#"{"result":"x\u00e9"}"#,
                r#"{"result":"[REDACTED]"}"#,
            ),
            (
                &[r#"a","b"#],
                r#"{"result":["xa","by"]}"#,
                r#"{"result":["x[REDACTED]","[REDACTED]y"]}"#,
            ),
            (&[r#"":"#], r#"{"result":{"a":1}}"#, r#"{"result":{"a":1}}"#),
            (&["12345"], r#"{"result":12345}"#, r#"{"result":12345}"#),
        ] {
            let redacted = in_result(secret, line);
            assert_eq!(redacted, expected);
            serde_json::from_str::<serde_json::Value>(&redacted).expect("it is JSON");
        }
    }

    #[test]
    fn each_string_is_looked_through_by_itself_too() {
        let whole_string: SecretFinder = Box::new(|text| {
            let is_all = text.starts_with("EMP") && text.ends_with('7');
            is_all.then_some(0..text.len()).into_iter().collect()
        });
        let payloads = Payloads {
            arguments: None,
            results: Some(whole_string),
        };
        let mut out = br#"{"result":{"a":"EMP-7","EMP7":["","EMP\n7","xEMP7","EMP7\""]}}"#.to_vec();
        payloads.redact_result(&mut out, 0);
        assert_eq!(
            String::from_utf8(out).expect("text"),
            r#"{"result":{"a":"[REDACTED]","[REDACTED]":["","[REDACTED]","xEMP7","EMP7\""]}}"#
        );
    }

    #[test]
    fn a_secret_behind_an_escape_goes_and_the_escape_stays() {
        for (secret, line, expected) in [
            (
                &["hush"][..],
                r#"{"result":"first\nhush"}"#,
                r#"{"result":"first\n[REDACTED]"}"#,
            ),
            (
                &["hush"],
                r#"{"result":"{\"a\":\"\\thush\"}"}"#,
                r#"{"result":"{\"a\":\"\\t[REDACTED]\"}"}"#,
            ),
            (
                &["\\u0068ush", "sh\\n"],
                r#"{"result":"a\\\u0068ush\nb\nhush\n"}"#,
                r#"{"result":"a\\[REDACTED]b\nhu[REDACTED]"}"#,
            ),
        ] {
            assert_eq!(in_result(secret, line), expected);
        }
    }

    #[test]
    fn many_secrets_in_one_string_take_linear_time() {
        let line = format!(r#"{{"result":"{}"}}"#, r"\nhush".repeat(50_000));
        let redacted = in_result(&["hush"], &line);
        assert_eq!(redacted.matches("[REDACTED]").count(), 50_000);
    }

    #[test]
    fn of_a_request_only_the_arguments_are_looked_at() {
        let mut line = br#"{"id":"hush","method":"tools/call","params":{"name":"hush","arguments":{"a":"hush"}}}"#.to_vec();
        payloads(&["hush"]).redact_arguments(&mut line);
        assert_eq!(
            String::from_utf8(line).expect("text"),
            r#"{"id":"hush","method":"tools/call","params":{"name":"hush","arguments":{"a":"[REDACTED]"}}}"#
        );
    }
}
