//! Five agents, a store and a cache in a runtime, under a steady load: an intake asks a matcher, which looks records up, and
//! tells a recorder, which writes, and notices, which calls a registry over a link. An archive works beside the intake.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use statim::analysis::evidence::{CacheEvidence, StoreEvidence};
use statim::analysis::{Analysis, Evidence, analyse};
use statim::link::LinkOptions;
use statim::prelude::*;
use statim::resilience::{Backoff, BreakerOptions, Window};
use statim::store::cache::{CacheOptions, QueryCache, QueryKey};
use statim::store::{Durability, LockId, Store, StoreOptions};

/// Messages a second to the intake.
const RATE: u64 = 60;

/// How long the load lasts. Long enough for more than a hundred messages at an agent that keeps up with two thirds of it.
const LOAD: Duration = Duration::from_secs(4);

/// What a planted bottleneck costs each message: one and a half times what one can do in a second.
const COST: Duration = Duration::from_millis(25);

/// What is wrong with the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plant {
    Nothing,
    /// The matcher computes for long.
    SlowAgent,
    /// The store has one connection to read with, and the matcher keeps it for long.
    SmallPool,
    /// The recorder keeps the turn to write for long.
    LongTransactions,
    /// What the matcher asks for is never asked for again, and its query is slow.
    MissingCache,
    /// The archive blocks the thread that it shares with the intake.
    BlockingHandler,
    /// The registry fails.
    FailingDependency,
    /// The recorder's mailbox is too small for what comes at once.
    SmallMailbox,
}

/// One deployment at a time: they would be each other's bottleneck.
static ALONE: Mutex<()> = Mutex::new(());

enum Step {
    Case(u64),
    Look(u64, Reply<u64>),
    Burst,
}

impl Message for Step {
    fn priority(&self) -> Priority {
        match self {
            Self::Look(..) => Priority::High,
            Self::Case(_) | Self::Burst => Priority::Normal,
        }
    }
}

struct Worker<F> {
    work: F,
}

impl<F, Fut> Agent for Worker<F>
where
    F: Fn(Step) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), &'static str>> + 'static,
{
    type Message = Step;
    type Error = &'static str;

    async fn handle(&mut self, step: Step, _: &mut Context<Self>) -> Result<(), &'static str> {
        (self.work)(step).await
    }
}

/// Spawns an agent that does this with each message.
fn spawn<F, Fut>(runtime: &RuntimeHandle, name: &str, options: AgentOptions, work: F) -> AgentRef<Step>
where
    F: Fn(Step) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<(), &'static str>> + 'static,
{
    runtime.spawn(name, options, move || Worker { work: work.clone() }).unwrap()
}

fn on(group: &str, instances: usize) -> AgentOptions {
    AgentOptions::default().placement(Placement::group(group)).pool(Pool::Shared(instances))
}

/// Runs the deployment with this planted, and analyses it.
pub(crate) fn analysed(plant: Plant) -> Analysis {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("records.db").display());
    let analysis = threads.block_on(run(plant, &url));
    println!("{plant:?}\n{}", analysis.markdown());
    analysis
}

async fn run(plant: Plant, url: &str) -> Analysis {
    let readers = if plant == Plant::SmallPool { 1 } else { 8 };
    // A disk that is shared with others would be a bottleneck of its own.
    let options = StoreOptions { readers, durability: Durability::Normal, ..StoreOptions::default() };
    let store = Store::open_with(url, options).await.unwrap();
    let mut writer = store.write().await.unwrap();
    sqlx::query("CREATE TABLE records (number INTEGER)").execute(&mut *writer).await.unwrap();
    writer.commit().await.unwrap();
    let cache = Arc::new(QueryCache::open(CacheOptions::default()).unwrap());
    let runtime = Runtime::builder().start().unwrap();
    let (intake, archive) = deploy(&runtime, plant, &store, &cache);
    // What opening and starting costs is nobody's bottleneck.
    intake.tell(Step::Case(0)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = (runtime.snapshot(), store.stats(), cache.snapshot());
    offer(&intake, &archive, plant).await;
    let after = (runtime.snapshot(), store.stats(), cache.snapshot());
    // Without the process: the machine of a test is shared, and its own detectors have their tests.
    let mut evidence = Evidence::between(&before.0, &after.0);
    let stores = StoreEvidence::since(&after.1, Some(&before.1));
    evidence.stores.insert("records".to_owned(), stores);
    evidence.cache = Some(CacheEvidence::since(&after.2, Some(&before.2)));
    let analysis = analyse(&evidence);
    tokio::task::spawn_blocking(move || drop(runtime)).await.unwrap();
    analysis
}

/// So many messages a second, whether the intake keeps up or not.
async fn offer(intake: &AgentRef<Step>, archive: &AgentRef<Step>, plant: Plant) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE as u32);
    let began = Instant::now();
    let mut number = 0;
    while began.elapsed() < LOAD {
        ticks.tick().await;
        number += 1;
        intake.try_tell(Step::Case(number)).ok().unwrap();
        if number % (RATE / 3) == 0 {
            archive.try_tell(Step::Case(number)).ok().unwrap();
        }
        if plant == Plant::SmallMailbox && number % RATE == 0 {
            intake.try_tell(Step::Burst).ok().unwrap();
        }
    }
}

