//! Prometheus and Alertmanager started privately.

use std::io::{Read, Write};
use std::net::TcpStream;

use statim_servers::{Alertmanager, Prometheus, ServerError, promtool};

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const RULES: &str = "groups: [{name: g, rules: [{alert: Watchdog, expr: vector(1)}]}]\n";

#[test]
fn prometheus_loads_its_rules() {
    let config = "rule_files: [rules.yml]\n";
    let mut prometheus = Prometheus::start(config, &[("rules.yml", RULES)]).unwrap();
    assert!(get(prometheus.port(), "/api/v1/rules").contains("\"name\":\"Watchdog\""));
    prometheus.kill().unwrap();
    prometheus.start_again().unwrap();
    assert!(get(prometheus.port(), "/api/v1/rules").contains("\"name\":\"Watchdog\""));
    prometheus.stop().unwrap();
}

#[test]
fn alertmanager_takes_alerts() {
    let config = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
    let alertmanager = Alertmanager::start(config).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", alertmanager.port())).unwrap();
    let body = r#"[{"labels":{"alertname":"Slow"}}]"#;
    let head = "POST /api/v2/alerts HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length:";
    write!(stream, "{head} {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
    assert!(get(alertmanager.port(), "/api/v2/alerts").contains("Slow"));
}

#[test]
fn a_wrong_configuration_is_told_with_the_reason() {
    let error = Prometheus::start("no_such_key: 1\n", &[]).unwrap_err();
    assert!(
        matches!(&error, ServerError::Failed { output, .. } if output.contains("no_such_key")),
        "{error}"
    );
    let error = Alertmanager::start("no_such_key: 1\n").unwrap_err();
    assert!(
        matches!(&error, ServerError::Failed { output, .. } if output.contains("no_such_key")),
        "{error}"
    );
}

#[test]
fn promtool_judges_an_exposition() {
    let good = "# HELP a_total Things.\n# TYPE a_total counter\na_total 1\n";
    assert!(promtool(&["check", "metrics"], good).unwrap().status.success());
    assert!(!promtool(&["check", "metrics"], "a_total x\n").unwrap().status.success());
}
