//! Whole registries: what loads, and the exact words for what doesn't.

#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, which clippy.toml doesn't see as tests.

use camino::{Utf8Path, Utf8PathBuf};
use rea::config::file::FileError;
use rea::config::journal::{Journal, JournalMode};
use rea::config::numbers::Numbers;
use rea::config::registry::Registry;
use rea::config::root::Root;
use rea::config::server::{Retry, Server, ToolRule};

fn nothing_set(_: &str) -> Option<String> {
    None
}

fn text_of(file: &str) -> String {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/registry");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn load(file: &str) -> Registry {
    Registry::parse(&text_of(file), Utf8Path::new("/project"), &nothing_set)
        .unwrap_or_else(|problems| panic!("{file}: {problems:#?}"))
}

/// What a person is told about a file.
fn told(file: &str) -> String {
    let problems =
        Registry::parse(&text_of(file), Utf8Path::new("/project"), &nothing_set).unwrap_err();
    FileError::Invalid {
        path: Utf8PathBuf::from("registry.yaml"),
        problems,
    }
    .to_string()
}

fn warnings(registry: &Registry) -> Vec<String> {
    registry.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_minimal_registry_has_every_default() {
    let registry = load("minimal.yaml");
    assert_eq!(warnings(&registry), Vec::<String>::new());
    let [
        Server {
            name,
            command,
            args,
            env,
            enabled,
            cwd,
            tools,
            trust_annotations,
            numbers,
            ..
        },
    ] = registry.servers.as_slice()
    else {
        panic!("one server")
    };
    assert_eq!(
        (name.as_str(), command.as_str(), args.as_slice()),
        ("time", "uvx", &["mcp-server-time".to_owned()][..])
    );
    assert_eq!(
        (
            env.len(),
            *enabled,
            cwd.as_str(),
            tools.len(),
            *trust_annotations
        ),
        (0, true, "/project", 0, false)
    );
    // A launcher that may install first has longer for its handshake.
    assert_eq!(numbers.handshake_timeout_ms, 60_000);
    assert_eq!(numbers.call_timeout_ms, 60_000);
    assert_eq!(registry.gateway.spawn_slots, 4);
    assert_eq!(registry.gateway.list_budget_ms, 2_000);
    assert_eq!(registry.gateway.line_max_bytes, 32 << 20);
    assert_eq!(registry.gateway.client_output_bytes_max, 64 << 20);
    assert_eq!(
        (
            registry.gateway.input_end_grace_ms,
            registry.gateway.stop_drain_ms
        ),
        (1_500, 1_000)
    );
    let journal = Journal {
        mode: JournalMode::On,
        dir: None,
        rotate_bytes: 64 << 20,
        total_bytes: 512 << 20,
    };
    assert_eq!(registry.journal, journal);
}

fn numbers_of_the_full_defaults() -> Numbers {
    Numbers {
        restart_intensity: 3,
        restart_window_ms: 60_000,
        backoff_base_ms: 100,
        backoff_max_ms: 5_000,
        lock_base_ms: 120_000,
        lock_max_ms: 600_000,
        stable_ms: 45_000,
        handshake_timeout_ms: 15_000,
        list_timeout_ms: 10_000,
        call_timeout_ms: 20_000,
        call_hard_cap_ms: 7_200_000,
        liveness_timeout_ms: 2_000,
        heartbeat_ms: 30_000,
        stdin_close_grace_ms: 1_000,
        term_grace_ms: 1_500,
        kill_grace_ms: 3_000,
        queue_max: 8,
        queue_timeout_ms: 5_000,
        in_flight_max: 64,
        in_flight_bytes_max: 16 << 20,
        breaker_threshold: 4,
        breaker_base_ms: 10_000,
        breaker_max_ms: 60_000,
        half_open_max: 2,
        blocker_threshold: 5,
        blocker_window_ms: 300_000,
        blocker_not_ready_ms: 90_000,
        blocker_rearm_ms: 1_200_000,
        questions_max: 64,
        question_timeout_ms: 600_000,
    }
}

#[test]
fn every_key_arrives() {
    let registry = load("full.yaml");
    assert_eq!(warnings(&registry), Vec::<String>::new());
    let gateway = &registry.gateway;
    assert_eq!(
        (
            gateway.spawn_slots,
            gateway.list_budget_ms,
            gateway.line_max_bytes
        ),
        (2, 500, 8 << 20)
    );
    assert_eq!(
        (
            gateway.client_output_bytes_max,
            gateway.input_end_grace_ms,
            gateway.stop_drain_ms
        ),
        (16 << 20, 1_000, 2_000)
    );
    let journal = Journal {
        mode: JournalMode::Required,
        dir: Some("/project/var/events".into()),
        rotate_bytes: 1 << 20,
        total_bytes: 8 << 20,
    };
    assert_eq!(registry.journal, journal);

    let [first, second] = registry.servers.as_slice() else {
        panic!("two servers")
    };
    assert_eq!(
        (first.name.as_str(), first.command.as_str()),
        ("Git-hub.1", "bin/github")
    );
    assert_eq!(first.args, ["--port", "8080", "--verbose"]);
    let env: Vec<(&str, Vec<&str>)> = first
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.names().collect()))
        .collect();
    assert_eq!(
        env,
        [
            ("GITHUB_TOKEN", vec!["MY_TOKEN"]),
            ("PORT", vec![]),
            ("EMPTY", vec![])
        ]
    );
    assert_eq!(first.env_passthrough, ["HTTP_PROXY", "no_proxy"]);
    assert_eq!((first.enabled, first.trust_annotations), (false, true));
    assert_eq!(first.cwd, "/project/work");
    let tools: Vec<(&str, ToolRule)> = first
        .tools
        .iter()
        .map(|(name, rule)| (name.as_str(), *rule))
        .collect();
    assert_eq!(
        tools,
        [
            (
                "plain",
                ToolRule {
                    retry: None,
                    timeout_ms: None
                }
            ),
            (
                "search",
                ToolRule {
                    retry: Some(Retry::ReadOnly),
                    timeout_ms: Some(5_000)
                }
            ),
            (
                "set_label",
                ToolRule {
                    retry: Some(Retry::Idempotent),
                    timeout_ms: None
                }
            ),
        ]
    );
    let from_defaults = numbers_of_the_full_defaults();
    // The second is a launcher, but the defaults name a handshake.
    assert_eq!(second.numbers, from_defaults);
    assert_eq!(
        first.numbers,
        Numbers {
            call_timeout_ms: 30_000,
            heartbeat_ms: 0,
            ..from_defaults
        }
    );
}

