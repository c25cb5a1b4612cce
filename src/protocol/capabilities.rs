//! What servers say that they can do, and what the gateway says on behalf of all of them.
//!
//! Invariant: an object of capabilities is passed on as it was written; only the union of several
//! is written anew, member by member, and keeps every value's bytes.

use super::listing::ListKind;
use super::task;
use crate::wire::jsonrpc::quoted;
use crate::wire::raw::Raw;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What is promised in any case. Changes of the lists are always promised: servers come and go
/// after the promise.
const ALWAYS: &str = r#"{"tools":{"listChanged":true}}"#;

/// What a server that nothing is known of may turn out to have. A client that is not told of a
/// capability at the beginning never asks for it.
const UNKNOWN: &str =
    r#"{"tools":{},"prompts":{},"resources":{"subscribe":true},"completions":{},"logging":{}}"#;

/// Nested no deeper, capabilities are merged; below that the first server's count.
const MERGE_DEPTH_MAX: usize = 4;

/// One server's capabilities, as it wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities(String);

impl Default for Capabilities {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

impl Capabilities {
    /// Takes the `capabilities` of a handshake. What is no object promises nothing.
    pub fn of(raw: Option<Raw<'_>>) -> Self {
        raw.filter(|raw| raw.is_object())
            .map_or_else(Self::default, |raw| Self(raw.text().to_owned()))
    }

    /// The object as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn member(&self, name: &str) -> Option<Raw<'_>> {
        Raw::parse(&self.0)?.member(name)
    }

    fn has(&self, name: &str) -> bool {
        self.member(name).is_some_and(Raw::is_object)
    }

    /// Whether it has lists of this kind.
    pub fn lists(&self, kind: ListKind) -> bool {
        self.has(kind.capability())
    }

    /// Whether it has anything to list.
    pub fn lists_anything(&self) -> bool {
        ListKind::ALL.into_iter().any(|kind| self.lists(kind))
    }

    /// Whether it tells what it does, as loud as it is asked to.
    pub fn logs(&self) -> bool {
        self.has("logging")
    }

    /// Whether it completes arguments.
    pub fn completes(&self) -> bool {
        self.has("completions")
    }

    /// Whether it has tasks, by the word of either era.
    pub fn has_tasks(&self) -> bool {
        let extensions = self.member("extensions");
        let extension = extensions.and_then(|extensions| extensions.member(task::EXTENSION));
        self.has("tasks") || extension.is_some_and(Raw::is_object)
    }

    /// Whether it lists its tasks.
    pub fn lists_tasks(&self) -> bool {
        let lists = self.member("tasks").and_then(|tasks| tasks.member("list"));
        lists.is_some_and(Raw::is_object)
    }

    /// Whether it says when a list of this kind changes.
    pub fn tells_of_changes(&self, kind: ListKind) -> bool {
        self.member(kind.capability())
            .and_then(|lists| lists.member("listChanged"))
            .and_then(Raw::as_bool)
            == Some(true)
    }

    /// Whether it tells of changes of single resources.
    pub fn subscribes(&self) -> bool {
        self.member("resources")
            .and_then(|resources| resources.member("subscribe"))
            .and_then(Raw::as_bool)
            == Some(true)
    }
}

