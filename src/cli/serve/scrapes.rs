//! Metrics, if they are asked for: the endpoint is opened, and answered from the loop.

use super::world::RealWorld;
use crate::config::TextLookup;
use crate::gateway::Gateway;
use crate::live_state::Counts;
use crate::metrics::{ASKED_MAX, Asked, Endpoint, Meters, Sample};
use std::future::pending;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, channel};
use tracing::{info, warn};

const VARIABLE: &str = "REA_METRICS_PORT";

/// A port that is taken, before anybody is answered.
pub(super) struct Opened {
    port: u16,
    endpoint: Endpoint,
    meters: Arc<Meters>,
}

impl Opened {
    /// The port that the environment names; nothing, and a line in the log, if it can't be had. Calls
    /// matter more than their numbers.
    pub(super) fn from_environment(
        environment: TextLookup<'_>,
        servers: &[String],
    ) -> Option<Self> {
        let written = environment(VARIABLE).filter(|value| !value.is_empty())?;
        let port = match written.parse::<u16>() {
            Ok(port) if port > 0 => port,
            Ok(_) | Err(_) => {
                warn!(
                    event = "metrics.port_invalid",
                    "{VARIABLE} is {written:?}: expected a number from 1 to 65535; there are no metrics"
                );
                return None;
            }
        };
        let meters = match Meters::new(servers) {
            Ok(meters) => meters,
            Err(error) => {
                warn!(
                    event = "metrics.bind_failed",
                    "there are no metrics: {error}"
                );
                return None;
            }
        };
        match Endpoint::bind(port) {
            Ok(endpoint) => Some(Self {
                port,
                endpoint,
                meters: Arc::new(meters),
            }),
            Err(error) => {
                warn!(
                    event = "metrics.bind_failed",
                    port, "port {port} of 127.0.0.1 can't be used: {error}; there are no metrics"
                );
                None
            }
        }
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn meters(&self) -> Arc<Meters> {
        Arc::clone(&self.meters)
    }
}

/// What is asked of the loop.
pub(super) struct Scrapes {
    /// Without an endpoint nobody asks.
    asked: Option<Receiver<Asked>>,
    publications: Arc<Counts>,
}

impl Scrapes {
    /// Begins to answer.
    pub(super) fn begin(opened: Option<Opened>, publications: Arc<Counts>) -> Self {
        Self {
            asked: opened.and_then(serve),
            publications,
        }
    }

    /// Waits until somebody asks.
    pub(super) async fn next(&mut self) -> Asked {
        let asked = match &mut self.asked {
            Some(asked) => asked.recv().await,
            None => None,
        };
        match asked {
            Some(asked) => asked,
            None => pending().await,
        }
    }

    /// Tells how it is now.
    pub(super) fn answer(&self, asked: Asked, gateway: &mut Gateway<RealWorld>) {
        let sample = Sample {
            state: gateway.live_state(),
            locks: gateway.locks(),
            records: gateway.records(),
            since_halt_check: gateway.world().since_halt_check(),
            publications: Arc::clone(&self.publications),
        };
        // Who asked may have gone.
        let _ = asked.send(Box::new(sample));
    }
}

/// Begins to answer, if there can be a thread for it.
fn serve(opened: Opened) -> Option<Receiver<Asked>> {
    let Opened {
        port,
        endpoint,
        meters,
    } = opened;
    let (asks, asked) = channel(ASKED_MAX);
    match endpoint.serve(meters, asks) {
        Ok(()) => {
            info!(
                event = "metrics.listening",
                port, "http://127.0.0.1:{port}/metrics"
            );
            Some(asked)
        }
        Err(error) => {
            warn!(
                event = "metrics.bind_failed",
                "there are no metrics: {error}"
            );
            None
        }
    }
}
