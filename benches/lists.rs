//! How long a client waits for its lists.
//!
//! ```sh
//! cargo bench --bench lists
//! ```
//! First the tools of 20 servers that do not answer, from what an earlier session has kept: the time
//! from the start of the process to the whole list. Then 10,000 tools of 100 servers that do: the
//! time from the request to the whole list, and the memory that it takes to hold them. The servers
//! are this program itself.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't run should say so and end"
)]
#![expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
#![expect(clippy::cast_precision_loss, reason = "figures are read by people")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const REA: &str = env!("CARGO_BIN_EXE_rea");
const ROUNDS: usize = 15;
/// As the first argument: be a server with so many tools.
const SERVER: &str = "server";
/// While it lies in the folder, servers do not answer.
const SLOW: &str = "slow";

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(SERVER) {
        return serve(arguments.next().unwrap().parse().unwrap());
    }
    from_earlier_session(20, 25);
    merged(100, 100);
}

/// A server with sessions and this many tools.
fn serve(tools: usize) {
    let mut output = std::io::stdout();
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let message: serde_json::Value = serde_json::from_str(&line).unwrap();
        let Some(id) = message.get("id").filter(|_| !Path::new(SLOW).exists()) else {
            continue;
        };
        let answer = match message["method"].as_str() {
            Some("initialize") => String::from(
                r#""result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}"#,
            ),
            Some("tools/list") => format!(r#""result":{{"tools":[{}]}}"#, listed(tools)),
            _ => String::from(r#""error":{"code":-32601,"message":"no"}"#),
        };
        writeln!(output, r#"{{"jsonrpc":"2.0","id":{id},{answer}}}"#).unwrap();
    }
}

/// Tools of the size that public servers' have.
fn listed(tools: usize) -> String {
    let mut text = String::new();
    for number in 0..tools {
        let comma = if number == 0 { "" } else { "," };
        let description = "What it does, when to use it, and what it needs to be told. ".repeat(4);
        write!(
            text,
            r#"{comma}{{"name":"tool_{number}","title":"Tool {number}","description":"{description}","inputSchema":{{"type":"object","properties":{{"path":{{"type":"string","description":"Where it is"}},"limit":{{"type":"integer","minimum":1}}}},"required":["path"]}},"annotations":{{"readOnlyHint":true}}}}"#
        )
        .unwrap();
    }
    text
}

/// A folder with a registry of so many servers.
fn project(servers: usize, tools: usize) -> PathBuf {
    let root = std::env::temp_dir().join(format!("rea-lists-{}-{servers}", std::process::id()));
    std::fs::create_dir_all(root.join(".rea")).unwrap();
    let this = std::env::current_exe().unwrap();
    let this = this.display();
    let mut registry = String::from("version: \"1\"\nservers:\n");
    for number in 0..servers {
        writeln!(
            registry,
            "  - {{name: s{number}, command: \"{this}\", args: [{SERVER}, \"{tools}\"], protocol: legacy}}"
        )
        .unwrap();
    }
    std::fs::write(root.join(".rea/registry.yaml"), registry).unwrap();
    root
}

struct Gateway {
    child: Child,
    output: BufReader<ChildStdout>,
    began: Instant,
    answer: String,
}

impl Gateway {
    fn start(root: &Path) -> Self {
        let began = Instant::now();
        let mut child = Command::new(REA)
            .args(["serve", "--root"])
            .arg(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::with_capacity(1 << 20, child.stdout.take().unwrap());
        let mut gateway = Self {
            child,
            output,
            began,
            answer: String::new(),
        };
        gateway.send(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"0"}}}"#);
        gateway
    }

    fn send(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// How many tools the servers have; the gateway has one of its own.
    fn list(&mut self) -> usize {
        self.send(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        loop {
            self.answer.clear();
            let read = self.output.read_line(&mut self.answer).unwrap();
            assert!(read > 0, "the gateway went away");
            if self.answer.contains(r#""id":1"#) {
                return self.answer.matches(r#""inputSchema""#).count() - 1;
            }
        }
    }

    fn list_all(&mut self, tools: usize) {
        while self.list() < tools {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn resident_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.unwrap_or(0) / 1024
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn from_earlier_session(servers: usize, tools: usize) {
    let root = project(servers, tools);
    // Servers look for the file where they are started.
    let mut gateway = Gateway::start(&root);
    gateway.list_all(servers * tools);
    gateway.end();
    std::fs::write(root.join(SLOW), "").unwrap();
    let (mut whole, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        Command::new(REA).arg("--version").output().unwrap();
        bare.push(began.elapsed());
        let mut gateway = Gateway::start(&root);
        let listed = gateway.list();
        whole.push(gateway.began.elapsed());
        assert_eq!(listed, servers * tools, "the list is whole");
        gateway.child.kill().unwrap();
        gateway.child.wait().unwrap();
    }
    println!(
        "{} tools of {servers} servers that do not answer: {:.1} ms after the start of the process \
         (`rea --version`: {:.1} ms)",
        servers * tools,
        median_ms(&mut whole),
        median_ms(&mut bare)
    );
    std::fs::remove_dir_all(&root).unwrap();
}

fn merged(servers: usize, tools: usize) {
    let root = project(servers, tools);
    let mut gateway = Gateway::start(&root);
    gateway.list_all(servers * tools);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        gateway.list();
        times.push(began.elapsed());
    }
    println!(
        "{} tools of {servers} servers: {:.1} ms from the request to the whole list of {:.1} MiB; \
         {} MiB resident",
        servers * tools,
        median_ms(&mut times),
        gateway.answer.len() as f64 / f64::from(1 << 20),
        gateway.resident_mib()
    );
    gateway.end();
    std::fs::remove_dir_all(&root).unwrap();
}

fn median_ms(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}
