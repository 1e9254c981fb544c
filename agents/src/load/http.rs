//! A running deployment, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Method, Request as HttpRequest, StatusCode, Uri, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use statim::Snapshot;
use statim::load::{ErrorClass, Kind, Observed, Outcome, Request, Target};
use statim::telemetry::SystemSample;
use tokio::runtime::Handle;

use super::error::TargetError;
use super::in_process::judge;
use super::script::Script;
use crate::messages::{Answer, Posted, Token};

/// Largest answer that is read, in bytes.
const MOST: usize = 16 << 20;

/// How long preparing may take for one message.
const PREPARING: Duration = Duration::from_secs(30);

/// How long a look at the deployment may take.
const LOOKING: Duration = Duration::from_secs(5);

/// Connections that are kept for the next message.
const KEPT: usize = 1_024;

/// Which deployment, and what lets messages in.
#[derive(Clone)]
pub struct HttpTargetOptions {
    /// Where it serves its metrics: `http://127.0.0.1:9464`.
    pub url: String,
    /// The environment variable that holds the token.
    pub token_env: Option<String>,
}

/// A deployment that runs already, with `[messages]` on. A clone is another handle on the same connections.
#[derive(Debug, Clone)]
pub struct HttpTarget {
    client: Client<HttpConnector, Body>,
    messages: Uri,
    snapshot: Uri,
    /// Marked as sensitive, so that nothing shows it.
    authorization: Option<HeaderValue>,
    script: Arc<Script>,
    timeout: Duration,
    handle: Handle,
}

impl HttpTarget {
    /// Puts there what will be asked for. Messages are given `timeout` each. Must be called in a Tokio runtime of several
    /// threads, which is used from then on.
    ///
    /// # Errors
    ///
    /// [`TargetError`]: the address or the token are no good, or the deployment does not take messages.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn connect(
        options: &HttpTargetOptions,
        seed: u64,
        timeout: Duration,
    ) -> Result<Self, TargetError> {
        let (messages, snapshot) = addresses(&options.url)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(KEPT)
            // Shorter than the server waits for the next request.
            .pool_idle_timeout(Duration::from_secs(3))
            .build(connector);
        let authorization = options.token_env.as_deref().map(authorization).transpose()?;
        let (script, handle) = (Arc::new(Script::new(seed)), Handle::current());
        let target = Self { client, messages, snapshot, authorization, script, timeout, handle };
        for message in target.script.studies() {
            if let Err(what) = target.prepare(&message).await {
                return Err(TargetError::PrepareOverHttp { url: target.messages.to_string(), what });
            }
        }
        Ok(target)
    }

    async fn prepare(&self, message: &Posted) -> Result<(), String> {
        let sent = tokio::time::timeout(PREPARING, self.post(message, PREPARING)).await;
        match sent.map_err(|_| "no answer in time".to_owned())? {
            Ok((StatusCode::OK, _)) => Ok(()),
            Ok((StatusCode::NOT_FOUND, _)) => {
                Err("it takes no messages; its configuration needs [messages] accept = true".to_owned())
            }
            Ok((StatusCode::UNAUTHORIZED, _)) => {
                Err("it wants a token, or another one; name the environment variable that holds it with --token-env".to_owned())
            }
            Ok((status, body)) => {
                let text = String::from_utf8_lossy(&body);
                Err(format!("{status}: {}", text.chars().take(200).collect::<String>()))
            }
            Err(Broken::Connect) => Err("nobody answers there".to_owned()),
            Err(Broken::Midway) => Err("the connection broke".to_owned()),
            Err(Broken::Unwritable) => Err("the message cannot be written as JSON".to_owned()),
        }
    }

    async fn post(&self, message: &Posted, within: Duration) -> Result<(StatusCode, Vec<u8>), Broken> {
        let body = serde_json::to_vec(message).map_err(|_| Broken::Unwritable)?;
        let mut request = HttpRequest::new(Body::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.messages.clone();
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let milliseconds = within.as_millis().clamp(1, 60_000);
        if let Ok(value) = HeaderValue::try_from(milliseconds.to_string()) {
            headers.insert("statim-deadline-ms", value);
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        fetch(&self.client, request).await
    }
}

/// Why there is no answer.
enum Broken {
    Connect,
    Midway,
    Unwritable,
}

/// What is read of a deployment's snapshot.
#[derive(Deserialize)]
struct Seen {
    runtime: Snapshot,
    system: Option<SystemSample>,
}

impl Target for HttpTarget {
    fn kinds(&self) -> Vec<Kind> {
        super::kinds()
    }

    async fn send(&self, request: Request) -> Outcome {
        let Some(message) = self.script.message(&request) else {
            return Outcome::Failed(ErrorClass::Other);
        };
        match self.post(&message, self.timeout).await {
            Ok((StatusCode::OK, body)) => match serde_json::from_slice::<Answer>(&body) {
                Ok(answer) => judge(&answer),
                Err(_) => Outcome::Failed(ErrorClass::Transport),
            },
            Ok((status, _)) => Outcome::Failed(class(status)),
            Err(Broken::Connect) => Outcome::Failed(ErrorClass::Unavailable),
            Err(Broken::Midway) => Outcome::Failed(ErrorClass::Transport),
            Err(Broken::Unwritable) => Outcome::Failed(ErrorClass::Other),
        }
    }

    fn observe(&self) -> Option<Observed> {
        let mut request = HttpRequest::new(Body::empty());
        *request.uri_mut() = self.snapshot.clone();
        // The first look is taken by the task that runs the test, the others by a thread that may block.
        let fetched = tokio::task::block_in_place(|| {
            let fetched =
                async { tokio::time::timeout(LOOKING, fetch(&self.client, request)).await.ok()?.ok() };
            self.handle.block_on(fetched)
        });
        let (status, body) = fetched?;
        let seen: Seen = (status == StatusCode::OK).then(|| serde_json::from_slice(&body).ok())??;
        Some(Observed { runtime: Some(seen.runtime), system: seen.system, store: None, latencies: None })
    }
}

fn class(status: StatusCode) -> ErrorClass {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => ErrorClass::Overloaded,
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => ErrorClass::Timeout,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            ErrorClass::Refused
        }
        StatusCode::INTERNAL_SERVER_ERROR => ErrorClass::Handler,
        StatusCode::BAD_GATEWAY => ErrorClass::Unavailable,
        _ => ErrorClass::Other,
    }
}

