//! One request over HTTP: bounded in time and size, over TLS, and never redirected.
//!
//! A connection for each request, since there are few and they must arrive: one that was kept may have been closed
//! meanwhile, and then nobody knows whether the request was taken.

mod address;
mod answer;
mod connect;
mod proxy;
mod tls;

pub use self::address::{Address, AddressFault};
pub use self::proxy::{Proxies, ProxyFault};
pub use self::tls::AuthorityFault;

pub(super) use self::answer::Answer;

use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::Builder;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT,
};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use self::connect::{Connection, connect};
use self::proxy::Proxy;
use self::tls::Tls;
use super::error::{SinkError, Step};

/// Largest head of an answer, in bytes, and most headers in it.
const HEAD_BYTES: usize = 32 * 1024;
const HEADERS: usize = 128;

/// How requests are made.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How long it may take until there is a connection, TLS and proxy included. Default: 5 s.
    pub connect_timeout: Duration,
    /// How long a request may take in all, up to the end of what is read of the answer. Default: 15 s.
    pub timeout: Duration,
    /// Certificate authorities to be trusted besides those of the system, as PEM. Default: none.
    pub authorities: Vec<u8>,
    /// What stands between. Default: what the environment says.
    pub proxies: Proxies,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            authorities: Vec::new(),
            proxies: Proxies::Environment,
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpFault {
    /// A certificate authority.
    #[error(transparent)]
    Authority(#[from] AuthorityFault),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyFault),
}

/// Makes requests. Cheap to clone; shared by all sinks of a deployment.
#[derive(Clone)]
pub struct HttpClient {
    shared: Arc<Shared>,
}

struct Shared {
    connect_timeout: Duration,
    timeout: Duration,
    tls: Tls,
    proxy: Proxy,
}

/// What is to be posted.
pub(super) struct Post<'p> {
    pub(super) address: &'p Address,
    /// Besides what every request has.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// JSON.
    pub(super) body: Vec<u8>,
    /// How many bytes of the answer's body are wanted, at most.
    pub(super) wanted: usize,
    /// Which moment an answer counts from.
    pub(super) now: SystemTime,
}

impl HttpClient {
    /// A client. Blocks: it reads the system's certificate authorities from files, some milliseconds. That there are none
    /// is no fault before a request goes to an `https://` address.
    ///
    /// # Errors
    ///
    /// The options make no sense.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpFault> {
        let HttpOptions { connect_timeout, timeout, authorities, proxies } = options;
        let shared = Shared {
            connect_timeout: *connect_timeout,
            timeout: *timeout,
            tls: Tls::new(authorities)?,
            proxy: Proxy::new(proxies)?,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Posts it, and waits for the head of the answer and as much of its body as is wanted.
    pub(super) async fn post(&self, post: Post<'_>) -> Result<Answer, SinkError> {
        let Shared { connect_timeout, timeout, tls, proxy } = &*self.shared;
        let start = Instant::now();
        let late = SinkError::TimedOut { step: Step::Answer, limit: *timeout };
        let deadline = start + *timeout;
        let connecting = connect(post.address, tls, proxy, start + *connect_timeout, *connect_timeout);
        let connection = timeout_at(deadline, connecting).await.map_err(|_| late.clone())??;
        timeout_at(deadline, exchange(connection, post)).await.map_err(|_| late)?
    }
}

async fn exchange(connection: Connection, post: Post<'_>) -> Result<Answer, SinkError> {
    let Post { wanted, now, .. } = post;
    let request = request(&connection, post);
    let handshake =
        Builder::new().max_headers(HEADERS).max_buf_size(HEAD_BYTES).handshake(TokioIo::new(connection.wire));
    let (mut sender, running) = handshake.await.map_err(|error| broken(&error))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = response.status().as_u16();
        let after = answer::retry_after(response.headers(), now);
        Ok(Answer { status, after, body: read(response, wanted).await })
    };
    let running = async {
        // Whatever ends it, the request is told too.
        let _ = running.await;
        pending::<Infallible>().await
    };
    tokio::select! {
        biased;
        answer = answer => answer,
        never = running => match never {},
    }
}

fn request(connection: &Connection, post: Post<'_>) -> Request<Full<Bytes>> {
    let Post { address, headers, body, .. } = post;
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    let uri = address.uri();
    *request.uri_mut() = match &connection.forwarded {
        Some(_) => uri.clone(),
        // A server is told the path, a proxy everything.
        None => uri.path_and_query().map(|it| it.clone().into()).unwrap_or_default(),
    };
    let all = request.headers_mut();
    // Valid in a URL, so valid in a header.
    all.extend(HeaderValue::from_str(address.authority()).ok().map(|host| (HOST, host)));
    all.insert(USER_AGENT, HeaderValue::from_static(concat!("statim/", env!("CARGO_PKG_VERSION"))));
    all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    all.insert(CONNECTION, HeaderValue::from_static("close"));
    let basic = address.basic().and_then(|it| secret_header(&format!("Basic {}", it.reveal())));
    all.extend(basic.map(|value| (AUTHORIZATION, value)));
    let forwarded = connection.forwarded.as_ref().and_then(|it| it.authorization.clone());
    all.extend(forwarded.map(|value| (PROXY_AUTHORIZATION, value)));
    for (name, value) in headers {
        all.insert(name, value);
    }
    request
}

/// A header's value that is kept out of every log; `None` if no header can have it.
pub(super) fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The body, if it has no more than so many bytes and is whole.
async fn read(response: Response<Incoming>, wanted: usize) -> Option<Vec<u8>> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    if wanted == 0 {
        return None;
    }
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if bytes.len() + data.len() > wanted {
            return None;
        }
        bytes.extend_from_slice(&data);
    }
    Some(bytes)
}

fn broken(error: &hyper::Error) -> SinkError {
    if error.is_parse() { SinkError::Garbled { status: None } } else { SinkError::Broken }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { connect_timeout, timeout, .. } = &*self.shared;
        let mut debug = f.debug_struct("HttpClient");
        debug.field("connect_timeout", connect_timeout).field("timeout", timeout).finish_non_exhaustive()
    }
}
