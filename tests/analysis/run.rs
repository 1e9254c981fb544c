//! From a load test to its report, in virtual time: the run, its file, the analysis, the curve.

use std::time::Duration;

use statim::analysis::{Analysis, BottleneckKind, Evidence, analyse};
use statim::load::{
    Completion, Kind, Load, LoadResult, Observed, Outcome, Request, Scenario, Share, Stage, Target,
};
use statim::prelude::*;
use statim::testing::virtual_time;

/// What a message takes: 200 a second.
const SERVICE: Duration = Duration::from_millis(5);

struct Work(Completion);

impl Message for Work {}

struct Worker;

impl Agent for Worker {
    type Message = Work;
    type Error = std::convert::Infallible;

    async fn handle(&mut self, work: Work, _: &mut Context<Self>) -> Result<(), Self::Error> {
        tokio::time::sleep(SERVICE).await;
        work.0.finish(Outcome::Done);
        Ok(())
    }
}

struct Agents {
    worker: AgentRef<Work>,
    runtime: RuntimeHandle,
}

impl Target for Agents {
    fn kinds(&self) -> Vec<Kind> {
        vec![Kind::new("work", Priority::Normal)]
    }

    async fn send(&self, _: Request) -> Outcome {
        unreachable!("every message is started")
    }

    fn start(&self, _: Request, end: Completion) -> Result<(), Completion> {
        self.worker.try_tell(Work(end)).ok().unwrap();
        Ok(())
    }

    fn observe(&self) -> Option<Observed> {
        Some(Observed::runtime(&self.runtime))
    }
}

/// Runs these rates for 20 s each.
fn run(rates: &[f64]) -> LoadResult {
    let stage = |rate: &f64| Stage::steady(Duration::from_secs(20), *rate);
    let mut scenario = Scenario::new("steps", rates[0], Duration::from_secs(20));
    scenario.stages = rates.iter().map(stage).collect();
    scenario.mix = vec![Share::new("work", 1)];
    scenario.thresholds = vec!["p99 < 100ms".parse().unwrap()];
    virtual_time(async |runtime| {
        let worker = runtime.spawn("worker", AgentOptions::default(), || Worker).unwrap();
        let target = Agents { worker, runtime: (**runtime).clone() };
        let measured = Load::new(scenario, target).in_place().run().await.unwrap();
        runtime.stop_and_wait("worker").await;
        measured.result
    })
}

/// What is made of the run's file.
fn analysed(result: &LoadResult) -> Analysis {
    let file = serde_json::to_vec(result).unwrap();
    let analysis = analyse(&Evidence::read(&file).unwrap());
    println!("{}", analysis.markdown());
    analysis
}

#[test]
fn a_run_beyond_its_limit_names_the_agent_and_forecasts_what_it_can() {
    // From a fifth of what it can to above it.
    let analysis = analysed(&run(&[40.0, 80.0, 120.0, 150.0, 170.0, 185.0, 195.0, 220.0]));
    let first = &analysis.bottlenecks[0];
    assert_eq!((first.kind, first.resource.as_str()), (BottleneckKind::Agent, "worker"));
    assert_eq!(analysis.bottlenecks.len(), 1, "{:?}", analysis.bottlenecks);
    let bound = analysis.forecast.bound.as_ref().unwrap();
    assert!((195.0..205.0).contains(&bound.most), "{bound:?}");
    let law = analysis.forecast.law.as_ref().unwrap_or_else(|| panic!("{:?}", analysis.forecast));
    assert!(law.interval[0] <= 200.0 * 1.05 && law.interval[1] >= 200.0 * 0.9, "{law:?}");
    // One message at a time is contention.
    assert!(law.alpha > 0.2 && law.beta < 1e-3, "{law:?}");
    assert!(!analysis.verdict.healthy);
    assert!(analysis.responses[0].wanted_p99 == Some(0.1) && analysis.responses[0].met == Some(false));
}

#[test]
fn a_run_within_its_limits_names_nothing_and_fits_no_law_to_one_level() {
    let analysis = analysed(&run(&[40.0]));
    assert!(analysis.bottlenecks.is_empty(), "{:?}", analysis.bottlenecks);
    assert!(analysis.verdict.healthy, "{:?}", analysis.verdict);
    assert!(analysis.forecast.law.is_none() && analysis.forecast.refused.is_some());
    assert!(analysis.responses[0].met == Some(true));
}
