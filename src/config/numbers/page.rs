//! `docs/registry.md` lists every number as the table has it, and names every other key.

use super::table::{Row, Unit};
use super::{GATEWAY_ROWS, LAUNCHER_HANDSHAKE_MS, ROTATE_BYTES, ROWS, TOTAL_BYTES, show};
use crate::config::child_env::ALLOWED;
use crate::config::{journal, registry, server};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/registry.md");

fn table(rows: &[Row]) -> String {
    let mut table =
        "| key | kind | default | from | to | meaning |\n|---|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let Row {
            key,
            unit,
            default,
            min,
            max,
            meaning,
        } = *row;
        let kind = match unit {
            Unit::Duration => "duration",
            Unit::DurationOrOff => "duration or `off`",
            Unit::Count => "count",
            Unit::Bytes => "size",
        };
        let [default, min, max] = [default, min, max].map(|value| show(unit, value));
        let meaning = meaning.trim();
        let row = format!("| `{key}` | {kind} | {default} | {min} | {max} | {meaning} |\n");
        table.push_str(&row);
    }
    table
}

/// The page with its tables drawn anew.
fn drawn(page: &str) -> String {
    let tables = [
        ("servers", table(ROWS)),
        ("gateway", table(GATEWAY_ROWS)),
        ("journal", table(&[ROTATE_BYTES, TOTAL_BYTES])),
    ];
    let mut page = page.to_owned();
    for (name, table) in tables {
        let begin = format!("<!-- {name}: generated -->\n\n");
        let at = page.find(&begin).unwrap() + begin.len();
        let length = page[at..].find("\n<!-- end -->").unwrap();
        page.replace_range(at..at + length, &table);
    }
    page
}

#[test]
fn the_page_has_every_key_every_number_and_every_variable_that_servers_get() {
    let written = std::fs::read_to_string(PAGE).unwrap();
    let page = drawn(&written);
    if std::env::var_os("REA_UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    } else {
        assert!(
            written == page,
            "docs/registry.md is out of date: run `REA_UPDATE_DOCS=1 cargo test --lib numbers::page`"
        );
    }
    let keys = [
        registry::KEYS.as_slice(),
        &server::KEYS,
        &server::TOOL_KEYS,
        &journal::KEYS,
        &[registry::REVIEWER, server::TIER_OVERRIDES],
        &ALLOWED,
    ];
    for key in keys.concat() {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
    let launcher = show(Unit::Duration, LAUNCHER_HANDSHAKE_MS);
    assert!(page.contains(&format!("`handshake_timeout` of {launcher}")));
}
