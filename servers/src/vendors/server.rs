//! The server: a listener, a thread for each connection, and one request in each.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::fault::Fault;
use super::http::{self, Answer, Request};
use super::journal::{Accepted, Journal, Refused};
use super::shape::Faults;
use super::{VendorKind, alertmanager, keys, opsgenie, pagerduty, slack, webhook};
use crate::error::{ServerError, while_doing};

/// How long a connection may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where a redirect leads.
const ELSEWHERE: &str = "/elsewhere";

/// A stand-in, on a port of 127.0.0.1 of its own until it is dropped.
pub struct Vendor {
    kind: VendorKind,
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    journal: Mutex<Journal>,
    stop: AtomicBool,
}

/// What a service makes of a request.
pub(super) struct Judged {
    pub(super) answer: Answer,
    /// What is wrong with it; then it was not taken.
    pub(super) faults: Faults,
}

impl Vendor {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// There is no port to listen on.
    pub fn start(kind: VendorKind) -> Result<Self, ServerError> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(while_doing("listen on 127.0.0.1"))?;
        let address = listener.local_addr().map_err(while_doing("know the port that is listened on"))?;
        let shared = Arc::new(Shared::default());
        let listening = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || listen(kind, &listener, &shared))
        };
        Ok(Self { kind, address, shared, listening: Some(listening) })
    }

    /// The address to be given to whoever sends.
    #[must_use]
    pub fn url(&self) -> String {
        let home = format!("http://{}", self.address);
        match self.kind {
            VendorKind::JiraServiceManagement => home + opsgenie::JIRA,
            VendorKind::Slack => home + keys::SLACK,
            VendorKind::Webhook | VendorKind::SignedWebhook => home + webhook::PATH,
            _ => home,
        }
    }

    /// Misbehaves at the next requests, one fault each, in this order and after those asked for before.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.lock().script.extend(faults);
    }

    /// How many requests there were, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.lock().requests
    }

    /// Everything that was taken, in order.
    #[must_use]
    pub fn accepted(&self) -> Vec<Accepted> {
        self.shared.lock().accepted.clone()
    }

    /// Everything that was refused because something was wrong with it.
    #[must_use]
    pub fn refused(&self) -> Vec<Refused> {
        self.shared.lock().refused.clone()
    }

    /// What was said twice: an incident opened while it was open, one closed while it was not, a webhook's id or a
    /// channel's message that was there before.
    #[must_use]
    pub fn duplicates(&self) -> Vec<String> {
        self.shared.lock().duplicates.clone()
    }

    /// The incidents that are open, by their keys.
    #[must_use]
    pub fn open(&self) -> Vec<String> {
        let journal = self.shared.lock();
        journal.incidents.iter().filter(|(_, it)| it.open).map(|(key, _)| key.clone()).collect()
    }

    /// How often an incident of this key was opened.
    #[must_use]
    pub fn opened(&self, key: &str) -> usize {
        self.shared.lock().incidents.get(key).map_or(0, |it| it.opened)
    }

    /// Whether somebody is known to look after the incident of this key.
    #[must_use]
    pub fn acknowledged(&self, key: &str) -> bool {
        self.shared.lock().incidents.get(key).is_some_and(|it| it.acknowledged)
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vendor")
            .field("kind", &self.kind)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

fn listen(kind: VendorKind, listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_over() {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // The other side may go at any time.
            let _ = serve(kind, stream, &shared);
        });
    }
}

