use std::collections::BTreeMap;

use super::targets::*;
use crate::load::*;
use crate::message::Priority;
use crate::sync::Arc;

async fn sent(scenario: Scenario, workers: usize) -> Vec<(std::time::Duration, Request)> {
    let notes = Arc::new(Notes::default());
    Load::new(scenario, Arc::clone(&notes)).workers(workers).in_place().run().await.unwrap();
    let mut sent = notes.take();
    sent.sort_by_key(|(_, request)| request.sequence);
    sent
}

#[tokio::test(start_paused = true)]
async fn constant_arrivals_are_as_many_as_the_rate_integrates_to() {
    let mut scenario = scenario(100.0, 7);
    scenario.stages = vec![
        Stage::ramp(4 * SECOND, 100.0),
        Stage::steady(ms(2_500), 33.2),
        Stage::ramp(3 * SECOND, 0.0),
        Stage::steady(SECOND, 0.0),
        Stage::ramp(2 * SECOND, 50.0),
    ];
    let expected = 200.0 + 83.0 + 49.8 + 0.0 + 50.0;
    assert_eq!(scenario.expected_messages(), expected);
    let sent = sent(scenario, 1).await;
    assert_eq!(sent.len(), 383);
    // Half of the first ramp's messages come in the last 30 % of it: the rate rises.
    let in_first = sent.iter().filter(|(at, _)| *at < 4 * SECOND).count();
    let in_second_half = sent.iter().filter(|(at, _)| (2 * SECOND..4 * SECOND).contains(at)).count();
    assert_eq!((in_first, in_second_half), (200, 150));
    // Nothing in the second without any.
    assert!(!sent.iter().any(|(at, _)| (ms(9_502)..ms(10_500)).contains(at)));
}

#[tokio::test(start_paused = true)]
async fn constant_arrivals_are_at_equal_distances_and_on_time() {
    let sent = sent(scenario(50.0, 2), 1).await;
    for (number, (at, request)) in sent.iter().enumerate() {
        let due = ms(10 + 20 * number as u64);
        assert_eq!(request.sequence, number as u64);
        assert!((due..=due + ms(1)).contains(at), "{number}: {at:?}, due {due:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn poisson_arrivals_come_by_chance_at_the_rate_in_the_mean() {
    let mut scenario = scenario(200.0, 60);
    scenario.arrivals = Arrivals::Poisson;
    let sent = sent(scenario, 1).await;
    // 12,000 with a standard deviation of 110.
    assert!((11_500..=12_500).contains(&sent.len()), "{}", sent.len());
    // In a Poisson process the variance of counts is their mean.
    let mut counts = BTreeMap::<u64, f64>::new();
    sent.iter().for_each(|(at, _)| *counts.entry(at.as_millis() as u64 / 100).or_default() += 1.0);
    let mean = sent.len() as f64 / 600.0;
    let variance = (0..600).map(|n| (counts.get(&n).unwrap_or(&0.0) - mean).powi(2)).sum::<f64>() / 599.0;
    assert!((0.75..=1.3).contains(&(variance / mean)), "mean {mean}, variance {variance}");
}

#[tokio::test(start_paused = true)]
async fn a_seed_sends_the_same_messages_however_many_send_and_another_seed_others() {
    let scenario = || {
        let mut scenario = scenario(300.0, 2);
        scenario.arrivals = Arrivals::Poisson;
        scenario.mix = vec![Share { batch_keys: 9, ..Share::new("message", 2) }, Share::new("bulk", 1)];
        scenario
    };
    let requests =
        |sent: Vec<(std::time::Duration, Request)>| sent.into_iter().map(|it| it.1).collect::<Vec<_>>();
    let one = requests(sent(scenario(), 1).await);
    assert!(one.len() > 500);
    assert_eq!(one, requests(sent(scenario(), 1).await));
    assert_eq!(one, requests(sent(scenario(), 3).await));
    let other = requests(sent(Scenario { seed: 2, ..scenario() }, 1).await);
    assert_ne!(one[..500], other[..500]);
}

#[tokio::test(start_paused = true)]
async fn the_mix_is_drawn_by_weight_with_priorities_keys_and_users() {
    let mut scenario = scenario(1_000.0, 10);
    scenario.mix = vec![
        Share { batch_keys: 4, ..Share::new("alarm", 1) },
        Share { priority: Some(Priority::Low), ..Share::new("message", 3) },
        Share { priority: Some(Priority::Critical), ..Share::new("bulk", 6) },
    ];
    scenario.stages[0].users = 7;
    let sent: Vec<Request> = sent(scenario, 1).await.into_iter().map(|it| it.1).collect();
    let of = |share: usize| sent.iter().filter(move |it| it.share == share);
    for (share, expected) in [(0, 1_000.0), (1, 3_000.0), (2, 6_000.0_f64)] {
        let count = of(share).count() as f64;
        assert!((count - expected).abs() < 4.0 * expected.sqrt(), "share {share}: {count}");
    }
    // The place in the target's kinds; as urgent as the kind, or less if the mix says so, never more.
    assert!(of(0).all(|it| (it.kind, it.priority) == (1, Priority::Critical)));
    assert!(of(1).all(|it| (it.kind, it.priority) == (0, Priority::Low)));
    assert!(of(2).all(|it| (it.kind, it.priority, it.key) == (2, Priority::Low, None)));
    for key in 0..4 {
        let count = of(0).filter(|it| it.key == Some(key)).count();
        assert!((180..=320).contains(&count), "key {key}: {count}");
    }
    assert!(sent.iter().all(|it| u64::from(it.user) == it.sequence % 7));
}

#[tokio::test(start_paused = true)]
async fn a_slow_target_is_sent_no_less() {
    let mut scenario = scenario(100.0, 5);
    scenario.timeout = 60 * SECOND;
    let result = run(scenario, after(4 * SECOND)).await;
    assert_eq!(result.results.all.successful_requests, 500);
    assert!((4_000.0..4_010.0).contains(&result.results.all.percentiles.p50));
    assert!(result.series.iter().take(5).all(|point| point.sent == 100));
    assert_eq!(result.series[3].in_flight, 400);
}
