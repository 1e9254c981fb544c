//! Agents as targets: a message carries the completion.

use std::time::Duration;

use super::targets::*;
use crate::load::*;
use crate::prelude::*;
use crate::testing::virtual_time;

struct Work {
    end: Completion,
    fails: bool,
    priority: Priority,
}

impl Message for Work {
    fn priority(&self) -> Priority {
        self.priority
    }
}

struct Worker(Duration);

impl Agent for Worker {
    type Message = Work;
    type Error = &'static str;

    async fn handle(&mut self, mut work: Work, _: &mut Context<Self>) -> Result<(), &'static str> {
        work.end.taken();
        tokio::time::sleep(self.0).await;
        if work.fails {
            return Err("as the test wants it");
        }
        work.end.finish(Outcome::Done);
        Ok(())
    }
}

struct Agents {
    worker: AgentRef<Work>,
    runtime: RuntimeHandle,
    fails: fn(&Request) -> bool,
}

impl Target for Agents {
    fn kinds(&self) -> Vec<Kind> {
        kinds()
    }

    async fn send(&self, _: Request) -> Outcome {
        unreachable!("every message is started")
    }

    fn start(&self, request: Request, end: Completion) -> Result<(), Completion> {
        let work = Work { end, fails: (self.fails)(&request), priority: request.priority };
        match self.worker.try_tell(work) {
            Ok(()) => {}
            Err(TryTellError::Closed(work)) => work.end.finish(Outcome::Failed(ErrorClass::Unavailable)),
            Err(TryTellError::Full(work) | TryTellError::Overloaded(work)) => {
                work.end.finish(Outcome::Failed(ErrorClass::Overloaded));
            }
        }
        Ok(())
    }

    fn observe(&self) -> Option<Observed> {
        Some(Observed::runtime(&self.runtime))
    }
}

fn run(
    scenario: Scenario,
    options: AgentOptions,
    service: Duration,
    fails: fn(&Request) -> bool,
) -> LoadResult {
    virtual_time(async |runtime| {
        let worker = runtime.spawn("worker", options, move || Worker(service)).unwrap();
        let target = Agents { worker, runtime: (**runtime).clone(), fails };
        let result = super::targets::run(scenario, target).await;
        runtime.stop_and_wait("worker").await;
        result
    })
}

#[test]
fn an_agent_says_itself_how_each_message_ended() {
    let result =
        run(scenario(100.0, 5), AgentOptions::default(), ms(4), |request| request.sequence.is_multiple_of(5));
    let results = &result.results;
    assert_eq!((results.all.successful_requests, results.all.failed_requests), (400, 100));
    // It was handled, and that failed.
    assert_eq!(results.errors, [(ErrorClass::Handler, 100)].into());
    assert!((4.0..8.0).contains(&results.all.percentiles.p50), "{results:?}");
}

#[test]
fn what_a_mailbox_sheds_has_failed_for_overload_and_the_series_shows_the_agent() {
    let mut scenario = scenario(200.0, 5);
    scenario.mix = vec![Share::new("bulk", 9), Share::new("alarm", 1)];
    let options = AgentOptions::default().capacity(50).overflow(Overflow::ShedLeastUrgent);
    let result = run(scenario, options, ms(10), |_| false);
    let results = &result.results;
    assert_eq!(results.all.total_requests, 1_000);
    let lost = results.errors[&ErrorClass::Overloaded];
    assert_eq!((results.errors.len(), lost), (1, results.all.failed_requests));
    assert!((350..550).contains(&lost), "{results:?}");
    let critical = &results.by_priority[&Priority::Critical];
    assert!(critical.failed_requests == 0 && critical.percentiles.p99 < 25.0, "{critical:?}");
    assert!(results.by_priority[&Priority::Low].percentiles.p50 > 100.0, "{results:?}");
    let second = &result.series[3];
    assert!(second.depth[&Priority::Low] > 20 && second.depth[&Priority::Critical] <= 1, "{second:?}");
    assert!(
        second.wait_p99_ms[&Priority::Low] > 100.0 && second.wait_p99_ms[&Priority::Critical] < 25.0,
        "{second:?}"
    );
    let seen: u64 = result.series.iter().map(|point| point.shed + point.refused).sum();
    assert_eq!(seen, lost);
    let after = result.snapshot_after.unwrap().runtime.unwrap();
    assert_eq!(after.agent("worker").unwrap().handled, results.all.successful_requests);
}

#[test]
fn what_an_agent_takes_too_long_for_has_failed_by_timeout() {
    let mut scenario = scenario(100.0, 3);
    (scenario.timeout, scenario.drain) = (ms(500), 2 * SECOND);
    let result = run(scenario, AgentOptions::default(), ms(20), |_| false);
    let results = &result.results;
    // Twice what it can: after a second the queue is half a second long.
    assert_eq!(results.all.total_requests, 300);
    assert!((150..=270).contains(&results.errors[&ErrorClass::Timeout]), "{results:?}");
    assert!(results.all.percentiles.max >= 1_400.0, "{results:?}");
}
