//! The server: a thread, a listener, and connections with bounds.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use super::super::{Health, Monitor};
use super::routes::routes;
use crate::sync::Arc;

/// Connections at a time, those for routes of others left out; more are closed at once.
const CONNECTIONS: usize = 64;

/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(5);

/// Largest head, in bytes. Bodies are not read at all, but by routes of others.
const HEAD_BYTES: usize = 16 * 1024;

/// How long a connection is kept, busy or not; after that it may finish its answer.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// How long answers under way may take once the end has come.
const GRACE: Duration = Duration::from_secs(3);

/// Why nothing is served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; is another process there, or is it not an address of this machine?"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The thread cannot be started.
    #[error("cannot start the thread that answers scrapes: {source}")]
    Thread {
        /// What the system says.
        source: io::Error,
    },
}

/// Answers `/metrics`, `/health/live`, `/health/ready`, `/snapshot` and `/history.hlog` over HTTP/1.1, until it is stopped or
/// dropped. At most 64 connections at a time; a request has 5 s to arrive, an answer 10 s.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    ended: Option<oneshot::Receiver<()>>,
}

impl HttpServer {
    /// Listens on this address; port 0 is any that is free.
    ///
    /// # Errors
    ///
    /// [`ServeError`]: the address cannot be listened on, or there is no thread.
    pub fn start(address: SocketAddr, monitor: &Monitor, health: Health) -> Result<Self, ServeError> {
        Self::listen(address, monitor, health, None)
    }

    /// The same with the program's own routes, and room for so many `connections` more at a time. What the monitor answers
    /// stays the monitor's. Who may call the routes, how large a body may be and how long an answer may take is theirs to
    /// see to; they run on the server's one thread, beside the scrapes, and must not block it.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_with(
        address: SocketAddr,
        monitor: &Monitor,
        health: Health,
        routes: Router,
        connections: usize,
    ) -> Result<Self, ServeError> {
        Self::listen(address, monitor, health, Some((routes, connections)))
    }

    fn listen(
        address: SocketAddr,
        monitor: &Monitor,
        health: Health,
        more: Option<(Router, usize)>,
    ) -> Result<Self, ServeError> {
        let (more, connections) = more.unzip();
        let connections = CONNECTIONS.saturating_add(connections.unwrap_or(0)).min(Semaphore::MAX_PERMITS);
        let listen = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let bound = listener.local_addr().map_err(listen)?;
        let thread = |source| ServeError::Thread { source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("statim-http-work")
            .max_blocking_threads(16)
            .build()
            .map_err(thread)?;
        let (stop, stopping) = watch::channel(false);
        let (done, ended) = oneshot::channel();
        let routes = routes(monitor.clone(), health, more);
        let serve = move || {
            if let Err(error) = runtime.block_on(serve(listener, routes, connections, stopping)) {
                tracing::error!(%error, "metrics and health are no longer served");
            }
            // A check or a scrape that hangs may not hold up the end.
            runtime.shutdown_background();
            let _ = done.send(());
        };
        std::thread::Builder::new().name("statim-http".to_owned()).spawn(serve).map_err(thread)?;
        Ok(Self { address: bound, stop, ended: Some(ended) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: no new connections, and answers under way have 3 s.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, it stops all the same.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(ended) = self.ended.take() {
            let _ = ended.await;
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn serve(
    listener: TcpListener,
    routes: Router,
    connections: usize,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // Beyond the bound the stream is dropped here, which closes it.
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    let connection = connection(stream, routes.clone(), stopping.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
            }
            // Out of file descriptors, or a client that was gone before it was accepted: neither lasts for ever.
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, all).await;
    Ok(())
}

async fn connection(stream: TcpStream, routes: Router, mut stopping: watch::Receiver<bool>) {
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => Some(ended),
        _ = stopping.wait_for(|stop| *stop) => None,
        () = tokio::time::sleep(LIFETIME) => None,
    };
    let ended = match ended {
        Some(ended) => Ok(ended),
        None => {
            served.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE, served).await
        }
    };
    if let Ok(Err(error)) = ended {
        tracing::debug!(%error, "a connection to the metrics ended badly");
    }
}
