//! `statim load` and `statim report`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::shell::{Outcome, Shell, sample};

/// Some seconds of everything, that pass on a machine that is busy with other tests.
fn scenario(thresholds: &str, seconds: u32) -> String {
    format!(
        r#"
        name = "short"
        warm_up = "500ms"
        timeout = "30s"
        drain = "30s"
        generator_lag = "1h"
        thresholds = [{thresholds}]
        [[stage]]
        duration = "{seconds}s"
        users = 4
        rate_per_user = 10
        [[mix]]
        kind = "patient_consent"
        weight = 4
        [[mix]]
        kind = "patient_consent"
        priority = "critical"
        [[mix]]
        kind = "research_query"
        weight = 2
        [[mix]]
        kind = "ingestion_batch"
        batch_keys = 3
        [[mix]]
        kind = "deduplication"
        "#
    )
}

fn short(shell: &Shell, thresholds: &str, seconds: u32) -> String {
    shell.write("short.toml", scenario(thresholds, seconds)).to_str().expect("text").to_owned()
}

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} is no number in {value}"))
}

#[test]
fn a_load_test_passes_says_so_as_json_and_leaves_a_report_and_nothing_else() {
    let shell = Shell::new();
    let file = short(&shell, "\"error_rate < 50%\", \"throughput > 1/s\"", 3);
    let outcome = shell.statim(&["load", &file, "--json", "--report", "out/report"]).done();
    assert_eq!(outcome.err, "", "a terminal is not there, so nothing is said but the result");
    let json = outcome.json();
    assert_eq!((&json["test_name"], &json["passed"]), (&Value::from("short"), &Value::from(true)));
    let results = "/results";
    for figure in ["total_requests", "successful_requests", "avg_response_time", "throughput"] {
        assert!(number(&json, &format!("{results}/{figure}")) > 0.0, "{figure}");
    }
    // On a machine that others keep busy some are refused, as they should be.
    let (all, failed) = (number(&json, "/results/total_requests"), number(&json, "/results/failed_requests"));
    assert_eq!(number(&json, "/results/successful_requests") + failed, all);
    assert!((number(&json, "/results/error_rate") - failed / all * 100.0).abs() < 1e-9, "in percent");
    for percentile in ["p50", "p90", "p95", "p99", "p999"] {
        assert!(number(&json, &format!("{results}/percentiles/{percentile}")) > 0.0, "{percentile}");
    }
    for priority in ["critical", "high", "normal", "low"] {
        assert!(
            number(&json, &format!("{results}/by_priority/{priority}/total_requests")) > 0.0,
            "{priority}"
        );
    }
    for kind in ["patient_consent", "research_query", "ingestion_batch", "deduplication"] {
        assert!(number(&json, &format!("{results}/by_kind/{kind}/total_requests")) > 0.0, "{kind}");
    }
    assert_eq!(json["thresholds"][0]["expression"], "error_rate < 50%");
    assert!(json["thresholds"][0]["passed"] == true && json["thresholds"][0]["observed"].is_string());
    let told: Vec<_> =
        json["targets"].as_array().expect("targets").iter().map(|it| it["met"].clone()).collect();
    assert_eq!(told.len(), 6);
    assert!(told[0].is_null(), "40 messages a second do not tell of 100");

    let report = shell.path().join("out/report");
    let result: Value =
        serde_json::from_slice(&std::fs::read(report.join("result.json")).expect("is there")).expect("JSON");
    assert_eq!(result["results"], json["results"]);
    assert!(result["series"].as_array().is_some_and(|it| it.len() >= 3));
    assert!(result["snapshot_after"]["agents"].as_array().is_some_and(|it| it.len() >= 5), "the real agents");
    let page = std::fs::read_to_string(report.join("report.html")).expect("is there");
    assert!(page.to_lowercase().starts_with("<!doctype html>"));
    assert!(std::fs::read_to_string(report.join("report.md")).expect("is there").starts_with('#'));
    let endings = |ending: &str| {
        let files = std::fs::read_dir(&report).expect("is there").filter_map(Result::ok);
        files.filter(|it| it.file_name().to_string_lossy().ends_with(ending)).count()
    };
    assert!(endings(".hlog") > 0 && endings(".hgrm") > 0);
    let beside: Vec<_> = std::fs::read_dir(shell.path()).expect("reads").filter_map(Result::ok).collect();
    assert_eq!(beside.len(), 2, "the scenario and the report: {beside:?}");
    assert_eq!(std::fs::read_dir(shell.path().join("out")).expect("reads").count(), 1);

    // What limits it, told from the folder and from the file.
    let markdown = shell.statim(&["report", "out/report"]).done();
    assert!(markdown.out.starts_with('#'), "{markdown:#?}");
    shell.statim(&["report", "out/report/result.json", "--output", "performance.html"]).done();
    let html = std::fs::read_to_string(shell.path().join("performance.html")).expect("is there");
    assert!(html.to_lowercase().starts_with("<!doctype html>"));

    // A report is replaced by a report; whatever else is there is not.
    let again = shell.statim(&["load", &file, "--duration", "1s", "--report", "out/report"]).done();
    assert!(
        again.out.contains("short (with --duration 1s): passed")
            && again.out.contains("targets of the performance guide")
    );
    let result: Value =
        serde_json::from_slice(&std::fs::read(report.join("result.json")).expect("is there")).expect("JSON");
    assert!(number(&result, "/seconds") < 2.0);
    shell.write("out/report/thesis.md", "years of work");
    let refused = shell.statim(&["load", &file, "--report", "out/report"]);
    refused.refused(2, &["it holds what is no load test's report"]);

    // A baseline that was a thousand times faster makes this one worse.
    let mut faster = result;
    for path in ["", "/by_priority/high", "/by_priority/critical", "/by_priority/normal", "/by_priority/low"]
    {
        let figures = faster.pointer_mut(&format!("/results{path}/percentiles")).expect("percentiles");
        for figure in figures.as_object_mut().expect("an object").values_mut() {
            *figure = Value::from(figure.as_f64().expect("a number") / 1_000.0);
        }
    }
    let baseline = shell.write("faster.json", faster.to_string());
    let worse = shell.statim(&["load", &file, "--baseline", baseline.to_str().expect("text"), "--json"]);
    assert_eq!(worse.status, 99, "{worse:#?}");
    assert!(worse.err.contains("is worse than the baseline's"), "{}", worse.err);
    assert_eq!(worse.json()["passed"], false);
}

