//! What is served under which path.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::super::{Health, HealthReport, Monitor};
use crate::sync::Arc;
use crate::telemetry::exposition::Format;

/// Longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Minutes that a summary or a log covers if the request does not say, and at most.
const MINUTES: u64 = 5;
const MOST_MINUTES: u64 = 7 * 24 * 60;

#[derive(Clone)]
struct Served {
    monitor: Monitor,
    health: Health,
    /// Answers that are worked out at a time: a crowd of scrapers may not cost more than one.
    turn: Arc<Semaphore>,
}

/// The routes, with `more` behind them.
pub(super) fn routes(monitor: Monitor, health: Health, more: Option<Router>) -> Router {
    let served = Served { monitor, health, turn: Arc::new(Semaphore::new(1)) };
    let own = Router::new()
        .route("/metrics", get(metrics))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/snapshot", get(snapshot))
        .route("/history.hlog", get(history))
        .layer(from_fn(in_time))
        .with_state(served);
    match more {
        // Behind and not beside: a path that is taken stays the monitor's.
        Some(more) => own.fallback_service(more),
        None => own,
    }
    .layer(from_fn(as_it_is))
}

/// Every answer within its time.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the answer took too long\n").into_response(),
    }
}

/// No answer cached or guessed at.
async fn as_it_is(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn metrics(State(served): State<Served>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::accepted(accept);
    served.work(move |monitor| monitor.scrape(format).into_bytes(), format.content_type()).await
}

/// That this answers is all there is to know: a process that lives but cannot work is not ready, and restarting it would
/// not help.
async fn live() -> Response {
    let report = Health::default().check("process", || async { Ok(()) }).report().await;
    health(&report)
}

async fn ready(State(served): State<Served>) -> Response {
    health(&served.health.report().await)
}

async fn snapshot(State(served): State<Served>, uri: Uri) -> Response {
    let last = minutes(&uri);
    served.work(move |monitor| json(&monitor.snapshot(last)), "application/json").await
}

async fn history(State(served): State<Served>, uri: Uri) -> Response {
    let last = minutes(&uri);
    served.work(move |monitor| monitor.hdr_log(last), "text/plain; charset=utf-8").await
}

impl Served {
    /// Works an answer out on a thread that may block, when it is its turn.
    async fn work(
        self,
        make: impl FnOnce(&Monitor) -> Vec<u8> + Send + 'static,
        content_type: &'static str,
    ) -> Response {
        let turn = self.turn.acquire_owned().await;
        let made = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, also when whoever asked has gone.
            let _turn = turn;
            make(&self.monitor)
        });
        match made.await {
            Ok(body) => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
            Err(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be worked out\n").into_response()
            }
        }
    }
}

fn health(report: &HealthReport) -> Response {
    let status = if report.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], json(report)).into_response()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Of strings, numbers and lists, which serialise.
    let mut body = serde_json::to_vec(value).unwrap_or_default();
    body.push(b'\n');
    body
}

/// `?minutes=n`.
fn minutes(uri: &Uri) -> Duration {
    let pairs = uri.query().unwrap_or_default().split('&');
    let asked = pairs.filter_map(|pair| pair.strip_prefix("minutes=")).find_map(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(MINUTES).clamp(1, MOST_MINUTES) * 60)
}
