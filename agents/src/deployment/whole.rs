//! A whole deployment: every agent, and the jobs of a run.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use statim::alert::service::{AlertService, ServiceOptions};
use statim::alert::sink::Sink;
use statim::monitor::{Health, HttpServer, Monitor, MonitorOptions};
use statim::remedy::{Remedies, RemedyOptions};
use statim::resilience::AdmissionOptions;
use statim::store::cache::{CacheOptions, QueryCache};
use statim::store::{Store, sibling_url};
use statim::{
    AgentOptions, AgentRef, BatchOptions, Link, LinkOptions, Placement, Pool, Runtime, RuntimeHandle,
    ShutdownReport, Snapshot,
};

use super::dead_letter_keeper::{Inlet, Keeper};
use super::drill::Drill;
use super::error::DeploymentError;
use super::pipeline::{Pipeline, PipelineOptions, Progress};
use super::report::IngestReport;
use super::requeue::{Requeued, requeue, requeue_consent, revive_revocations};
use super::watch::Watch;
use crate::alerting::{Acting, Alerting, AlertingMessage, RuleSource, Rules};
use crate::consent::{Consent, ConsentMessage};
use crate::deduplication::Deduplication;
use crate::messages::{Door, RouteOptions, router};
use crate::monitor::{MonitorAgent, store_check};
use crate::research::Research;
use statim::delivery::LetterStore;

/// Questions answered at a time: they wait for the database more than they work.
const RESEARCHERS: usize = 4;

/// How a deployment is built.
#[derive(Debug, Clone)]
pub struct DeploymentOptions {
    /// Ingestion and deduplication, and with them the database; consent has a file of its own beside it.
    pub pipeline: PipelineOptions,
    /// Threads for agents; `None` is one for each processor.
    pub arbiters: Option<usize>,
    /// How long a shutdown lets agents finish.
    pub shutdown_deadline: Duration,
    /// Messages queued at the consent agent at most.
    pub consent_capacity: usize,
    /// How the monitor looks and what it remembers.
    pub monitor: MonitorOptions,
    /// Where metrics and health are served; `None` is nowhere.
    pub listen: Option<SocketAddr>,
    /// What alerting watches, and who is told.
    pub rules: RuleSource,
    /// Sinks of the program's own, told besides those of the rules.
    pub sinks: Vec<Arc<dyn Sink>>,
    /// How alerting works. Without a remedy of its own, rules do what they want to the agents of the deployment.
    pub alerts: ServiceOptions,
    /// The folder for diagnostic bundles; `None` writes none.
    pub bundles: Option<PathBuf>,
    /// How often a drill sends a revocation; `None` is never.
    pub drill: Option<Duration>,
    /// When the consent agent refuses its least urgent messages; `None` is never.
    pub consent_admission: Option<AdmissionOptions>,
    /// What guards the links between them, but for the pipeline's.
    pub links: DeploymentLinks,
    /// Whether messages from outside are taken in, by [`Deployment::door`], and what refuses them.
    pub door: Option<DoorOptions>,
}

/// How messages from outside are taken in.
#[derive(Debug, Clone, Default)]
pub struct DoorOptions {
    /// Also over HTTP, where metrics are served: `POST /messages`. `None` is not.
    pub route: Option<RouteOptions>,
    /// When the research agent refuses messages; `None` is never.
    pub research_admission: Option<AdmissionOptions>,
}

/// What guards the links of a deployment. The default guards none.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeploymentLinks {
    /// From the monitor to alerting.
    pub readings: LinkOptions,
    /// From the file of consent events to the consent agent.
    pub replay: LinkOptions,
    /// From the dead letters to the consent agent.
    pub requeue: LinkOptions,
    /// From the drill to the consent agent.
    pub drill: LinkOptions,
}

/// The agents of a configuration, running.
#[derive(Debug)]
pub struct Deployment {
    runtime: Runtime,
    pipeline: Pipeline,
    consent: AgentRef<ConsentMessage>,
    replay: Link<ConsentMessage>,
    requeue: Link<ConsentMessage>,
    letters: LetterStore,
    monitor: Monitor,
    http: Option<HttpServer>,
    door: Option<(Door, QueryCache)>,
    letter_store: Store,
    keeper: Keeper,
    alerting: AgentRef<AlertingMessage>,
    alerts: AlertService,
    alert_store: Store,
    drill: Option<Drill>,
    watch: Watch,
}

impl Deployment {
    /// The name that the consent agent's database is known by, beside the catalogue's.
    pub const CONSENT_DATABASE: &str = "consent";
    /// The name that the database of alerting is known by. A file of its own: what fires must not wait for bulk.
    pub const ALERTS_DATABASE: &str = "alerts";