#[test]
fn a_threshold_that_does_not_hold_is_named_and_is_status_99() {
    let shell = Shell::new();
    let file = short(&shell, "\"p50 < 1ns\", \"error_rate < 100%\"", 1);
    let outcome = shell.statim(&["load", &file]);
    assert_eq!(outcome.status, 99, "{outcome:#?}");
    assert!(
        outcome.out.contains("NOT passed") && outcome.out.contains("FAILED  p50 < 1ns"),
        "{}",
        outcome.out
    );
    assert!(outcome.err.contains("p50 < 1ns (") && !outcome.err.contains("error_rate"), "{}", outcome.err);
}

#[test]
fn the_built_in_light_load_runs_with_no_services_and_says_how_it_went() {
    let shell = Shell::new();
    let outcome = shell.statim(&["load", "light", "--duration", "3s", "--seed", "9", "--json"]);
    let json = outcome.json();
    assert_eq!((&json["test_name"], number(&json, "/seed")), (&Value::from("light"), 9.0));
    assert!(number(&json, "/results/successful_requests") > 10.0, "{json}");
    // On a machine that others keep busy it may not pass, and says so.
    assert_eq!(outcome.status, if json["passed"] == true { 0 } else { 99 }, "{outcome:#?}");
    assert_eq!(std::fs::read_dir(shell.path()).expect("reads").count(), 0, "nothing is left behind");
}

#[test]
fn a_scenario_that_makes_no_sense_is_status_2_with_every_fault() {
    let shell = Shell::new();
    let file = shell.write("bad.toml", "name = \"bad\"\nthresholds = [\"p98 < 1s\"]\n[[stage]]\nduration = \"soon\"\nusers = 1\n[[mix]]\nkind = \"patient_concent\"\n");
    let file = file.to_str().expect("text");
    shell.statim(&["load", file]).refused(
        2,
        &[
            "bad.toml:2:15",
            "`p98` is no figure",
            "bad.toml:4:12",
            "stage[0].duration",
            "bad.toml:7:8",
            "did you mean patient_consent?",
        ],
    );
    shell.statim(&["load", "hevy"]).refused(2, &["no scenario is called \"hevy\"", "did you mean heavy?"]);
    shell.statim(&["load", "nowhere.toml"]).refused(2, &["nowhere.toml", "cannot be read"]);
    shell.statim(&["load", "light", "--duration", "0s"]).refused(2, &["a second to a week"]);
    shell.statim(&["load", "light", "--baseline", file]).refused(2, &["the baseline", "cannot be used"]);
    shell.statim(&["load", "light", "--url", "https://host"]).refused(1, &["is not an address such as"]);
    shell.statim(&["report", file]).refused(2, &["neither the result of a load test nor a snapshot"]);
}

#[test]
fn a_database_that_holds_anything_else_is_left_alone() {
    let shell = Shell::new();
    let studies = sample().join("studies.json");
    shell.statim(&["ingest", studies.to_str().expect("text"), "--database", "sqlite://mine.db"]).done();
    let file = short(&shell, "", 1);
    let load = |database: &str| shell.statim(&["load", &file, "--json", "--database", database]);
    load("sqlite://mine.db").refused(1, &["mine.db", "holds records or consents that are no load test's"]);
    load("sqlite://own.db").done();
    load("sqlite://own.db").done();
    load("mysql://ann:hunter2@host/db").refused(2, &["the database cannot be used"]);
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_it_early_with_what_was_measured_until_then() {
    let shell = Shell::new();
    let file = short(&shell, "", 120);
    let report: PathBuf = shell.path().join("partial");
    let child = shell
        .command(&["load", &file, "--json", "--report", "partial"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    std::thread::sleep(Duration::from_secs(8));
    let since = Instant::now();
    let killed =
        Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let output = child.wait_with_output().expect("ends");
    assert!(since.elapsed() < Duration::from_secs(60), "{:?}", since.elapsed());
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (out, err) = (text(output.stdout), text(output.stderr));
    let outcome = Outcome { status: output.status.code().expect("was not killed"), out, err };
    assert_eq!(outcome.status, 1, "{outcome:#?}");
    assert!(outcome.err.contains("was interrupted"), "{}", outcome.err);
    let json = outcome.json();
    assert!(json["interrupted"] == true && json["passed"] == false);
    assert!(number(&json, "/results/total_requests") > 0.0 && number(&json, "/seconds") < 60.0, "{json}");
    assert!(Path::new(&report).join("result.json").exists());
}
