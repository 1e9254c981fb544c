//! `investigate`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use statim::alert::Action;
use statim::monitor::{Monitor, MonitorOptions};
use statim::prelude::*;
use statim::remedy::{Bundle, Deed, Remedies, RemedyOptions, RemedyOutcome, Skip};

use crate::support::{Done, alert, at, doers, eventually, failing, load};

fn action(most_bytes: u64) -> Action {
    Action::Investigate { most_bytes, cooldown: Duration::from_mins(10) }
}

fn remedies(runtime: &Runtime, monitor: &Monitor, folder: &Path) -> Remedies {
    let options = RemedyOptions { bundles: Some(folder.to_owned()), ..RemedyOptions::default() };
    Remedies::new(runtime, monitor, options)
}

fn bundle(outcome: RemedyOutcome) -> Bundle {
    match outcome {
        RemedyOutcome::Done { what: Deed::Investigated { bundle } } => bundle,
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn a_bundle_tells_who_stands_out_and_where_the_time_goes_and_nothing_of_a_message() {
    const JOBS: usize = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::builder().arbiters(1).cpu_time(true).start().unwrap();
    let done = Done::of(JOBS);
    let busy = doers(&runtime, "busy", AgentOptions::default().pool(Pool::Shared(1)), &done);
    let fails = failing(&runtime, "fails");
    let options = MonitorOptions { latency_interval: Duration::ZERO, ..MonitorOptions::default() };
    let monitor = Monitor::new(&runtime, options);
    monitor.look();
    load(&busy, 0..JOBS).join().unwrap();
    load(&fails, 0..50).join().unwrap();
    eventually("the work", || {
        done.total() == JOBS && runtime.snapshot().agent("fails").unwrap().failed == 50
    });
    // Letters that still have their messages.
    let stopped = doers(&runtime, "stopped", AgentOptions::default(), &done);
    stopped.pause().unwrap();
    runtime.block_on(stopped.inspect()).unwrap();
    load(&stopped, 0..3).join().unwrap();
    stopped.stop_now().unwrap();
    eventually("the letters", || runtime.dead_letters().len() == 53);
    let has_body = |body: &Option<Vec<u8>>| body.as_ref().is_some_and(|it| it.ends_with(b"diagnosis"));
    assert!(runtime.dead_letters().iter().any(|letter| has_body(&letter.body)));
    runtime.block_on(async {
        runtime.scale("busy", 3).await.unwrap();
        runtime.restart("fails").await.unwrap();
    });
    monitor.look();
    let remedies = remedies(&runtime, &monitor, &folder.path().join("made/if/missing"));
    let action = action(64 << 20);
    let told = alert("ErrorRateHigh", "fails", &action);
    let bundle = bundle(runtime.block_on(remedies.fired(&told, &action, at(0))));

    let files = ["agents", "alert", "events", "history", "manifest", "snapshot", "system"];
    let mut all = String::new();
    let mut read = |file: &str| {
        let text = fs::read_to_string(bundle.path.join(file)).unwrap();
        all.push_str(&text);
        text
    };
    let [agents, written, events, history, manifest, snapshot, system] =
        files.map(|file| serde_json::from_str::<serde_json::Value>(&read(&format!("{file}.json"))).unwrap());
    let log = read("latency.hlog");
    assert_eq!(fs::read_dir(&bundle.path).unwrap().count(), files.len() + 2);
    assert!(bundle.path.file_name().unwrap().to_str().unwrap().ends_with("-ErrorRateHigh"));
    assert_eq!(written["labels"]["agent"], "fails");
    assert_eq!(agents["top"]["failed"][0]["agent"], "fails");
    assert_eq!(agents["top"]["failed_last_5_minutes"][0]["value"], 50.0);
    assert_eq!(agents["top"]["busy_seconds"][0]["agent"], "busy");
    assert!(agents["top"]["cpu_seconds"][0]["value"].as_f64().unwrap() > 0.0);
    let time = agents["time"].as_array().unwrap().iter().find(|it| it["agent"] == "busy").unwrap();
    // It slept in its handlers.
    assert!(time["of_these_waiting_seconds"].as_f64().unwrap() > 0.001, "{time}");
    assert!(time["messages_waited_seconds"].as_f64().unwrap() > 0.0);
    let what: Vec<_> = events["events"].as_array().unwrap().iter().map(|it| it["what"].clone()).collect();
    assert!(what.contains(&serde_json::json!("rebuilt_as_asked")), "{what:?}");
    assert!(what.contains(&serde_json::json!({ "scaled": { "from": 1, "to": 3 } })), "{what:?}");
    let letters = events["dead_letters"].as_array().unwrap();
    assert_eq!((letters.len(), letters[0]["reason"].as_str()), (53, Some("undeliverable")));
    assert_eq!(history.as_array().unwrap().len(), 4);
    assert!(log.contains("[Histogram log format version 1.3]") && log.contains("Tag=normal"));
    assert_eq!(snapshot["agents_in_all"], 2);
    assert!(system["threads"].as_array().is_none_or(|it| it.iter().any(|it| it["name"] == "statim-bundle")));
    assert!(manifest["left_out"].as_array().unwrap().is_empty());
    for secret in ["diagnosis", "patient"] {
        assert!(!all.contains(secret));
    }
    let bytes: u64 =
        fs::read_dir(&bundle.path).unwrap().map(|it| it.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(bytes, bundle.bytes);
}

#[test]
fn bundles_of_a_rule_rest_in_between_and_a_failure_is_told_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let monitor = Monitor::new(&runtime, MonitorOptions::default());
    let action = action(64 << 20);
    let told = alert("r", "a", &action);
    runtime.block_on(async {
        let none = Remedies::new(&runtime, &monitor, RemedyOptions::default());
        let outcome = none.fired(&told, &action, at(0)).await;
        assert!(matches!(outcome, RemedyOutcome::Skipped { why: Skip::NoFolder }), "{outcome:?}");

        let good = remedies(&runtime, &monitor, folder.path());
        bundle(good.fired(&told, &action, at(0)).await);
        let early = good.fired(&told, &action, at(599)).await;
        assert!(matches!(early, RemedyOutcome::Skipped { why: Skip::Cooldown { .. } }), "{early:?}");
        bundle(good.fired(&alert("other", "a", &action), &action, at(1)).await);
        bundle(good.fired(&told, &action, at(600)).await);

        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let bad = remedies(&runtime, &monitor, &file);
        let outcome = bad.fired(&told, &action, at(0)).await;
        assert!(matches!(&outcome, RemedyOutcome::Failed { .. }), "{outcome:?}");
        assert!(outcome.to_string().contains("cannot be used"), "{outcome}");
        let again = bad.fired(&told, &action, at(59)).await;
        assert!(matches!(again, RemedyOutcome::Skipped { why: Skip::Cooldown { .. } }), "{again:?}");
        assert!(matches!(bad.fired(&told, &action, at(60)).await, RemedyOutcome::Failed { .. }));
    });
}