    /// Starts every agent. Revocations among the dead letters are handed to the consent agent again, before anybody can
    /// ask it anything.
    ///
    /// # Errors
    ///
    /// [`DeploymentError`]: the database cannot be used, or a thread cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, what was started ends.
    pub async fn start(options: &DeploymentOptions) -> Result<Self, DeploymentError> {
        let database = &options.pipeline.database;
        let consent_database = sibling_url(database, Self::CONSENT_DATABASE)?;
        let letter_store = Store::open_with(database, Deduplication::store_options()).await?;
        let letters = LetterStore::open(&letter_store).await?;
        let alert_store = Store::open(&sibling_url(database, Self::ALERTS_DATABASE)?).await?;
        let inlet = Inlet::default();
        let keeper = Keeper::start(inlet.clone(), letters.clone());

        let mut builder = Runtime::builder()
            .shutdown_deadline(options.shutdown_deadline)
            // Few agents, whose turns are long: a look at the clock each is nothing.
            .cpu_time(true)
            .dead_letter_sink(move |letter: &statim::DeadLetter| inlet.put(letter));
        if let Some(arbiters) = options.arbiters {
            builder = builder.arbiters(arbiters);
        }
        let runtime = builder.start()?;

        let monitor = Monitor::new(&runtime, options.monitor.clone());
        monitor.watch_store("letters", &letter_store);
        let pipeline = Pipeline::spawn_watched(&runtime, &options.pipeline, Some(monitor.clone()))?;
        let mut consent_options = AgentOptions::default()
            .capacity(options.consent_capacity)
            .batch(BatchOptions::up_to(64))
            .attempts(3)
            // Nobody else's work may come before a revocation, so nobody else is on its thread.
            .placement(Placement::Own)
            .stop_order(20);
        if let Some(admission) = options.consent_admission {
            consent_options = consent_options.admission(admission);
        }
        let watching = Some(monitor.clone());
        let consent = runtime.spawn("consent", consent_options, move || {
            Consent::new(consent_database.clone()).watched_by(watching.clone())
        })?;
        let DeploymentLinks { readings, replay, requeue, drill } = &options.links;
        let replay = consent.guarded("replay", replay)?;
        let requeue = consent.guarded("requeue", requeue)?;
        let to_drill = consent.guarded("drill", drill)?;
        let mut alert_options = options.alerts.clone();
        alert_options.remedy.get_or_insert_with(|| {
            let spared = ["monitor", "alerting"].map(str::to_owned).to_vec();
            let bundles = options.bundles.clone();
            let remedies = Remedies::new(
                &runtime,
                &monitor,
                RemedyOptions { bundles, spared, ..RemedyOptions::default() },
            );
            Arc::new(Acting::new(remedies))
        });
        let (alerts, rules, interval) = open_alerts(options, alert_options, &alert_store).await?;
        monitor.watch_store("alerts", &alert_store);
        monitor.add_source(alerts.metrics());
        let service = alerts.clone();
        let alerting =
            runtime.spawn("alerting", AgentOptions::default().capacity(64).stop_order(40), move || {
                Alerting::new(service.clone(), rules.clone(), interval)
            })?;
        let to_alerting = alerting.guarded("monitor", readings)?;
        let watching = monitor.clone();
        runtime.spawn("monitor", AgentOptions::default().capacity(16).stop_order(30), move || {
            MonitorAgent::new(watching.clone(), to_alerting.clone())
        })?;
        // Before anything that takes long, so that who waits for readiness can see what it waits for.
        let door = match &options.door {
            None => None,
            Some(door) => Some(open_door(&runtime, &pipeline, &consent, &letter_store, door)?),
        };
        let http = match options.listen {
            None => None,
            Some(address) => {
                let health = store_check(Health::of(&runtime, &monitor), &letter_store);
                let route = options.door.as_ref().and_then(|it| it.route.clone());
                Some(match door.as_ref().map(|(door, _)| door.clone()).zip(route) {
                    None => HttpServer::start(address, &monitor, health)?,
                    Some((door, route)) => {
                        if route.token.is_none() && !address.ip().is_loopback() {
                            return Err(DeploymentError::OpenDoor { address });
                        }
                        let connections = route.concurrency;
                        HttpServer::start_with(address, &monitor, health, router(door, route), connections)?
                    }
                })
            }
        };
        // The ledger is open and the book complete before anybody can ask for a decision. (An agent that cannot start
        // says so in the log, and is tried again by its supervision.)
        consent.inspect().await.map_err(|_| DeploymentError::AgentEnded { agent: "consent" })?;
        revive_revocations(&letters).await?;
        requeue_consent(&letters, &requeue).await?;
        let drill = options.drill.map(|interval| Drill::start(to_drill, interval));
        let watch = Watch::default();
        Ok(Self {
            runtime,
            pipeline,
            consent,
            replay,
            requeue,
            monitor,
            http,
            door,
            letters,
            letter_store,
            keeper,
            alerting,
            alerts,
            alert_store,
            drill,
            watch,
        })
    }

    /// Alerting.
    #[must_use]
    pub fn alerts(&self) -> &AlertService {
        &self.alerts
    }