/// What the gateway promises for these servers; `None` is a server that nothing is known of.
pub fn union<'a>(servers: impl IntoIterator<Item = Option<&'a Capabilities>>) -> String {
    let texts: Vec<&str> = servers
        .into_iter()
        .map(|known| known.map_or(UNKNOWN, Capabilities::as_str))
        .collect();
    let mut objects: Vec<Raw<'_>> = [ALWAYS].into_iter().filter_map(Raw::parse).collect();
    objects.extend(texts.iter().filter_map(|text| Raw::parse(text)));
    let mut promises = Vec::new();
    for kind in [ListKind::Prompts, ListKind::Resources] {
        let name = kind.capability();
        if objects.iter().any(|object| object.member(name).is_some()) {
            promises.push(format!(r#"{{"{name}":{{"listChanged":true}}}}"#));
        }
    }
    // Of two values that differ the first counts, so that no server takes the promise back.
    let promises = promises.iter().filter_map(|text| Raw::parse(text));
    objects.splice(1..1, promises);
    let mut out = String::new();
    merge(&objects, MERGE_DEPTH_MAX, &mut out);
    out
}

/// Writes one object with the members of all. Where several have a member, objects are merged in
/// turn, and `true` wins over any other value: what one server can do, the gateway can.
fn merge(objects: &[Raw<'_>], depth: usize, out: &mut String) {
    let mut members: Vec<Vec<Raw<'_>>> = Vec::new();
    let mut places: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
    for (key, value) in objects.iter().flat_map(|object| object.members()) {
        let place = *places.entry(key).or_insert(members.len());
        match members.get_mut(place) {
            Some(values) => values.push(value),
            None => members.push(vec![value]),
        }
    }
    let mut keys: Vec<_> = places.iter().collect();
    keys.sort_unstable_by_key(|(_, place)| **place);
    out.push('{');
    for (index, ((key, _), values)) in keys.into_iter().zip(&members).enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&quoted(key));
        out.push(':');
        let all_objects = values.iter().all(|value| value.is_object());
        match values.as_slice() {
            [] => out.push_str("null"),
            [single] => out.push_str(single.text()),
            [first, ..] if !all_objects || depth == 0 => {
                let granted = values.iter().find(|value| value.as_bool() == Some(true));
                out.push_str(granted.unwrap_or(first).text());
            }
            several => merge(several, depth - 1, out),
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Capabilities {
        Capabilities::of(Raw::parse(text))
    }

    #[test]
    fn a_server_has_what_it_says_with_an_object() {
        let server = of(r#"{"tools":{},"resources":{"subscribe":true},"logging":true}"#);
        assert!(server.lists(ListKind::Tools));
        assert!(server.lists(ListKind::ResourceTemplates));
        assert!(!server.lists(ListKind::Prompts));
        assert!(server.subscribes());
        assert!(!server.logs());
        for nothing in ["[]", "null", "1"] {
            assert_eq!(of(nothing), Capabilities::default());
        }
        assert!(!Capabilities::default().lists_anything());
    }

    #[test]
    fn either_era_says_in_its_way_that_it_has_tasks() {
        for has in [
            r#"{"tasks":{}}"#,
            r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
        ] {
            assert!(of(has).has_tasks(), "{has}");
        }
        for has_not in [
            r#"{"tasks":true}"#,
            r#"{"extensions":{"x/tasks":{}}}"#,
            "{}",
        ] {
            assert!(!of(has_not).has_tasks(), "{has_not}");
        }
    }

    #[test]
    fn the_union_has_everything_that_a_server_has_and_always_promises_changes() {
        let one = of(r#"{"prompts":{},"experimental":{"a":{"x":1.0}}}"#);
        let two = of(
            r#"{"experimental":{"b":{"y":"\ud800"}},"resources":{"subscribe":false,"listChanged":false},"logging":{}}"#,
        );
        let three = of(r#"{"resources":{"subscribe":true}}"#);
        assert_eq!(
            union([Some(&one), Some(&two), Some(&three)]),
            r#"{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"listChanged":true,"subscribe":true},"experimental":{"a":{"x":1.0},"b":{"y":"\ud800"}},"logging":{}}"#
        );
    }

    #[test]
    fn nothing_is_promised_that_no_server_has() {
        assert_eq!(union([]), r#"{"tools":{"listChanged":true}}"#);
        assert_eq!(
            union([Some(&of(r#"{"tools":{}}"#))]),
            r#"{"tools":{"listChanged":true}}"#
        );
    }

    #[test]
    fn a_server_that_is_not_known_yet_may_have_everything_relayed() {
        let union = union([None]);
        for name in ["prompts", "resources", "completions", "logging"] {
            assert!(of(&union).has(name), "{name}");
        }
        assert!(of(&union).subscribes());
    }
}
