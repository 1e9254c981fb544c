//! Agents to watch, and a client that does what it is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use statim::monitor::{Health, HttpServer, Monitor, MonitorOptions};
use statim::prelude::*;

/// What a worker is told.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Handle this.
    Well(Priority),
    /// Fail at this.
    Badly,
    /// Keep the thread for so long.
    Block(Duration),
}

impl Message for Work {
    fn priority(&self) -> Priority {
        match self {
            Self::Well(priority) => *priority,
            Self::Badly | Self::Block(_) => Priority::Normal,
        }
    }
}

/// Does as it is told.
#[derive(Debug)]
pub(crate) struct Worker;

#[derive(Debug)]
pub(crate) struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("as told")
    }
}

impl std::error::Error for Failed {}

impl Agent for Worker {
    type Message = Work;
    type Error = Failed;

    async fn handle(&mut self, work: Work, _: &mut Context<Self>) -> Result<(), Failed> {
        match work {
            Work::Well(_) => Ok(()),
            Work::Badly => Err(Failed),
            Work::Block(time) => {
                std::thread::sleep(time);
                Ok(())
            }
        }
    }
}

pub(crate) fn runtime() -> Runtime {
    Runtime::builder().arbiters(1).start().unwrap()
}

pub(crate) fn worker(runtime: &Runtime, name: &str) -> AgentRef<Work> {
    runtime.spawn(name, AgentOptions::default(), || Worker).unwrap()
}

/// Tells it so often, and waits until it is handled.
pub(crate) fn tell(runtime: &Runtime, agent: &AgentRef<Work>, work: &Work, times: usize) {
    runtime.block_on(async {
        for _ in 0..times {
            agent.tell(work.clone()).await.unwrap();
        }
        while agent.inspect().await.is_err() {}
    });
    wait_until(|| {
        runtime.snapshot().agents.iter().all(|agent| agent.depth.values().all(|depth| *depth == 0))
    });
}

pub(crate) fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it did not happen within 5 s");
}

/// Looks that read latencies each time.
pub(crate) fn eager() -> MonitorOptions {
    MonitorOptions { latency_interval: Duration::ZERO, ..MonitorOptions::default() }
}

pub(crate) fn serve(runtime: &Runtime, monitor: &Monitor) -> HttpServer {
    HttpServer::start(([127, 0, 0, 1], 0).into(), monitor, Health::of(runtime, monitor)).unwrap()
}

/// An answer: status, head and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, &format!("GET {path} HTTP/1.1\r\nHost: statim\r\nConnection: close\r\n\r\n"))
}

pub(crate) fn request(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}
