//! The environment one server is started with.
//!
//! Later wins: a short allow-list of the host's variables → the ones the registry passes through → the registry's own
//! values with `${NAME}` filled in. Nothing else of the host's environment reaches a child.
//!
//! Invariant: either every variable that the registry refers to has a value, or there is no environment at all and the
//! missing names are told. Every value that may be a secret is returned as a [`Secret`], so that it can be redacted.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use super::secret::{Secret, is_secret_name};
use super::template::Template;

/// The host's variables that every child gets, where they are set.
pub const ALLOWED: [&str; 15] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "TZ",
    "NODE_ENV",
    "NODE_OPTIONS",
    "NODE_EXTRA_CA_CERTS",
    "TMPDIR",
    "TEMP",
    "TMP",
];

/// A child's whole environment.
#[derive(Clone)]
pub struct ChildEnv {
    /// Name → value. `Debug` is absent on purpose: values may be secrets.
    pub variables: BTreeMap<OsString, OsString>,
    /// Every value in it that is classed as a secret, once each.
    pub secrets: Vec<Secret>,
}

/// Variables that the registry refers to and the host doesn't have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "missing env: {}; set {} where the gateway is started, or take the reference out of the registry",
    names.join(", "),
    if names.len() == 1 { "it" } else { "them" }
)]
pub struct MissingEnv {
    /// Each name once, in the order in which they were met.
    pub names: Vec<String>,
}

/// Puts a child's environment together.
///
/// # Errors
/// Variables that `env` refers to and the host does not have.
pub fn child_env(
    env_passthrough: &[String],
    env: &[(String, Template)],
    host: &dyn Fn(&str) -> Option<OsString>,
) -> Result<ChildEnv, MissingEnv> {
    let referenced = referenced_values(env, host)?;
    let value_of = |name: &str| referenced.get(name).map(OsString::as_os_str);
    let mut variables = BTreeMap::new();
    let mut secrets = BTreeSet::new();

    for name in ALLOWED
        .into_iter()
        .chain(env_passthrough.iter().map(String::as_str))
    {
        if let Some(value) = host(name) {
            variables.insert(OsString::from(name), value);
        }
    }
    for (name, template) in env {
        let value = template.fill(value_of);
        let secret_references: Vec<&str> = template
            .names()
            .filter(|reference| is_secret_name(name) || is_secret_name(reference))
            .collect();
        if is_secret_name(name) || !secret_references.is_empty() {
            secrets.insert(secret(&value));
        }
        // A server may show only the part that was filled in: `Bearer ${TOKEN}` is printed as the token alone.
        secrets.extend(
            secret_references
                .into_iter()
                .filter_map(value_of)
                .map(secret),
        );
        variables.insert(OsString::from(name), value);
    }
    Ok(ChildEnv {
        variables,
        secrets: secrets.into_iter().collect(),
    })
}

fn referenced_values(
    env: &[(String, Template)],
    host: &dyn Fn(&str) -> Option<OsString>,
) -> Result<BTreeMap<String, OsString>, MissingEnv> {
    let mut values = BTreeMap::new();
    let mut missing: Vec<String> = Vec::new();
    for name in env.iter().flat_map(|(_, template)| template.names()) {
        match host(name) {
            Some(value) => {
                values.insert(name.to_owned(), value);
            }
            None if missing.iter().any(|known| known == name) => {}
            None => missing.push(name.to_owned()),
        }
    }
    if missing.is_empty() {
        Ok(values)
    } else {
        Err(MissingEnv { names: missing })
    }
}

/// Text that is searched is text: bytes that are not UTF-8 arrive there in the same lossy form.
fn secret(value: &OsStr) -> Secret {
    Secret::new(value.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Option<OsString> {
        let value = match name {
            "PATH" => "/usr/bin",
            "HOME" => "/home/ada",
            "GITHUB_TOKEN" => "ghp_value",
            "PIN" => "pin-value",
            "HOST" => "db.example",
            "PROXY" => "http://proxy",
            "AWS_REGION" => "eu-1",
            "EMPTY" => "",
            _ => return None,
        };
        Some(OsString::from(value))
    }

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, Template)> {
        pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), Template::parse(value).unwrap()))
            .collect()
    }

    fn build(passthrough: &[&str], pairs: &[(&str, &str)]) -> ChildEnv {
        let passthrough: Vec<String> = passthrough.iter().map(|&name| name.to_owned()).collect();
        child_env(&passthrough, &env(pairs), &host).unwrap_or_else(|missing| panic!("{missing}"))
    }

    fn shown(child: &ChildEnv) -> Vec<String> {
        let text = |value: &OsString| value.to_string_lossy().into_owned();
        child
            .variables
            .iter()
            .map(|(name, value)| format!("{}={}", text(name), text(value)))
            .collect()
    }

    fn exposed(child: &ChildEnv) -> Vec<&str> {
        child.secrets.iter().map(Secret::expose).collect()
    }

    #[test]
    fn a_child_gets_the_allow_list_and_nothing_else_of_the_host() {
        assert_eq!(shown(&build(&[], &[])), ["HOME=/home/ada", "PATH=/usr/bin"]);
    }

    #[test]
    fn later_sources_win() {
        let child = build(
            &["PROXY", "NOT_SET"],
            &[("PATH", "/opt/bin:${PATH}"), ("PROXY", "none")],
        );
        assert_eq!(
            shown(&child),
            ["HOME=/home/ada", "PATH=/opt/bin:/usr/bin", "PROXY=none"]
        );
    }

    #[test]
    fn a_variable_set_to_nothing_is_set() {
        assert!(shown(&build(&[], &[("A", "${EMPTY}")])).contains(&"A=".to_owned()));
    }

    #[test]
    fn missing_names_are_told_once_each_in_the_order_met() {
        let result = child_env(
            &[],
            &env(&[("Z", "${B} ${PATH} ${A}"), ("Y", "${A}${C}")]),
            &host,
        );
        let missing = result.err().unwrap();
        assert_eq!(missing.names, ["B", "A", "C"]);
        assert_eq!(
            missing.to_string(),
            "missing env: B, A, C; set them where the gateway is started, or take the reference out of the registry"
        );
    }

    #[test]
    fn a_secret_key_makes_the_value_and_what_it_refers_to_secret() {
        let child = build(&[], &[("DB_PASSWORD", "x-${PIN}")]);
        assert_eq!(exposed(&child), ["pin-value", "x-pin-value"]);
    }

    #[test]
    fn a_secret_reference_makes_the_value_secret_and_leaves_other_references_alone() {
        let child = build(&[], &[("HEADER", "Bearer ${GITHUB_TOKEN} ${HOST}")]);
        assert_eq!(
            exposed(&child),
            ["Bearer ghp_value db.example", "ghp_value"]
        );
    }

    #[test]
    fn ordinary_values_are_no_secrets() {
        assert_eq!(
            exposed(&build(&["AWS_REGION"], &[("URL", "http://${HOST}")])),
            Vec::<&str>::new()
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf8_passes_unchanged() {
        use std::os::unix::ffi::{OsStrExt, OsStringExt};
        let raw = |name: &str| (name == "RAW").then(|| OsString::from_vec(b"a\xffb".to_vec()));
        let child = child_env(&[], &env(&[("COPY", "<${RAW}>")]), &raw)
            .ok()
            .unwrap();
        assert_eq!(child.variables[OsStr::new("COPY")].as_bytes(), b"<a\xffb>");
    }
}
