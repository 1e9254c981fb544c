//! A deployment of its own, in this process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use statim::alert::service::ServiceOptions;
use statim::analysis::statistics;
use statim::load::{ErrorClass, Kind, Observed, Outcome, Request, Target};
use statim::monitor::MonitorOptions;
use statim::resilience::AdmissionOptions;
use statim::store::Store;
use statim::store::cache::QueryCache;
use statim::{Priority, RuntimeHandle};

use super::error::TargetError;
use super::preparation::prepare;
use super::script::Script;
use crate::alerting::RuleSource;
use crate::config::RuntimeConfig;
use crate::consent::Outcome as Allowed;
use crate::deployment::{Deployment, DeploymentLinks, DeploymentOptions, DoorOptions, PipelineOptions};
use crate::messages::{Answer, Door, Refusal};

/// How long whoever asks may wait before some of them are refused: more than a disk that stalls for a moment takes, which
/// is no overload.
const ASKERS_MAY_WAIT: Duration = Duration::from_millis(100);

/// How long bulk may wait before some of it is refused: it lingers in batches by design.
const BULK_MAY_WAIT: Duration = Duration::from_millis(250);

/// How long preparing may take for one message.
const PREPARING: Duration = Duration::from_secs(30);

/// A deployment with the real agents and a database of its own, which is removed with it unless one was named. A clone is
/// another handle on the same one.
#[derive(Debug, Clone)]
pub struct InProcess {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    deployment: Mutex<Option<Deployment>>,
    door: Door,
    runtime: RuntimeHandle,
    store: Store,
    cache: Option<QueryCache>,
    script: Script,
    timeout: Duration,
    _folder: Option<tempfile::TempDir>,
}

impl InProcess {
    /// Starts a deployment that refuses what it cannot do in time, and puts there what will be asked for. Without a
    /// `database` it has a SQLite file in a temporary folder. Messages are given `timeout` each.
    ///
    /// # Errors
    ///
    /// [`TargetError`]; a database that holds anything but load tests' data is refused.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, what was started ends.
    pub async fn start(database: Option<&str>, seed: u64, timeout: Duration) -> Result<Self, TargetError> {
        let (folder, url) = match database {
            Some(url) => (None, url.to_owned()),
            None => {
                let made = tempfile::Builder::new().prefix("statim-load-").tempdir();
                let folder =
                    made.map_err(|source| TargetError::Folder { folder: std::env::temp_dir(), source })?;
                let url = format!("sqlite://{}", folder.path().join("load.db").display());
                (Some(folder), url)
            }
        };
        let script = Script::new(seed);
        prepare(&url, &script).await?;
        let deployment = Deployment::start(&options(url)).await?;
        let Some(door) = deployment.door().cloned() else {
            return Err(TargetError::Prepare(Refusal::Ending { agent: "research" }));
        };
        for message in script.studies() {
            door.answer(message, PREPARING).await?;
        }
        let (runtime, store) = (deployment.runtime().clone(), deployment.store().clone());
        let cache = deployment.query_cache().cloned();
        let deployment = Mutex::new(Some(deployment));
        let inner = Inner { deployment, door, runtime, store, cache, script, timeout, _folder: folder };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Ends the deployment, for every handle on it.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, what has not ended ends at once.
    pub async fn stop(&self) {
        let deployment = self.inner.deployment.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(deployment) = deployment {
            deployment.shutdown().await;
        }
    }
}

impl Target for InProcess {
    fn kinds(&self) -> Vec<Kind> {
        super::kinds()
    }

    /// What is made up for bulk, and prepared for it, takes some tens of microseconds a message: not on the generator's
    /// thread, which would be late with the others then.
    async fn send(&self, request: Request) -> Outcome {
        if request.priority != Priority::Low {
            return self.inner.answer(&request).await;
        }
        let inner = Arc::clone(&self.inner);
        let answered = tokio::spawn(async move { inner.answer(&request).await });
        answered.await.unwrap_or(Outcome::Failed(ErrorClass::Other))
    }

    fn observe(&self) -> Option<Observed> {
        let Inner { runtime, store, cache, .. } = &*self.inner;
        let store = statistics([("catalogue", store.stats())], cache.as_ref().map(QueryCache::snapshot));
        Some(Observed { store: Some(store), ..Observed::runtime(runtime) })
    }
}

impl Inner {
    async fn answer(&self, request: &Request) -> Outcome {
        let Some(message) = self.script.message(request) else {
            return Outcome::Failed(ErrorClass::Other);
        };
        match self.door.answer(message, self.timeout).await {
            Ok(answer) => judge(&answer),
            Err(refusal) => Outcome::Failed(class(refusal)),
        }
    }
}

/// An answer that cannot be right has failed too.
pub(super) fn judge(answer: &Answer) -> Outcome {
    let right = match answer {
        // The ledger failed, and so everything is denied.
        Answer::Decision(decision) => {
            decision.outcome == Allowed::Permit || decision.reason != crate::consent::Reason::EvaluatorError
        }
        // Whatever is asked for was put there.
        Answer::Record(record) => record.is_some(),
        Answer::Stored { refused, quarantined, .. } => refused + quarantined == 0,
        Answer::Revoked { .. } | Answer::Totals(_) => true,
    };
    if right { Outcome::Done } else { Outcome::Failed(ErrorClass::Handler) }
}

fn class(refusal: Refusal) -> ErrorClass {
    match refusal {
        Refusal::Invalid { .. } => ErrorClass::Other,
        Refusal::Overloaded { .. } => ErrorClass::Overloaded,
        Refusal::TimedOut { .. } => ErrorClass::Timeout,
        Refusal::Ending { .. } => ErrorClass::Unavailable,
        Refusal::Failed { .. } => ErrorClass::Handler,
    }
}

/// As a deployment is by default, with everything on that keeps it standing when there is too much.
fn options(database: String) -> DeploymentOptions {
    let asked = AdmissionOptions::target(ASKERS_MAY_WAIT);
    let bulk = AdmissionOptions::target(BULK_MAY_WAIT);
    let pipeline = PipelineOptions { admission: Some(bulk), ..PipelineOptions::new(database) };
    DeploymentOptions {
        pipeline,
        arbiters: None,
        shutdown_deadline: RuntimeConfig::default().shutdown,
        consent_capacity: 10_000,
        monitor: MonitorOptions::default(),
        listen: None,
        rules: RuleSource::BuiltIn,
        sinks: Vec::new(),
        alerts: ServiceOptions::default(),
        bundles: None,
        drill: None,
        consent_admission: Some(asked),
        links: DeploymentLinks::default(),
        door: Some(DoorOptions { route: None, research_admission: Some(asked) }),
    }
}
