//! One server's file: JSON, one line, read and written by this program alone.

use crate::engine::{Catalogue, Lists};
use crate::protocol::capabilities::Capabilities;
use crate::protocol::listing::{Entry, ListKind};
use crate::protocol::server_side::ServerOffer;
use crate::wire::raw::Raw;
use rea_fsm::ProtocolVersion;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How the file is written. Another one is not read.
const FORMAT: u32 = 1;

/// Names a server's configuration, as far as it can change what the server offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfigDigest(String);

impl ConfigDigest {
    /// Over these texts, in this order.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        Self(hasher.finalize().to_hex().to_string())
    }
}

/// What is remembered of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// In which revision it was spoken to.
    pub version: Option<ProtocolVersion>,
    /// What it said of itself.
    pub offer: ServerOffer,
    /// What it listed.
    pub lists: Lists,
}

impl Remembered {
    /// What is known of a server now.
    pub fn of(catalogue: Catalogue<'_>) -> Self {
        Self {
            version: catalogue.version,
            offer: catalogue.offer.clone(),
            lists: catalogue.lists.clone(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    format: u32,
    config: ConfigDigest,
    version: Option<ProtocolVersion>,
    capabilities: Cow<'a, str>,
    instructions: Option<Cow<'a, str>>,
    lists: BTreeMap<Cow<'a, str>, Vec<Kept<'a>>>,
}

/// An entry as clients are shown it, as text: JSON inside of JSON, so that no byte changes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<'a> {
    name: Cow<'a, str>,
    json: Cow<'a, str>,
}

/// The text of a server's file.
pub fn encode(config: &ConfigDigest, remembered: &Remembered) -> Vec<u8> {
    let lists = remembered.lists.iter().map(|(kind, entries)| {
        let kept = entries.iter().map(|entry| Kept {
            name: Cow::Borrowed(&entry.name),
            json: String::from_utf8_lossy(&entry.json),
        });
        (Cow::Borrowed(kind.member()), kept.collect())
    });
    let file = File {
        format: FORMAT,
        config: config.clone(),
        version: remembered.version,
        capabilities: Cow::Borrowed(remembered.offer.capabilities.as_str()),
        instructions: remembered.offer.instructions.as_deref().map(Cow::Borrowed),
        lists: lists.collect(),
    };
    // Maps with text for keys and texts for values can always be written.
    serde_json::to_vec(&file).unwrap_or_default()
}

/// What a file says, if it is one of ours for a server with this configuration.
pub fn decode(text: &str, server: &str, config: &ConfigDigest) -> Option<Remembered> {
    let file: File<'_> = serde_json::from_str(text).ok()?;
    if file.format != FORMAT || file.config != *config {
        return None;
    }
    let capabilities = Raw::parse(&file.capabilities).filter(|raw| raw.is_object())?;
    let mut lists = Lists::new();
    for kind in ListKind::ALL {
        let Some(kept) = file.lists.get(kind.member()) else {
            continue;
        };
        let entries = kept.iter().map(|kept| {
            let raw = Raw::parse(&kept.json)?;
            Entry::shown(kind, server, &kept.name, raw)
        });
        lists.insert(kind, entries.collect::<Option<Vec<_>>>()?);
    }
    Some(Remembered {
        version: file.version,
        offer: ServerOffer {
            capabilities: Capabilities::of(Some(capabilities)),
            instructions: file.instructions.map(Cow::into_owned),
        },
        lists,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::listing::Page;

    fn config() -> ConfigDigest {
        ConfigDigest::of(["command", "argument"])
    }

    fn entries(kind: ListKind, result: &str) -> Vec<Entry> {
        let result = Raw::parse(result).expect("valid");
        Page::parse(kind, "files", result).expect("a page").entries
    }

    fn remembered() -> Remembered {
        let long = "n".repeat(80);
        let tools = format!(
            r#"{{"tools":[{{"x":1e400, "name" : "r\u0065ad","annotations":{{"readOnlyHint":true}},"s":"\ud800"}},{{"name":"{long}"}}]}}"#
        );
        let resources = r#"{"resources":[{"uri" : "file:\/\/a","name":"a"}]}"#;
        Remembered {
            version: Some(ProtocolVersion::V2025_11_25),
            offer: ServerOffer {
                capabilities: Capabilities::of(Raw::parse(r#"{"tools":{ },"resources":{}}"#)),
                instructions: Some("be \"kind\"".to_owned()),
            },
            lists: Lists::from([
                (ListKind::Tools, entries(ListKind::Tools, &tools)),
                (ListKind::Resources, entries(ListKind::Resources, resources)),
            ]),
        }
    }

    fn text() -> String {
        String::from_utf8(encode(&config(), &remembered())).expect("text")
    }

    #[test]
    fn what_was_kept_comes_back_byte_for_byte() {
        assert_eq!(decode(&text(), "files", &config()), Some(remembered()));
    }

    #[test]
    fn another_configuration_another_server_and_another_format_are_forgotten() {
        let other = ConfigDigest::of(["commandargument"]);
        assert_eq!(decode(&text(), "files", &other), None);
        assert_eq!(
            decode(&text(), "others", &config()),
            None,
            "its names are not shown so"
        );
        let newer = text().replacen("\"format\":1", "\"format\":2", 1);
        assert_eq!(decode(&newer, "files", &config()), None);
    }

    #[test]
    fn every_damaged_file_is_as_good_as_none() {
        let text = text();
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert_eq!(decode(&text[..end], "files", &config()), None);
        }
    }
}
