//! Databases, rules and a service to test.

use std::sync::Arc;
use std::time::Duration;

use statim::alert::service::{AlertService, AlertSetup, ServiceOptions};
use statim::alert::sink::Sink;
use statim::alert::{
    Aggregate, Comparison, Condition, DispatchOptions, EngineOptions, Flap, Labels, Moment, Rule, Threshold,
};
use statim::resilience::{Backoff, BreakerOptions, RateLimitOptions};
use statim::store::{Store, StoreOptions};

/// The evaluation interval of these tests, in seconds of their own time.
pub(crate) const STEP: u64 = 10;
pub(crate) const METRIC: &str = "ward_depth";

/// A database that is gone with this.
pub(crate) struct Database {
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("statim.db").display());
        Self { url, _folder: Some(folder) }
    }

    /// On the PostgreSQL that this test process shares.
    pub(crate) fn postgres() -> Self {
        Self { url: statim_servers::database("alerts").expect("a private PostgreSQL"), _folder: None }
    }

    pub(crate) async fn store(&self) -> Store {
        let options = StoreOptions { acquire_timeout: Duration::from_secs(10), ..StoreOptions::default() };
        Store::open_with(&self.url, options).await.expect("the database opens")
    }
}

/// The same behaviour on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($database:ident: Database) $body:block) => {
        mod $name {
            use super::*;

            async fn check($database: Database) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                check(Database::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                check(Database::postgres()).await;
            }
        }
    };
}
pub(crate) use on_both;

/// The newest value at 10 or above; good below 5.
pub(crate) fn rule() -> Rule {
    let window = Duration::from_secs(3 * STEP);
    let deep = Threshold::new(METRIC, Aggregate::Last, window, Comparison::AtLeast, 10.0);
    let flap = Flap { fires: 0, ..Flap::default() };
    Rule { flap, ..Rule::new("Deep", Condition::Threshold(Threshold { clear: 5.0, ..deep })) }
}

/// Groups wait for nobody, and every agent is a group of its own.
pub(crate) fn setup(rules: Vec<Rule>, sinks: Vec<Arc<dyn Sink>>) -> AlertSetup {
    let engine = EngineOptions { interval: Duration::from_secs(STEP), ..EngineOptions::default() };
    let dispatch = DispatchOptions {
        group_by: vec!["agent".to_owned()],
        wait: Duration::ZERO,
        interval: Duration::ZERO,
        ..DispatchOptions::default()
    };
    AlertSetup { engine, dispatch, rules, sinks, silences: Vec::new() }
}

/// Impatient, so that tests are short.
pub(crate) fn options() -> ServiceOptions {
    let millis = Duration::from_millis;
    ServiceOptions {
        backoff: Backoff::exponential(millis(5), millis(40)),
        breaker: BreakerOptions {
            open: Backoff::constant(millis(30)),
            ..BreakerOptions::consecutive_failures(5)
        },
        rate_limit: Some(RateLimitOptions::per_second(10_000)),
        timeout: millis(500),
        ..ServiceOptions::default()
    }
}

/// A service whose time is played.
pub(crate) struct Bench {
    pub(crate) service: AlertService,
    pub(crate) second: u64,
    store: Store,
}

impl Bench {
    pub(crate) async fn open(database: &Database, setup: AlertSetup) -> Self {
        Self::open_with(database, setup, options()).await
    }

    pub(crate) async fn open_with(database: &Database, setup: AlertSetup, options: ServiceOptions) -> Self {
        let store = database.store().await;
        let service = AlertService::open(&store, setup, options).await.expect("it opens");
        Self { service, second: 0, store }
    }

    pub(crate) fn at(second: u64) -> Moment {
        // Long ago: the service's own clock must not think that it was set back.
        Moment::from_millis(1_000_000_000_000 + second * 1_000)
    }

    /// Goes on by an evaluation, with these values of these agents.
    pub(crate) async fn step(&mut self, values: &[(&str, f64)]) {
        self.second += STEP;
        let now = Self::at(self.second);
        for (agent, value) in values {
            let labels = Labels::new([("agent", *agent)]).unwrap();
            self.service.observe_value(METRIC, &labels, *value, now);
        }
        let tick = self.service.tick_at(now).await.expect("it evaluates");
        assert!(tick.leads, "somebody else evaluates");
    }

    /// Goes on where another stopped.
    pub(crate) fn from(mut self, second: u64) -> Self {
        self.second = second;
        self
    }

    /// Waits until nothing waits to be sent.
    pub(crate) async fn sent(&self) {
        until(|| self.service.waiting() == 0).await;
    }

    pub(crate) async fn close(self) -> u64 {
        self.service.close().await;
        self.store.close().await;
        self.second
    }
}

/// Waits until it holds, 20 s at most.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    for _ in 0..4_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not happen within 20 s");
}
