//! `__rea__health`: how the gateway and its servers are, told to the client over the protocol.
//!
//! Invariants: it is always listed and always answered, frozen or not, and no server is asked for it.
//! Errors and what is advised against them are shown only if the policy says so, redacted and bounded;
//! no text that a server wrote is among them.

use super::client::{Client, say};
use super::live;
use super::requests::halted;
use crate::engine::{Engine, World};
use crate::journal::Note;
use crate::live_state::{CircuitState, DownstreamState, LogState};
use crate::wire::jsonrpc;
use crate::wire::request_id::RequestId;
use rea_fsm::Asks;
use serde::Serialize;

/// Names that begin so are the gateway's own; no server's name can.
pub(super) const RESERVED: &str = "__rea__";

/// The one that there is.
pub(super) const HEALTH: &str = "__rea__health";

/// How it stands in the list.
pub const HEALTH_TOOL: &str = r#"{"name":"__rea__health","description":"How the gateway rea and the MCP servers behind it are doing: which are connected and healthy, which are down, and when each is tried again. Takes no arguments and changes nothing.","inputSchema":{"type":"object","additionalProperties":false},"annotations":{"title":"Health of the MCP servers","readOnlyHint":true,"openWorldHint":false}}"#;

/// Whether the client is told why something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnostics {
    /// That something is wrong has to do.
    Hidden,
    /// It is, without secrets.
    Shown,
}

const HIDDEN: &str = "reasons are not told here: `gateway.health.expose_diagnostics: true` in \
                      .rea/policy.yaml shows them, and `rea status` does so always";

/// What the policy file says of the project; the gateway itself has no use for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PolicyFacts {
    /// `profile`.
    pub profile: Option<String>,
    /// `autonomy_level`.
    pub autonomy_level: Option<String>,
    /// `max_autonomy_level`.
    pub max_autonomy_level: Option<String>,
    /// `block_ai_attribution`.
    pub block_ai_attribution: Option<bool>,
    /// How many `blocked_paths` there are.
    pub blocked_paths_count: Option<usize>,
}

#[derive(Serialize)]
struct ToolResult<'a> {
    #[serde(rename = "resultType", skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    content: [Text; 1],
    #[serde(rename = "structuredContent")]
    structured_content: &'a Health<'a>,
}

#[derive(Serialize)]
struct Text {
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Health<'a> {
    gateway: GatewayHealth<'a>,
    policy: &'a PolicyFacts,
    downstreams: Vec<Downstream>,
    summary: Summary,
    log: LogState,
}

#[derive(Serialize)]
struct GatewayHealth<'a> {
    version: &'a str,
    session_id: &'a str,
    uptime_s: u64,
    halt: bool,
    halt_reason: Option<String>,
    /// Why reasons are not told, if they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics: Option<&'static str>,
}

#[derive(Serialize)]
struct Downstream {
    enabled: bool,
    #[serde(flatten)]
    state: DownstreamState,
}

#[derive(Serialize)]
struct Summary {
    registered: usize,
    connected: usize,
    healthy: usize,
    total_tools: u64,
    audit_fail_count: u64,
}

impl Client {
    /// Answers a call of a tool that is the gateway's own; tells whether the name is one of these.
    pub(super) fn answer_itself<W: World>(
        &mut self,
        id: &RequestId,
        name: &str,
        asks: Asks,
        bytes_in: usize,
        engine: &mut Engine<W>,
    ) -> Own {
        if !name.starts_with(RESERVED) {
            return Own::No;
        }
        if name != HEALTH {
            return Own::Unknown(format!(
                "reserved meta-namespace: {name:?} is no tool; the gateway's own is {HEALTH:?}"
            ));
        }
        let health = self.health(engine);
        // Texts, numbers and lists of them: there is nothing that JSON can't say.
        let text = serde_json::to_string_pretty(&health).unwrap_or_default();
        let result = ToolResult {
            result_type: match asks {
                Asks::Directly => None,
                Asks::InAnswers => Some("complete"),
            },
            content: [Text { kind: "text", text }],
            structured_content: &health,
        };
        let mut answer = Vec::new();
        jsonrpc::result(&mut answer, id, &result);
        drop(health);
        let call = self.new_call();
        engine.note(&Note::Call {
            call,
            tool: HEALTH.to_owned(),
            bytes_in: bytes_in as u64,
            bytes_out: answer.len() as u64,
        });
        say(engine.world(), |out| out.extend_from_slice(&answer));
        Own::Answered
    }

    fn health<W: World>(&self, engine: &mut Engine<W>) -> Health<'_> {
        let halted = halted(&self.redact, engine);
        let mut log = live::log(engine.log_health());
        let mut downstreams = live::downstreams(engine, self);
        if self.diagnostics == Diagnostics::Hidden {
            log.reason = None;
            for server in &mut downstreams {
                server.last_error = None;
                server.next.clear();
            }
        }
        Health {
            gateway: GatewayHealth {
                version: self.run.version,
                session_id: &self.run.session_id,
                uptime_s: engine.now().0 / 1_000,
                halt: halted.is_some(),
                halt_reason: halted.filter(|_| self.diagnostics == Diagnostics::Shown),
                diagnostics: match self.diagnostics {
                    Diagnostics::Shown => None,
                    Diagnostics::Hidden => Some(HIDDEN),
                },
            },
            policy: &self.policy_facts,
            summary: Summary {
                registered: downstreams.len(),
                connected: downstreams.iter().filter(|server| server.connected).count(),
                healthy: downstreams
                    .iter()
                    .filter(|server| takes_calls(server))
                    .count(),
                total_tools: downstreams
                    .iter()
                    .filter_map(|server| server.tools_count)
                    .map(u64::from)
                    .sum(),
                audit_fail_count: log.gaps,
            },
            downstreams: downstreams
                .into_iter()
                .map(|state| Downstream {
                    enabled: true,
                    state,
                })
                .collect(),
            log,
        }
    }
}

fn takes_calls(server: &DownstreamState) -> bool {
    server.healthy && server.circuit_state != CircuitState::Open
}

/// Whether a tool is the gateway's own.
pub(super) enum Own {
    /// It is, and has been answered.
    Answered,
    /// It would be, but there is none of that name.
    Unknown(String),
    /// It is a server's.
    No,
}
