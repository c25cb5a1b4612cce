//! The URI that clients are shown for a server's resource.
//!
//! It is the server's own if it alone has it. Otherwise it is `rea://<server>/<own URI>`, the own
//! one as the server wrote it. Templates are qualified the same way: what a client makes of a
//! qualified one is qualified.
//!
//! Invariant: a shown URI has one reading. What begins like a qualified one is qualified, so an own
//! URI that begins so is never shown bare.
//!
//! Absent on purpose: who has which resource. That knows the catalogue.

/// What a qualified URI begins with, in any case: some clients write a scheme in lower case.
const PREFIX: &str = "rea://";

const SERVER_CHARACTERS_MAX: usize = 32;

/// The URI that says whose resource it is.
pub fn qualify(server: &str, uri: &str) -> String {
    format!("{PREFIX}{server}/{uri}")
}

/// The server and its own URI, of a URI that says so. `None` if it is an own one, or has what is
/// no server's name where that stands.
pub fn split(shown: &str) -> Option<(&str, &str)> {
    let (server, uri) = without_prefix(shown)?.split_once('/')?;
    is_server_name(server).then_some((server, uri))
}

/// Whether an own URI must be shown qualified even if one server alone has it.
pub fn needs_prefix(uri: &str) -> bool {
    without_prefix(uri).is_some()
}

fn without_prefix(uri: &str) -> Option<&str> {
    let (begin, rest) = uri.split_at_checked(PREFIX.len())?;
    begin.eq_ignore_ascii_case(PREFIX).then_some(rest)
}

/// Looser than the configuration's rule, which also keeps names apart from tools.
fn is_server_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.len() <= SERVER_CHARACTERS_MAX
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_own_uri_stays_as_it_is() {
        let shown = qualify("files", "file:///a/../b?c#d");
        assert_eq!(shown, "rea://files/file:///a/../b?c#d");
        assert_eq!(split(&shown), Some(("files", "file:///a/../b?c#d")));
        assert_eq!(split("rea://files/"), Some(("files", "")));
    }

    #[test]
    fn what_names_no_server_is_not_split() {
        let long = format!("rea://{}/x", "s".repeat(33));
        for uri in [
            "file:///a",
            "rea:/files/x",
            "rea://files",
            "rea:///x",
            "rea://-a/x",
            "rea://a b/x",
            "rea://ü/x",
            "rea",
            "réa://a/x",
            "",
            &long,
        ] {
            assert_eq!(split(uri), None, "{uri}");
        }
        let longest = format!("rea://{}/x", "s".repeat(32));
        assert!(split(&longest).is_some());
    }

    #[test]
    fn an_own_uri_that_looks_like_ours_needs_the_prefix_in_any_case() {
        for uri in ["rea://files/x", "rea://", "REA://files/x", "rEa://-"] {
            assert!(needs_prefix(uri), "{uri}");
            assert_eq!(split(&qualify("other", uri)), Some(("other", uri)));
        }
        for uri in ["rea:/x", "reaX://a/x", "area://a/x", "file:///rea://a/x"] {
            assert!(!needs_prefix(uri), "{uri}");
        }
    }

    #[test]
    fn the_case_of_the_scheme_makes_no_difference_and_that_of_the_server_does() {
        assert_eq!(split("REA://Files/x"), Some(("Files", "x")));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_qualified_uri_comes_back_as_what_it_was(
            server in "[A-Za-z0-9][A-Za-z0-9._-]{0,31}",
            uri in "([rR][eE][aA]:/{0,3}[a-z]?/?)?[ -~é]{0,12}",
        ) {
            let shown = qualify(&server, &uri);
            prop_assert!(needs_prefix(&shown));
            prop_assert_eq!(split(&shown), Some((server.as_str(), uri.as_str())));
        }

        /// A bare URI must never be read as another server's.
        #[test]
        fn what_is_shown_bare_is_never_split(uri in "([rR][eE][aA]:/{0,3}[a-z]?/?)?.{0,12}") {
            prop_assert!(needs_prefix(&uri) || split(&uri).is_none());
        }
    }
}
