//! A running gateway and its client's end of the conversation.

use super::{DEADLINE, Project, eventually, processes};
use rustix::process::Signal;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The client's ends, where they are not the usual pipes.
#[derive(Default)]
pub struct Streams {
    /// What the gateway gets as its standard input, and where we write to it.
    pub input: Option<(Stdio, Box<dyn Write + Send>)>,
    /// What it gets as its standard output, and where we read it.
    pub output: Option<(Stdio, Box<dyn Read + Send>)>,
    /// Its standard error, if not a file.
    pub stderr: Option<Stdio>,
}

pub struct Gateway<'a> {
    pub project: &'a Project,
    process: Child,
    input: Option<Box<dyn Write + Send>>,
    lines: Receiver<String>,
    /// Everything that was heard, in order.
    pub heard: Vec<Value>,
    /// The same, as it was written.
    pub heard_lines: Vec<String>,
    next_id: u64,
}

/// A message that answers a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer(pub Value);

impl Answer {
    /// The first text of a result, or an error's message.
    pub fn text(&self) -> &str {
        let result = &self.0["result"]["content"][0]["text"];
        result
            .as_str()
            .or_else(|| self.0["error"]["message"].as_str())
            .unwrap_or_else(|| panic!("no text in {self:?}"))
    }

    pub fn result(&self) -> &Value {
        let result = &self.0["result"];
        assert!(!result.is_null(), "no result: {self:?}");
        result
    }

    /// One of the gateway's own facts beside an error of its own.
    pub fn fact(&self, name: &str) -> &str {
        assert_eq!(
            self.0["result"]["isError"],
            json!(true),
            "no error: {self:?}"
        );
        let fact = &self.0["result"]["_meta"]["rea/failure"][name];
        fact.as_str()
            .unwrap_or_else(|| panic!("no fact {name:?} in {self:?}"))
    }

    /// Whether a server answered, as opposed to the gateway.
    pub fn is_the_servers(&self) -> bool {
        self.0["result"]["_meta"]["rea/failure"].is_null()
    }
}

/// A message without what is in it: JSON has numbers that no `Value` can hold.
fn envelope(line: &str) -> serde_json::Result<Value> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(line)?;
    let plain = |name: &str| -> Option<Value> {
        fields
            .get(name)
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
    };
    let names = ["jsonrpc", "id", "method"];
    Ok(names
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), plain(name)?)))
        .collect())
}

impl<'a> Gateway<'a> {
    pub fn start(project: &'a Project, mut command: Command, streams: Streams) -> Self {
        let stderr = streams
            .stderr
            .unwrap_or_else(|| File::create(project.stderr_path()).unwrap().into());
        let (stdin, input) = match streams.input {
            Some((theirs, ours)) => (theirs, Some(ours)),
            None => (Stdio::piped(), None),
        };
        let (stdout, output) = match streams.output {
            Some((theirs, ours)) => (theirs, Some(ours)),
            None => (Stdio::piped(), None),
        };
        let mut process = command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        // What was given to the gateway must not be held open by us.
        drop(command);
        let input = input.unwrap_or_else(|| Box::new(process.stdin.take().unwrap()));
        let output = output.unwrap_or_else(|| Box::new(process.stdout.take().unwrap()));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            project,
            process,
            input: Some(input),
            lines,
            heard: Vec::new(),
            heard_lines: Vec::new(),
            next_id: 1,
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input was ended");
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    pub fn send(&mut self, message: &Value) {
        self.send_bytes(format!("{message}\n").as_bytes());
    }

    pub fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// A request, and the id that its answer will have.
    pub fn ask(&mut self, method: &str, params: &Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    pub fn ask_call(&mut self, tool: &str, arguments: &Value) -> u64 {
        self.ask(
            "tools/call",
            &json!({ "name": tool, "arguments": arguments }),
        )
    }

    /// Takes in what was said until it contains what is looked for.
    pub fn wait_for<T>(&mut self, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        let began = Instant::now();
        let mut seen = 0;
        loop {
            if let Some(found) = self.heard[seen..].iter().find_map(&look) {
                return found;
            }
            seen = self.heard.len();
            let left = DEADLINE.saturating_sub(began.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.take(&line),
                Err(RecvTimeoutError::Timeout) => panic!(
                    "{what}: not within {DEADLINE:?}; the log:\n{}",
                    self.project.stderr()
                ),
                Err(RecvTimeoutError::Disconnected) => panic!(
                    "{what}: the output has ended; the log:\n{}",
                    self.project.stderr()
                ),
            }
        }
    }

    fn take(&mut self, line: &str) {
        let message = serde_json::from_str(line)
            .or_else(|_| envelope(line))
            .unwrap_or_else(|error| panic!("not JSON ({error}) on standard output: {line:?}"));
        assert_eq!(message["jsonrpc"], json!("2.0"), "no JSON-RPC: {line:?}");
        self.heard.push(message);
        self.heard_lines.push(line.to_owned());
    }

    pub fn answer(&mut self, id: u64) -> Answer {
        let id = json!(id);
        Answer(self.wait_for(&format!("the answer to {id}"), |message| {
            let answers = message["id"] == id && message["method"].is_null();
            answers.then(|| message.clone())
        }))
    }

    pub fn request(&mut self, method: &str, params: &Value) -> Answer {
        let id = self.ask(method, params);
        self.answer(id)
    }

    pub fn call(&mut self, tool: &str, arguments: &Value) -> Answer {
        let id = self.ask_call(tool, arguments);
        self.answer(id)
    }

    pub fn hello(&mut self) -> Answer {
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let answer = self.request("initialize", &params);
        self.notify("notifications/initialized", &json!({}));
        answer
    }

    /// The names of the servers' tools that are shown.
    pub fn tools(&mut self) -> Vec<String> {
        let answer = self.request("tools/list", &json!({}));
        let tools = answer.result()["tools"].as_array().unwrap();
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .filter(|name| name != "__rea__health")
            .collect()
    }

    /// The process of a server, told by something in its command line.
    pub fn server(&self, mark: &str) -> u32 {
        eventually(&format!("a process of {mark}"), || self.find_server(mark))
    }

    pub fn find_server(&self, mark: &str) -> Option<u32> {
        processes::children(self.pid())
            .into_iter()
            .find(|pid| processes::command_line(*pid).contains(mark))
    }

    /// Waits for another process of that server.
    pub fn next_server(&self, mark: &str, old: u32) -> u32 {
        eventually(&format!("the next process of {mark}"), || {
            self.find_server(mark).filter(|pid| *pid != old)
        })
    }

    pub fn signal(&self, signal: Signal) {
        processes::signal(self.pid(), signal);
    }

    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits until it ends, and how.
    pub fn wait(&mut self) -> ExitStatus {
        let process = &mut self.process;
        eventually("the gateway ends", || process.try_wait().unwrap())
    }

    /// Waits until it ends, and for how long.
    pub fn wait_timed(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let status = self.wait();
        (status, began.elapsed())
    }

    /// What was said until the end. Only for a gateway that has ended.
    pub fn rest(&mut self) -> &[Value] {
        while let Ok(line) = self.lines.recv_timeout(DEADLINE) {
            self.take(&line);
        }
        &self.heard
    }

    /// Ends the conversation as clients do: the gateway ends well, and nothing is left.
    pub fn finish(mut self) {
        self.end_input();
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{}", self.project.stderr());
        self.rest();
        self.project.assert_nothing_is_left();
    }
}

impl Drop for Gateway<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
