use super::*;
use crate::config::policy::Policy;
use proptest::prelude::*;

fn patterns() -> Redactor {
    Redactor::new().unwrap()
}

fn knowing(values: &[&str]) -> Redactor {
    let secrets: Vec<Secret> = values.iter().map(|&value| Secret::new(value)).collect();
    patterns().with_secrets(&secrets).unwrap()
}

#[test]
fn every_kind_of_known_secret_is_taken_out() {
    let redactor = patterns();
    let forty = "abcdEFGH1234abcdEFGH1234abcdEFGH1234abcd";
    for (text, expected) in [
        ("id AKIAIOSFODNN7EXAMPLE.".to_owned(), "id [REDACTED]."),
        ("ASIAIOSFODNN7EXAMPLE".to_owned(), "[REDACTED]"),
        (format!("aws_secret_access_key = {forty}"), "aws_secret_access_key = [REDACTED]"),
        (format!("{{\"SecretAccessKey\":\"{forty}\"}}"), "{\"SecretAccessKey\":\"[REDACTED]\"}"),
        (format!("push with ghp_{}", &forty[..36]), "push with [REDACTED]"),
        (format!("github_pat_{}_x", &forty[..30]), "[REDACTED]"),
        ("API_KEY=0123456789abcdef0123".to_owned(), "API_KEY=[REDACTED]"),
        ("{\"apiKey\": \"0123456789abcdef\"}".to_owned(), "{\"apiKey\": \"[REDACTED]\"}"),
        (r#"{\"api_key\": \"0123456789abcdef\"}"#.to_owned(), r#"{\"api_key\": \"[REDACTED]\"}"#),
        ("client-secret: 'abcdef0123456789'".to_owned(), "client-secret: '[REDACTED]'"),
        ("Authorization: Bearer abc.def-0123456789_~".to_owned(), "Authorization: Bearer [REDACTED]"),
        ("authorization: bearer  abcdef0123456789".to_owned(), "authorization: bearer  [REDACTED]"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE+a/b=\n-----END RSA PRIVATE KEY-----".to_owned(),
            "[REDACTED]",
        ),
        (r#"{"k":"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"}"#.to_owned(), "{\"k\":\"[REDACTED]\"}"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----".to_owned(), "[REDACTED]"),
        (format!("M{}.abc_d1.{}", &forty[..25], &forty[..30]), "[REDACTED]"),
        ("https://discord.com/api/webhooks/123/abc-DEF_4".to_owned(), "https://[REDACTED]"),
        // base64 of AKIAIOSFODNN7EXAMPLE
        ("key QUtJQUlPU0ZPRE5ON0VYQU1QTEU= end".to_owned(), "key [REDACTED] end"),
        (format!("sk-ant-api03-{forty}"), "[REDACTED]"),
        (format!("sk-proj-{forty}"), "[REDACTED]"),
        (format!("\"sk-{forty}\""), "\"[REDACTED]\""),
        (format!("hf_{}", &forty[..34]), "[REDACTED]"),
    ] {
        assert_eq!(redactor.redact(&text), expected, "{text}");
    }
}

#[test]
fn ordinary_text_is_left_alone() {
    let redactor = patterns();
    for text in [
        "the api key is missing",
        "api_key: string",
        "apiKey=undefined",
        "set API_KEY to your key",
        "bearer of bad news",
        "Bearer token",
        "task-0123456789abcdef0123456789abcdef0123",
        "sk-learn",
        "AKIA is a prefix",
        "XAKIAIOSFODNN7EXAMPLEX",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "550e8400-e29b-41d4-a716-446655440000",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "https://example.com/a/b?page=2",
        "half_time_of_the_game_is_over_and_we_go_on",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"ok\"}]}}",
    ] {
        assert!(
            matches!(redactor.redact(text), Cow::Borrowed(_)),
            "{text}: {}",
            redactor.redact(text)
        );
    }
}

#[test]
fn exact_values_are_taken_out_in_every_form() {
    let redactor = knowing(&["p\"ss w/rd\n€1"]);
    for text in [
        "p\"ss w/rd\n€1",
        r#"p\"ss w/rd\n€1"#,
        r#"p\"ss w\/rd\n€1"#,
        r#"p\"ss w/rd\n\u20ac1"#,
        r#"p\\\"ss w/rd\\n€1"#,
        "p%22ss%20w%2Frd%0A%E2%82%AC1",
        "p%22ss%20w%2frd%0a%e2%82%ac1",
        "p%22ss+w%2Frd%0A%E2%82%AC1",
    ] {
        assert_eq!(
            redactor.redact(&format!("<{text}>")),
            "<[REDACTED]>",
            "{text}"
        );
    }
}

#[test]
fn a_secret_behind_an_escape_is_seen() {
    let token = ["ghp", "_abcdEFGH1234abcdEFGH1234abcdEFGH1234"].concat();
    let redactor = patterns();
    for (text, expected) in [
        (r#"{"a":"first\n@"}"#, r#"{"a":"first\n[REDACTED]"}"#),
        (
            r#"{"a":"{\"b\":\"x\\t@\"}"}"#,
            r#"{"a":"{\"b\":\"x\\t[REDACTED]\"}"}"#,
        ),
        (r"\\\\n@", r"\\\\n[REDACTED]"),
        (r"b'x\n@'", r"b'x\n[REDACTED]'"),
        (r"\x00@\t@", r"\x00[REDACTED]\t[REDACTED]"),
        ("\u{1b}[31m@\u{1b}[0m", "\u{1b}[31m[REDACTED]\u{1b}[0m"),
        ("an\u{1b}[1;31m@", "an\u{1b}[1;31m[REDACTED]"),
        (
            "gh\u{1b}[1mp\u{1b}[m_abcdEFGH1234abcdEFGH1234abcdEFGH1234.",
            "[REDACTED]",
        ),
        (r"\u001b[31m@\u001b[0m", r"\u001b[31m[REDACTED]\u001b[0m"),
        (r"\033[31m@", r"\033[31m[REDACTED]"),
        ("?q=%20@", "?q=%20[REDACTED]"),
        ("x=%3D@&y=%41", "x=%3D[REDACTED]&y=%41"),
        (
            r"é \u0067hp_abcdEFGH1234abcdEFGH1234abcdEFGH1234 é\n",
            r"é [REDACTED] é\n",
        ),
        (r"\/@", r"\/[REDACTED]"),
        (
            r"postgres:\/\/u:hunter2xx@h",
            r"postgres:\/\/u:[REDACTED]@h",
        ),
        (
            "postgres:%2F%2Fu%3Ahunter2xx%40h",
            "postgres:%2F%2Fu%3A[REDACTED]%40h",
        ),
        (r"50% of C:\new\table", r"50% of C:\new\table"),
    ] {
        let is_address = text.contains("hunter2xx@");
        let text = if is_address {
            text.to_owned()
        } else {
            text.replace('@', &token)
        };
        assert_eq!(redactor.redact(&text), expected, "{text}");
        assert_eq!(redactor.redact_bounded(&text, 500), expected, "{text}");
    }
}

#[test]
fn a_pattern_of_the_policy_sees_behind_escapes() {
    assert_eq!(
        with_own(r"\bEMP-[0-9]+").redact(r"x\nEMP-17, %45MP-1"),
        r"x\n[REDACTED], [REDACTED]"
    );
    assert_eq!(with_own("^käse$").redact("k%C3%A4se"), "[REDACTED]");
}

#[test]
fn each_long_line_of_a_value_is_secret_and_a_short_one_is_not() {
    let redactor = knowing(&["first-line-of-it\nend\n"]);
    assert_eq!(redactor.redact("got first-line-of-it"), "got [REDACTED]");
    assert_eq!(redactor.redact("the end"), "the end");
}

#[test]
fn values_below_four_bytes_are_left_alone() {
    let redactor = knowing(&["abc", "", "  "]);
    assert_eq!(redactor.redact("abcabc  "), "abcabc  ");
    assert_eq!(knowing(&["abcd"]).redact("abcabcd"), "abc[REDACTED]");
}

#[test]
fn overlapping_secrets_leave_nothing_of_either() {
    assert_eq!(
        knowing(&["abcdef", "defxyz"]).redact("-abcdefxyz-"),
        "-[REDACTED]-"
    );
    assert_eq!(
        knowing(&["abcd", "abcdefgh"]).redact("-abcdefgh-"),
        "-[REDACTED]-"
    );
    // A known value in the middle of a token that only its looks give away.
    let token = format!("sk-ant-{}known{}", "a".repeat(12), "b".repeat(12));
    assert_eq!(knowing(&["known"]).redact(&token), "[REDACTED]");
}

fn with_own(regex: &str) -> Redactor {
    let text = format!("redact: {{patterns: [{{name: own, regex: '{regex}'}}]}}");
    let policy = Policy::parse(&text).unwrap();
    knowing(&["known-value"]).with_patterns(&policy.redact.patterns)
}

#[test]
fn what_a_pattern_of_the_policy_matches_is_taken_as_a_whole() {
    let redactor = with_own("corp-([0-9]+)-(x)?");
    assert_eq!(
        redactor.redact("a corp-17-x, corp-18-, corp-, known-value and AKIAIOSFODNN7EXAMPLE"),
        "a [REDACTED], [REDACTED], corp-, [REDACTED] and [REDACTED]"
    );
    let later = redactor
        .with_secrets(&[Secret::new("other-value")])
        .unwrap();
    assert_eq!(
        later.redact("corp-17- other-value known-value"),
        "[REDACTED] [REDACTED] known-value"
    );
}

#[test]
fn patterns_of_the_policy_and_others_that_overlap_leave_nothing_of_either() {
    assert_eq!(
        with_own("id=known").redact("<id=known-value>"),
        "<[REDACTED]>"
    );
    assert_eq!(with_own("é+").redact("caféé?"), "caf[REDACTED]?");
    let token = format!("corp:sk-ant-{}", "a".repeat(30));
    assert_eq!(with_own("corp:sk").redact(&token), REDACTED);
}

#[test]
fn a_cut_never_leaves_the_head_of_a_secret() {
    let redactor = knowing(&["correct-horse-battery-staple"]);
    for before in 0..64 {
        let text = format!(
            "{}correct-horse-battery-staple and more",
            "x".repeat(before)
        );
        let shown = redactor.redact_bounded(&text, 32);
        assert!(!shown.contains("cor"), "{shown}");
        assert!(shown.ends_with(TRUNCATED) || text.len() < 60, "{shown}");
    }
}

/// Redacting shrinks text, so what lies at the window's edge can move into sight: here a long secret becomes one word.
#[test]
fn a_secret_across_the_edge_of_the_window_is_not_shown() {
    let secret: String = (0..200)
        .map(|number| char::from(b'a' + number % 26))
        .collect::<String>()
        + &"0123456789".repeat(60);
    let redactor = knowing(&[&secret]);
    let window = redactor.window_bytes(64);
    assert!(
        window < 2 * secret.len(),
        "the second one must lie across the edge"
    );
    for shift in 0..40 {
        let text = format!("{} {secret} {secret} {secret}", "Y".repeat(shift));
        let shown = redactor.redact_bounded(&text, 64);
        assert!(
            shown.starts_with(&format!("{} {REDACTED}", "Y".repeat(shift))),
            "{shown}"
        );
        assert!(
            shown.ends_with(TRUNCATED) && !shown.contains("abcd"),
            "{shown}"
        );
    }
    let token = format!("sk-ant-{}", "a".repeat(window));
    assert_eq!(
        redactor.redact_bounded(&token, 64),
        format!("{REDACTED}{TRUNCATED}")
    );
}

#[test]
fn text_is_cut_between_characters_and_marked() {
    assert_eq!(bounded("abc", 3), "abc");
    assert_eq!(bounded("a€c", 3), "a…[truncated]");
    assert_eq!(bounded("€", 0), "…[truncated]");
}

#[test]
fn nothing_that_steers_a_terminal_gets_through() {
    assert_eq!(printable("plain ünïcode — 日本"), "plain ünïcode — 日本");
    assert_eq!(printable("\u{1b}[31mred\r\n\t\u{7}\u{9b}"), "?[31mred?????");
    assert_eq!(
        printable("a\u{202e}b\u{200b}c\u{feff}d\u{2066}e\u{ad}"),
        "a?b?c?d?e?"
    );
}

#[test]
fn a_shared_redactor_is_replaced_for_all() {
    let shared = SharedRedactor::new(patterns());
    let other = shared.clone();
    shared.replace(knowing(&["hunter2hunter2"]));
    assert_eq!(other.current().redact("hunter2hunter2"), REDACTED);
}

/// Many beginnings without an end must not be looked at again and again.
#[test]
fn hostile_text_takes_linear_time() {
    let redactor = knowing(&["aaaa", "aaaaaaaaaaaaaaaa"]);
    for unit in [
        "-----BEGIN PRIVATE KEY-----_",
        "api_key=",
        "bearer ",
        "MMMMMMMMMMMMMMMMMMMMMMMMMM.",
        "a",
        "sk-ant-_",
        "eyJaaaaaaaa-AKIAIOSFODNN7EXAMPLE-",
        "eyJaaaaaaaa.",
        "://a:",
        "password=",
        "M0000000000000000000000000.aaaaaa.",
        "\\",
        "%25",
        "\u{1b}[",
        "\u{1b}[1",
        "\\u{",
        "\\xe2",
        "%e2%82",
    ] {
        let text = unit.repeat((1 << 18) / unit.len());
        assert!(redactor.redact(&text).len() <= text.len() + REDACTED.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_survives(
        value in "[a-z\"\\\\ /%é]{4,12}",
        before in "[a-z \"é]{0,20}",
        after in "[a-z \"é]{0,20}",
        bytes_max in 0_usize..60,
    ) {
        let redactor = knowing(&[&value]);
        let text = format!("{before}{value}{after}");
        // The replacement itself may happen to contain a short value.
        prop_assume!(!REDACTED.contains(&value) && !TRUNCATED.contains(&value));
        prop_assert!(!redactor.redact(&text).contains(&value));
        let cut = redactor.redact_bounded(&text, bytes_max);
        prop_assert!(!cut.contains(&value));
        prop_assert!(cut.len() <= bytes_max + TRUNCATED.len());
    }
}
