//! `POST /messages`: the door, over HTTP.
//!
//! | status | when |
//! |---|---|
//! | 200 | it is done; the body is the answer |
//! | 400 | the body is not JSON, or a header makes no sense |
//! | 401 | no token, or not the right one |
//! | 405 | not `POST` |
//! | 408 | the body did not arrive in time |
//! | 413 | the body is too large |
//! | 415 | the body is not said to be JSON, or is compressed |
//! | 422 | the body is JSON and no message |
//! | 429 | too many messages at a time |
//! | 500 | the agent failed |
//! | 503 | the agent has too much to do, or is ending |
//! | 504 | the deadline was over |
//!
//! Whatever is not 200 says so as `{"error": "…"}`, without repeating anything of the body. With 429 and 503 comes
//! `Retry-After`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::sync::Semaphore;

use super::door::{Door, Refusal};
use super::message::Posted;
use super::token::Token;

/// The header that says how long an answer is wanted, in milliseconds.
const DEADLINE: &str = "statim-deadline-ms";

/// Longest that a message can be given, in milliseconds.
const LONGEST_DEADLINE_MS: u64 = 60_000;

/// How long a body may take to arrive.
const BODY: Duration = Duration::from_secs(10);

/// How messages are let in.
#[derive(Debug, Clone)]
pub struct RouteOptions {
    /// What a sender must show; `None` lets everybody in.
    pub token: Option<Token>,
    /// Largest body, in bytes.
    pub body_bytes: usize,
    /// Messages under way at a time; others are refused.
    pub concurrency: usize,
    /// How long a message is given that does not say so itself.
    pub deadline: Duration,
}

impl Default for RouteOptions {
    /// No token, 1 MiB, 256 at a time, 10 s.
    fn default() -> Self {
        Self { token: None, body_bytes: 1 << 20, concurrency: 256, deadline: Duration::from_secs(10) }
    }
}

struct Route {
    door: Door,
    options: RouteOptions,
    places: Arc<Semaphore>,
}

/// The route, for [`HttpServer`](statim::monitor::HttpServer).
pub fn router(door: Door, options: RouteOptions) -> Router {
    let places = Arc::new(Semaphore::new(options.concurrency.clamp(1, Semaphore::MAX_PERMITS)));
    let route = Arc::new(Route { door, options, places });
    Router::new().route("/messages", post(take)).with_state(route)
}

async fn take(State(route): State<Arc<Route>>, request: Request) -> Response {
    match route.take(request).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    }
}

impl Route {
    /// Who it is comes first, and what it costs last.
    async fn take(&self, request: Request) -> Result<Response, Refused> {
        let (head, body) = request.into_parts();
        self.authenticate(&head.headers)?;
        is_json(&head.headers)?;
        let within = self.deadline(&head.headers)?;
        let _place = self.places.try_acquire().map_err(|_| Refused::Busy)?;
        let body = self.read(&head.headers, body).await?;
        let message = parse(&body)?;
        let answer = self.door.answer(message, within).await?;
        let body = serde_json::to_vec(&answer).map_err(|_| Refused::Unwritable)?;
        Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
    }

    fn authenticate(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let Some(token) = &self.options.token else { return Ok(()) };
        let presented = headers.get(header::AUTHORIZATION).map_or(&[][..], HeaderValue::as_bytes);
        let (scheme, credentials) = presented.split_at_checked(7).unwrap_or_default();
        if scheme.eq_ignore_ascii_case(b"bearer ") && token.is(credentials.trim_ascii()) {
            Ok(())
        } else {
            Err(Refused::Unauthorized)
        }
    }

    fn deadline(&self, headers: &HeaderMap) -> Result<Duration, Refused> {
        let Some(written) = headers.get(DEADLINE) else { return Ok(self.options.deadline) };
        let milliseconds = written.to_str().ok().and_then(|text| text.trim().parse().ok());
        match milliseconds {
            Some(milliseconds @ 1..=LONGEST_DEADLINE_MS) => Ok(Duration::from_millis(milliseconds)),
            _ => Err(Refused::Deadline),
        }
    }

    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refused> {
        let limit = self.options.body_bytes;
        let announced =
            headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(Refused::Large { limit });
        }
        match tokio::time::timeout(BODY, to_bytes(body, limit)).await {
            Err(_) => Err(Refused::Slow),
            Ok(Ok(bytes)) => Ok(bytes.into()),
            // Either it was longer than it may be, or the connection broke, and then nobody reads this.
            Ok(Err(_)) => Err(Refused::Large { limit }),
        }
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Refused> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let plain = headers.get(header::CONTENT_ENCODING).is_none_or(|it| it.as_bytes() == b"identity");
    if kind.eq_ignore_ascii_case("application/json") && plain { Ok(()) } else { Err(Refused::NotSaidJson) }
}

fn parse(body: &[u8]) -> Result<Posted, Refused> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        // The position and not the words: an error of the parser may repeat a value.
        serde_json::error::Category::Data => {
            Refused::NoMessage { line: error.line(), column: error.column() }
        }
        _ => Refused::NotJson { line: error.line(), column: error.column() },
    })
}

/// Why a request was not answered as it wished.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("give the token of this deployment: `Authorization: Bearer …`")]
    Unauthorized,
    #[error("send JSON, uncompressed, and say so: `Content-Type: application/json`")]
    NotSaidJson,
    #[error("{DEADLINE} is not a number of milliseconds from 1 to {LONGEST_DEADLINE_MS}")]
    Deadline,
    #[error("too many messages are under way; send it again in a while")]
    Busy,
    #[error("the body is larger than {limit} bytes")]
    Large { limit: usize },
    #[error("the body did not arrive in time")]
    Slow,
    #[error("the body is not JSON at line {line}, column {column}")]
    NotJson { line: usize, column: usize },
    #[error(
        "the body is not a message at line {line}, column {column}: give one of patient_consent, research_query, \
         ingestion_batch and deduplication, with its fields and no others"
    )]
    NoMessage { line: usize, column: usize },
    #[error(transparent)]
    Door(#[from] Refusal),
    #[error("the answer cannot be written as JSON")]
    Unwritable,
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotSaidJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Deadline | Self::NotJson { .. } => StatusCode::BAD_REQUEST,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Large { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::NoMessage { .. } | Self::Door(Refusal::Invalid { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Door(Refusal::Overloaded { .. } | Refusal::Ending { .. }) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Door(Refusal::TimedOut { .. }) => StatusCode::GATEWAY_TIMEOUT,
            Self::Door(Refusal::Failed { .. }) | Self::Unwritable => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::json!({ "error": self.to_string() }).to_string();
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"statim\""));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
