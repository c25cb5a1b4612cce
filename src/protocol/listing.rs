//! One page of a server's lists, each entry kept as the server wrote it.
//!
//! Tools and prompts get the server's name in front of theirs at once. Resources keep their URIs:
//! whether one needs the server's name depends on what the other servers have.

use super::method;
use super::tool_name::{SEPARATOR, ShownName, qualify};
use crate::wire::jsonrpc::quoted;
use crate::wire::raw::Raw;
use crate::wire::splice::{Edit, splice};
use rea_fsm::CallClass;
use std::ops::Range;

/// What servers list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListKind {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resources.
    Resources,
    /// Templates of resources' URIs.
    ResourceTemplates,
}

impl ListKind {
    /// Every kind, in the order in which they are asked for.
    pub const ALL: [Self; 4] = [
        Self::Tools,
        Self::Prompts,
        Self::Resources,
        Self::ResourceTemplates,
    ];

    /// The method that asks for a page.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Tools => method::TOOLS_LIST,
            Self::Prompts => method::PROMPTS_LIST,
            Self::Resources => method::RESOURCES_LIST,
            Self::ResourceTemplates => method::RESOURCE_TEMPLATES_LIST,
        }
    }

    /// The kind that a method asks for.
    pub fn of_method(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.method() == method)
    }

    /// The result's member that holds the page.
    pub const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::ResourceTemplates => "resourceTemplates",
        }
    }

    /// The capability of a server that has such a list.
    pub const fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources | Self::ResourceTemplates => "resources",
        }
    }

    /// The entry's member that names it.
    const fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::ResourceTemplates => "uriTemplate",
        }
    }

    /// The notification that says that a list of this kind has changed.
    pub const fn changed(self) -> &'static str {
        match self {
            Self::Tools => method::TOOLS_LIST_CHANGED,
            Self::Prompts => method::PROMPTS_LIST_CHANGED,
            Self::Resources | Self::ResourceTemplates => method::RESOURCES_LIST_CHANGED,
        }
    }
}

/// A list of more entries can't be used by anybody, and takes far more memory than its text.
pub const ENTRIES_MAX: usize = 100_000;

/// What one page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    /// Its entries in order. Of those that are over [`ENTRIES_MAX`] only the first is read.
    pub entries: Vec<Entry>,
    /// Entries that are left out: no object, no usable name, or a name written twice.
    pub malformed: usize,
    /// The string that asks for the next page, as the server wrote it.
    pub next_cursor: Option<Raw<'a>>,
}

/// A tool, a prompt, a resource or a template of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The server's own name for it: a name, a URI, or a template of URIs.
    pub name: String,
    /// The name that clients are shown, unless another server has the same URI.
    pub shown_name: String,
    /// The entry as clients are shown it: every byte the server's, but for the name.
    pub json: Vec<u8>,
    /// Where the shown name stands in it, quotes included.
    pub name_at: Range<usize>,
    /// What the server says about repeating a tool. A hint only: whether it counts is configured.
    pub hinted_class: CallClass,
}

/// A reply that is no page of the list that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply to {} has no array `{}`; the server doesn't follow the protocol", .0.method(), .0.member())]
pub struct NotAPage(pub ListKind);

impl<'a> Page<'a> {
    /// Reads the result of a server's list request.
    ///
    /// # Errors
    /// It has no array of that kind.
    pub fn parse(kind: ListKind, server: &str, result: Raw<'a>) -> Result<Self, NotAPage> {
        let (mut list, mut cursor) = (None, None);
        for (key, value) in result.members() {
            match key.as_ref() {
                key if key == kind.member() => list = Some(value),
                "nextCursor" => cursor = Some(value),
                _ => {}
            }
        }
        let list = list.filter(|list| list.is_array()).ok_or(NotAPage(kind))?;
        let mut page = Self {
            entries: Vec::new(),
            malformed: 0,
            next_cursor: cursor.filter(|cursor| cursor.is_string()),
        };
        for entry in list.elements().take(ENTRIES_MAX + 1) {
            match Entry::parse(kind, server, entry) {
                Some(entry) => page.entries.push(entry),
                None => page.malformed += 1,
            }
        }
        Ok(page)
    }
}

impl Entry {
    /// Reads an entry as its server wrote it. `None` if it has no certain name.
    pub fn parse(kind: ListKind, server: &str, entry: Raw<'_>) -> Option<Self> {
        let raw = entry.rebased();
        let mut names = raw.members().filter(|(key, _)| key == kind.key());
        let (_, name_json) = names.next()?;
        if names.next().is_some() {
            return None;
        }
        let name = name_json.as_str().filter(|name| !name.is_empty())?;
        let at = name_json.span();
        let (prefix, alias);
        let (shown_name, edit) = match kind {
            ListKind::Resources | ListKind::ResourceTemplates => (name.clone().into_owned(), None),
            ListKind::Tools | ListKind::Prompts => {
                let shown = qualify(server, &name);
                let edit = match &shown {
                    // The server's own spelling of the name stays, escapes and all.
                    ShownName::Qualified(_) => {
                        prefix = format!("{server}{SEPARATOR}");
                        Edit::insert(at.start + 1, prefix.as_bytes())
                    }
                    ShownName::Alias(_) => {
                        alias = quoted(shown.as_str());
                        Edit::replace(name_json, alias.as_bytes())
                    }
                };
                (shown.into_string(), Some(edit))
            }
        };
        let name_end = edit
            .as_ref()
            .map_or(at.end, |edit| at.end + edit.with.len() - edit.span.len());
        let mut edits: Vec<Edit<'_>> = edit.into_iter().collect();
        let mut json = Vec::new();
        splice(raw.text().as_bytes(), &mut edits, &mut json).ok()?;
        Some(Self {
            name: name.into_owned(),
            shown_name,
            json,
            name_at: at.start..name_end,
            hinted_class: hinted_class(raw.member("annotations")),
        })
    }

