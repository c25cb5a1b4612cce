use super::*;
use proptest::prelude::*;

fn template(text: &str) -> UriTemplate {
    UriTemplate::parse(text).expect(text)
}

fn steps(text: &str, uri: &str) -> (bool, usize) {
    let mut steps = 0;
    let matched = template(text).matches_in_steps(uri, || steps += 1);
    (matched, steps)
}

#[test]
fn a_simple_hole_ends_where_its_segment_ends() {
    let one = template("note://{name}");
    for uri in [
        "note://a",
        "note://",
        "note://a%2Fb",
        "note://ü",
        "note://a,b",
    ] {
        assert!(one.matches(uri), "{uri}");
    }
    for uri in [
        "note://a/b",
        "note://a?b",
        "note://a#b",
        "notes://a",
        "note:/",
        "",
    ] {
        assert!(!one.matches(uri), "{uri}");
    }
    assert!(template("a://{x}/b/{y}").matches("a://1/b/2"));
    assert!(!template("a://{x}/b/{y}").matches("a://1/c/2"));
}

#[test]
fn every_operator_matches_what_is_of_its_kind_and_nothing() {
    for (text, matching, others) in [
        ("f:{+p}", vec!["f:", "f:/a/b?c#d"], vec!["g:"]),
        ("f:a{#p}", vec!["f:a", "f:a#b/?#"], vec!["f:ab", "f:a?b"]),
        (
            "f:a{.p}",
            vec!["f:a", "f:a.tar.gz"],
            vec!["f:ab", "f:a.b/c"],
        ),
        (
            "f:a{/p*}",
            vec!["f:a", "f:a/", "f:a/b/c"],
            vec!["f:ab", "f:a/b?c", "f:a/b#c"],
        ),
        ("f:a{;p}", vec!["f:a", "f:a;p=1;q"], vec!["f:ab", "f:a;p/q"]),
        (
            "f:a{?p,q}",
            vec!["f:a", "f:a?p=1&q=/?"],
            vec!["f:ab", "f:a&p=1", "f:a?p#q"],
        ),
        (
            "f:a?x=1{&p}",
            vec!["f:a?x=1", "f:a?x=1&p=2"],
            vec!["f:a?x=12", "f:a?x=1&p#q"],
        ),
    ] {
        for uri in matching {
            assert!(template(text).matches(uri), "{text} {uri}");
        }
        for uri in others {
            assert!(!template(text).matches(uri), "{text} {uri}");
        }
    }
}

#[test]
fn a_wide_hole_gives_back_what_a_later_part_needs() {
    assert!(template("{+dir}/{name}").matches("a/b/c"));
    assert!(template("{+dir}/{name}.md").matches("a/b.md/c.md"));
    assert!(!template("{+dir}/{name}.md").matches("a/b.md/c"));
    assert!(
        template("{+a}aab").matches("aaab"),
        "an occurrence begins within a failed one"
    );
    assert!(template("{+a}aba").matches("ababa"), "occurrences overlap");
    assert!(template("{a}{?q}{#f}").matches("x?y#z"));
    assert!(!template("{a}{#f}{?q}x").matches("x?y"));
}

#[test]
fn without_holes_only_the_same_text_matches() {
    assert!(template("a://b").matches("a://b"));
    assert!(!template("a://b").matches("a://bc"));
    assert!(!template("a://b").matches("a://"));
    assert!(template("").matches(""));
}

#[test]
fn percent_encoding_makes_no_difference_for_what_no_uri_can_hold() {
    let spelled = template("n://é à/{x}");
    for uri in [
        "n://é à/b",
        "n://%C3%A9%20%C3%A0/b",
        "n://%c3%a9%20%c3%a0/b",
    ] {
        assert!(spelled.matches(uri), "{uri}");
        assert!(template(&format!("{uri}{{x}}")).matches("n://é à/b"));
    }
    assert!(
        !template("a%2Fb").matches("a/b"),
        "a reserved character isn't what stands for it"
    );
    assert!(!template("abcdef%2fabc").matches("ABCDEF%2FABC"));
    assert!(template("%af").matches("%AF"));
    assert!(!template("%afa").matches("%AFA"));
}

#[test]
fn the_literal_prefix_ends_at_the_first_hole() {
    assert_eq!(template("file:///{path}/x").literal_prefix_bytes(), 8);
    assert_eq!(template("{+all}").literal_prefix_bytes(), 0);
    assert_eq!(template("a://b").literal_prefix_bytes(), 5);
}

#[test]
fn malformed_templates_are_refused() {
    for text in [
        "{",
        "}",
        "a{b",
        "a}b",
        "{a}}",
        "{{a}}",
        "{a{b}}",
        "{}",
        "{+}",
        "{?}",
        "{a,}",
        "{,a}",
        "{a,,b}",
        "{=a}",
        "{!a}",
        "{|a}",
        "{@a}",
        "{a b}",
        "{+?a}",
        "{a:}",
        "{a:0}",
        "{a:x}",
        "{a:12345}",
        "{a:1*}",
        "{*}",
        "{a**}",
        "{:3}",
        "{\u{20ac}}",
    ] {
        assert_eq!(UriTemplate::parse(text), None, "{text:?}");
    }
    for text in [
        "{a}",
        "{a*}",
        "{a:3}",
        "{+a.b,c_d*}",
        "{%41}",
        "{user-id}",
        "{größe}",
    ] {
        assert!(UriTemplate::parse(text).is_some(), "{text:?}");
    }
}

