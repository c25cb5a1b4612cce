//! Metrics and the health check.

use crate::support::{Gateway, Project, eventually};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn serve<'a>(project: &'a Project, port: &str) -> Gateway<'a> {
    let mut command = project.command();
    command.env("REA_METRICS_PORT", port);
    let mut gateway = project.start_as(command);
    gateway.hello();
    gateway
}

/// The status and the body.
fn ask(port: u16, method: &str, path: &str) -> (u16, String) {
    let mut stream = eventually("somebody listens", || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    (status, body.to_owned())
}

/// Every sample by its name and labels.
fn samples(port: u16) -> BTreeMap<String, String> {
    let (status, text) = ask(port, "GET", "/metrics");
    assert_eq!(status, 200, "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[test]
fn calls_are_counted_by_server_and_by_how_they_ended() {
    let project = Project::new().demo("one").demo("two");
    let port = free_port();
    let mut gateway = serve(&project, &port.to_string());
    gateway.call("one__echo", &json!({}));
    gateway.call("one__slow", &json!({"ms": 30}));
    gateway.call("one__fail", &json!({}));
    let samples = samples(port);
    let exactly = |name: &str, value: &str| assert_eq!(samples[name], value, "{name}");
    for (name, value) in [
        ("rea_downstream_calls_total", "3"),
        ("rea_downstream_errors_total", "1"),
        ("rea_downstream_in_flight", "0"),
        ("rea_circuit_breaker_state", "0"),
        ("rea_downstream_restarts_total", "0"),
        ("rea_downstream_locks_total", "0"),
        ("rea_downstream_tools", "4"),
    ] {
        exactly(&format!("{name}{{server=\"one\"}}"), value);
    }
    exactly("rea_downstream_calls_total{server=\"two\"}", "0");
    let duration = |part: &str, labels: &str| {
        let name = format!("rea_downstream_call_duration_seconds_{part}");
        format!("{name}{{outcome=\"answered\",server=\"one\"{labels}}}")
    };
    exactly(&duration("count", ""), "2");
    exactly(&duration("bucket", ",le=\"3600\""), "2");
    exactly("rea_downstream_state{server=\"one\",state=\"ready\"}", "1");
    exactly(
        "rea_downstream_state{server=\"one\",state=\"blocked\"}",
        "0",
    );
    exactly("rea_log_gaps_total", "0");
    let number = |name: &str| samples[name].parse::<f64>().unwrap();
    assert!(number(&duration("sum", "")) >= 0.03);
    assert!(number("rea_audit_lines_appended_total") > 0.0);
    assert!(number("rea_log_bytes_total") > 0.0);
    assert!(number("rea_seconds_since_last_halt_check") >= 0.0);
    assert!(number("rea_live_state_writes_total{result=\"written\"}") > 0.0);
}

#[test]
fn b29_no_name_that_a_client_makes_up_becomes_a_label() {
    let project = Project::new().demo("one");
    let port = free_port();
    let mut gateway = serve(&project, &port.to_string());
    let before: Vec<String> = samples(port).into_keys().collect();
    for name in ["nobody__t", "one__made_up", "two", "one__"] {
        gateway.call(name, &json!({}));
    }
    let after: Vec<String> = samples(port).into_keys().collect();
    assert_eq!(before, after);
}

#[test]
fn a_supervisor_is_told_whether_the_gateway_answers() {
    let project = Project::new()
        .demo("one")
        .server("gone", &["no-such-command"], "");
    let port = free_port();
    let mut gateway = serve(&project, &port.to_string());
    gateway.call("one__echo", &json!({}));
    let (status, body) = ask(port, "GET", "/health");
    assert_eq!(status, 200);
    let health: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(
        (&health["registered"], &health["healthy"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(ask(port, "GET", "/").0, 404);
    assert_eq!(ask(port, "GET", "/metrics/x").0, 404);
    assert_eq!(ask(port, "POST", "/metrics").0, 405);
    assert_eq!(ask(port, "HEAD", "/metrics"), (200, String::new()));
}

#[test]
fn a_port_that_can_not_be_used_costs_the_metrics_and_nothing_else() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().port().to_string();
    for (port, event) in [
        (taken.as_str(), "metrics.bind_failed"),
        ("0", "metrics.port_invalid"),
        ("65536", "metrics.port_invalid"),
        ("http", "metrics.port_invalid"),
    ] {
        let project = Project::new().demo("one");
        let mut gateway = serve(&project, port);
        assert!(gateway.call("one__echo", &json!({})).is_the_servers());
        gateway.finish();
        assert!(
            project.stderr().contains(event),
            "{port}: {}",
            project.stderr()
        );
    }
}

#[test]
fn nobody_listens_unless_somebody_asked_for_it() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.call("one__echo", &json!({}));
    let sockets = std::fs::read_dir(format!("/proc/{}/fd", gateway.pid())).unwrap();
    let listening = std::fs::read_to_string(format!("/proc/{}/net/tcp", gateway.pid())).unwrap();
    let inodes: Vec<String> = sockets
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter_map(|link| link.to_str().map(str::to_owned))
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let ours = listening.lines().filter(|line| {
        inodes
            .iter()
            .any(|inode| line.contains(&format!(" {inode} ")))
    });
    assert_eq!(ours.count(), 0);
}

#[test]
fn a_client_that_says_nothing_holds_up_neither_calls_nor_other_scrapes() {
    let project = Project::new().demo("one");
    let port = free_port();
    let mut gateway = serve(&project, &port.to_string());
    gateway.call("one__echo", &json!({}));
    let _silent: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap())
        .collect();
    assert_eq!(ask(port, "GET", "/health").0, 200);
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
}

/// The names of metrics in a text, without what histograms append.
fn named_in(text: &str) -> std::collections::BTreeSet<String> {
    text.split(|character: char| !character.is_ascii_lowercase() && character != '_')
        .filter(|word| word.starts_with("rea_"))
        .map(|word| {
            let parts = ["_bucket", "_count", "_sum"];
            let whole = parts.iter().find_map(|part| word.strip_suffix(part));
            whole.unwrap_or(word).to_owned()
        })
        .collect()
}

#[test]
fn the_dashboard_and_the_documentation_name_what_there_is() {
    let project = Project::new().demo("one");
    let port = free_port();
    let mut gateway = serve(&project, &port.to_string());
    gateway.call("one__echo", &json!({}));
    let served = named_in(&ask(port, "GET", "/metrics").1);
    let dashboard = named_in(include_str!("../../docs/grafana-dashboard.json"));
    assert!(
        dashboard.len() > 5 && dashboard.is_subset(&served),
        "{dashboard:?}"
    );
    let documented = named_in(include_str!("../../docs/looking.md"));
    assert_eq!(documented, served);
}
