//! Every decision is told to the runtime's listener, and what matters to the log.

use std::sync::{Arc, Mutex};

use statim::prelude::*;
use statim::resilience::{BreakerState, Decision, Environment, Event, LogListener, Outcome};
use statim::{LinkOptions, Runtime};
use tracing::field::{Field, Visit};
use tracing::{Level, Metadata, Subscriber, span};

use crate::support::{Work, trips_after_two, worker};

#[test]
fn the_runtimes_listener_hears_every_decision_of_a_link() {
    let heard: Arc<Mutex<Vec<(String, Decision)>>> = Arc::default();
    let ear = Arc::clone(&heard);
    let runtime = Runtime::builder()
        .arbiters(1)
        .guard_listener(move |event: &Event<'_>| {
            ear.lock().unwrap().push((event.guard.to_owned(), event.decision));
        })
        .start()
        .unwrap();
    let (agent, _) = worker(&runtime, AgentOptions::default());
    let link = agent.guarded("sender", &LinkOptions::default().breaker(trips_after_two())).unwrap();
    for _ in 0..2 {
        link.tell_blocking(Work::Fail).unwrap();
        crate::support::eventually(|| {
            link.snapshot().outcomes.values().sum::<u64>() == link.snapshot().offered
        });
    }
    assert!(link.tell_blocking(Work::Do(1)).is_err());
    link.tell_blocking(Work::Now(1)).unwrap();
    runtime.shutdown_blocking();
    let heard = heard.lock().unwrap();
    assert!(heard.iter().all(|(guard, _)| guard == "sender -> worker"), "{heard:?}");
    let decisions: Vec<_> = heard.iter().map(|(_, decision)| *decision).collect();
    let recorded = |it: &Decision| matches!(it, Decision::CallRecorded { outcome: Outcome::Failure, .. });
    assert_eq!(decisions.iter().filter(|it| recorded(it)).count(), 2);
    for expected in [
        Decision::CallPermitted { probe: false },
        Decision::StateChanged { from: BreakerState::Closed, to: BreakerState::Open },
        Decision::CallRefused { state: BreakerState::Open },
        Decision::Exempted { priority: Priority::Critical },
    ] {
        assert!(decisions.contains(&expected), "{expected:?} in {decisions:?}");
    }
}

#[test]
fn the_log_says_trips_at_warn_changes_at_info_refusals_at_debug_and_nothing_of_what_passes() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (time, clock) = statim::resilience::Time::manual();
    let environment = Environment::default().time(time).listener(LogListener);
    let breaker =
        statim::resilience::CircuitBreaker::new("pharmacy", &trips_after_two(), &environment).unwrap();
    breaker.try_acquire().unwrap().success();
    assert_eq!(log.take(), [] as [(Level, String); 0]);
    for _ in 0..2 {
        breaker.try_acquire().unwrap().failure();
    }
    let said = log.take();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].0, Level::WARN);
    let line = &said[0].1;
    assert!(["pharmacy", "closed", "open", "refuses calls"].iter().all(|it| line.contains(it)), "{line}");
    assert!(breaker.try_acquire().is_err());
    let said = log.take();
    assert_eq!((said.len(), said[0].0), (1, Level::DEBUG), "{said:?}");
    clock.advance(std::time::Duration::from_secs(10));
    breaker.try_acquire().unwrap().success();
    let said = log.take();
    assert_eq!(said.iter().map(|it| it.0).collect::<Vec<_>>(), [Level::INFO; 2], "{said:?}");
    assert!(said[1].1.contains("half") && said[1].1.contains("closed"), "{said:?}");
    let options = statim::resilience::AdmissionOptions::default();
    let admission = statim::resilience::AdmissionController::new("intake", &options, &environment).unwrap();
    for _ in 0..40 {
        let _ = admission.admit(Priority::Low);
        admission.observe(Priority::Low, std::time::Duration::from_secs(1));
        clock.advance(std::time::Duration::from_millis(10));
    }
    let said = log.take();
    assert!(
        said.iter().any(|it| it.0 == Level::INFO && it.1.contains("admission control changed")),
        "{said:?}"
    );
    assert!(said.iter().any(|it| it.0 == Level::DEBUG && it.1.contains("Shed")), "{said:?}");
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(String);
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                self.0.push_str(&format!("{field}={value:?} "));
            }
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push((*event.metadata().level(), fields.0));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
