use super::*;

fn patterns(items: &str) -> Result<Vec<Pattern>, String> {
    Policy::parse(&format!("redact:\n  patterns:\n{items}"))
        .map(|policy| policy.redact.patterns)
        .map_err(|problems| {
            let told = problems
                .iter()
                .map(|problem| format!("{}: {}", problem.at, problem.kind));
            told.collect::<Vec<_>>().join("\n")
        })
}

fn fault(regex: &str) -> String {
    let told = patterns(&format!("    - name: own\n      regex: '{regex}'\n")).unwrap_err();
    let start = "4:14: the pattern \"own\" can't be used: ";
    told.strip_prefix(start)
        .unwrap_or_else(|| panic!("{told}"))
        .to_owned()
}

fn with_flags(flags: &str) -> Pattern {
    let item = format!("    - {{name: own, regex: '^a.b$', flags: {flags}}}\n");
    patterns(&item).unwrap().remove(0)
}

#[test]
fn flags_are_javascripts() {
    assert!(with_flags("\"\"").regex.is_match("a-b"));
    assert!(!with_flags("gu").regex.is_match("A-b"));
    assert!(with_flags("i").regex.is_match("A-B"));
    assert!(with_flags("gm").regex.is_match("x\na-b\n"));
    assert!(with_flags("s").regex.is_match("a\nb"));
    assert_eq!(
        patterns("    - {name: own, regex: a, flags: iy}\n").unwrap_err(),
        "3:36: the pattern \"own\" can't be used: the flag 'y' means nothing here; flags are i, m and s, and g and u \
         are always on"
    );
}

#[test]
fn what_can_not_be_matched_in_linear_time_is_refused_and_says_why() {
    for regex in ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b"] {
        assert_eq!(
            fault(regex),
            "look-around is not supported, so that a match always takes linear time; match what is around the secret \
             too, or use \\b",
            "{regex}"
        );
    }
    assert_eq!(
        fault(r"(a)\1"),
        "backreferences are not supported, so that a match always takes linear time"
    );
}

#[test]
fn what_backtracking_makes_slow_is_fine() {
    let found = patterns("    - {name: own, regex: '(a+)+b|(x|x|x)*y'}\n").unwrap();
    assert!(!found[0].regex.is_match(&"a".repeat(100_000)));
}

#[test]
fn what_finds_nothing_or_everything_is_refused() {
    for regex in ["", "a*", "(?:a|)", r"\b", "^$", "^"] {
        assert_eq!(
            fault(regex),
            "it matches the empty text, which is everywhere",
            "{regex}"
        );
    }
    assert_eq!(fault(r"[^\s\S]"), "no text can match it");
}

#[test]
fn what_is_malformed_or_too_much_is_refused() {
    assert_eq!(fault("(a"), "unclosed group");
    assert_eq!(fault(r"\p{Klingon}"), "Unicode property not found");
    assert_eq!(fault(&"a".repeat(4097)), "it is longer than 4096 bytes");
    assert_eq!(
        fault(r"\w{900}"),
        "it takes more than 2 MiB when compiled; repeat less, or use [0-9A-Za-z_] for \\w"
    );
    assert_eq!(
        patterns(&"    - {name: a, regex: a}\n".repeat(65)).unwrap_err(),
        "3:5: \"patterns\": 65 items, expected at most 64"
    );
    assert_eq!(
        patterns(&format!("    - {{name: {}, regex: a}}\n", "n".repeat(65))).unwrap_err(),
        format!(
            "3:14: the pattern \"{}…\" can't be used: its name must have 1 to 64 characters",
            "n".repeat(40)
        )
    );
}

/// What a message shows must not be the secret that somebody wrote into the pattern.
#[test]
fn the_pattern_itself_is_never_shown() {
    for regex in [
        "hunter2(",
        "hunter2{",
        "hunter2(?=x)",
        "[hunter2-1]",
        "(?P<hunter2",
    ] {
        assert!(!fault(regex).contains("hunter"), "{}", fault(regex));
    }
}
