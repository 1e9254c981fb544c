use std::time::Duration;

use super::targets::*;
use crate::load::*;

/// 1,000 messages a second, and what would wait longer than a second and a half is refused.
fn server() -> Server {
    Server::new(ms(1), ms(1_500))
}

fn climbing() -> Scenario {
    let mut scenario = scenario(0.0, 0);
    scenario.stages.clear();
    scenario.arrivals = Arrivals::Poisson;
    scenario.mix = vec![Share::new("bulk", 9), Share::new("alarm", 1)];
    scenario.in_flight = 100_000;
    scenario.breaking = Some(Breaking {
        start_rate: 100.0,
        factor: 1.5,
        step: 10 * SECOND,
        critical_bound: Some(ms(20)),
        cool_down: CoolDown { rate: 100.0, longest: 60 * SECOND, factor: 3.0, hold: 3 },
        ..Breaking::default()
    });
    scenario
}

#[tokio::test(start_paused = true)]
async fn the_rate_at_which_a_target_breaks_is_found_with_the_reason() {
    let result = run(climbing(), server()).await;
    let breaking = result.breaking.unwrap();
    // 100 · 1.5⁵ is 759, 100 · 1.5⁶ is 1,139: the first above what the server can.
    let rate = breaking.breaking_rate.unwrap();
    assert!((rate - 1_139.0).abs() < 1.0, "{breaking:#?}");
    assert!(breaking.why.contains('%'), "{}", breaking.why);
    assert_eq!(breaking.steps.iter().filter(|step| !step.broken).count(), 6);
    let knee = breaking.knee_rate.unwrap();
    assert!((700.0..1_800.0).contains(&knee), "{knee}");
}

#[tokio::test(start_paused = true)]
async fn beyond_the_breaking_point_it_goes_on_to_see_whether_critical_messages_keep_their_bound() {
    let result = run(climbing(), server()).await;
    let breaking = result.breaking.unwrap();
    let broken: Vec<_> = breaking.steps.iter().filter(|step| step.broken).collect();
    assert_eq!(broken.len(), 3, "the one that broke and two beyond: {breaking:#?}");
    assert!(broken.iter().all(|step| step.p99_ms.unwrap() > 1_000.0), "{breaking:#?}");
    assert!(broken.iter().all(|step| step.critical_p99_ms.unwrap() < 20.0), "{breaking:#?}");
    assert_eq!((breaking.critical_bound_ms, breaking.critical_held), (Some(20.0), Some(true)));
}

#[tokio::test(start_paused = true)]
async fn after_the_storm_it_measures_how_long_the_target_takes_to_be_normal() {
    let result = run(climbing(), server()).await;
    let breaking = result.breaking.unwrap();
    // A queue of a second and a half, and arrivals of a tenth of what the server can meanwhile.
    let recovery = breaking.recovery_seconds.unwrap();
    assert!((1.0..=3.0).contains(&recovery), "{breaking:#?}");
    let cool_down: Vec<_> = result.series.iter().filter(|point| point.stage == "cool-down").collect();
    assert_eq!(cool_down.len(), recovery as usize + 3, "it ends as soon as it is known");
    assert!(cool_down[0].p99.unwrap() > 1_000.0);
    assert!(cool_down.iter().all(|point| (50..=160).contains(&point.offered)));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_not_normal_again_has_no_recovery_time() {
    let hangs_once_overloaded = {
        let server = server();
        let overloaded = std::sync::atomic::AtomicBool::new(false);
        Does(move |request: Request| {
            let server = server.clone();
            use std::sync::atomic::Ordering::Relaxed;
            if request.sequence > 12_000 {
                overloaded.store(true, Relaxed);
            }
            let slow = overloaded.load(Relaxed);
            async move {
                let outcome = server.send(request).await;
                if slow {
                    tokio::time::sleep(ms(900)).await;
                }
                outcome
            }
        })
    };
    let mut scenario = climbing();
    scenario.breaking.as_mut().unwrap().cool_down.longest = 20 * SECOND;
    let result = run(scenario, hangs_once_overloaded).await;
    let breaking = result.breaking.unwrap();
    assert!(breaking.breaking_rate.is_some());
    assert_eq!(breaking.recovery_seconds, None);
    assert_eq!(result.series.iter().filter(|point| point.stage == "cool-down").count(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_does_not_break_has_no_breaking_point_and_no_knee() {
    let mut scenario = climbing();
    scenario.breaking.as_mut().unwrap().most_rate = 500.0;
    let result = run(scenario, after(ms(2))).await;
    let breaking = result.breaking.unwrap();
    assert_eq!(breaking.steps.len(), 4);
    assert_eq!((breaking.breaking_rate, breaking.knee_rate, breaking.recovery_seconds), (None, None, None));
    assert_eq!(breaking.why, "it did not break up to 338 messages a second");
    assert_eq!(result.series.len(), 41, "no cool-down");
}

#[tokio::test(start_paused = true)]
async fn latency_and_errors_break_a_step_too() {
    let mut scenario = climbing();
    let breaking = scenario.breaking.as_mut().unwrap();
    (breaking.p99, breaking.most_rate) = (Some(ms(10)), 300.0);
    let result = run(scenario.clone(), after(ms(15))).await.breaking.unwrap();
    assert_eq!(result.breaking_rate, Some(100.0));
    assert!(result.why.contains("99th percentile"), "{}", result.why);

    scenario.breaking.as_mut().unwrap().p99 = None;
    scenario.breaking.as_mut().unwrap().completed_ratio = 0.5;
    let refuses = Does(|request: Request| async move {
        if request.sequence.is_multiple_of(10) { Outcome::Failed(ErrorClass::Refused) } else { Outcome::Done }
    });
    let result = run(scenario, refuses).await.breaking.unwrap();
    assert_eq!(result.breaking_rate, Some(100.0));
    assert!(result.why.contains("% failed"), "{}", result.why);
}

#[tokio::test(start_paused = true)]
async fn steps_come_after_stages_and_a_cancelled_climb_tells_the_steps_it_finished() {
    let mut scenario = climbing();
    scenario.stages = vec![Stage::steady(5 * SECOND, 50.0)];
    let load = Load::new(scenario, server()).in_place();
    let cancel = tokio::time::sleep(Duration::from_secs(28));
    let result = load.cancel_on(cancel).run().await.unwrap().result;
    assert!(result.interrupted);
    assert_eq!(result.breaking.unwrap().steps.len(), 2);
    let stages: Vec<_> = [0, 5, 15, 25].map(|second| result.series[second].stage.as_str()).into();
    assert_eq!(stages, ["stage 1", "step 1", "step 2", "step 3"]);
}
