//! What the gateway costs, against talking to the same server directly, in the same run.
//!
//! ```sh
//! cargo bench --bench relay
//! ```
//! Rounds of both are interleaved; read medians and ratios, for one machine's absolute times say
//! little. The gateway writes its full event log. Both kinds of standard input and output that
//! clients use are measured: pipes, and socket pairs (Node's).

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't run should say so and end"
)]
#![expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
#![expect(clippy::cast_precision_loss, reason = "figures are read by people")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const REA: &str = env!("CARGO_BIN_EXE_rea");
const ROUNDS: usize = 7;
const LATENCY_CALLS: usize = 2_000;
const THROUGHPUT_CALLS: usize = 20_000;
const IN_FLIGHT: usize = 64;
const LARGE_BYTES: usize = 1 << 20;

#[derive(Clone, Copy)]
enum Plumbing {
    Pipes,
    Sockets,
}

struct Peer {
    child: Child,
    input: Box<dyn Write>,
    output: BufReader<Box<dyn Read>>,
    tool: &'static str,
    line: String,
}

impl Peer {
    fn start(mut command: Command, tool: &'static str, plumbing: Plumbing) -> Self {
        command.stderr(Stdio::null());
        let (child, input, output): (Child, Box<dyn Write>, Box<dyn Read>) = match plumbing {
            Plumbing::Pipes => {
                let mut child = command
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap();
                let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
                (child, Box::new(input), Box::new(output))
            }
            Plumbing::Sockets => {
                let (input, their_input) = UnixStream::pair().unwrap();
                let (output, their_output) = UnixStream::pair().unwrap();
                let child = command
                    .stdin(Stdio::from(OwnedFd::from(their_input)))
                    .stdout(Stdio::from(OwnedFd::from(their_output)))
                    .spawn()
                    .unwrap();
                (child, Box::new(input), Box::new(output))
            }
        };
        let output = BufReader::with_capacity(1 << 16, output);
        let mut peer = Self {
            child,
            input,
            output,
            tool,
            line: String::new(),
        };
        peer.send(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"0"}}}"#);
        peer.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        peer.send(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        peer.answers(2);
        peer
    }

    fn send(&mut self, line: &str) {
        self.input
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }

    fn answers(&mut self, count: usize) {
        for _ in 0..count {
            self.line.clear();
            assert!(
                self.output.read_line(&mut self.line).unwrap() > 0,
                "the peer went away"
            );
        }
    }

    fn call(&self, payload: &str) -> String {
        let tool = self.tool;
        format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"{tool}","arguments":{{"text":"{payload}"}}}}}}"#
        )
    }

    /// Microseconds a call, one at a time: the median.
    fn latency(&mut self, calls: usize, payload: &str) -> f64 {
        let line = self.call(payload);
        let mut times = Vec::with_capacity(calls);
        for _ in 0..calls {
            let began = Instant::now();
            self.send(&line);
            self.answers(1);
            times.push(began.elapsed().as_secs_f64() * 1e6);
        }
        median(&mut times)
    }

    /// Calls a second with so many in flight: each answer is followed by the next call.
    fn throughput(&mut self, calls: usize) -> f64 {
        let line = format!("{}\n", self.call(&"x".repeat(100)));
        let began = Instant::now();
        for _ in 0..IN_FLIGHT {
            self.input.write_all(line.as_bytes()).unwrap();
        }
        for _ in 0..calls {
            self.answers(1);
            self.input.write_all(line.as_bytes()).unwrap();
        }
        let seconds = began.elapsed().as_secs_f64();
        self.answers(IN_FLIGHT);
        calls as f64 / seconds
    }

    fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    fn stop(self) {
        let Self {
            mut child, input, ..
        } = self;
        drop(input);
        child.wait().unwrap();
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn direct() -> Command {
    let mut command = Command::new(REA);
    command.arg("demo-server");
    command
}

fn gateway(root: &Path) -> Command {
    let mut command = Command::new(REA);
    command.arg("serve").arg("--root").arg(root);
    command
}

/// Figures of the server alone and through the gateway, round by round.
#[derive(Default)]
struct Pair(Vec<f64>, Vec<f64>);

impl Pair {
    fn print(mut self, what: &str, unit: &str) {
        let mut ratios: Vec<f64> = self
            .0
            .iter()
            .zip(&self.1)
            .map(|(one, many)| many / one)
            .collect();
        println!(
            "{what:<28} direct {:>9.1}   rea {:>9.1} {unit:<8} rea/direct {:.2}",
            median(&mut self.0),
            median(&mut self.1),
            median(&mut ratios)
        );
    }
}

fn measure(root: &Path, plumbing: Plumbing) {
    let mut one = Peer::start(direct(), "echo", plumbing);
    let mut many = Peer::start(gateway(root), "s__echo", plumbing);
    let (small, large) = ("x".repeat(100), "x".repeat(LARGE_BYTES));
    let (mut latency, mut throughput, mut big) =
        (Pair::default(), Pair::default(), Pair::default());
    for _ in 0..ROUNDS {
        latency.0.push(one.latency(LATENCY_CALLS, &small));
        latency.1.push(many.latency(LATENCY_CALLS, &small));
        throughput.0.push(one.throughput(THROUGHPUT_CALLS));
        throughput.1.push(many.throughput(THROUGHPUT_CALLS));
    }
    let resident_kib = many.resident_kib();
    for _ in 0..ROUNDS {
        big.0.push(one.latency(10, &large));
        big.1.push(many.latency(10, &large));
    }
    latency.print("one call at a time, p50", "µs");
    throughput.print("64 in flight", "calls/s");
    big.print("1 MiB there and back, p50", "µs");
    if let Some(kib) = resident_kib {
        let calls = ROUNDS * (LATENCY_CALLS + THROUGHPUT_CALLS);
        println!(
            "resident after {calls} calls: {:.1} MiB",
            kib as f64 / 1024.0
        );
    }
    one.stop();
    many.stop();
}

fn main() {
    let root = std::env::temp_dir().join(format!("rea-bench-{}", std::process::id()));
    std::fs::create_dir_all(root.join(".rea")).unwrap();
    let registry =
        format!("version: \"1\"\nservers: [{{name: s, command: {REA:?}, args: [demo-server]}}]\n");
    std::fs::write(root.join(".rea/registry.yaml"), registry).unwrap();
    for (plumbing, name) in [
        (Plumbing::Pipes, "pipes"),
        (Plumbing::Sockets, "socket pairs"),
    ] {
        println!("-- {name}");
        measure(&root, plumbing);
    }
    std::fs::remove_dir_all(&root).unwrap();
}