#[test]
fn keys_of_the_reference_without_effect_are_told_in_one_warning() {
    let registry = load("reference.yaml");
    assert_eq!(registry.servers.len(), 2);
    assert_eq!(
        warnings(&registry),
        [
            "the registry has keys without effect: reviewer (line 2), tier_overrides (line 10), tier_overrides (line 15)"
        ]
    );
}

#[test]
fn a_file_with_nothing_in_it_is_a_registry_without_servers() {
    assert_eq!(load("empty.yaml").servers, []);
}

#[test]
fn unknown_keys() {
    assert_eq!(
        told("unknown_keys.yaml"),
        "\
registry.yaml:2:1: unknown key \"severs\" in the registry; did you mean \"servers\"?
registry.yaml:3:11: unknown key \"mod\" in journal; did you mean \"mode\"?
registry.yaml:5:3: unknown key \"restart-window\" in defaults; did you mean \"restart_window\"?
registry.yaml:8:5: unknown key \"comand\" in a server; did you mean \"command\"?
registry.yaml:10:5: unknown key \"description\" in a server; known keys: name, command, args, env, env_passthrough, enabled, \
cwd, protocol, tools, trust_annotations, timeout, restart_intensity, restart_window, backoff_base, \
backoff_max, lock_base, lock_max, stable, handshake_timeout, list_timeout, call_timeout, call_hard_cap, \
liveness_timeout, heartbeat, stdin_close_grace, term_grace, kill_grace, queue_max, queue_timeout, in_flight_max, \
in_flight_bytes_max, breaker_threshold, breaker_base, breaker_max, half_open_max, blocker_threshold, blocker_window, \
blocker_not_ready, blocker_rearm, questions_max, question_timeout
registry.yaml:11:5: unknown key \"icon_of_it\" in a server
registry.yaml:13:11: unknown key \"retries\" in a tool; known keys: retry, timeout"
    );
}