fn deploy(
    runtime: &RuntimeHandle,
    plant: Plant,
    store: &Store,
    cache: &Arc<QueryCache>,
) -> (AgentRef<Step>, AgentRef<Step>) {
    let registry = spawn(runtime, "registry", on("far", 1), move |_| async move {
        if plant == Plant::FailingDependency { Err("the registry is away") } else { Ok(()) }
    });
    let breaker = BreakerOptions {
        window: Window::Calls(20),
        minimum_calls: Some(10),
        open: Backoff::constant(Duration::from_millis(500)),
        ..BreakerOptions::default()
    };
    let link = Arc::new(registry.guarded("notices", &LinkOptions::default().breaker(breaker)).unwrap());
    let notices = spawn(runtime, "notices", on("near", 1), move |step| {
        let link = Arc::clone(&link);
        async move {
            let Step::Case(number) = step else { return Ok(()) };
            link.tell(Step::Case(number)).await.map_err(|_| "the registry was not reached")
        }
    });
    let recorder = recorder(runtime, plant, store);
    let matcher = matcher(runtime, plant, store, cache);
    let archive = spawn(runtime, "archive", on("near", 1), move |_| async move {
        if plant == Plant::BlockingHandler {
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    });
    let intake = spawn(runtime, "intake", on("near", 16), move |step| {
        let (matcher, recorder, notices) = (matcher.clone(), recorder.clone(), notices.clone());
        async move {
            match step {
                Step::Case(number) => {
                    matcher.ask(|reply| Step::Look(number, reply)).await.map_err(|_| "no match")?;
                    // Whoever is told may have no room: that is counted where it happens.
                    drop(recorder.try_tell(Step::Case(number)));
                    drop(notices.try_tell(Step::Case(number)));
                }
                Step::Burst => (0..100).for_each(|number| drop(recorder.try_tell(Step::Case(number)))),
                Step::Look(..) => {}
            }
            Ok(())
        }
    });
    (intake, archive)
}

fn recorder(runtime: &RuntimeHandle, plant: Plant, store: &Store) -> AgentRef<Step> {
    let options = match plant {
        Plant::SmallMailbox => on("writing", 2).capacity(20).overflow(Overflow::Reject),
        _ => on("writing", 8),
    };
    let store = store.clone();
    spawn(runtime, "recorder", options, move |step| {
        let store = store.clone();
        async move {
            let Step::Case(number) = step else { return Ok(()) };
            let mut writer = store.write_exclusive(LockId::DEDUPLICATION).await.map_err(|_| "no turn")?;
            sqlx::query("INSERT INTO records VALUES ($1)")
                .bind(number as i64)
                .execute(&mut *writer)
                .await
                .map_err(|_| "not written")?;
            if plant == Plant::LongTransactions {
                tokio::time::sleep(COST).await;
            }
            writer.commit().await.map_err(|_| "not committed")
        }
    })
}

fn matcher(runtime: &RuntimeHandle, plant: Plant, store: &Store, cache: &Arc<QueryCache>) -> AgentRef<Step> {
    let instances = if matches!(plant, Plant::SlowAgent | Plant::MissingCache) { 1 } else { 8 };
    let (store, cache) = (store.clone(), Arc::clone(cache));
    spawn(runtime, "matcher", on("matching", instances), move |step| {
        let (store, cache) = (store.clone(), Arc::clone(&cache));
        async move {
            let Step::Look(number, reply) = step else { return Ok(()) };
            let key = if plant == Plant::MissingCache { number } else { number % 5 };
            match plant {
                Plant::SlowAgent => compute(COST),
                Plant::SmallPool => {
                    let reader = store.read().await.map_err(|_| "no connection")?;
                    tokio::time::sleep(COST).await;
                    drop(reader);
                }
                _ => {
                    let query = cache.query(QueryKey::new("how many").bind(&key));
                    let steps = if plant == Plant::MissingCache { 60_000 } else { 10 };
                    query.get_or_load(|| counted(&store, steps)).await.map_err(|_| "not counted")?;
                }
            }
            reply.send(number);
            Ok(())
        }
    })
}

/// A query that takes as long as it is told to count.
async fn counted(store: &Store, to: i64) -> Result<i64, sqlx::Error> {
    let mut reader = store.read().await.map_err(|_| sqlx::Error::PoolTimedOut)?;
    sqlx::query_scalar(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT max(i) FROM n",
    )
    .bind(to)
    .fetch_one(&mut *reader)
    .await
}

/// Uses a processor for so long.
fn compute(time: Duration) {
    let began = Instant::now();
    let mut value = 0_u64;
    while began.elapsed() < time {
        value = std::hint::black_box(value.wrapping_mul(31).wrapping_add(1));
    }
}
