//! Stores, caches, outboxes and guards in a scrape; processor time and memory of agents.

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use statim::delivery::Outbox;
use statim::link::LinkOptions;
use statim::monitor::Monitor;
use statim::prelude::*;
use statim::resilience::{BreakerOptions, Policy, RateLimitOptions};
use statim::store::Store;
use statim::store::cache::{CacheOptions, QueryCache, QueryKey};
use statim::telemetry::exposition::Format;
use statim::telemetry::{AllocationMeter, Value};
use statim_servers::promtool;

use crate::support::{eager, runtime, tell, wait_until, worker};

/// The value of the series that begins so.
fn number(scrape: &str, series: &str) -> Option<f64> {
    scrape.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

async fn count(store: &Store) {
    let mut reader = store.read().await.unwrap();
    sqlx::query("SELECT 1").execute(&mut *reader).await.unwrap();
}

#[test]
fn stores_caches_outboxes_and_guards_are_in_a_valid_scrape_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite://{}/{name}.db?mode=rwc", folder.path().display());
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let agent = worker(&runtime, "worker");
    let link = agent.guarded("test", &LinkOptions::health_sync()).unwrap();
    let breaker = BreakerOptions::default();
    let limit = RateLimitOptions { permits: 1, ..RateLimitOptions::default() };
    let policy = Policy::builder("outside").breaker(breaker).rate_limit(limit).build().unwrap();
    let (one, other, cache, outbox) = tokio.block_on(async {
        let one = Store::open(&url("one")).await.unwrap();
        let other = Store::open(&url("other")).await.unwrap();
        let outbox = Outbox::open(&other).await.unwrap();
        let cache = QueryCache::open(CacheOptions::default()).unwrap();
        for _ in 0..3 {
            count(&one).await;
            let query = cache.query(QueryKey::new("SELECT 1"));
            let one: u8 = query.get_or_load(async || Ok::<_, Infallible>(1)).await.unwrap();
            assert_eq!(one, 1);
        }
        (one, other, cache, outbox)
    });
    monitor.watch_store("one", &one);
    monitor.watch_store("other", &other);
    monitor.watch_cache("studies", &cache);
    monitor.watch_outbox("messages", &outbox);
    monitor.watch_policy(&policy);
    policy.breaker().unwrap().force_open();
    link.try_tell(crate::support::Work::Well(Priority::Normal)).unwrap();
    while policy.try_enter().is_ok() {}

    let scrape = monitor.scrape(Format::Prometheus);
    let checked = promtool(&["check", "metrics"], &scrape).unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let series = |series: &str| number(&scrape, series).unwrap_or_else(|| panic!("{series}\n{scrape}"));
    assert_eq!(series("statim_store_query_seconds_count{store=\"one\",class=\"select\"}"), 3.0);
    assert!(series("statim_store_query_seconds_count{store=\"other\",class=\"ddl\"}") > 0.0);
    assert_eq!(series("statim_store_pool_used_ratio{store=\"one\"}"), 0.0);
    assert_eq!(series("statim_store_pool_connections{store=\"one\",state=\"idle\"}"), 1.0);
    assert_eq!(series("statim_cache_hits_total{cache=\"studies\",layer=\"memory\"}"), 2.0);
    assert_eq!(series("statim_cache_lookups_total{cache=\"studies\",layer=\"memory\"}"), 3.0);
    assert!(series("statim_cache_bytes{cache=\"studies\"}") > 0.0);
    assert_eq!(series("statim_cache_loads_total{cache=\"studies\"}"), 1.0);
    assert_eq!(series("statim_outbox_stored_total{outbox=\"messages\"}"), 0.0);
    assert_eq!(series("statim_breaker_open{breaker=\"outside\"}"), 1.0);
    assert!(series("statim_breaker_refused_total{breaker=\"outside\"}") >= 1.0);
    assert_eq!(series("statim_breaker_open{breaker=\"test -> worker\"}"), 0.0);
    assert_eq!(series("statim_link_messages_total{link=\"test -> worker\",end=\"passed\"}"), 1.0);
    for line in scrape.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(statim::telemetry::names::find_series(name).is_some(), "{name} is not in the catalogue");
    }

    drop(one);
    tokio.block_on(other.close());
    drop((other, outbox));
    let scrape = monitor.scrape(Format::Prometheus);
    assert!(!scrape.contains("store=\"one\""), "what has ended is watched no more");
}

#[test]
fn alert_rules_see_what_stores_measured_since_the_look_before() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("sqlite://{}/it.db?mode=rwc", folder.path().display());
    let store = tokio.block_on(Store::open(&url)).unwrap();
    monitor.watch_store("it", &store);
    let counted = || {
        let look = monitor.look();
        let counts = look.samples().filter_map(|sample| match sample.value {
            Value::Distribution(values) if sample.name == "statim_store_query_seconds" => {
                Some(values.count())
            }
            _ => None,
        });
        counts.sum::<u64>()
    };
    counted();
    for queries in [3, 0, 5] {
        tokio.block_on(async {
            for _ in 0..queries {
                count(&store).await;
            }
        });
        assert_eq!(counted(), queries);
    }
}

/// Computes for so long, or sleeps.
struct Effort(bool, Duration);
impl Message for Effort {}

struct Laborious;
impl Agent for Laborious {
    type Message = Effort;
    type Error = Infallible;
    async fn handle(
        &mut self,
        Effort(computes, time): Effort,
        _: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        if !computes {
            tokio::time::sleep(time).await;
            return Ok(());
        }
        let began = statim_cpu();
        while statim_cpu() - began < time {
            std::hint::black_box((0..1_000).sum::<u64>());
        }
        Ok(())
    }
}

