//! Whole policies: what loads, and the exact words for what doesn't.

#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, which clippy.toml doesn't see as tests.

use camino::{Utf8Path, Utf8PathBuf};
use rea::config::file::FileError;
use rea::config::policy::Policy;
use rea::config::root::Root;

fn text_of(file: &str) -> String {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policy");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn parse(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// What a person is told about a file.
fn told(file: &str) -> String {
    FileError::Invalid {
        path: Utf8PathBuf::from("policy.yaml"),
        problems: Policy::parse(&text_of(file)).unwrap_err(),
    }
    .to_string()
}

#[test]
fn a_policy_of_the_reference_loads_as_it_is() {
    let policy = parse(&text_of("reference.yaml"));
    assert!(policy.expose_diagnostics);
    assert!(!policy.redact.arguments && !policy.redact.results);
    let [id, ticket] = policy.redact.patterns.as_slice() else {
        panic!("two patterns")
    };
    assert_eq!(
        (id.name.as_str(), ticket.name.as_str()),
        ("internal id", "ticket")
    );
    assert!(id.regex.is_match("CORP-0123abCD") && ticket.regex.is_match("TICKET/7"));
    assert_eq!(
        policy.warning.unwrap().to_string(),
        "the policy has keys without effect: profile (line 3), installed_by (line 4), installed_at (line 5), \
         autonomy_level (line 6), max_autonomy_level (line 7), promotion_requires_human_approval (line 8), \
         block_ai_attribution (line 9), blocked_paths (line 10), notification_channel (line 13), \
         injection_detection (line 14), injection.suspicious_blocks_writes (line 16), \
         context_protection.delegate_to_subagent (line 18), context_protection.max_bash_output_lines (line 20), \
         review.codex_required (line 22), review.cache_max_age_seconds (line 23), review.allow_skip_in_ci (line 24), \
         redact.match_timeout_ms (line 26), audit.rotation.max_bytes (line 34), audit.rotation.max_age_days (line 35)"
    );
}

#[test]
fn without_a_policy_or_with_an_empty_one_the_defaults_apply() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::find(None, &|_| None, folder.path()).unwrap();
    for policy in [
        Policy::load(&root).unwrap(),
        parse(""),
        parse("# nothing yet\n"),
        parse("version: \"1\"\nredact:\ngateway: {health: {}}\naudit: {rotation: {}}\n"),
    ] {
        assert!(!policy.expose_diagnostics && !policy.redact.arguments && !policy.redact.results);
        assert!(policy.redact.patterns.is_empty() && policy.warning.is_none());
    }
}

#[test]
fn arguments_and_results_are_redacted_where_it_is_said() {
    let policy = parse("redact: {arguments: true}");
    assert!(policy.redact.arguments && !policy.redact.results);
    let policy = parse("redact: {results: true}");
    assert!(!policy.redact.arguments && policy.redact.results);
}

