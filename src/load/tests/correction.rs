//! A stall is seen by whoever measures from when messages were to be sent.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, sleep_until};

use super::targets::*;
use crate::load::*;

/// Blocks whoever sends for a second, once, and answers at once otherwise.
fn blocks_once() -> impl Target {
    let began = std::time::Instant::now();
    let stalled = AtomicBool::new(false);
    Does(move |_| {
        if began.elapsed() > ms(500) && !stalled.swap(true, Ordering::Relaxed) {
            std::thread::sleep(SECOND);
        }
        std::future::ready(Outcome::Done)
    })
}

#[tokio::test]
async fn a_target_that_blocks_its_sender_for_a_second_shows_it_in_p99_and_not_in_what_is_measured_from_the_send()
 {
    let mut scenario = scenario(1_000.0, 3);
    scenario.generator_lag = ms(50);
    let result = Load::new(scenario, blocks_once()).run().await.unwrap().result;
    let (corrected, uncorrected) = (result.results.all.percentiles, result.results.uncorrected.percentiles);
    assert_eq!(result.results.all.total_requests, 3_000);
    // A third of the messages was to be sent in that second: they came up to a second late.
    assert!((850.0..=1_500.0).contains(&corrected.p99), "{corrected:?}");
    assert!(corrected.p90 > 500.0, "{corrected:?}");
    // Sent in a row once the sender was free, each of them was answered at once.
    assert!(uncorrected.p50 < 5.0 && uncorrected.p99 < 50.0, "{uncorrected:?}");
    assert!(uncorrected.max > 900.0, "{uncorrected:?}");
    // It is the generator that was late, and it says so.
    assert!(result.generator.lag_ms.p99 > 850.0, "{:?}", result.generator);
    assert!(!result.generator.passed && !result.passed);
    // The messages of the stall count in the seconds in which they were to be sent.
    let offered: Vec<u64> = result.series.iter().take(3).map(|point| point.offered).collect();
    assert_eq!(offered, [1_000, 1_000, 1_000]);
}

#[tokio::test]
async fn messages_that_were_sent_after_the_end_make_the_run_longer_and_not_the_throughput_higher() {
    let slow = Does(|_| {
        std::thread::sleep(ms(2));
        std::future::ready(Outcome::Done)
    });
    let result = Load::new(scenario(2_000.0, 1), slow).run().await.unwrap().result;
    assert_eq!(result.results.all.successful_requests, 2_000);
    assert!(result.seconds > 3.9 && result.results.all.throughput < 510.0, "{:?}", result.results.all);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_stalls_for_a_second_shows_it_in_p99_though_nobody_is_blocked() {
    let began = Instant::now();
    let stalls = Does(move |_| async move {
        if (ms(1_300)..ms(2_300)).contains(&began.elapsed()) {
            sleep_until(began + ms(2_300)).await;
        }
        Outcome::Done
    });
    let result = run(scenario(1_000.0, 10), stalls).await;
    let percentiles = result.results.all.percentiles;
    assert!(percentiles.p50 <= 1.5, "{percentiles:?}");
    assert!((850.0..=1_002.0).contains(&percentiles.p99), "{percentiles:?}");
    // Nothing was held back meanwhile: the generator was on time.
    assert!(result.generator.passed && result.generator.lag_ms.max <= 1.01, "{:?}", result.generator);
    assert!(result.series[1].in_flight > 650, "{:?}", result.series[1]);
    assert_eq!((result.series[1].offered, result.series[1].sent), (1_000, 1_000));
}

#[tokio::test(start_paused = true)]
async fn a_closed_model_asks_a_stalling_target_less() {
    let began = Instant::now();
    let stalls = Does(move |_| async move {
        if (SECOND..2 * SECOND).contains(&began.elapsed()) {
            sleep_until(began + 2 * SECOND).await;
        }
        Outcome::Done
    });
    let mut scenario = scenario(0.0, 3);
    scenario.arrivals = Arrivals::Closed { think: ms(10) };
    scenario.stages[0].users = 5;
    let result = run(scenario, stalls).await;
    // The five wait: what an open model would have sent is nowhere.
    assert!(result.series[1].offered <= 5, "{:?}", result.series[1]);
    assert!(result.series[0].offered > 300, "{:?}", result.series[0]);
}
