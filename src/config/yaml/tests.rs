use super::*;

fn tree(text: &str) -> Value {
    let mut problems = Vec::new();
    let node = parse(text, &mut problems).unwrap().unwrap();
    assert_eq!(problems, []);
    node.value
}

fn fault(text: &str) -> String {
    let problem = parse(text, &mut Vec::new()).unwrap_err();
    format!("{}: {}", problem.at, problem.kind)
}

fn plain(text: &str) -> Value {
    Value::Plain(text.to_owned())
}

fn entry<'a>(value: &'a Value, key: &str) -> &'a Node {
    let Value::Map(entries) = value else {
        panic!("no map: {value:?}")
    };
    &entries
        .iter()
        .find(|(known, _)| known.text == key)
        .unwrap()
        .1
}

#[test]
fn everything_knows_its_line_and_column() {
    let value = tree("a: 1\nb:\n  - x\n  - y: ünïcode\n    z: 2\n");
    assert_eq!(entry(&value, "a").at, Position::new(1, 4));
    let Value::List(items) = &entry(&value, "b").value else {
        panic!()
    };
    assert_eq!(items[0].at, Position::new(3, 5));
    assert_eq!(entry(&items[1].value, "z").at, Position::new(5, 8));
}

#[test]
fn text_stays_as_written() {
    let value = tree("a: 0123\nb: 1e3\nc: yes\nd: '5'\ne: \"x\\ty\"\nf: !!str 7\n");
    assert_eq!(entry(&value, "a").value, plain("0123"));
    assert_eq!(entry(&value, "b").value, plain("1e3"));
    assert_eq!(entry(&value, "c").value, plain("yes"));
    assert_eq!(entry(&value, "d").value, Value::Quoted("5".into()));
    assert_eq!(entry(&value, "e").value, Value::Quoted("x\ty".into()));
    assert_eq!(entry(&value, "f").value, Value::Quoted("7".into()));
}

#[test]
fn nothing_written_is_null() {
    let value = tree("a:\nb: ~\nc: null\nd: ''\n");
    for key in ["a", "b", "c"] {
        assert_eq!(entry(&value, key).value, Value::Null, "{key}");
    }
    assert_eq!(entry(&value, "d").value, Value::Quoted(String::new()));
}

#[test]
fn a_file_with_comments_alone_is_empty() {
    for text in ["", "\n\n", "# nothing yet\n", "\u{feff}# nothing\n"] {
        assert_eq!(parse(text, &mut Vec::new()), Ok(None), "{text:?}");
    }
}

#[test]
fn json_is_yaml() {
    let value = tree("{\"version\": \"1\", \"servers\": [{\"name\": \"a\"}]}");
    assert_eq!(entry(&value, "version").value, Value::Quoted("1".into()));
}

#[test]
fn an_alias_is_a_copy_at_its_own_place() {
    let value = tree("a: &x [1, 2]\nb: *x\n");
    assert_eq!(entry(&value, "a").value.clone(), {
        let Value::List(items) = &entry(&value, "b").value else {
            panic!()
        };
        Value::List(items.clone())
    });
    assert_eq!(entry(&value, "b").at, Position::new(2, 4));
}

#[test]
fn a_bomb_of_aliases_is_refused_early() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, inner) in "bcdefghij".chars().zip("abcdefghi".chars()) {
        let copies = vec![format!("*{inner}"); 10].join(", ");
        text = format!("{text}{name}: &{name} [{copies}]\n");
    }
    assert!(fault(&text).ends_with(
        "more than 20000 values (aliases count each time): a file that people write is smaller than that"
    ));
}

#[test]
fn nesting_is_bounded() {
    fault(&"[".repeat(10_000));
    fault(&"- ".repeat(10_000));
    fault(&"{a: ".repeat(10_000));
}

#[test]
fn a_key_given_twice_is_a_problem_and_the_rest_is_still_read() {
    let mut problems = Vec::new();
    parse("a: 1\nb: 2\n\"a\": 3\nb: 4\n", &mut problems).unwrap();
    let told: Vec<String> = problems
        .iter()
        .map(|p| format!("{}: {}", p.at, p.kind))
        .collect();
    assert_eq!(
        told,
        [
            "3:1: \"a\" is given twice; the first is on line 1",
            "4:1: \"b\" is given twice; the first is on line 2"
        ]
    );
}

#[test]
fn what_no_file_has_a_use_for_is_refused() {
    assert_eq!(
        fault("a: 1\n---\nb: 2\n"),
        "2:1: a second document (\"---\") can't be used here"
    );
    assert_eq!(
        fault("a: !!int 1\n"),
        "1:10: a tag other than !!str can't be used here"
    );
    assert_eq!(
        fault("a: !x [1]\n"),
        "1:7: a tag on a list or a map can't be used here"
    );
    assert_eq!(
        fault("? [a]\n: 1\n"),
        "1:3: a key that is not text can't be used here"
    );
    assert_eq!(
        fault("a: &x [*x]\n"),
        "1:8: an alias inside what it stands for can't be used here"
    );
}

#[test]
fn faults_of_the_text_have_a_place() {
    assert_eq!(
        fault("a:\n  b: x\n\tc: y\n"),
        "3:1: this is not valid YAML: a tab can't be used to indent, use spaces"
    );
    for text in [
        "a: [1, 2\n",
        "a: b: c\n",
        "a:\n\t- x\n",
        "a: 'x\n",
        "a: *gone\n",
        "%\n",
        "a: \"\\q\"\n",
    ] {
        let told = fault(text);
        assert!(
            told.contains("this is not valid YAML: "),
            "{text:?}: {told}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "[-a:{}\\[\\],&*!'\"#|> \n\t%?~]{0,60}") {
        let _ = parse(&text, &mut Vec::new());
    }
}