#[test]
fn what_other_programs_files_say_is_told_in_our_words() {
    let http = "is for a server that is reached by HTTP; rea speaks to servers over standard input and output \
                only: leave this one with the client";
    assert_eq!(
        told("foreign.yaml"),
        format!(
            "\
registry.yaml:4:5: \"type\" {http}
registry.yaml:9:5: \"headers\" {http}
registry.yaml:13:5: unknown key \"type\" in a server; leave it out: every server is spoken to over standard input \
and output
registry.yaml:14:5: unknown key \"disabled\" in a server; write enabled: false instead"
        )
    );
}

#[test]
fn a_registry_of_disabled_servers_alone_is_told() {
    let text = "version: \"1\"\nservers:\n  - {name: a, command: x, enabled: false}\n";
    let registry = Registry::parse(text, Utf8Path::new("/project"), &nothing_set).unwrap();
    assert_eq!(
        warnings(&registry),
        ["every server is disabled: take enabled: false away from those that are wanted"]
    );
}

#[test]
fn a_registry_under_the_other_ending_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().canonicalize().unwrap();
    std::fs::create_dir(here.join(".rea")).unwrap();
    std::fs::write(here.join(".rea/registry.yml"), "version: \"1\"\n").unwrap();
    let root = Root::find(None, &nothing_set, &here).unwrap();
    let said = Registry::load(&root, &nothing_set).unwrap_err().to_string();
    let state = root.path.join(".rea");
    assert_eq!(
        said,
        format!("there is no {state}/registry.yaml, but a file {state}/registry.yml: rename it")
    );
}

#[test]
fn duplicates() {
    assert_eq!(
        told("duplicates.yaml"),
        "\
registry.yaml:5:5: \"command\" is given twice; the first is on line 4
registry.yaml:8:11: the server name \"weather\" is already used by \"Weather\" on line 6: names must differ in more than case
registry.yaml:10:27: \"A\" is given twice; the first is on line 10
registry.yaml:11:11: the server name \"WEATHER\" is already used by \"Weather\" on line 6: names must differ in more than case"
    );
}

#[test]
fn bad_names() {
    let rule = "; names are 1 to 32 letters, digits, \".\", \"_\" and \"-\", start with a letter or digit, \
                do not end in \"_\" and have no \"__\", which separates server and tool";
    let expected = format!(
        "\
registry.yaml:3:11: bad server name \"\": it is empty{rule}
registry.yaml:5:11: bad server name \"_hidden\": it starts with neither a letter nor a digit{rule}
registry.yaml:7:11: bad server name \"two words\": it has the character \" \"{rule}
registry.yaml:9:11: bad server name \"a__b\": it has \"__\"{rule}
registry.yaml:11:11: bad server name \"tail_\": it ends in \"_\"{rule}
registry.yaml:13:11: bad server name \"a-name-that-is-longer-than-allowed\": it is too long{rule}
registry.yaml:15:11: bad server name \"a\\u{{202e}}b\": it has the character \"\\u{{202e}}\"{rule}
registry.yaml:17:5: a server has no \"name\"; expected a name for the server"
    );
    assert_eq!(told("names.yaml"), expected);
}

#[test]
fn missing_commands() {
    assert_eq!(
        told("commands.yaml"),
        "\
registry.yaml:3:5: a server has no \"command\"; expected the program that starts the server
registry.yaml:5:5: a server has no \"command\"; expected the program that starts the server
registry.yaml:7:14: a server has no \"command\"; expected the program that starts the server
registry.yaml:9:14: \"command\": expected text, found a list
registry.yaml:11:14: \"command\": a NUL character can't be used"
    );
}

#[test]
fn malformed_templates_and_variables() {
    let told = told("templates.yaml");
    assert_eq!(
        told,
        "\
registry.yaml:6:13: env \"OPEN\": \"${\" is not closed: write ${NAME}
registry.yaml:7:16: env \"NOTHING\": \"${}\" names no variable: write ${NAME}
registry.yaml:8:16: env \"DEFAULT\": the name after \"${HOME\" has the character ':': a name is letters, digits and \"_\", \
not starting with a digit; defaults and nesting are not supported
registry.yaml:9:14: env \"DIGIT\": the name after \"${\" has the character '1': a name is letters, digits and \"_\", \
not starting with a digit; defaults and nesting are not supported
registry.yaml:10:13: \"LIST\": expected text, found a list
registry.yaml:11:7: env: bad variable name \"A=B\": expected a name that is not empty and has no \"=\"
registry.yaml:12:23: env_passthrough: \"GITHUB_TOKEN\" looks like a secret by its name; name it in env instead, \
as GITHUB_TOKEN: ${GITHUB_TOKEN}, so that its value is redacted
registry.yaml:12:37: env_passthrough: bad variable name \"1A\": expected letters, digits and \"_\", not starting with a digit"
    );
    assert!(!told.contains("hunter2"), "a value was shown");
}