/// Processor time of this thread, as the kernel's scheduler sees it.
fn statim_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[test]
#[cfg(target_os = "linux")]
fn processor_time_is_that_of_whoever_computes() {
    let runtime = Runtime::builder().arbiters(1).cpu_time(true).start().unwrap();
    let monitor = Monitor::new(&runtime, eager());
    let time = Duration::from_millis(60);
    let spawn = |name| runtime.spawn(name, AgentOptions::default(), || Laborious).unwrap();
    for (name, computes) in [("computes", true), ("sleeps", false)] {
        spawn(name).tell_blocking(Effort(computes, time)).unwrap();
    }
    wait_until(|| runtime.snapshot().agents.iter().all(|agent| agent.handled == 1));
    let snapshot = runtime.snapshot();
    let cpu = |name| snapshot.agent(name).unwrap().cpu_seconds.unwrap();
    assert!((0.055..0.2).contains(&cpu("computes")), "{}", cpu("computes"));
    assert!(cpu("sleeps") < 0.02, "{}", cpu("sleeps"));
    assert!(snapshot.agent("sleeps").unwrap().busy_seconds >= 0.06);
    let scrape = monitor.scrape(Format::Prometheus);
    let scraped = number(&scrape, "statim_agent_cpu_seconds_total{agent=\"computes\"}").unwrap();
    assert!(scraped >= cpu("computes"));
    drop(runtime);
    let runtime = crate::support::runtime();
    let worker = worker(&runtime, "worker");
    tell(&runtime, &worker, &crate::support::Work::Well(Priority::Normal), 1);
    assert!(runtime.snapshot().agent("worker").unwrap().cpu_seconds.is_none(), "not unless asked for");
    assert!(!Monitor::new(&runtime, eager()).scrape(Format::Prometheus).contains("statim_agent_cpu"));
}

/// Computes for some microseconds, and writes down its thread's processor time.
struct Brief(Arc<Mutex<Vec<Duration>>>);
struct Moment;
impl Message for Moment {}
impl Agent for Brief {
    type Message = Moment;
    type Error = Infallible;
    async fn handle(&mut self, _: Moment, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.0.lock().unwrap().push(statim_cpu());
        std::hint::black_box((0..2_000_u64).fold(0, |sum, n| std::hint::black_box(sum ^ n)));
        tokio::task::yield_now().await;
        Ok(())
    }
}

#[test]
#[cfg(target_os = "linux")]
fn processor_time_of_short_turns_adds_up_to_that_of_the_thread() {
    const MESSAGES: usize = 5_000;
    let runtime = Runtime::builder().arbiters(1).cpu_time(true).start().unwrap();
    let seen = Arc::<Mutex<Vec<Duration>>>::default();
    let kept = Arc::clone(&seen);
    let agent = runtime.spawn("brief", AgentOptions::default(), move || Brief(Arc::clone(&kept))).unwrap();
    for _ in 0..MESSAGES {
        agent.tell_blocking(Moment).unwrap();
    }
    wait_until(|| runtime.snapshot().agent("brief").unwrap().handled == MESSAGES as u64);
    let seen = seen.lock().unwrap();
    // The kernel brings its figure up to date every few milliseconds.
    let thread = (seen[MESSAGES - 1] - seen[0]).as_secs_f64();
    let agent = runtime.snapshot().agent("brief").unwrap().cpu_seconds.unwrap();
    assert!(
        thread > 0.02 && agent > thread * 0.6 - 0.01 && agent < thread * 1.2 + 0.01,
        "{agent} of {thread}"
    );
}

thread_local! {
    static BALANCE: Cell<i64> = const { Cell::new(0) };
}

struct Balance;
impl AllocationMeter for Balance {
    fn balance(&self) -> i64 {
        BALANCE.get()
    }
}

/// To allocate so much, or to free it.
struct Bytes(i64);
impl Message for Bytes {}

struct Holder;
impl Agent for Holder {
    type Message = Bytes;
    type Error = Infallible;
    async fn handle(&mut self, Bytes(bytes): Bytes, _: &mut Context<Self>) -> Result<(), Infallible> {
        BALANCE.set(BALANCE.get() + bytes);
        tokio::task::yield_now().await;
        BALANCE.set(BALANCE.get() + bytes);
        Ok(())
    }
}

#[test]
fn memory_is_that_of_whoever_allocates() {
    let runtime = Runtime::builder().arbiters(1).allocation_meter(Balance).start().unwrap();
    let monitor = Monitor::new(&runtime, eager());
    let spawn = |name| runtime.spawn(name, AgentOptions::default(), || Holder).unwrap();
    let (holds, frees) = (spawn("holds"), spawn("frees"));
    for _ in 0..10 {
        holds.tell_blocking(Bytes(1_000)).unwrap();
        frees.tell_blocking(Bytes(-10)).unwrap();
    }
    let handled = || runtime.snapshot().agents.iter().all(|agent| agent.handled == 10);
    wait_until(handled);
    // A turn is counted when it is over.
    let began = Instant::now();
    let held = |name| runtime.snapshot().agent(name).unwrap().allocated_bytes;
    while held("holds") != Some(20_000) {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", held("holds"));
    }
    assert_eq!(held("frees"), Some(0), "never less than nothing");
    let scrape = monitor.scrape(Format::Prometheus);
    assert_eq!(number(&scrape, "statim_agent_allocated_bytes{agent=\"holds\"}"), Some(20_000.0));
}
