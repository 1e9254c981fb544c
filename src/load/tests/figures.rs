use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::targets::*;
use crate::load::*;
use crate::message::Priority;

#[tokio::test(start_paused = true)]
async fn the_warm_up_is_in_the_series_and_in_no_other_figure() {
    let began = Instant::now();
    let warms_up = Does(move |_| async move {
        if began.elapsed() < 3 * SECOND {
            sleep(ms(500)).await;
            return Outcome::Failed(ErrorClass::Handler);
        }
        sleep(ms(5)).await;
        Outcome::Done
    });
    let mut scenario = scenario(100.0, 10);
    scenario.warm_up = 3 * SECOND;
    let result = run(scenario, warms_up).await;
    let results = &result.results;
    assert_eq!((results.all.total_requests, results.all.failed_requests), (700, 0));
    assert!(results.errors.is_empty() && results.all.percentiles.max < 10.0, "{results:?}");
    assert_eq!((result.seconds, results.offered_rate, results.all.throughput), (7.0, 100.0, 100.0));
    assert!(result.series[..3].iter().all(|point| point.warm_up && point.offered == 100));
    assert!(result.series[3..].iter().all(|point| !point.warm_up));
    assert!(result.series[1].failed > 90);
    assert_eq!(result.generator.sends, 700);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_in_time_has_failed_and_counts_with_the_time_it_was_waited_for() {
    let slow_ones = Does(|request: Request| async move {
        sleep(if request.sequence.is_multiple_of(10) { 60 * SECOND } else { ms(10) }).await;
        Outcome::Done
    });
    let mut scenario = scenario(100.0, 5);
    scenario.timeout = ms(700);
    let result = run(scenario, slow_ones).await;
    let results = &result.results;
    assert_eq!((results.all.successful_requests, results.all.failed_requests), (450, 50));
    assert_eq!(results.errors, [(ErrorClass::Timeout, 50)].into());
    assert_eq!((results.all.error_rate, results.all.measured), (10.0, 500));
    assert!((700.0..703.0).contains(&results.all.percentiles.p95), "{results:?}");
    assert!(results.all.percentiles.p50 < 12.0);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_has_failed_and_says_nothing_about_latency() {
    let refuses = Does(|request: Request| async move {
        if request.sequence.is_multiple_of(4) {
            return Outcome::Failed(ErrorClass::Refused);
        }
        sleep(ms(50)).await;
        Outcome::Done
    });
    let result = run(scenario(100.0, 4), refuses).await;
    let results = &result.results;
    assert_eq!(
        (results.all.total_requests, results.all.failed_requests, results.all.measured),
        (400, 100, 300)
    );
    assert_eq!(results.all.error_rate, 25.0);
    assert!(results.all.percentiles.p50 > 49.0, "a refusal is not a fast answer: {results:?}");
    assert_eq!(results.errors, [(ErrorClass::Refused, 100)].into());
}

#[tokio::test(start_paused = true)]
async fn sends_beyond_the_bound_are_dropped_counted_and_errors_and_never_delayed() {
    let mut scenario = scenario(100.0, 4);
    scenario.in_flight = 20;
    scenario.timeout = 60 * SECOND;
    let result = run(scenario, after(SECOND)).await;
    let results = &result.results;
    // 20 at a time, each for a second: 20 of 100 in each second find room.
    assert_eq!((results.all.total_requests, results.all.successful_requests), (400, 80));
    assert_eq!((results.dropped_sends, results.all.failed_requests), (320, 320));
    assert_eq!(results.errors, [(ErrorClass::Dropped, 320)].into());
    assert_eq!((results.all.error_rate, results.all.measured), (80.0, 80));
    assert!(result.generator.lag_ms.max <= 1.01, "nothing was held back: {:?}", result.generator);
    let second = &result.series[1];
    assert_eq!((second.offered, second.sent, second.failed, second.in_flight), (100, 20, 80, 20));
}

#[tokio::test(start_paused = true)]
async fn the_bound_is_that_of_all_senders_together() {
    let mut scenario = scenario(100.0, 2);
    scenario.in_flight = 5;
    let measured = Load::new(scenario, Never).workers(3).in_place().run().await.unwrap();
    assert!(measured.result.series.iter().all(|point| point.in_flight <= 5));
    assert_eq!(measured.result.series[0].in_flight, 5);
}

#[tokio::test(start_paused = true)]
async fn figures_are_those_of_each_kind_and_priority() {
    let by_kind = Does(|request: Request| async move {
        sleep(ms([10, 1, 100][request.kind])).await;
        if request.kind == 2 { Outcome::Failed(ErrorClass::Handler) } else { Outcome::Done }
    });
    let mut scenario = scenario(1_000.0, 5);
    scenario.mix = vec![
        Share::new("message", 1),
        Share { priority: Some(Priority::Low), ..Share::new("message", 1) },
        Share::new("alarm", 1),
        Share::new("bulk", 1),
    ];
    scenario.thresholds = [
        "p99{priority=critical} < 5ms",
        "p50{kind=message} > 9ms",
        "p99{kind=message,priority=low} < 5ms",
        "error_rate{kind=bulk} >= 100%",
        "p99{kind=bulk} < 1s",
        "p99{priority=high} < 1s",
        "error_rate < 1%",
    ]
    .map(|it| it.parse().unwrap())
    .to_vec();
    let result = run(scenario, by_kind).await;
    let results = &result.results;
    let priorities: Vec<_> = results.by_priority.keys().copied().collect();
    assert_eq!(priorities, [Priority::Critical, Priority::Normal, Priority::Low]);
    assert!((10.0..12.0).contains(&results.by_kind["message"].percentiles.p50), "{results:?}");
    assert!((1.0..3.0).contains(&results.by_priority[&Priority::Critical].percentiles.p99));
    assert_eq!(results.by_kind["bulk"].successful_requests, 0);
    let total: u64 = results.by_priority.values().map(|it| it.total_requests).sum();
    let by_both: u64 =
        results.by_kind_and_priority.values().flat_map(|it| it.values()).map(|it| it.total_requests).sum();
    assert_eq!((total, by_both), (5_000, 5_000));
    let verdicts: Vec<_> = result.thresholds.iter().map(|it| (it.passed, it.observed.as_str())).collect();
    assert_eq!(
        verdicts.iter().map(|it| it.0).collect::<Vec<_>>(),
        [true, true, false, true, false, false, false]
    );
    assert_eq!((verdicts[4].1, verdicts[5].1), ("no data", "no data"));
    assert!(!result.passed);
}

#[tokio::test(start_paused = true)]
async fn the_spectrum_rises_to_the_largest_latency() {
    let target = Does(|request: Request| async move {
        sleep(Duration::from_millis(1 + request.sequence % 100)).await;
        Outcome::Done
    });
    let result = run(scenario(500.0, 4), target).await;
    let spectrum = &result.spectrum.corrected;
    assert!(
        spectrum.len() > 10 && spectrum.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1]),
        "{spectrum:?}"
    );
    assert_eq!(spectrum.last().unwrap()[0], 100.0);
    let difference = spectrum.last().unwrap()[1] - result.results.all.percentiles.max;
    assert!(difference.abs() < 0.2, "{difference}");
}
