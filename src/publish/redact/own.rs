//! The patterns of a project's policy.
//!
//! Invariant: time is linear in the text. One search is; but a pattern that can fail far behind where it began (`a.*b|a`)
//! begins anew behind each match, so a search in a whole text could take its square. Long texts are therefore searched in
//! windows, which bound what one search goes over. They overlap, so that what is no longer than that is seen wherever it
//! is; and what is around a window is known to the search, so that `^`, `$` and `\b` mean what they mean in the text.

use std::ops::Range;

use regex_automata::Input;
use regex_automata::meta::Regex;

use super::floor_char_boundary;
use crate::config::policy::Pattern;

const WINDOW_BYTES: usize = 8 << 10;
const OVERLAP_BYTES: usize = 1 << 10;

#[derive(Clone, Default)]
pub(super) struct Own(Vec<Regex>);

impl Own {
    pub(super) fn new(patterns: &[Pattern]) -> Self {
        let regexes = patterns.iter().map(|pattern| pattern.regex.clone());
        Self(regexes.collect())
    }

    /// Adds where the patterns match, in no order.
    pub(super) fn find(&self, text: &str, spans: &mut Vec<Range<usize>>) {
        for regex in &self.0 {
            for window in windows(text) {
                let found = regex.find_iter(Input::new(text).range(window));
                spans.extend(found.map(|found| found.range()));
            }
        }
    }
}

fn windows(text: &str) -> impl Iterator<Item = Range<usize>> {
    let window = |start| start..floor_char_boundary(text, start + WINDOW_BYTES);
    std::iter::successors(Some(window(0)), move |last| {
        let next = || window(floor_char_boundary(text, last.end - OVERLAP_BYTES));
        (last.end < text.len()).then(next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::policy::Policy;

    fn own(regex: &str) -> Own {
        let text = format!("redact: {{patterns: [{{name: own, regex: '{regex}'}}]}}");
        Own::new(&Policy::parse(&text).unwrap().redact.patterns)
    }

    fn found(regex: &str, text: &str) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        own(regex).find(text, &mut spans);
        spans.sort_unstable_by_key(|span| span.start);
        spans.dedup();
        spans
    }

    #[test]
    fn windows_are_bounded_cover_the_text_and_overlap() {
        for unit in ["a", "é", "€", "😀", "a€é"] {
            for bytes in [0, 1, 8_191, 8_192, 8_193, 9_000, 16_000, 100_000] {
                let mut text = unit.repeat(bytes / unit.len() + 1);
                text.truncate(floor_char_boundary(&text, bytes));
                let windows: Vec<Range<usize>> = windows(&text).collect();
                assert_eq!(windows[0].start, 0);
                assert_eq!(windows[windows.len() - 1].end, text.len());
                for pair in windows.windows(2) {
                    let overlap = pair[0].end - pair[1].start;
                    assert!((OVERLAP_BYTES..OVERLAP_BYTES + 4).contains(&overlap));
                }
                // What all searches go over together is no more than a little above the text.
                let gone_over: usize = windows.iter().map(Range::len).sum();
                assert!(gone_over <= text.len() + text.len() / 6 + OVERLAP_BYTES);
                for window in windows {
                    assert!(window.len() <= WINDOW_BYTES);
                    assert!(text.get(window).is_some());
                }
            }
        }
    }

    #[test]
    fn what_stands_across_the_end_of_a_window_is_found_once_and_whole() {
        let secret = format!("EMP-{}", "7".repeat(400));
        for shift in (0..500).step_by(7) {
            for before in [WINDOW_BYTES, 2 * WINDOW_BYTES - OVERLAP_BYTES] {
                let at = before - shift;
                let text = format!(
                    "{}{secret}{}",
                    "é ".repeat(at / 3),
                    "x".repeat(WINDOW_BYTES)
                );
                let at = at / 3 * 3;
                let whole = at..at + secret.len();
                assert!(found("EMP-[0-9]+", &text).contains(&whole), "{shift}");
                assert_eq!(found(r"\bEMP-[0-9]{400}", &text), [whole]);
            }
        }
    }

    #[test]
    fn the_ends_of_a_window_are_no_ends_of_the_text() {
        let text = "a".repeat(3 * WINDOW_BYTES);
        for regex in ["^a{2}", r"\Aaa", r"\ba{2}"] {
            assert_eq!(found(regex, &text), vec![0..2], "{regex}");
        }
        let end = text.len();
        for regex in ["a{2}$", r"a{2}\b"] {
            let found = found(regex, &text);
            assert_eq!(found, vec![end - 2..end], "{regex}");
        }
    }

    #[test]
    fn a_pattern_that_begins_anew_behind_each_match_takes_linear_time() {
        let text = "EMP ".repeat(40_000);
        let all = found(r"EMP[^\n]*@corp|EMP", &text);
        assert_eq!(all.len(), 40_000);
    }
}