#[test]
fn size_is_bounded() {
    assert!(UriTemplate::parse(&"{a}".repeat(64)).is_some());
    assert_eq!(UriTemplate::parse(&"{a}".repeat(65)), None);
    assert!(template(&"a".repeat(MAX_BYTES)).matches(&"a".repeat(MAX_BYTES)));
    assert_eq!(UriTemplate::parse(&"a".repeat(MAX_BYTES + 1)), None);
    assert!(!template("{a}").matches(&"a".repeat(MAX_BYTES + 1)));
}

#[test]
fn hostile_pairs_end_within_the_bound() {
    const URI_BYTES: usize = 10_000;
    let a = |count| "a".repeat(count);
    let uri = format!("{}b", a(URI_BYTES - 1));
    for text in [
        "{+x}a".repeat(64) + "c",
        "{+x}".repeat(64) + "c",
        "{x}a{+x}a".repeat(32) + "c",
        format!("{{+x}}{}c", a(5_000)),
        format!("{{+x}}{}b{{+x}}", a(9_990)),
        format!("{{x}}{}", a(150)).repeat(64) + "c",
        "{?x}{&x}{/x}{#x}".repeat(16) + "c",
    ] {
        let (_, steps) = steps(&text, &uri);
        // A hole looks at each byte once, a literal's search at each twice.
        let bound = 64 * 3 * URI_BYTES + 2 * text.len();
        assert!(steps <= bound, "{steps} steps for {}", &text[..10]);
    }
    let (matched, steps) = steps(&format!("b{}", "{+x}".repeat(64)), &uri);
    assert_eq!((matched, steps), (false, 0), "another begin costs nothing");
}

/// All but unreserved characters percent-encoded, or all but reserved ones too.
fn encoded(text: &str, reserved_stay: bool) -> String {
    let stays = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || reserved_stay && b":/?#[]@!$&'()*+,;=".contains(&byte)
    };
    let one = |byte| {
        if stays(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}

/// A piece of a template and what it becomes.
fn expanded_piece() -> impl Strategy<Value = (String, String)> {
    let literal = "[a-c/?#&=.: é]{0,3}".prop_map(|text| (text.clone(), encoded(&text, true)));
    let operator = proptest::sample::select(vec!["", "+", "#", ".", "/", ";", "?", "&"]);
    let values = proptest::collection::vec(proptest::option::of("[a/?#&=., %é]{0,3}"), 1..4);
    let expression = (operator, values).prop_map(|(operator, values)| {
        let variables: Vec<_> = (0..values.len()).map(|n| format!("v{n}")).collect();
        let (first, between) = match operator {
            "" | "+" => ("", ","),
            "#" => ("#", ","),
            "?" => ("?", "&"),
            same => (same, same),
        };
        let stay = matches!(operator, "+" | "#");
        let is_named = matches!(operator, ";" | "?" | "&");
        let defined: Vec<_> = variables
            .iter()
            .zip(&values)
            .filter_map(|(name, value)| {
                let value = encoded(value.as_deref()?, stay);
                Some(if is_named {
                    format!("{name}={value}")
                } else {
                    value
                })
            })
            .collect();
        let first = if defined.is_empty() { "" } else { first };
        let expansion = format!("{first}{}", defined.join(between));
        (format!("{{{operator}{}}}", variables.join(",")), expansion)
    });
    prop_oneof![literal, expression]
}

/// The plainest matcher there is: tries everything.
fn matches_by_trial(template: &str, uri: &str) -> bool {
    let Some(first) = template.chars().next() else {
        return uri.is_empty();
    };
    if first != '{' {
        return uri
            .strip_prefix(first)
            .is_some_and(|rest| matches_by_trial(&template[1..], rest));
    }
    let (expression, rest) = template[1..].split_once('}').expect("closed");
    let (lead, forbidden) = match &expression[..1] {
        "+" => ("", ""),
        "#" => ("#", ""),
        "/" => ("/", "?#"),
        "?" => ("?", "#"),
        "&" => ("&", "#"),
        _ => ("", "/?#"),
    };
    (0..=uri.len()).any(|end| {
        let value = &uri[..end];
        let fits = value.starts_with(lead) && !value.contains(|c| forbidden.contains(c));
        (value.is_empty() || fits) && matches_by_trial(rest, &uri[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn every_expansion_matches(pieces in proptest::collection::vec(expanded_piece(), 0..6)) {
        let (text, uri): (String, String) = pieces.into_iter().unzip();
        prop_assert!(template(&text).matches(&uri), "{} {}", text, uri);
    }

    #[test]
    fn the_answer_is_that_of_trying_everything(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec!["a", "aba", "aab", "/", "?", "{x}", "{+x}", "{/x}", "{?x}", "{&x}", "{#x}"]),
            0..7,
        ),
        uri in "(a|b|ba|[/?&#]){0,8}",
    ) {
        let text = pieces.concat();
        prop_assert_eq!(template(&text).matches(&uri), matches_by_trial(&text, &uri), "{} {}", text, uri);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}+#./;?&a,*:3%é]{0,20}", uri in any::<String>()) {
        if let Some(template) = UriTemplate::parse(&text) {
            template.matches(&uri);
        }
    }
}