#[test]
fn bad_numbers() {
    assert_eq!(
        told("numbers.yaml"),
        "\
registry.yaml:2:14: spawn_slots: \"many\" is not a whole number
registry.yaml:3:14: list_budget: \"5 minutes\" is not a duration: write 30s, 250ms, 5m, 1h or a plain number of seconds
registry.yaml:4:17: line_max_bytes: \"8MB\" is not a size: write 512KiB, 64MiB, 1GiB or a plain number of bytes
registry.yaml:6:17: rotate_bytes (8MiB) must not be greater than total_bytes (1MiB): the file being written counts too
registry.yaml:9:19: restart_window (2m) must not be greater than lock_base (30s): a lock that ends inside the restart \
window would let a crash loop go on
registry.yaml:14:24: restart_intensity: 0 is out of range: expected 1 to 100
registry.yaml:15:16: lock_base: \"soon\" is not a duration: write 30s, 250ms, 5m, 1h or a plain number of seconds
registry.yaml:16:16: liveness_timeout (5s) must not be greater than heartbeat (1s): a server must be able to answer \
before it is asked again
registry.yaml:17:14: \"timeout\" and \"call_timeout\" are the same number: give one of them
registry.yaml:20:20: timeout (1m) must not be greater than call_hard_cap (10s): a call ends at the hard cap
registry.yaml:20:31: retry: expected idempotent or read_only, found \"always\"
registry.yaml:23:16: restart_window (2m) must not be greater than lock_base (10s): a lock that ends inside the restart \
window would let a crash loop go on
registry.yaml:26:14: \"enabled\": expected true or false, found text"
    );
}

#[test]
fn other_shapes() {
    assert_eq!(
        told("shapes.yaml"),
        "\
registry.yaml:1:10: version \"2\": expected \"1\"
registry.yaml:3:3: \"servers\": expected a list, found a map
registry.yaml:5:10: journal: expected on, off or required, found \"sometimes\"
registry.yaml:6:11: \"defaults\": expected a map, found text"
    );
    let told_of_items = told("items.yaml");
    assert_eq!(
        told_of_items,
        "\
registry.yaml:3:5: \"a server\": expected a map, found text
registry.yaml:6:11: \"args\": expected a list, found text
registry.yaml:7:10: \"env\": expected a map, found a list
registry.yaml:8:22: \"env_passthrough\": expected a list, found text
registry.yaml:9:14: \"enabled\": expected true or false, found text
registry.yaml:10:12: \"tools\": expected a map, found a list
registry.yaml:11:10: \"cwd\": expected text, found a map"
    );
    assert_eq!(
        told("no_version.yaml"),
        "registry.yaml:1:1: the registry has no \"version\"; expected version: \"1\""
    );
    assert_eq!(
        told("list_at_top.yaml"),
        "registry.yaml:1:1: \"the registry\": expected a map, found a list"
    );
}

#[test]
fn an_era_is_one_of_three_words() {
    assert_eq!(
        told("protocol.yaml"),
        "registry.yaml:11:15: protocol: expected auto, legacy or modern, found \"http\""
    );
}

#[test]
fn faults_of_the_text_have_a_line_too() {
    assert_eq!(
        told("tab.yaml"),
        "registry.yaml:4:1: this is not valid YAML: a tab can't be used to indent, use spaces"
    );
    assert_eq!(
        told("unclosed.yaml"),
        "registry.yaml:2:10: this is not valid YAML: unclosed bracket '['"
    );
    assert_eq!(
        told("at.yaml"),
        "registry.yaml:5:16: this is not valid YAML: text that begins with \"@\" has to stand in quotes"
    );
}