    /// Reads an entry as clients are shown it. `None` if it is shown under another name than this
    /// server's entry of that name would be.
    pub fn shown(kind: ListKind, server: &str, name: &str, entry: Raw<'_>) -> Option<Self> {
        let raw = entry.rebased();
        let mut names = raw.members().filter(|(key, _)| key == kind.key());
        let (_, name_json) = names.next()?;
        let shown_name = match kind {
            ListKind::Tools | ListKind::Prompts => qualify(server, name).into_string(),
            ListKind::Resources | ListKind::ResourceTemplates => name.to_owned(),
        };
        let is_shown_so = name_json.as_str()? == shown_name && names.next().is_none();
        is_shown_so.then(|| Self {
            name: name.to_owned(),
            shown_name,
            json: raw.text().as_bytes().to_vec(),
            name_at: name_json.span(),
            hinted_class: hinted_class(raw.member("annotations")),
        })
    }

    /// Appends the entry under another name than the one that it is shown with.
    pub fn write_named(&self, name: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.json[..self.name_at.start]);
        out.extend_from_slice(quoted(name).as_bytes());
        out.extend_from_slice(&self.json[self.name_at.end..]);
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

    fn page(result: &str) -> Result<Page<'_>, NotAPage> {
        let result = Raw::parse(result).expect("valid JSON");
        Page::parse(ListKind::Tools, "files", result)
    }

    #[test]
    fn every_byte_of_a_tool_but_its_name_is_kept() {
        let tool = r#"{"x":1e400, "name" : "r\u0065ad","annotations":{"readOnlyHint":true},"x":"\ud800" ,"inputSchema":{"name":"n"}}"#;
        let result = format!(
            r#"{{"nextCursor":"p\u0032","tools":[ {tool} , {{"name":"w"}}],"_meta":{{}}}}"#
        );
        let page = page(&result).expect("a page");
        assert_eq!(page.next_cursor.map(Raw::text), Some(r#""p\u0032""#));
        let read = &page.entries[0];
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
        let tool = &page.entries[0];
        assert_eq!(tool.shown_name.chars().count(), 64);
        let expected = format!(r#"{{"a":1,"name":"{}","b":2}}"#, tool.shown_name);
        assert_eq!(String::from_utf8_lossy(&tool.json), expected);
    }

    #[test]
    fn entries_without_one_certain_name_are_counted_and_left_out() {
        let page = page(r#"{"tools":[1,{},{"name":2},{"name":""},{"name":"a","n\u0061me":"b"},{"name":"\ud800"},{"name":"ok"}]}"#)
            .expect("a page");
        assert_eq!(page.malformed, 6);
        assert_eq!(page.entries.len(), 1);
        assert_eq!(page.next_cursor, None);
    }

    #[test]
    fn a_result_without_an_array_of_tools_is_no_page_and_a_null_cursor_is_none() {
        for result in ["{}", "[]", r#"{"tools":{}}"#, r#"{"tools":null}"#] {
            assert_eq!(page(result), Err(NotAPage(ListKind::Tools)));
        }
        let last = page(r#"{"tools":[],"nextCursor":null}"#).expect("a page");
        assert_eq!(last.next_cursor, None);
    }

    #[test]
    fn hints_count_only_if_they_are_true() {
        let hints = |annotations: &str| {
            let result = format!(r#"{{"tools":[{{"name":"t","annotations":{annotations}}}]}}"#);
            page(&result).expect("a page").entries[0].hinted_class
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

    #[test]
    fn a_resource_keeps_its_uri_until_it_is_shown_under_another_name() {
        let result = r#"{"resources":[{"name":"n", "uri" : "file:\/\/a","x":1.0}]}"#;
        let result = Raw::parse(result).expect("valid JSON");
        let page = Page::parse(ListKind::Resources, "files", result).expect("a page");
        let entry = &page.entries[0];
        assert_eq!(entry.name, "file://a");
        assert_eq!(entry.shown_name, "file://a");
        let own = r#"{"name":"n", "uri" : "file:\/\/a","x":1.0}"#;
        assert_eq!(String::from_utf8_lossy(&entry.json), own);
        let mut named = Vec::new();
        entry.write_named("rea://files/file://a", &mut named);
        assert_eq!(
            String::from_utf8_lossy(&named),
            r#"{"name":"n", "uri" : "rea://files/file://a","x":1.0}"#
        );
    }

    #[test]
    fn the_shown_name_stands_where_the_entry_says() {
        for name in ["read".to_owned(), "n".repeat(80)] {
            let result = format!(r#"{{"prompts":[{{"a":1,"name":"{name}","b":2}}]}}"#);
            let result = Raw::parse(&result).expect("valid JSON");
            let page = Page::parse(ListKind::Prompts, "files", result).expect("a page");
            let entry = &page.entries[0];
            let at = entry.name_at.clone();
            assert_eq!(entry.json[at], *quoted(&entry.shown_name).as_bytes());
        }
    }
}
