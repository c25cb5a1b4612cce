//! A client as simple as one can be, for the demonstration: one request at a time.

use crate::protocol::failure::META_KEY;
use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// No step of the demonstration takes this long.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The gateway ends well within this after its client.
const LINES_MAX: usize = 10_000;

/// A running gateway and the conversation with it.
pub(super) struct Client {
    gateway: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    next_id: u64,
}

/// What a tool's call came to.
pub(super) struct Answer {
    /// The text of its result, or the error's message.
    pub(super) text: String,
    /// The gateway's own facts beside an error of its own.
    pub(super) facts: Value,
}

impl Client {
    pub(super) fn start(gateway: &mut Command) -> anyhow::Result<Self> {
        let mut gateway = gateway
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the gateway could not be started")?;
        let input = gateway.stdin.take();
        let output = gateway.stdout.take().context("the gateway has no output")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .take(LINES_MAX)
            {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            gateway,
            input,
            lines,
            next_id: 1,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.gateway.id()
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("the conversation is over")?;
        writeln!(input, "{message}").context("the gateway does not read any more")
    }

    pub(super) fn notify(&mut self, method: &str) -> anyhow::Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method }))
    }

    pub(super) fn request(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        loop {
            let line = match self.lines.recv_timeout(ANSWER_WITHIN) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => bail!("{method} was not answered"),
                Err(RecvTimeoutError::Disconnected) => bail!("the gateway went away"),
            };
            let message: Value = serde_json::from_str(&line)?;
            if message["id"] == json!(id) {
                return Ok(message);
            }
        }
    }

    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> anyhow::Result<Answer> {
        let params = json!({ "name": tool, "arguments": arguments });
        let answer = self.request("tools/call", &params)?;
        let text = answer["result"]["content"][0]["text"]
            .as_str()
            .or_else(|| answer["error"]["message"].as_str())
            .unwrap_or_default()
            .to_owned();
        Ok(Answer {
            text,
            facts: answer["result"]["_meta"][META_KEY].clone(),
        })
    }

    /// Ends the conversation as clients do, and waits for the gateway.
    pub(super) fn finish(mut self) -> anyhow::Result<std::process::ExitStatus> {
        drop(self.input.take());
        self.gateway
            .wait()
            .context("the gateway's end could not be awaited")
    }
}
