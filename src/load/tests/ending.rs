use std::sync::Mutex;

use tokio::time::sleep;

use super::targets::*;
use crate::load::*;
use crate::sync::{Arc, lock};

#[tokio::test(start_paused = true)]
async fn a_run_drains_before_it_ends_and_no_longer_than_it_must() {
    let began = tokio::time::Instant::now();
    let result = run(scenario(100.0, 2), after(ms(300))).await;
    assert_eq!(result.results.all.successful_requests, 200);
    assert!(began.elapsed() < ms(2_400), "{:?}", began.elapsed());
    assert_eq!(result.seconds, 2.0);
    assert_eq!(result.series.last().unwrap().stage, "drain");
}

#[tokio::test(start_paused = true)]
async fn what_has_not_ended_when_the_drain_is_over_has_failed_by_timeout() {
    let mut scenario = scenario(10.0, 3);
    (scenario.drain, scenario.timeout) = (SECOND, 60 * SECOND);
    let result = run(scenario, Never).await;
    let results = &result.results;
    assert_eq!((results.all.total_requests, results.all.failed_requests), (30, 30));
    assert_eq!(results.errors, [(ErrorClass::Timeout, 30)].into());
    // The first was waited for as long as the run took.
    assert!((3_900.0..4_100.0).contains(&results.all.percentiles.max), "{results:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_tells_what_it_measured_until_then_and_has_not_passed() {
    let mut scenario = scenario(100.0, 3_600);
    scenario.thresholds = vec!["error_rate < 1%".parse().unwrap()];
    let load = Load::new(scenario, after(ms(20))).in_place();
    let result = load.cancel_on(sleep(ms(2_500))).run().await.unwrap().result;
    assert!(result.interrupted && result.thresholds[0].passed && !result.passed);
    assert!((2.5..2.6).contains(&result.seconds), "{}", result.seconds);
    assert!((248..=256).contains(&result.results.all.successful_requests), "{:?}", result.results.all);
    assert!((98.0..102.0).contains(&result.results.all.throughput), "{:?}", result.results.all);
    assert_eq!(result.results.all.failed_requests, 0);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_does_not_wait_for_a_target_that_hangs() {
    let mut scenario = scenario(100.0, 3_600);
    (scenario.drain, scenario.timeout) = (600 * SECOND, 600 * SECOND);
    let began = tokio::time::Instant::now();
    let load = Load::new(scenario, Never).in_place().cancel_on(sleep(SECOND));
    let result = load.run().await.unwrap().result;
    assert!(began.elapsed() < ms(3_200), "{:?}", began.elapsed());
    assert_eq!(result.results.all.successful_requests, 0);
    assert!(result.results.all.failed_requests >= 99, "{:?}", result.results.all);
}

#[tokio::test]
async fn a_run_on_threads_is_cancelled_too() {
    let mut scenario = scenario(2_000.0, 3_600);
    scenario.arrivals = Arrivals::Poisson;
    let load = Load::new(scenario, after(ms(1))).workers(2).cancel_on(sleep(ms(700)));
    let result = load.run().await.unwrap().result;
    assert!(result.interrupted && result.generator.workers == 2);
    assert!((700..=2_500).contains(&result.results.all.successful_requests), "{:?}", result.results.all);
    assert_eq!(result.results.all.failed_requests, 0);
}

#[tokio::test]
async fn a_target_that_panics_ends_the_run_with_an_error() {
    let panics = Does(|request: Request| async move {
        assert!(request.sequence < 10, "as the test wants it");
        Outcome::Done
    });
    let error = Load::new(scenario(1_000.0, 60), panics).run().await.unwrap_err();
    assert!(matches!(error, LoadError::Panicked { place: "the target" }), "{error:?}");
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_any_more_stops_sending() {
    let notes = Arc::new(Notes::default());
    let load = Load::new(scenario(1_000.0, 60), Arc::clone(&notes));
    let _ = tokio::time::timeout(ms(300), load.run()).await;
    sleep(ms(100)).await;
    assert!(!notes.take().is_empty());
    sleep(ms(100)).await;
    assert!(notes.take().is_empty());
}

#[tokio::test]
async fn a_kind_that_the_target_does_not_know_is_an_error_that_names_those_it_does() {
    let mut scenario = scenario(1.0, 1);
    scenario.mix.push(Share::new("mesage", 1));
    let error = Load::new(scenario, Never).run().await.unwrap_err().to_string();
    assert!(error.contains("`mesage`") && error.contains("message, alarm, bulk"), "{error}");
}

#[test]
fn without_tokio_there_is_an_error() {
    let run = Load::new(scenario(1.0, 1), Never).run();
    let error = futures_util::FutureExt::now_or_never(run).unwrap().unwrap_err();
    assert!(matches!(error, LoadError::NoRuntime));
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_once_a_second() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let mut scenario = scenario(100.0, 4);
    scenario.warm_up = SECOND;
    let load = Load::new(scenario, after(ms(1))).in_place();
    load.on_progress(move |progress| lock(&log).push(progress.clone())).run().await.unwrap();
    let told = lock(&told);
    let seen: Vec<_> = told
        .iter()
        .map(|it| (it.elapsed.as_secs(), it.stage.as_str(), it.warm_up, it.point.offered))
        .collect();
    assert_eq!(
        seen[..4],
        [
            (1, "stage 1", true, 100),
            (2, "stage 1", false, 100),
            (3, "stage 1", false, 100),
            (4, "stage 1", false, 100)
        ]
    );
    assert_eq!((told[3].sent, told[3].failed, told[3].longest), (400, 0, Some(4 * SECOND)));
}