#[test]
fn the_documents_example_loads_and_names_every_key() {
    let document = include_str!("../docs/policy.md");
    let (_, example) = document.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let policy = parse(example);
    assert_eq!(policy.warning, None);
    assert!(policy.redact.results && !policy.redact.arguments && !policy.expose_diagnostics);
    assert!(policy.redact.patterns[0].regex.is_match("of EMP-123456,"));
    assert!(
        policy.redact.patterns[1]
            .regex
            .is_match("A.CORP.example.com")
    );

    let warning = parse(&text_of("reference.yaml")).warning.unwrap();
    let told = warning.to_string();
    let (_, keys) = told.split_once(": ").unwrap();
    for key in keys.split(", ").map(|key| key.split(' ').next().unwrap()) {
        assert!(document.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn unknown_keys() {
    assert_eq!(
        told("unknown_keys.yaml"),
        "\
policy.yaml:2:1: unknown key \"autonomy\" in the policy; known keys: version, redact, gateway, profile, installed_by, \
installed_at, autonomy_level, max_autonomy_level, promotion_requires_human_approval, block_ai_attribution, \
blocked_paths, notification_channel, injection_detection, injection, context_protection, review, audit
policy.yaml:3:1: unknown key \"blocked-paths\" in the policy; did you mean \"blocked_paths\"?
policy.yaml:5:3: unknown key \"match_timeout\" in redact; did you mean \"match_timeout_ms\"?
policy.yaml:6:3: unknown key \"pattern\" in redact; did you mean \"patterns\"?
policy.yaml:8:17: unknown key \"regexp\" in a pattern; did you mean \"regex\"?
policy.yaml:9:13: unknown key \"enabled\" in injection; known keys: suspicious_blocks_writes
policy.yaml:10:22: unknown key \"max_lines\" in context_protection; known keys: delegate_to_subagent, max_bash_output_lines
policy.yaml:11:10: unknown key \"codex_model\" in review; known keys: codex_required, cache_max_age_seconds, allow_skip_in_ci
policy.yaml:12:9: unknown key \"rotate\" in audit; known keys: rotation
policy.yaml:12:32: unknown key \"max_size\" in audit.rotation; known keys: max_bytes, max_age_days
policy.yaml:14:3: unknown key \"port\" in gateway; known keys: health
policy.yaml:15:12: unknown key \"expose\" in gateway.health; known keys: expose_diagnostics"
    );
}

#[test]
fn wrong_values() {
    let linear = "so that a match always takes linear time";
    let expected = format!(
        "\
policy.yaml:1:10: version \"2\": expected \"1\"
policy.yaml:2:10: \"profile\": expected text, found a list
policy.yaml:3:17: autonomy_level: expected L0, L1, L2 or L3, found \"L4\"
policy.yaml:4:36: \"promotion_requires_human_approval\": expected true or false, found text
policy.yaml:5:16: \"blocked_paths\": expected a list, found text
policy.yaml:6:22: injection_detection: expected block or warn, found \"maybe\"
policy.yaml:7:12: \"injection\": expected a map, found text
policy.yaml:8:45: \"delegate_to_subagent\": expected text, found a map
policy.yaml:8:73: max_bash_output_lines: \"0\" is not a number greater than 0
policy.yaml:9:33: cache_max_age_seconds: \"-1\" is not a number greater than 0
policy.yaml:11:21: match_timeout_ms: \"soon\" is not a number greater than 0
policy.yaml:12:14: \"arguments\": expected true or false, found text
policy.yaml:13:12: \"results\": expected true or false, found text
policy.yaml:15:7: \"a pattern\": expected a map, found text
policy.yaml:16:7: a pattern has no \"regex\"; expected a regular expression
policy.yaml:17:29: the pattern \"behind\" can't be used: look-around is not supported, {linear}; match what is around \
the secret too, or use \\b
policy.yaml:18:28: the pattern \"twice\" can't be used: backreferences are not supported, {linear}
policy.yaml:19:40: the pattern \"open\" can't be used: the flag 'x' means nothing here; flags are i, m and s, and g and \
u are always on
policy.yaml:20:29: the pattern \"broken\" can't be used: unclosed group
policy.yaml:21:33: the pattern \"everywhere\" can't be used: it matches the empty text, which is everywhere"
    );
    // One more than is shown.
    let shown = told("types.yaml");
    assert_eq!(shown, format!("{expected}\n… and 1 more"));
}

#[test]
fn a_policy_of_a_project_is_read_with_the_same_care_as_its_registry() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::find(None, &|_| None, folder.path()).unwrap();
    std::fs::create_dir(root.path.join(".rea")).unwrap();
    let path = root.policy();
    let load = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Policy::load(&root)
    };
    assert!(load(b"redact: {results: true}").unwrap().redact.results);
    assert_eq!(
        load(b"caf\xe9: 1\n").unwrap_err().to_string(),
        format!("{path}:1: this is not UTF-8 text")
    );
    assert_eq!(
        load(b"redact: {result: true}\n").unwrap_err().to_string(),
        format!("{path}:1:10: unknown key \"result\" in redact; did you mean \"results\"?")
    );
    assert_eq!(
        load(b"- a\n").unwrap_err().to_string(),
        format!("{path}:1:1: \"the policy\": expected a map, found a list")
    );
}
