//! JSON as another reader sees it: what `serde_json` says of a text, without the crate's scanner.

#![allow(
    dead_code,
    reason = "each of the programs that share this uses a part of it"
)]

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member<'a> {
    /// Its name as meant; as written between the quotes where no string can hold it.
    pub(crate) key: String,
    /// Its value as written.
    pub(crate) value: &'a str,
}

/// The text without white space around it, if it is one JSON value.
pub(crate) fn value(text: &str) -> Option<&str> {
    serde_json::from_str::<&RawValue>(text)
        .ok()
        .map(RawValue::get)
}

/// What a string says, unless it says half a character.
pub(crate) fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

/// Whether it is what an id may be.
pub(crate) fn is_string_or_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

/// An object's members in order. None if it is no object.
pub(crate) fn members(text: &str) -> Option<Vec<Member<'_>>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<Member<'de>>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                let written = key.get();
                members.push(Member {
                    key: string(written)
                        .unwrap_or_else(|| written[1..written.len() - 1].to_owned()),
                    value: value.get(),
                });
            }
            Ok(members)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(value(text)?);
    reader.deserialize_map(Members).ok()
}

/// An array's elements. None if it is no array.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    struct Elements;
    impl<'de> Visitor<'de> for Elements {
        type Value = Vec<&'de str>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = seq.next_element::<&RawValue>()? {
                elements.push(element.get());
            }
            Ok(elements)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(value(text)?);
    reader.deserialize_seq(Elements).ok()
}

/// The values of every member of that name.
pub(crate) fn named<'a>(members: &[Member<'a>], name: &str) -> Vec<&'a str> {
    let wanted = members.iter().filter(|member| member.key == name);
    wanted.map(|member| member.value).collect()
}

/// How deep containers lie in each other, at most, in a text that is JSON.
pub(crate) fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