fn serve(kind: VendorKind, mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let fault = {
        let mut journal = shared.lock();
        journal.requests += 1;
        journal.script.pop_front()
    };
    if fault == Some(Fault::Reset) {
        // Closed with something unread, the kernel resets the connection.
        let mut first = [0; 1];
        return stream.read_exact(&mut first);
    }
    let Some(request) = http::read(&mut stream) else {
        shared.lock().refused.push(Refused { status: 400, faults: vec!["is no HTTP request".to_owned()] });
        return Answer::text(400, "no request").write(&mut stream);
    };
    match fault {
        None | Some(Fault::Reset) => take(kind, request, shared).write(&mut stream),
        Some(Fault::Status(status)) => Answer::text(status, "as asked for").write(&mut stream),
        Some(Fault::Limited(seconds)) => {
            let mut answer = Answer::text(429, "rate_limited");
            answer.headers.push(("Retry-After", seconds.to_string()));
            answer.write(&mut stream)
        }
        Some(Fault::Down(seconds)) => {
            let then = SystemTime::now() + Duration::from_secs(seconds);
            let date = jiff::Timestamp::try_from(then).map_err(io::Error::other)?;
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date);
            let mut answer = Answer::text(503, "down");
            answer.headers.push(("Retry-After", date.map_err(io::Error::other)?));
            answer.write(&mut stream)
        }
        Some(Fault::Silent) => {
            let mut rest = [0; 1];
            stream.read(&mut rest).map(|_| ())
        }
        Some(Fault::Vanish) => {
            take(kind, request, shared);
            Ok(())
        }
        Some(Fault::Garbage) => stream.write_all(b"\0\xff\xfeSSH-2.0 what is this?\r\n\r\n\x80"),
        Some(Fault::Portal) => Answer {
            status: 200,
            headers: Vec::new(),
            content_type: "text/html",
            body: "<html>Please sign in</html>".into(),
        }
        .write(&mut stream),
        Some(Fault::Redirect) => {
            let mut answer = Answer::text(307, "");
            answer.headers.push(("Location", format!("http://{}{ELSEWHERE}", stream.local_addr()?)));
            answer.write(&mut stream)
        }
        Some(Fault::Slow(time)) => {
            let answer = take(kind, request, shared);
            thread::sleep(time);
            answer.write(&mut stream)
        }
        Some(Fault::Endless) => {
            let answer = take(kind, request, shared);
            stream.write_all((answer.head(None) + &answer.body).as_bytes())?;
            repeat(&mut stream, &[b' '; 4096], shared)
        }
        Some(Fault::EndlessHead) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            repeat(&mut stream, b"X-More: of it\r\n", shared)
        }
    }
}

fn repeat(stream: &mut TcpStream, text: &[u8], shared: &Shared) -> io::Result<()> {
    while !shared.is_over() {
        stream.write_all(text)?;
    }
    Ok(())
}

/// Takes a request in, or refuses it, as the service would.
fn take(kind: VendorKind, request: Request, shared: &Shared) -> Answer {
    let mut journal = shared.lock();
    let mut faults = Faults::new();
    if request.method != "POST" {
        faults.push(format!("the method is {}", request.method));
    }
    let content_type = request.headers.get("content-type").map_or("", String::as_str);
    if content_type != "application/json" {
        faults.push(format!("the content type is {content_type:?}"));
    }
    if !request.headers.contains_key("host") {
        faults.push("there is no host".to_owned());
    }
    let body = serde_json::from_slice(&request.body);
    let body: Value = body.unwrap_or_else(|error| {
        faults.push(format!("the body is not JSON: {error}"));
        Value::Null
    });
    let judged = match kind {
        VendorKind::PagerDuty => pagerduty::judge(&request, &body, faults, &mut journal),
        VendorKind::Opsgenie => opsgenie::judge("", &request, &body, faults, &mut journal),
        VendorKind::JiraServiceManagement => {
            opsgenie::judge(opsgenie::JIRA, &request, &body, faults, &mut journal)
        }
        VendorKind::Slack => slack::judge(&request, &body, faults, &mut journal),
        VendorKind::Webhook => webhook::judge(false, &request, &body, faults, &mut journal),
        VendorKind::SignedWebhook => webhook::judge(true, &request, &body, faults, &mut journal),
        VendorKind::Alertmanager => alertmanager::judge(&request, &body, faults, &mut journal),
    };
    let Judged { answer, faults } = judged;
    if faults.is_empty() {
        journal.accepted.push(Accepted { path: request.path, headers: request.headers, body });
    } else {
        journal.refused.push(Refused { status: answer.status, faults });
    }
    answer
}