#[test]
fn many_problems_are_cut_short() {
    let keys: Vec<String> = (0..30).map(|number| format!("k{number}: 1")).collect();
    let text = format!(
        "version: \"1\"
defaults: {{{}}}
",
        keys.join(", ")
    );
    let problems = Registry::parse(&text, Utf8Path::new("/project"), &nothing_set).unwrap_err();
    let shown = FileError::Invalid {
        path: "registry.yaml".into(),
        problems,
    }
    .to_string();
    assert_eq!(shown.lines().count(), 21);
    assert_eq!(shown.lines().last(), Some("… and 10 more"));
}

#[test]
fn journal_may_be_one_word() {
    for (word, mode) in [
        ("off", JournalMode::Off),
        ("on", JournalMode::On),
        ("required", JournalMode::Required),
    ] {
        let text = format!("version: \"1\"\njournal: {word}\n");
        assert_eq!(
            Registry::parse(&text, Utf8Path::new("/"), &nothing_set)
                .unwrap()
                .journal
                .mode,
            mode
        );
    }
}

#[test]
fn a_variable_of_the_client_stands_between_the_file_and_the_default() {
    let environment = |name: &str| match name {
        "MCP_TOOL_TIMEOUT" => Some("90000".to_owned()),
        "MCP_TIMEOUT" => Some("never".to_owned()),
        _ => None,
    };
    let parse =
        |file: &str| Registry::parse(&text_of(file), Utf8Path::new("/"), &environment).unwrap();
    let registry = parse("minimal.yaml");
    assert_eq!(registry.servers[0].numbers.call_timeout_ms, 90_000);
    assert_eq!(registry.servers[0].numbers.handshake_timeout_ms, 60_000);
    assert_eq!(
        warnings(&registry),
        ["MCP_TIMEOUT is not used: expected milliseconds, 100 to 3600000"]
    );
    assert_eq!(
        parse("full.yaml").servers[1].numbers.call_timeout_ms,
        20_000
    );
}

struct Project {
    _folder: tempfile::TempDir,
    root: Root,
}

fn project() -> Project {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::find(None, &nothing_set, folder.path()).unwrap();
    std::fs::create_dir(root.path.join(".rea")).unwrap();
    Project {
        _folder: folder,
        root,
    }
}

#[test]
fn a_project_without_a_registry_is_told_how_to_make_one_that_works() {
    let Project { root, .. } = &project();
    let message = Registry::load(root, &nothing_set).unwrap_err().to_string();
    assert_eq!(
        message,
        format!(
            "there is no {}/.rea/registry.yaml; make one, for example:

version: \"1\"
servers:
  - name: time
    command: uvx
    args: [mcp-server-time]
",
            root.path
        )
    );
    let (_, example) = message.split_once("\n\n").unwrap();
    std::fs::write(root.registry(), example).unwrap();
    assert_eq!(Registry::load(root, &nothing_set).unwrap().servers.len(), 1);
}

#[test]
fn a_file_that_is_no_text_or_too_large_is_refused() {
    let Project { root, .. } = &project();
    let load = |bytes: &[u8]| {
        std::fs::write(root.registry(), bytes).unwrap();
        Registry::load(root, &nothing_set).unwrap_err().to_string()
    };
    let path = root.registry();
    assert_eq!(
        load(b"version: \"1\"\n# caf\xe9\n"),
        format!("{path}:2: this is not UTF-8 text")
    );
    assert_eq!(
        load(&vec![b'#'; (1 << 20) + 1]),
        format!("{path} is larger than 1 MiB: a file that people write is smaller than that")
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(
        Registry::load(root, &nothing_set).unwrap_err().to_string(),
        format!("{path} can't be read")
    );
}

#[test]
fn the_examples_of_the_documents_load() {
    for page in ["README.md", "docs/registry.md"] {
        let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let text = std::fs::read_to_string(path).unwrap();
        let mut example = String::new();
        let is_before = |line: &&str| !line.trim_start().starts_with("```yaml");
        let mut lines = text.lines().skip_while(is_before);
        let fence = lines
            .next()
            .unwrap_or_else(|| panic!("no example in {page}"));
        let indent = fence.len() - fence.trim_start().len();
        for line in lines.take_while(|line| !line.trim_start().starts_with("```")) {
            example.push_str(line.get(indent..).unwrap_or_default());
            example.push('\n');
        }
        let registry = Registry::parse(&example, Utf8Path::new("/project"), &nothing_set)
            .unwrap_or_else(|problems| panic!("{page}: {problems:#?}"));
        assert_eq!(registry.servers.len(), 2, "{page}");
    }
}