/// The snapshot of a running deployment, as it serves it. Must be called in a Tokio runtime.
///
/// # Errors
///
/// [`TargetError`]: the address is none, or gives no snapshot.
///
/// # Cancel safety
///
/// Cancel safe.
pub async fn snapshot(url: &str) -> Result<Vec<u8>, TargetError> {
    let (_, snapshot) = addresses(url)?;
    let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let mut request = HttpRequest::new(Body::empty());
    *request.uri_mut() = snapshot.clone();
    let nothing = |what: String| TargetError::NoSnapshot { url: snapshot.to_string(), what };
    let fetched = tokio::time::timeout(LOOKING * 2, fetch(&client, request)).await;
    match fetched.map_err(|_| nothing("no answer in time".to_owned()))? {
        Ok((StatusCode::OK, body)) => Ok(body),
        Ok((status, _)) => Err(nothing(status.to_string())),
        Err(_) => Err(nothing("nobody answers there, or not to the end".to_owned())),
    }
}

async fn fetch(
    client: &Client<HttpConnector, Body>,
    request: HttpRequest<Body>,
) -> Result<(StatusCode, Vec<u8>), Broken> {
    let response = client.request(request).await;
    let response =
        response.map_err(|error| if error.is_connect() { Broken::Connect } else { Broken::Midway })?;
    let status = response.status();
    let body = to_bytes(Body::new(response.into_body()), MOST).await.map_err(|_| Broken::Midway)?;
    Ok((status, body.into()))
}

/// The addresses of the messages and of the snapshot.
fn addresses(url: &str) -> Result<(Uri, Uri), TargetError> {
    // User information may be a password.
    let shown = || url.rsplit_once('@').map_or(url, |(_, after)| after).to_owned();
    let wrong = || TargetError::Address { url: shown() };
    let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
    let rest = rest.strip_suffix("/snapshot").unwrap_or(rest).trim_end_matches('/');
    if rest.is_empty() || rest.contains(['@', '?', '#', '/']) {
        return Err(wrong());
    }
    let address = |path: &str| format!("http://{rest}{path}").parse().map_err(|_| wrong());
    Ok((address("/messages")?, address("/snapshot?minutes=1")?))
}

fn authorization(variable: &str) -> Result<HeaderValue, TargetError> {
    let secret =
        std::env::var(variable).map_err(|_| TargetError::NoToken { variable: variable.to_owned() })?;
    Token::new(&secret).map_err(|fault| TargetError::Token { variable: variable.to_owned(), fault })?;
    let mut value = HeaderValue::try_from(format!("Bearer {secret}"))
        .map_err(|_| TargetError::NoToken { variable: variable.to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}

impl std::fmt::Debug for HttpTargetOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpTargetOptions").field("token_env", &self.token_env).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_over_plain_http() {
        let (messages, snapshot) = addresses("http://127.0.0.1:9464/").unwrap();
        assert_eq!(messages, "http://127.0.0.1:9464/messages");
        assert_eq!(snapshot, "http://127.0.0.1:9464/snapshot?minutes=1");
        assert_eq!(addresses("http://a:1/snapshot").unwrap().1, "http://a:1/snapshot?minutes=1");
        for url in ["", "127.0.0.1:9464", "https://a", "http://", "http://a/b", "http://a?b", "http://a b"] {
            assert!(addresses(url).is_err(), "{url}");
        }
        let error = addresses("http://ann:hunter2@host").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
