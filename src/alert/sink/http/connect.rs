//! A connection to where a request goes.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::select_ok;
use hyper::header::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep, timeout_at};

use super::super::error::{SinkError, Step};
use super::address::Address;
use super::proxy::{Proxy, Through};
use super::tls::Tls;

/// Addresses of a host that are tried, and how long the next one waits for those before it.
const ADDRESSES: u32 = 6;
const HEAD_START: Duration = Duration::from_millis(250);

/// Something to talk over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection that is ready for a request.
pub(super) struct Connection {
    pub(super) wire: Box<dyn Wire>,
    /// If a proxy is to send it on.
    pub(super) forwarded: Option<Forwarded>,
}

pub(super) struct Forwarded {
    pub(super) authorization: Option<HeaderValue>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// What must be done by when.
#[derive(Clone, Copy)]
struct Patience {
    until: Instant,
    limit: Duration,
}

impl Patience {
    async fn with<T>(
        self,
        step: Step,
        work: impl Future<Output = Result<T, SinkError>>,
    ) -> Result<T, SinkError> {
        let late = SinkError::TimedOut { step, limit: self.limit };
        timeout_at(self.until, work).await.unwrap_or(Err(late))
    }
}

pub(super) async fn connect(
    address: &Address,
    tls: &Tls,
    proxy: &Proxy,
    until: Instant,
    limit: Duration,
) -> Result<Connection, SinkError> {
    let patience = Patience { until, limit };
    let Some(through) = proxy.through(address.uri()) else {
        let wire = reach(address.host(), address.port(), patience).await?;
        let wire = secure(address, wire, tls, patience).await?;
        return Ok(Connection { wire, forwarded: None });
    };
    let Through { address: proxy, authorization } = &through;
    let wire = reach(proxy.host(), proxy.port(), patience).await?;
    let mut wire = secure(proxy, wire, tls, patience).await?;
    if !address.is_https() {
        let forwarded = Some(Forwarded { authorization: authorization.clone() });
        return Ok(Connection { wire, forwarded });
    }
    patience.with(Step::Proxy, through.tunnel(&mut wire, address)).await?;
    let wire = secure(address, wire, tls, patience).await?;
    Ok(Connection { wire, forwarded: None })
}

async fn secure(
    address: &Address,
    wire: Box<dyn Wire>,
    tls: &Tls,
    patience: Patience,
) -> Result<Box<dyn Wire>, SinkError> {
    if !address.is_https() {
        return Ok(wire);
    }
    patience.with(Step::Handshake, tls.over(wire, address.host())).await
}

/// Connects to the first of a host's addresses that answers. Each gets a head start on the next, so that one that is not
/// reachable costs little.
async fn reach(host: &str, port: u16, patience: Patience) -> Result<Box<dyn Wire>, SinkError> {
    let look_up = async {
        let found = lookup_host((host, port)).await.map_err(|error| failed(Step::Resolve, &error))?;
        Ok(found.collect::<Vec<SocketAddr>>())
    };
    let found = patience.with(Step::Resolve, look_up).await?;
    let tries = (0..ADDRESSES).zip(found).map(|(turn, address)| {
        Box::pin(async move {
            sleep(HEAD_START * turn).await;
            TcpStream::connect(address).await
        })
    });
    let tries: Vec<_> = tries.collect();
    if tries.is_empty() {
        return Err(SinkError::Unreachable { step: Step::Resolve, kind: io::ErrorKind::NotFound });
    }
    let connecting = async {
        let (stream, _) = select_ok(tries).await.map_err(|error| failed(Step::Connect, &error))?;
        // What is to be said is said in one piece.
        let _ = stream.set_nodelay(true);
        Ok(Box::new(stream) as Box<dyn Wire>)
    };
    patience.with(Step::Connect, connecting).await
}

pub(super) fn failed(step: Step, error: &io::Error) -> SinkError {
    SinkError::Unreachable { step, kind: error.kind() }
}
