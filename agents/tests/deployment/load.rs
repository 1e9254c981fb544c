//! A load test against a deployment that runs already.

use crate::messages::{Open, TOKEN};
use crate::place::{Outcome, shared};

const SCENARIO: &str = r#"
name = "over-http"
warm_up = "500ms"
timeout = "20s"
drain = "20s"
generator_lag = "1h"
thresholds = ["error_rate <= 0%"]
[[stage]]
duration = "3s"
users = 5
rate_per_user = 8
[[mix]]
kind = "patient_consent"
weight = 3
[[mix]]
kind = "patient_consent"
priority = "critical"
[[mix]]
kind = "research_query"
weight = 3
[[mix]]
kind = "ingestion_batch"
batch_keys = 4
[[mix]]
kind = "deduplication"
"#;

#[test]
fn a_running_deployment_is_loaded_over_http_with_its_token() {
    let _machine = shared();
    let open = Open::with(&["token_env = \"STATIM_TEST_TOKEN\""]);
    let scenario = open.place.write("load.toml", SCENARIO);
    let url = format!("http://127.0.0.1:{}", open.port);
    let load = |token: Option<&str>| {
        let mut args = vec!["load", scenario.to_str().expect("text"), "--json", "--url", &url];
        args.extend(token.map(|_| ["--token-env", "STATIM_LOAD_TOKEN"]).into_iter().flatten());
        let mut command = open.place.statim(&args);
        if let Some(token) = token {
            command.env("STATIM_LOAD_TOKEN", token);
        }
        Outcome::of(command.spawn().expect("runs"))
    };
    let refused = load(None);
    assert_eq!(refused.status, Some(1), "{refused:#?}");
    assert!(refused.err.contains("it wants a token"), "{}", refused.err);
    let refused = load(Some("another-token-that-is-wrong"));
    assert!(refused.status == Some(1) && !refused.err.contains("another-token"), "{}", refused.err);
    let refused = load(Some("short"));
    assert!(refused.err.contains("shorter than 16 bytes"), "{}", refused.err);

    let outcome = load(Some(TOKEN));
    let json = outcome.json(0);
    assert!(json["results"]["total_requests"].as_u64() > Some(50), "{json}");
    assert_eq!(json["results"]["failed_requests"], 0, "{json}");
    for kind in ["patient_consent", "research_query", "ingestion_batch", "deduplication"] {
        assert!(json["results"]["by_kind"][kind]["successful_requests"].as_u64() > Some(0), "{kind}");
    }
    assert!(!outcome.err.contains(TOKEN) && !outcome.out.contains(TOKEN));

    // The deployment itself says what limits it.
    let report = Outcome::of(open.place.statim(&["report", &url]).spawn().expect("runs"));
    assert_eq!(report.status, Some(0), "{report:#?}");
    assert!(report.out.starts_with('#'), "{}", report.out);
    let said = open.end();
    assert!(!said.err.contains(TOKEN) && !said.err.contains("load-patient"), "payloads are in the log");
    assert_eq!(said.status, Some(0));
}

#[test]
fn where_nobody_takes_messages_it_does_not_begin() {
    let _machine = shared();
    let place = crate::place::Place::new();
    let scenario = place.write("load.toml", SCENARIO);
    let outcome = place.done(&["load", scenario.to_str().expect("text"), "--url", "http://127.0.0.1:9"]);
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    assert!(outcome.err.contains("nobody answers there"), "{}", outcome.err);
}
