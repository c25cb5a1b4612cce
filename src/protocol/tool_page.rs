//! One page of a server's `tools/list`, each tool kept as the server wrote it.

use super::tool_name::{SEPARATOR, ShownName, qualify};
use crate::wire::jsonrpc::quoted;
use crate::wire::raw::Raw;
use crate::wire::splice::{Edit, splice};
use rea_fsm::CallClass;

/// What one page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolPage<'a> {
    /// Its tools in order.
    pub tools: Vec<Tool>,
    /// Entries that are left out: no object, no usable name, or a name written twice.
    pub malformed: usize,
    /// The string that asks for the next page, as the server wrote it.
    pub next_cursor: Option<Raw<'a>>,
}

/// A server's tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The server's name for it.
    pub name: String,
    /// The name that clients are shown.
    pub shown_name: String,
    /// The tool object as clients are shown it: every byte the server's, but for the name.
    pub json: Vec<u8>,
    /// What the server says about repeating it. A hint only: whether it counts is configured.
    pub hinted_class: CallClass,
}

/// A reply that is no page of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply to tools/list has no array `tools`; the server doesn't follow the protocol")]
pub struct NotAToolPage;

impl<'a> ToolPage<'a> {
    /// Reads the result of a server's `tools/list`.
    ///
    /// # Errors
    /// It has no array of tools.
    pub fn parse(server: &str, result: Raw<'a>) -> Result<Self, NotAToolPage> {
        let (mut list, mut cursor) = (None, None);
        for (key, value) in result.members() {
            match key.as_ref() {
                "tools" => list = Some(value),
                "nextCursor" => cursor = Some(value),
                _ => {}
            }
        }
        let list = list.filter(|list| list.is_array()).ok_or(NotAToolPage)?;
        let mut page = Self {
            tools: Vec::new(),
            malformed: 0,
            next_cursor: cursor.filter(|cursor| cursor.is_string()),
        };
        for entry in list.elements() {
            match Tool::parse(server, entry) {
                Some(tool) => page.tools.push(tool),
                None => page.malformed += 1,
            }
        }
        Ok(page)
    }
}

impl Tool {
    fn parse(server: &str, entry: Raw<'_>) -> Option<Self> {
        let raw = entry.rebased();
        let mut names = raw.members().filter(|(key, _)| key == "name");
        let (_, name_json) = names.next()?;
        if names.next().is_some() {
            return None;
        }
        let name = name_json.as_str().filter(|name| !name.is_empty())?;
        let shown = qualify(server, &name);
        let (prefix, alias);
        let edit = match &shown {
            // The server's own spelling of the name stays, escapes and all.
            ShownName::Qualified(_) => {
                prefix = format!("{server}{SEPARATOR}");
                Edit::insert(name_json.span().start + 1, prefix.as_bytes())
            }
            ShownName::Alias(_) => {
                alias = quoted(shown.as_str());
                Edit::replace(name_json, alias.as_bytes())
            }
        };
        let mut json = Vec::with_capacity(raw.text().len() + edit.with.len());
        splice(raw.text().as_bytes(), &mut [edit], &mut json).ok()?;
        Some(Self {
            name: name.into_owned(),
            shown_name: shown.into_string(),
            json,
            hinted_class: hinted_class(raw.member("annotations")),
        })
    }
}

fn hinted_class(annotations: Option<Raw<'_>>) -> CallClass {
    let hints = |hint| {
        annotations
            .and_then(|annotations| annotations.member(hint))
            .and_then(Raw::as_bool)
            == Some(true)
    };
    if hints("readOnlyHint") {
        CallClass::ReadOnly
    } else if hints("idempotentHint") {
        CallClass::Idempotent
    } else {
        CallClass::Unsafe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(result: &str) -> Result<ToolPage<'_>, NotAToolPage> {
        ToolPage::parse("files", Raw::parse(result).expect("valid JSON"))
    }

    #[test]
    fn every_byte_of_a_tool_but_its_name_is_kept() {
        let tool = r#"{"x":1e400, "name" : "r\u0065ad","annotations":{"readOnlyHint":true},"x":"\ud800" ,"inputSchema":{"name":"n"}}"#;
        let result = format!(
            r#"{{"nextCursor":"p\u0032","tools":[ {tool} , {{"name":"w"}}],"_meta":{{}}}}"#
        );
        let page = page(&result).expect("a page");
        assert_eq!(page.next_cursor.map(Raw::text), Some(r#""p\u0032""#));
        let read = &page.tools[0];
        assert_eq!(
            (read.name.as_str(), read.shown_name.as_str()),
            ("read", "files__read")
        );
        assert_eq!(read.hinted_class, CallClass::ReadOnly);
        let expected = tool.replace(r#""r\u0065ad""#, r#""files__r\u0065ad""#);
        assert_eq!(String::from_utf8_lossy(&read.json), expected);
    }

    #[test]
    fn a_long_name_is_replaced_by_its_alias() {
        let long = "n".repeat(80);
        let result = format!(r#"{{"tools":[{{"a":1,"name":"{long}","b":2}}]}}"#);
        let page = page(&result).expect("a page");
        let tool = &page.tools[0];
        assert_eq!(tool.shown_name.chars().count(), 64);
        let expected = format!(r#"{{"a":1,"name":"{}","b":2}}"#, tool.shown_name);
        assert_eq!(String::from_utf8_lossy(&tool.json), expected);
    }

    #[test]
    fn entries_without_one_certain_name_are_counted_and_left_out() {
        let page = page(r#"{"tools":[1,{},{"name":2},{"name":""},{"name":"a","n\u0061me":"b"},{"name":"\ud800"},{"name":"ok"}]}"#)
            .expect("a page");
        assert_eq!(page.malformed, 6);
        assert_eq!(page.tools.len(), 1);
        assert_eq!(page.next_cursor, None);
    }

    #[test]
    fn a_result_without_an_array_of_tools_is_no_page_and_a_null_cursor_is_none() {
        for result in ["{}", "[]", r#"{"tools":{}}"#, r#"{"tools":null}"#] {
            assert_eq!(page(result), Err(NotAToolPage));
        }
        let last = page(r#"{"tools":[],"nextCursor":null}"#).expect("a page");
        assert_eq!(last.next_cursor, None);
    }

    #[test]
    fn hints_count_only_if_they_are_true() {
        let hints = |annotations: &str| {
            let result = format!(r#"{{"tools":[{{"name":"t","annotations":{annotations}}}]}}"#);
            page(&result).expect("a page").tools[0].hinted_class
        };
        assert_eq!(hints(r#"{"idempotentHint":true}"#), CallClass::Idempotent);
        for none in [
            r#"{"idempotentHint":"true","readOnlyHint":1}"#,
            r#"{"readOnlyHint":true,"readOnlyHint":false}"#,
            "null",
        ] {
            assert_eq!(hints(none), CallClass::Unsafe, "{none}");
        }
    }
}
