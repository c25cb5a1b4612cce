//! The endpoint: `GET /metrics` and `GET /health`, on a thread of its own.

use super::Meters;
use crate::live_state::{Counts, LiveState};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tracing::warn;

/// How long the loop has to answer. It answers between two turns.
const LOOP_ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// A connection lives no longer; supervisors and scrapers ask and go.
const CONNECTION_LIVES: Duration = Duration::from_secs(30);
const HEADERS_WITHIN: Duration = Duration::from_secs(5);
/// So many connections at a time.
const CONNECTIONS_MAX: usize = 16;
/// So many scrapes may wait for the loop.
pub const ASKED_MAX: usize = CONNECTIONS_MAX;

/// Somebody wants to know how the gateway is.
pub type Asked = oneshot::Sender<Box<Sample>>;

/// How the gateway is at this moment.
#[derive(Debug)]
pub struct Sample {
    /// What is published of it.
    pub state: LiveState,
    /// How often each server was locked, in the registry's order.
    pub locks: Vec<u64>,
    /// How many records the event log has had.
    pub records: u64,
    /// Since it was last looked whether the gateway is frozen.
    pub since_halt_check: Option<Duration>,
    /// How often state files were written.
    pub publications: Arc<Counts>,
}

/// A place on the loopback interface.
#[derive(Debug)]
pub struct Endpoint(TcpListener);

impl Endpoint {
    /// Takes the port; nobody is answered yet.
    ///
    /// # Errors
    /// It is taken, or may not be used.
    pub fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Answers from now on, for as long as the process lives. Who asks is told by whoever reads the
    /// other end of `asked`.
    ///
    /// # Errors
    /// There can be no thread.
    pub fn serve(self, meters: Arc<Meters>, asked: mpsc::Sender<Asked>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || runtime.block_on(accept(self.0, meters, asked)))?;
        Ok(())
    }
}

async fn accept(listener: TcpListener, meters: Arc<Meters>, asked: mpsc::Sender<Asked>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return warn!(event = "metrics.bind_failed", "{error}"),
    };
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, as a rule: it passes.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (meters, asked) = (Arc::clone(&meters), asked.clone());
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let (meters, asked) = (Arc::clone(&meters), asked.clone());
                async move { Ok::<_, Infallible>(answer(&request, &meters, &asked).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS_WITHIN)
                .serve_connection(TokioIo::new(stream), answer);
            // What goes wrong with a connection is its peer's affair.
            let _ = timeout(CONNECTION_LIVES, connection).await;
            drop(place);
        });
    }
}

async fn answer(
    request: &Request<Incoming>,
    meters: &Meters,
    asked: &mpsc::Sender<Asked>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if path != "/metrics" && path != "/health" {
        let text = "there are /metrics and /health here\n";
        return text_response(StatusCode::NOT_FOUND, text);
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = text_response(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    let Some(sample) = sample(asked).await else {
        let text = "the gateway does not answer\n";
        return text_response(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    if path == "/health" {
        let servers = &sample.state.downstreams;
        let healthy = servers.iter().filter(|server| server.healthy).count();
        let body = serde_json::json!({
            "status": "ok",
            "version": sample.state.version,
            "session_id": sample.state.session_id,
            "registered": servers.len(),
            "healthy": healthy,
        });
        return response(
            StatusCode::OK,
            "application/json",
            format!("{body}\n").into(),
        );
    }
    match meters.text(&sample) {
        Ok(text) => response(StatusCode::OK, prometheus::TEXT_FORMAT, text),
        Err(error) => {
            warn!(event = "metrics.render_failed", "{error}");
            text_response(StatusCode::INTERNAL_SERVER_ERROR, "see the log\n")
        }
    }
}

/// Asks the loop; nothing if it has no time.
async fn sample(asked: &mpsc::Sender<Asked>) -> Option<Box<Sample>> {
    let (reply, replied) = oneshot::channel();
    asked.try_send(reply).ok()?;
    timeout(LOOP_ANSWERS_WITHIN, replied).await.ok()?.ok()
}

fn text_response(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    response(status, "text/plain; charset=utf-8", text.into())
}

fn response(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
