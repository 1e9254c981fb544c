//! `[monitor] listen`: metrics and health of a run, from outside.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::{Outcome, Place, shared, signal};

const STORED: &str = "SELECT count(*) FROM record_versions";

fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: statim\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).expect("binds").local_addr().expect("has an address").port()
}

#[test]
fn a_run_serves_metrics_and_health_until_it_ends() {
    let _machine = shared();
    let place = Place::new();
    let port = free_port();
    let listen = format!("listen = \"127.0.0.1:{port}\"");
    let config = place.config("watched", &[&listen]);
    let child =
        place.statim(&["run", "--json", "--config", config.to_str().expect("text")]).spawn().expect("runs");
    place.wait_for("watched", STORED, 400);
    let since = Instant::now();
    let ready = loop {
        match get(port, "/health/ready") {
            Some((200, body)) => break body,
            other => assert!(since.elapsed() < Duration::from_secs(30), "{other:?}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let ready: Value = serde_json::from_str(&ready).expect("JSON");
    let names: Vec<_> = ready["checks"].as_array().expect("checks").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["runtime", "agents", "mailboxes", "monitor", "store"]);
    let (status, metrics) = get(port, "/metrics").expect("answers");
    assert_eq!(status, 200);
    for agent in ["consent", "deduplication", "monitor", "alerting"] {
        assert!(metrics.contains(&format!("statim_agent_up{{agent=\"{agent}\"}} 1.0")), "{metrics}");
    }
    for store in ["catalogue", "consent", "letters"] {
        assert!(metrics.contains(&format!("statim_store_pool_used_ratio{{store=\"{store}\"}}")), "{metrics}");
    }
    assert!(metrics.contains("statim_agent_cpu_seconds_total{agent=\"consent\"}"), "{metrics}");
    assert!(metrics.contains("process_resident_memory_bytes "), "{metrics}");
    // Nothing of the sample's patients is in it.
    assert!(!metrics.contains("Patient") && !metrics.contains("patient-"), "{metrics}");
    signal(&child, "TERM");
    let outcome = Outcome::of(child);
    assert!(outcome.json(0)["agents"].is_array());
    assert!(outcome.err.contains(&format!("http://127.0.0.1:{port}/metrics")), "{}", outcome.err);
    assert!(get(port, "/health/live").is_none());
}

#[test]
fn an_address_that_is_taken_is_said() {
    let _machine = shared();
    let place = Place::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("binds");
    let address = taken.local_addr().expect("has an address");
    let config = place.config("taken", &[&format!("listen = \"{address}\"")]);
    let outcome = place.done(&["run", "--until-idle", "--config", config.to_str().expect("text")]);
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    assert!(outcome.err.contains(&format!("cannot listen on {address}")), "{}", outcome.err);
}
