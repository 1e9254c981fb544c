//! A proxy between.

use std::fmt;
use std::io;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::error::{SinkError, Step};
use super::super::secret::Secret;
use super::address::{Address, AddressFault};
use super::connect::{Wire, failed};
use super::secret_header;

/// Longest answer of a proxy before the connection is through, in bytes.
const LONGEST: usize = 8 * 1024;

/// Which proxy requests go through.
#[derive(Debug, Clone)]
pub enum Proxies {
    /// As the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in either case; read once.
    Environment,
    /// None.
    Never,
    /// Always this one: `http://` or `https://`, with user and password if it wants them.
    Always(Secret),
}

/// What is wrong with a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyFault {
    /// Its address.
    #[error("the proxy: {0}")]
    Address(#[from] AddressFault),
}

/// Knows which requests go through which proxy.
pub(super) enum Proxy {
    Environment(Box<Matcher>),
    Never,
    Always(Through),
}

/// A proxy to go through.
#[derive(Clone)]
pub(super) struct Through {
    pub(super) address: Address,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    pub(super) fn new(proxies: &Proxies) -> Result<Self, ProxyFault> {
        Ok(match proxies {
            Proxies::Environment => Self::Environment(Box::new(Matcher::from_env())),
            Proxies::Never => Self::Never,
            Proxies::Always(address) => {
                let address = Address::parse(address.reveal())?;
                let basic = address.basic().and_then(|it| secret_header(&format!("Basic {}", it.reveal())));
                Self::Always(Through { address, authorization: basic })
            }
        })
    }

    /// The proxy for this address, if there is one.
    pub(super) fn through(&self, uri: &Uri) -> Option<Through> {
        match self {
            Self::Never => None,
            Self::Always(through) => Some(through.clone()),
            Self::Environment(matcher) => {
                let found = matcher.intercept(uri)?;
                // Of another scheme, such as SOCKS, it is not used: then the connection fails where it is watched for.
                let address = Address::parse(&found.uri().to_string()).ok()?;
                Some(Through { address, authorization: found.basic_auth().cloned() })
            }
        }
    }
}

impl Through {
    /// Has the proxy connect to this address; from then on the wire leads there.
    pub(super) async fn tunnel(&self, wire: &mut Box<dyn Wire>, to: &Address) -> Result<(), SinkError> {
        let host = if to.host().contains(':') { format!("[{}]", to.host()) } else { to.host().to_owned() };
        let target = format!("{host}:{}", to.port());
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        wire.write_all(&request).await.map_err(|error| failed(Step::Proxy, &error))?;
        let mut answer = Vec::new();
        // Byte by byte: what follows the head belongs to whoever is behind the proxy.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= LONGEST {
                return Err(SinkError::Garbled { status: None });
            }
            let byte = wire.read_u8().await.map_err(|error| failed(Step::Proxy, &error))?;
            answer.push(byte);
        }
        let status = answer.strip_prefix(b"HTTP/1.").and_then(|it| it.get(2..5));
        let kind = match status {
            Some([b'2', _, _]) => return Ok(()),
            Some(b"401" | b"403" | b"407") => io::ErrorKind::PermissionDenied,
            Some(_) => io::ErrorKind::HostUnreachable,
            None => return Err(SinkError::Garbled { status: None }),
        };
        Err(SinkError::Unreachable { step: Step::Proxy, kind })
    }
}

impl fmt::Debug for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Through(…)")
    }
}