    /// The alerting agent, which can be asked to read its rules again.
    #[must_use]
    pub fn alerting(&self) -> &AgentRef<AlertingMessage> {
        &self.alerting
    }

    /// Ingestion and deduplication.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The consent agent.
    #[must_use]
    pub fn consent(&self) -> &AgentRef<ConsentMessage> {
        &self.consent
    }

    /// The consent agent, for [`replay`](super::replay).
    #[must_use]
    pub fn replay_link(&self) -> &Link<ConsentMessage> {
        &self.replay
    }

    /// Takes messages from outside to the agents, if the options have it.
    #[must_use]
    pub fn door(&self) -> Option<&Door> {
        self.door.as_ref().map(|(door, _)| door)
    }

    /// The cache of what is asked through the door.
    #[must_use]
    pub fn query_cache(&self) -> Option<&QueryCache> {
        self.door.as_ref().map(|(_, cache)| cache)
    }

    /// What the agents run on.
    #[must_use]
    pub fn runtime(&self) -> &RuntimeHandle {
        &self.runtime
    }

    /// The catalogue's database, beside the connections that agents have.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.letter_store
    }

    /// What watches the agents.
    #[must_use]
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Where metrics and health are served, if they are.
    #[must_use]
    pub fn listens_on(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(HttpServer::address)
    }

    /// Ingests the files below `sources` that are new or have changed since the last time.
    ///
    /// # Errors
    ///
    /// [`DeploymentError`]: a source cannot be looked into, or an agent ended.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, files being read are read to their end; the rest is not seen as changed again.
    pub async fn ingest_changed(
        &mut self,
        sources: &[PathBuf],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<IngestReport, DeploymentError> {
        let files = self.watch.changed(sources)?;
        self.pipeline.ingest(files, progress).await
    }

    /// Gives dead letters that an operator requeued to their agents; files are read to their end.
    ///
    /// # Errors
    ///
    /// [`DeploymentError`]: the database cannot be read or written, or an agent ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a letter not marked as done is given again later.
    pub async fn requeue(&mut self) -> Result<Requeued, DeploymentError> {
        requeue(&self.letters, &self.pipeline, &self.requeue).await
    }

    /// The state of everything, with all that was handled before the call counted: each agent is asked between two
    /// messages first, for at most a second, since whoever waited for an answer has it before its handler has returned.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn snapshot(&self) -> Snapshot {
        let between_messages = async {
            let _ = self.pipeline.rest().await;
            let _ = self.consent.inspect().await;
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), between_messages).await;
        self.runtime.snapshot()
    }

    /// Ends in order: ingestion, deduplication, consent, monitor, alerting.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, what has not ended ends at once.
    pub async fn shutdown(self) -> ShutdownReport {
        drop(self.drill);
        self.pipeline.interrupt();
        let report = self.runtime.shutdown().await;
        // Last, so that a probe sees the deployment end.
        if let Some(http) = self.http {
            http.stop().await;
        }
        self.keeper.finish().await;
        self.alerts.close().await;
        self.alert_store.close().await;
        self.letter_store.close().await;
        report
    }
}

/// Opens the service, with the rules it was opened with and how often they are evaluated.
async fn open_alerts(
    options: &DeploymentOptions,
    service: ServiceOptions,
    store: &Store,
) -> Result<(AlertService, Rules, Duration), DeploymentError> {
    let mut rules = Rules::new(options.rules.clone(), options.sinks.clone());
    let reading = tokio::task::spawn_blocking(move || (rules.read(), rules)).await;
    // It panicked, or everything ends.
    let (setup, rules) = reading.map_err(|_| DeploymentError::AgentEnded { agent: "alerting" })?;
    let setup = setup?;
    let interval = setup.engine.interval;
    let service = AlertService::open(store, setup, service).await?;
    Ok((service, rules, interval))
}

/// Spawns the agent that only messages from outside need, and opens the door to all of them.
fn open_door(
    runtime: &Runtime,
    pipeline: &Pipeline,
    consent: &AgentRef<ConsentMessage>,
    store: &Store,
    options: &DoorOptions,
) -> Result<(Door, QueryCache), DeploymentError> {
    let (cache, store) = (QueryCache::open(CacheOptions::default())?, store.clone());
    let shared = cache.clone();
    let mut agent = AgentOptions::default()
        .placement(Placement::group("research"))
        .pool(Pool::Shared(RESEARCHERS))
        .stop_order(5);
    if let Some(admission) = options.research_admission {
        agent = agent.admission(admission);
    }
    let research = runtime.spawn("research", agent, move || Research::new(store.clone(), shared.clone()))?;
    let (ingestion, deduplication) = (pipeline.ingestion().clone(), pipeline.deduplication().clone());
    let flow = pipeline.flow().clone();
    Ok((Door::new(consent.clone(), research, ingestion, deduplication, flow), cache))
}
