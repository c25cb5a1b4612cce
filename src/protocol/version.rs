//! The protocol's revisions, and which one is spoken with whom.

use rea_fsm::ProtocolVersion;

/// The newest revision with a handshake.
pub const NEWEST_LEGACY: ProtocolVersion = ProtocolVersion::V2025_11_25;

/// The revision's name.
pub const fn name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::V2024_11_05 => "2024-11-05",
        ProtocolVersion::V2025_03_26 => "2025-03-26",
        ProtocolVersion::V2025_06_18 => "2025-06-18",
        ProtocolVersion::V2025_11_25 => "2025-11-25",
        ProtocolVersion::V2026_07_28 => "2026-07-28",
    }
}

/// The revision of that name, if it is one with a handshake that we know.
pub fn legacy(wanted: &str) -> Option<ProtocolVersion> {
    [
        ProtocolVersion::V2024_11_05,
        ProtocolVersion::V2025_03_26,
        ProtocolVersion::V2025_06_18,
        ProtocolVersion::V2025_11_25,
    ]
    .into_iter()
    .find(|version| name(*version) == wanted)
}

/// What a client is answered: the revision that it asked for if we know it, else our newest.
pub fn negotiate(wanted: Option<&str>) -> ProtocolVersion {
    wanted.and_then(legacy).unwrap_or(NEWEST_LEGACY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_revision_is_kept_and_an_unknown_one_gets_our_newest() {
        assert_eq!(negotiate(Some("2024-11-05")), ProtocolVersion::V2024_11_05);
        assert_eq!(negotiate(Some("2099-01-01")), NEWEST_LEGACY);
        assert_eq!(negotiate(Some("2026-07-28")), NEWEST_LEGACY);
        assert_eq!(negotiate(None), NEWEST_LEGACY);
    }
}
