use super::targets::*;
use crate::load::*;

fn closed(users: u32, think: u64, seconds: u64) -> Scenario {
    let mut scenario = scenario(0.0, seconds);
    scenario.arrivals = Arrivals::Closed { think: ms(think) };
    scenario.stages[0].users = users;
    scenario
}

#[tokio::test(start_paused = true)]
async fn each_user_sends_waits_thinks_and_sends_again() {
    // A round of 40 + 60 ms, and some milliseconds of Tokio's clock.
    let result = run(closed(20, 60, 20), after(ms(40))).await;
    let all = &result.results.all;
    assert!((3_800..=4_001).contains(&all.total_requests), "{all:?}");
    assert_eq!(all.failed_requests, 0);
    assert!(result.series.iter().all(|point| point.in_flight <= 20));
    assert!((39.0..45.0).contains(&all.percentiles.p50), "{all:?}");
    assert_eq!(result.generator.users, 20);
}

#[tokio::test(start_paused = true)]
async fn users_come_with_a_ramp_and_go_with_one() {
    let mut scenario = closed(0, 10, 0);
    scenario.stages = vec![Stage::ramp(10 * SECOND, 0.0).users(100), Stage::ramp(10 * SECOND, 0.0).users(0)];
    let result = run(scenario, after(ms(90))).await;
    let offered: Vec<u64> = result.series.iter().map(|point| point.offered).collect();
    assert!(offered[1] < offered[4] && offered[4] < offered[9], "{offered:?}");
    assert!(offered[18] * 2 < offered[11] && offered[15] < offered[11], "{offered:?}");
    assert!(result.series[9].in_flight > 80, "{:?}", result.series[9]);
}

#[tokio::test(start_paused = true)]
async fn two_senders_speak_for_all_users_between_them() {
    let (one, two) = (closed(11, 10, 5), closed(11, 10, 5));
    let one = run(one, after(ms(10))).await.results.all.total_requests;
    let two = Load::new(two, after(ms(10))).workers(2).in_place().run().await.unwrap();
    let two = two.result.results.all.total_requests;
    assert!(one.abs_diff(two) < one / 20, "{one} and {two}");
}

#[tokio::test(start_paused = true)]
async fn a_user_whose_message_times_out_goes_on() {
    let mut scenario = closed(3, 100, 10);
    scenario.timeout = ms(400);
    let result = run(scenario, Never).await;
    let all = &result.results.all;
    // Three users, a round of half a second, for ten seconds.
    assert!((55..=63).contains(&all.failed_requests), "{all:?}");
    assert_eq!(result.results.errors[&ErrorClass::Timeout], all.failed_requests);
}
