//! What operators do: acknowledge, silence, change rules and sinks, look at what is open.

use std::sync::Arc;
use std::time::Duration;

use statim::alert::service::{AlertLedger, AlertSetup, SetupError};
use statim::alert::sink::Sink;
use statim::alert::{Labels, Matcher, Rule, Silence};

use crate::bench::{Bench, Database, METRIC, STEP, on_both, rule, setup, until};
use crate::receiver::{Answer, Receiver};

fn sinks(receivers: &[&Arc<Receiver>]) -> Vec<Arc<dyn Sink>> {
    receivers.iter().map(|it| Arc::clone(it) as Arc<dyn Sink>).collect()
}

fn silence(id: &str, agent: &str, from: u64, until: u64) -> Silence {
    Silence {
        id: id.to_owned(),
        matchers: vec![Matcher::is("agent", agent)],
        starts: Bench::at(from),
        ends: Bench::at(until),
        by: "ann".to_owned(),
        comment: "upgrade".to_owned(),
    }
}

on_both! {
    async fn another_process_sees_what_is_open_acknowledges_and_silences(database: Database) {
        let receiver = Receiver::new("one");
        let restless = Rule { repeat: Duration::from_secs(2 * STEP), ..rule() };
        let mut bench = Bench::open(&database, setup(vec![restless], sinks(&[&receiver]))).await;
        let store = database.store().await;
        let ledger = AlertLedger::open(&store).await.unwrap();
        assert!(ledger.open_alerts().await.unwrap().is_none());
        bench.step(&[("a", 20.0), ("b", 20.0)]).await;
        bench.sent().await;
        let (_, open) = ledger.open_alerts().await.unwrap().unwrap();
        assert_eq!(open, bench.service.open_alerts());
        assert_eq!((open.len(), open[0].told.as_slice()), (2, &["one".to_owned()][..]));
        for it in &open {
            ledger.acknowledge(&it.alert.dedup_key, "ann").await.unwrap();
        }
        ledger.acknowledge("no such key", "ann").await.unwrap();
        ledger.silence(silence("s", "c", 0, 1_000_000)).await.unwrap().unwrap();
        assert!(ledger.silence(silence("s", "c", 9, 9)).await.unwrap().is_err());
        bench.step(&[("a", 20.0), ("b", 20.0), ("c", 20.0)]).await;
        bench.sent().await;
        let (_, open) = ledger.open_alerts().await.unwrap().unwrap();
        let of = |agent: &str| open.iter().find(|it| it.alert.labels.get("agent") == agent).unwrap();
        assert_eq!(of("a").acknowledged.as_ref().unwrap().by, "ann");
        assert_eq!((of("c").silenced.as_deref(), of("c").told.len()), (Some("s"), 0));
        // Acknowledged, it is not repeated; silenced, nobody is told.
        for _ in 0..4 {
            bench.step(&[("a", 20.0), ("b", 20.0), ("c", 20.0)]).await;
        }
        ledger.lift_silence("s").await.unwrap();
        bench.step(&[("a", 20.0), ("b", 20.0), ("c", 20.0)]).await;
        bench.sent().await;
        let mut told = receiver.told();
        told.sort();
        let expected = ["acknowledged a:acknowledged", "acknowledged b:acknowledged", "fired a:firing", "fired b:firing", "fired c:firing"];
        assert_eq!(told, expected);
        store.close().await;
        bench.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_itself_acknowledges_and_silences() {
    let (database, receiver) = (Database::sqlite(), Receiver::new("one"));
    let mut bench = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
    assert!(bench.service.acknowledge("x", "ann").await.unwrap_err().to_string().contains("another process"));
    bench.step(&[("a", 20.0)]).await;
    let key = bench.service.open_alerts()[0].alert.dedup_key.clone();
    bench.service.acknowledge(&key, "ann").await.unwrap();
    assert_eq!(bench.service.open_alerts()[0].acknowledged.as_ref().unwrap().by, "ann");
    let refused = bench.service.acknowledge("x", "ann").await.unwrap_err();
    assert!(refused.to_string().contains("nothing fires"), "{refused}");
    let now = bench.service.now();
    let lasting = Silence { ends: now.after(Duration::from_hours(1)), ..silence("s", "b", 0, 1) };
    bench.service.silence(lasting).await.unwrap();
    bench.service.lift_silence("s").await.unwrap();
    assert!(bench.service.lift_silence("s").await.is_err());
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_is_all_or_nothing_and_what_stays_goes_on_where_it_stood() {
    let database = Database::sqlite();
    let (one, other) = (Receiver::new("one"), Receiver::new("other"));
    let second = Rule { name: "Second".to_owned(), ..rule() };
    let mut bench = Bench::open(&database, setup(vec![rule(), second.clone()], sinks(&[&one]))).await;
    bench.step(&[("a", 20.0)]).await;
    bench.sent().await;
    assert_eq!(one.told(), ["fired a:firing a:firing"]);
    // Twice the name: nothing changes.
    let wrong = setup(vec![rule(), rule()], sinks(&[&one]));
    assert!(matches!(bench.service.reload(wrong).await, Err(SetupError::Rules(_))));
    let wrong = setup(vec![rule()], sinks(&[&one, &one]));
    assert!(matches!(bench.service.reload(wrong).await, Err(SetupError::SinkTwice(_))));
    assert_eq!(bench.service.open_alerts().len(), 2);
    // One rule goes, and a sink comes.
    bench.service.reload(setup(vec![rule()], sinks(&[&one, &other]))).await.unwrap();
    assert_eq!(bench.service.open_alerts().len(), 1);
    bench.step(&[("a", 20.0)]).await;
    bench.sent().await;
    assert_eq!(one.told()[1..], ["resolved a:resolved"]);
    assert_eq!(other.told(), ["fired a:firing"]);
    // Another interval, with what fires kept.
    let slower = setup(vec![rule()], sinks(&[&one, &other]));
    let engine = statim::alert::EngineOptions { interval: Duration::from_secs(20), ..slower.engine.clone() };
    bench.service.reload(AlertSetup { engine, ..slower }).await.unwrap();
    assert!(bench.service.open_alerts()[0].firing);
    bench.step(&[("a", 1.0)]).await;
    bench.sent().await;
    assert_eq!(other.told(), ["fired a:firing", "resolved a:resolved"]);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_sink_that_is_taken_away_is_undeliverable() {
    let (database, gone, kept) = (Database::sqlite(), Receiver::new("gone"), Receiver::new("kept"));
    let mut bench = Bench::open(&database, setup(vec![rule()], sinks(&[&gone, &kept]))).await;
    gone.always(Answer::Status(503, None));
    bench.step(&[("a", 20.0)]).await;
    until(|| !gone.asked().is_empty()).await;
    bench.service.reload(setup(vec![rule()], sinks(&[&kept]))).await.unwrap();
    until(|| bench.service.waiting() == 0).await;
    bench.step(&[("a", 1.0)]).await;
    bench.sent().await;
    assert_eq!(kept.told(), ["fired a:firing", "resolved a:resolved"]);
    let ledger = AlertLedger::open(&database.store().await).await.unwrap();
    let refused = ledger.deliveries(Some("undeliverable"), 10).await.unwrap();
    assert!(refused.iter().all(|it| it.sink == "gone") && refused.len() <= 1, "{refused:?}");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_say_how_alerting_does() {
    let (database, receiver) = (Database::sqlite(), Receiver::new("one"));
    let mut bench = Bench::open(&database, setup(vec![rule()], sinks(&[&receiver]))).await;
    let mut fail = 1;
    receiver.answer(move |_| {
        fail -= 1;
        if fail == 0 { Answer::Status(503, None) } else { Answer::Take }
    });
    bench.step(&[("a", 20.0)]).await;
    bench.sent().await;
    bench.service.observe_value(METRIC, &Labels::none(), f64::NAN, Bench::at(11));
    bench.step(&[("a", 20.0)]).await;
    let mut seen = Vec::new();
    let metrics = bench.service.metrics();
    statim::monitor::MetricSource::samples(&metrics, &mut |sample| {
        let labels: Vec<_> = sample.labels.iter().map(|(_, value)| *value).collect();
        seen.push(format!("{} {} {}", sample.name, labels.join(","), sample.as_number().unwrap()));
    });
    for line in [
        "statim_alert_leading  1",
        "statim_alert_evaluations_total  2",
        "statim_alert_rules  1",
        "statim_alert_label_sets  1",
        "statim_alert_refused_samples_total  1",
        "statim_alerts_firing Deep,warning 1",
        "statim_alert_outbox_notifications one 0",
        "statim_alert_deliveries_total one,delivered 1",
        "statim_alert_deliveries_failed_total one 1",
        "statim_alert_delivery_retries_total one 1",
        "statim_alert_saves_failed_total  0",
    ] {
        assert!(seen.iter().any(|it| it == line), "{line} is not in {seen:#?}");
    }
    assert!(seen.iter().any(|it| it.starts_with("statim_alert_last_delivery_timestamp_seconds one 1")));
    bench.close().await;
}
