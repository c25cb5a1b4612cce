//! The keys of the reference gateway's policy that do nothing here: one row each, with what may stand behind it.

use super::super::decode::{Fields, boolean, text, texts};
use super::super::ignored::Ignored;
use super::super::problem::{Problem, ProblemKind};
use super::super::yaml::Node;

/// One key.
pub(super) struct Row {
    /// The key behind the maps that it stands in.
    path: &'static str,
    kind: Kind,
}

enum Kind {
    Text,
    Texts,
    Boolean,
    Positive,
    OneOf(&'static [&'static str], &'static str),
    Map(&'static [Row]),
}

const fn row(path: &'static str, kind: Kind) -> Row {
    Row { path, kind }
}

const LEVEL: Kind = Kind::OneOf(&["L0", "L1", "L2", "L3"], "L0, L1, L2 or L3");

pub(super) const TOP: &[Row] = &[
    row("profile", Kind::Text),
    row("installed_by", Kind::Text),
    row("installed_at", Kind::Text),
    row("autonomy_level", LEVEL),
    row("max_autonomy_level", LEVEL),
    row("promotion_requires_human_approval", Kind::Boolean),
    row("block_ai_attribution", Kind::Boolean),
    row("blocked_paths", Kind::Texts),
    row("notification_channel", Kind::Text),
    row(
        "injection_detection",
        Kind::OneOf(&["block", "warn"], "block or warn"),
    ),
    row("injection", Kind::Map(INJECTION)),
    row("context_protection", Kind::Map(CONTEXT_PROTECTION)),
    row("review", Kind::Map(REVIEW)),
    row("audit", Kind::Map(AUDIT)),
];
const INJECTION: &[Row] = &[row("injection.suspicious_blocks_writes", Kind::Boolean)];
const CONTEXT_PROTECTION: &[Row] = &[
    row("context_protection.delegate_to_subagent", Kind::Texts),
    row("context_protection.max_bash_output_lines", Kind::Positive),
];
const REVIEW: &[Row] = &[
    row("review.codex_required", Kind::Boolean),
    row("review.cache_max_age_seconds", Kind::Positive),
    row("review.allow_skip_in_ci", Kind::Boolean),
];
const AUDIT: &[Row] = &[row("audit.rotation", Kind::Map(ROTATION))];
const ROTATION: &[Row] = &[
    row("audit.rotation.max_bytes", Kind::Positive),
    row("audit.rotation.max_age_days", Kind::Positive),
];
pub(super) const REDACT: &[Row] = &[row("redact.match_timeout_ms", Kind::Positive)];

impl Row {
    /// The key as it is written.
    pub(super) fn key(&self) -> &'static str {
        self.path.rsplit_once('.').map_or(self.path, |(_, key)| key)
    }
}

/// Checks what stands behind each key of `rows`, and notes that it does nothing.
pub(super) fn check(
    fields: &Fields<'_>,
    rows: &'static [Row],
    ignored: &mut Vec<Ignored>,
    problems: &mut Vec<Problem>,
) {
    for row in rows {
        let Some(key) = fields.key(row.key()) else {
            continue;
        };
        let value = fields.get(row.key());
        if let Kind::Map(rows) = &row.kind {
            // The keys inside are told; a map alone says nothing.
            let known: Vec<&'static str> = rows.iter().map(Row::key).collect();
            let inside = value.and_then(|node| Fields::read(node, row.path, &known, problems));
            if let Some(inside) = inside {
                check(&inside, rows, ignored, problems);
            }
            continue;
        }
        let line = key.at.line;
        ignored.push(Ignored {
            key: row.path,
            line,
        });
        if let Some(node) = value {
            check_value(node, row, problems);
        }
    }
}

fn check_value(node: &Node, row: &Row, problems: &mut Vec<Problem>) {
    let key = row.key();
    let kind = match &row.kind {
        Kind::Text => {
            text(node, key, problems);
            return;
        }
        Kind::Texts => {
            texts(node, key, problems);
            return;
        }
        Kind::Boolean => {
            boolean(node, key, problems);
            return;
        }
        Kind::Map(_) => return,
        Kind::Positive => match text(node, key, problems) {
            Some(found) if !is_positive(found) => ProblemKind::BadNumber {
                key: key.to_owned(),
                expected: "a number greater than 0",
                found: found.to_owned(),
            },
            Some(_) | None => return,
        },
        Kind::OneOf(words, expected) => match text(node, key, problems) {
            Some(found) if !words.contains(&found) => ProblemKind::Choice {
                key,
                expected,
                found: found.to_owned(),
            },
            Some(_) | None => return,
        },
    };
    problems.push(Problem { at: node.at, kind });
}

fn is_positive(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain && text.parse::<f64>().is_ok_and(|number| number > 0.0)
}
