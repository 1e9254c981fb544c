//! `[messages]`: what is let in from outside, and what is not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::place::{Outcome, Place, shared, signal};

pub(crate) const TOKEN: &str = "0123456789abcdef-the-token-of-this-test";

/// A deployment that takes messages, until it is dropped.
pub(crate) struct Open {
    child: Option<Child>,
    pub(crate) port: u16,
    pub(crate) place: Place,
}

/// An answer: its status, its headers in lower case, its body.
struct Answer {
    status: u16,
    head: String,
    body: Value,
}

impl Open {
    /// With these lines in `[messages]`; the token is in the environment.
    pub(crate) fn with(lines: &[&str]) -> Self {
        let place = Place::new();
        let port = TcpListener::bind(("127.0.0.1", 0)).expect("binds").local_addr().expect("bound").port();
        let config = format!(
            "[database]\nurl = {:?}\n[ingestion]\nsources = []\n[monitor]\nlisten = \"127.0.0.1:{port}\"\n[messages]\naccept = true\n{}\n",
            place.url("open.db"),
            lines.join("\n")
        );
        let config = place.write("open.toml", &config);
        let mut command = place.statim(&["run", "--config", config.to_str().expect("text")]);
        command.env("STATIM_TEST_TOKEN", TOKEN).env("RUST_LOG", "trace");
        let open = Self { child: Some(command.spawn().expect("runs")), port, place };
        let since = Instant::now();
        while open.send("GET /health/ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status != 200 {
            assert!(since.elapsed() < Duration::from_secs(60), "it is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        open
    }

    fn send(&self, request: &str) -> Answer {
        let nothing = Answer { status: 0, head: String::new(), body: Value::Null };
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return nothing };
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let Some((head, body)) = answer.split_once("\r\n\r\n") else { return nothing };
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), body: serde_json::from_str(body).unwrap_or(Value::Null) }
    }

    fn post_with(&self, headers: &str, body: &str) -> Answer {
        self.send(&format!(
            "POST /messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn post(&self, message: &Value) -> Answer {
        self.post_with("Content-Type: application/json\r\n", &message.to_string())
    }

    /// Ends it, and returns everything it said.
    pub(crate) fn end(mut self) -> Outcome {
        let child = self.child.take().expect("runs");
        signal(&child, "TERM");
        Outcome::of(child)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn messages_reach_their_agents_and_their_effect_is_there_when_they_are_answered() {
    let _machine = shared();
    let open = Open::with(&[]);
    let ask = json!({"patient_consent": {"decide":
        {"patient": "P1", "actor": "org:uni", "purpose": "research", "data_type": "labs"}}});
    let decided = open.post(&ask);
    assert_eq!((decided.status, &decided.body["decision"]["reason"]), (200, &json!("no_consent")));
    let revoked = open.post(&json!({"patient_consent": {"revoke": {"patient": "P1"}}}));
    assert_eq!(revoked.status, 200);
    assert_eq!(revoked.body["revoked"]["seq"], 2, "after the decision");

    let study = json!({"protocolSection": {"identificationModule":
        {"nctId": "NCT91234567", "briefTitle": "A study\nof line ends"}}});
    let batch = json!({"ingestion_batch": {"source": "site-7", "records": [study, {"not": "a record"}]}});
    let stored = open.post(&batch);
    assert_eq!(
        (stored.status, &stored.body),
        (200, &json!({"stored": {"records": 1, "refused": 0, "quarantined": 1}}))
    );
    let asked = json!({"research_query": {"record": {"kind": "study", "id": "NCT91234567"}}});
    let found = open.post(&asked);
    assert_eq!(found.body["record"]["study"]["nct_id"], "NCT91234567");

    let mut record = found.body["record"].clone();
    record["study"]["nct_id"] = json!("NCT97654321");
    let stored = open.post(&json!({"deduplication": {"source": "site-8", "record": record}}));
    assert_eq!(stored.body["stored"]["records"], 1, "{}", stored.body);
    let found = open.post(&json!({"research_query": {"record": {"kind": "study", "id": "NCT97654321"}}}));
    assert_eq!(found.body["record"]["study"]["nct_id"], "NCT97654321");
    let nothing = open.post(&json!({"research_query": {"record": {"kind": "study", "id": "NCT90000000"}}}));
    assert_eq!((nothing.status, &nothing.body), (200, &json!({"record": null})));
    assert_eq!(open.post(&json!({"research_query": "totals"})).body["totals"]["study"], 2);
    assert_eq!(open.end().status, Some(0));
}

#[test]
fn what_is_no_message_is_refused_with_its_own_status_and_not_repeated() {
    let _machine = shared();
    let open = Open::with(&["body_kib = 2"]);
    let json = "Content-Type: application/json\r\n";
    let good = r#"{"research_query": "totals"}"#;
    let refused = |headers: &str, body: &str, status: u16| {
        let answer = open.post_with(headers, body);
        assert_eq!(answer.status, status, "{headers}{body}: {}", answer.body);
        assert!(answer.body["error"].is_string(), "{headers}{body}");
        assert!(!answer.body.to_string().contains("SECRET"), "{}", answer.body);
        assert!(answer.head.contains("cache-control: no-store"));
    };
    refused("", good, 415);
    refused("Content-Type: text/plain\r\n", good, 415);
    refused(&format!("{json}Content-Encoding: gzip\r\n"), good, 415);
    refused(json, "{\"patient_consent\": {\"SECRET", 400);
    refused(json, "", 400);
    refused(json, &"[".repeat(2_000), 400);
    refused(&format!("{json}Statim-Deadline-Ms: soon\r\n"), good, 400);
    refused(&format!("{json}Statim-Deadline-Ms: 60001\r\n"), good, 400);
    for unknown in [
        r#"{"SECRET": 1}"#,
        r#""SECRET""#,
        r#"{"patient_consent": {"revoke": {"patient": "SECRET", "more": 1}}}"#,
        r#"{"patient_consent": {"revoke": {"patient": ["SECRET"]}}}"#,
        r#"{"patient_consent": {"revoke": {"patient": " "}}}"#,
        r#"{"ingestion_batch": {"source": "SECRET", "records": []}}"#,
        r#"{"ingestion_batch": {"source": "", "records": [1]}}"#,
    ] {
        refused(json, unknown, 422);
    }
    let long = format!(r#"{{"patient_consent": {{"revoke": {{"patient": "{}"}}}}}}"#, "S".repeat(300));
    refused(json, &long, 422);
    refused(json, &format!("\"{}\"", "x".repeat(3_000)), 413);
    // Without a length, it is counted as it arrives.
    let chunk = "x".repeat(1_500);
    let chunked = open.send(&format!(
        "POST /messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{json}Transfer-Encoding: chunked\r\n\r\n5dc\r\n{chunk}\r\n5dc\r\n{chunk}\r\n0\r\n\r\n"
    ));
    assert_eq!(chunked.status, 413);
    let get = open.send("GET /messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(get.status, 405);
    assert!(get.head.contains("allow: post"), "{}", get.head);
    assert_eq!(open.post_with(json, good).status, 200);
    let said = open.end();
    assert!(!said.err.contains("SECRET") && !said.out.contains("SECRET"), "{}", said.err);
}

#[test]
fn without_the_token_nobody_is_let_in_and_it_is_never_said() {
    let _machine = shared();
    let open = Open::with(&["token_env = \"STATIM_TEST_TOKEN\""]);
    let json = "Content-Type: application/json\r\n";
    let good = r#"{"research_query": "totals"}"#;
    for credentials in [
        "",
        "Bearer wrong-wrong-wrong-wrong",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        &TOKEN[..10],
        &format!("Bearer {TOKEN}x"),
    ] {
        let header =
            if credentials.is_empty() { String::new() } else { format!("Authorization: {credentials}\r\n") };
        let answer = open.post_with(&format!("{json}{header}"), good);
        assert_eq!(answer.status, 401, "{credentials}");
        assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
        assert!(!answer.body.to_string().contains("wrong-"));
    }
    // Who may not come in does not learn what would be wrong with the rest.
    assert_eq!(open.post_with("", "{").status, 401);
    let header = format!("{json}Authorization: bearer {TOKEN}\r\n");
    assert_eq!(open.post_with(&header, good).status, 200);
    let metrics = open.send("GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(metrics.status, 200, "what was open stays open");
    let said = open.end();
    assert!(!said.err.contains(TOKEN) && !said.out.contains(TOKEN), "the token is in the log");
}

#[test]
fn too_many_at_a_time_are_told_to_come_again() {
    let _machine = shared();
    let open = Open::with(&["concurrency = 1"]);
    // One that is let in and does not send its body.
    let mut slow = TcpStream::connect(("127.0.0.1", open.port)).expect("connects");
    slow.write_all(
        b"POST /messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    )
    .expect("writes");
    let since = Instant::now();
    loop {
        let answer = open.post(&json!({"research_query": "totals"}));
        if answer.status == 429 {
            assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
            break;
        }
        assert!(since.elapsed() < Duration::from_secs(10), "{}", answer.status);
    }
    drop(slow);
    let since = Instant::now();
    while open.post(&json!({"research_query": "totals"})).status != 200 {
        assert!(since.elapsed() < Duration::from_secs(20), "the place is not free again");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_open_door_to_other_machines_or_a_missing_token_does_not_start() {
    let place = Place::new();
    let start = |lines: &str| {
        let text = format!("[database]\nurl = {:?}\n{lines}", place.url("never.db"));
        let config = place.write("never.toml", &text);
        place.done(&["run", "--config", config.to_str().expect("text")])
    };
    let messages = "[messages]\naccept = true\n";
    for (lines, words) in [
        (
            format!("[monitor]\nlisten = \"0.0.0.0:0\"\n{messages}"),
            "messages.accept: would let whoever reaches",
        ),
        (messages.to_owned(), "messages.accept: needs an address"),
        (
            format!("[monitor]\nlisten = \"127.0.0.1:0\"\n{messages}token_env = \"STATIM_NO_SUCH_TOKEN\"\n"),
            "messages.token_env: the environment variable STATIM_NO_SUCH_TOKEN is not set",
        ),
        (
            format!("[monitor]\nlisten = \"127.0.0.1:0\"\n{messages}token_file = \"rustfmt.toml\"\n"),
            "messages.token_file: the token has white space",
        ),
        (
            format!("[monitor]\nlisten = \"127.0.0.1:0\"\n{messages}token_env = \"a-secret-by-mistake\"\n"),
            "messages.token_env: is not the name of an environment variable",
        ),
    ] {
        let outcome = start(&lines);
        assert_eq!(outcome.status, Some(2), "{outcome:#?}");
        assert!(outcome.err.contains(words), "{words}: {}", outcome.err);
        assert!(!outcome.err.contains("a-secret-by-mistake"), "{}", outcome.err);
    }
}
