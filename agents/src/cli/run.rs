//! `statim run`: the deployment up, until it is idle or interrupted.

use std::path::PathBuf;
use std::time::Duration;

use statim::AgentRef;
use statim::alert::service::ServiceOptions;
use statim::link::{LinkEnd, LinkSnapshot};
use tokio::sync::watch;

use super::ingest::summary;
use super::output::{Output, note};
use super::progress::Progress as Bar;
use super::{CliError, Doing, RunArgs, block_on, logging};
use crate::alerting::AlertingMessage;
use crate::config::Config;
use crate::deployment::{
    Deployment, DeploymentError, DeploymentLinks, DeploymentOptions, DoorOptions, IngestReport,
    PipelineOptions, Progress, ReplayReport, Requeued, RunReport, agent_reports,
};
use crate::messages::RouteOptions;

/// How often requeued dead letters are looked for.
const REQUEUE_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &RunArgs) -> Result<(), CliError> {
    let config = super::configuration(args.config.as_deref())?;
    config.check_paths()?;
    config.alerting.rules.open()?;
    let route = config.message_route()?;
    logging::init(config.log.level, config.log.format);
    note(format_args!("statim: the database is {}", config.database.url));
    let report = block_on(serve(&config, route, args.until_idle))?;
    let mut output = Output::new(args.json);
    output.line(told(&report))?;
    output.finish(&report)?;
    if args.until_idle
        && !(report.ingest.is_complete()
            && report.decisions.unexpected == 0
            && report.decisions.unanswered == 0)
    {
        return Err(CliError::failed(
            "the run is not complete: see the files not read, records not stored and decisions unanswered or \
             unexpected above",
        ));
    }
    Ok(())
}

/// Resolves when the operator (Ctrl-C) or the system (SIGTERM) wants the process to end.
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

async fn serve(
    config: &Config,
    route: Option<RouteOptions>,
    until_idle: bool,
) -> Result<RunReport, CliError> {
    let door = route.map(|route| DoorOptions { route: Some(route), ..DoorOptions::default() });
    let accepts = door.is_some();
    let options = DeploymentOptions { door, ..options(config) };
    let mut deployment = Deployment::start(&options).await.doing("starting the deployment")?;
    if let Some(address) = deployment.listens_on() {
        note(format_args!("statim: metrics and health are at http://{address}/metrics and /health/ready"));
        if accepts {
            note(format_args!("statim: messages are taken at http://{address}/messages"));
        }
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "metrics are served beyond this machine, without authentication or encryption");
            if accepts {
                tracing::warn!(%address, "messages and their token travel unencrypted; put a proxy with TLS before it");
            }
        }
    }
    let hangups = tokio::spawn(reload_at_hangup(deployment.alerting().clone()));
    let mut ingest = IngestReport::default();
    let mut decisions = ReplayReport::default();
    let pipeline = deployment.pipeline().clone();
    let (stop, stopped) = watch::channel(false);
    let mut working =
        Box::pin(work(&mut deployment, config, until_idle, stopped, &mut ingest, &mut decisions));
    let worked = tokio::select! {
        worked = &mut working => worked,
        () = interrupted() => {
            note("statim: stopping (interrupt again to stop at once)");
            pipeline.interrupt();
            let _ = stop.send(true);
            tokio::select! {
                worked = &mut working => worked,
                () = tokio::time::sleep(config.runtime.shutdown) => Ok(()),
                () = interrupted() => return Err(stopped_at_once()),
            }
        }
    };
    drop(working);
    hangups.abort();
    let snapshot = deployment.snapshot().await;
    let shutdown = tokio::select! {
        shutdown = deployment.shutdown() => shutdown,
        () = interrupted() => return Err(stopped_at_once()),
    };
    worked.doing("the run")?;
    if !shutdown.drained {
        tracing::warn!(agents = ?shutdown.cut_short, "some agents did not finish in time");
    }
    Ok(RunReport {
        ingest,
        decisions,
        agents: agent_reports(&snapshot),
        links: snapshot.links,
        dead_letters: snapshot.dead_letters,
        database: config.database.url.to_string(),
    })
}

pub(super) fn stopped_at_once() -> CliError {
    CliError::failed("stopped at once; agents may not have finished")
}

/// Ingests the sources and plays the consent events, both at once; then, unless it is enough to be idle, watches until it
/// is `stopped`.
async fn work(
    deployment: &mut Deployment,
    config: &Config,
    until_idle: bool,
    mut stopped: watch::Receiver<bool>,
    ingest: &mut IngestReport,
    decisions: &mut ReplayReport,
) -> Result<(), DeploymentError> {
    let bar = Bar::new("ingesting", "files", None);
    let mut show = |progress: Progress| {
        bar.set(progress.files as u64);
        bar.message(&format!("of {}, {} records", progress.of, progress.records));
    };
    let consent = deployment.replay_link().clone();
    let replay = async {
        match &config.consent.replay {
            Some(path) => tokio::select! {
                played = crate::deployment::replay(path, &consent, decisions) => played,
                _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
            },
            None => Ok(()),
        }
    };
    let (ingested, played) =
        tokio::join!(deployment.ingest_changed(&config.ingestion.sources, &mut show), replay);
    bar.finish();
    *ingest += ingested?;
    played?;
    if until_idle || *stopped.borrow() {
        return Ok(());
    }
    let database = config.database.url.to_string();
    note(summary(ingest, &database));
    note(format_args!(
        "{} consent decisions permitted, {} denied; watching {} (Ctrl-C to stop)",
        decisions.permitted,
        decisions.denied,
        shown(&config.ingestion.sources),
    ));
    watch_sources(deployment, config, stopped, ingest).await
}

/// Looks for new files and requeued letters until it is `stopped`.
async fn watch_sources(
    deployment: &mut Deployment,
    config: &Config,
    mut stopped: watch::Receiver<bool>,
    ingest: &mut IngestReport,
) -> Result<(), DeploymentError> {
    let mut requeues = tokio::time::interval(REQUEUE_EVERY);
    let mut rescans = config
        .ingestion
        .rescan
        .map(|every| tokio::time::interval_at(tokio::time::Instant::now() + every, every));
    loop {
        let rescan = async {
            match &mut rescans {
                Some(rescans) => rescans.tick().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
            _ = requeues.tick() => match deployment.requeue().await {
                Ok(Requeued { given, ingest: more }) => {
                    if given > 0 {
                        tracing::info!(given, "dead letters were given back to their agents");
                    }
                    *ingest += more;
                }
                Err(error @ DeploymentError::AgentEnded { .. }) => return Err(error),
                Err(error) => tracing::error!(%error, "requeued dead letters could not be looked up"),
            },
            _ = rescan => match deployment.ingest_changed(&config.ingestion.sources, &mut |_| {}).await {
                Ok(more) => {
                    if more.files > 0 {
                        tracing::info!(files = more.files, records = more.records, updated = more.updated, "ingested");
                    }
                    *ingest += more;
                }
                // A source that is gone for a while (a share being remounted) is looked for again.
                Err(error @ DeploymentError::Discover(_)) => tracing::error!(%error, "the sources could not be read"),
                Err(error) => return Err(error),
            },
        }
    }
}

/// Has the alert rules read again at each SIGHUP, where there is such a thing.
async fn reload_at_hangup(alerting: AgentRef<AlertingMessage>) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
        while hangups.recv().await.is_some() {
            if alerting.tell(AlertingMessage::Reload).await.is_err() {
                return;
            }
        }
    }
    #[cfg(not(unix))]
    drop(alerting);
}

fn shown(sources: &[PathBuf]) -> String {
    sources.iter().map(|source| source.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn options(config: &Config) -> DeploymentOptions {
    DeploymentOptions {
        pipeline: PipelineOptions {
            database: config.database.url.as_str().to_owned(),
            workers: config.ingestion.worker_count(),
            memory_bytes: config.ingestion.memory_bytes,
            batch_records: config.deduplication.batch_records,
            linger: config.deduplication.linger,
            capacity: config.deduplication.capacity,
            link: config.links.records,
            admission: None,
        },
        arbiters: Some(config.runtime.arbiter_count()),
        shutdown_deadline: config.runtime.shutdown,
        consent_capacity: config.consent.capacity,
        monitor: config.monitor.options(),
        listen: config.monitor.listen,
        rules: config.alerting.rules.clone(),
        sinks: Vec::new(),
        alerts: ServiceOptions::default(),
        bundles: config.alerting.bundles.clone(),
        drill: config.drill.every,
        consent_admission: config.admission.consent,
        links: DeploymentLinks {
            readings: config.links.readings,
            replay: config.links.replay,
            requeue: config.links.requeue,
            drill: config.links.drill,
        },
        door: None,
    }
}

/// What a person wants to know of a run.
fn told(report: &RunReport) -> String {
    let mut lines = vec![summary(&report.ingest, &report.database)];
    let decisions = &report.decisions;
    lines.push(format!(
        "consent: {} decisions permitted, {} denied; {} grants, {} revocations recorded",
        decisions.permitted, decisions.denied, decisions.grants, decisions.revocations,
    ));
    if decisions.unexpected + decisions.unanswered > 0 {
        lines
            .push(format!("  {} not as expected, {} unanswered", decisions.unexpected, decisions.unanswered));
    }
    lines.push(format!(
        "{:<16} {:<9} {:>9} {:>10} {:>10} {:>10}   (end to end, ms)",
        "agent", "priority", "messages", "p50", "p99", "max"
    ));
    for agent in &report.agents {
        for (priority, latency) in &agent.latency_ms {
            lines.push(format!(
                "{:<16} {:<9} {:>9} {:>10.3} {:>10.3} {:>10.3}",
                agent.name, priority, latency.count, latency.p50, latency.p99, latency.max
            ));
        }
        let dropped: Vec<_> =
            agent.dropped.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        if !dropped.is_empty() {
            lines.push(format!("{:<16} not handled: {}", agent.name, dropped.join(", ")));
        }
    }
    lines.extend(report.links.iter().filter_map(held_back));
    if report.dead_letters > 0 {
        lines.push(format!("{} dead letters; `statim dead-letters list` shows them", report.dead_letters));
    }
    lines.join("\n")
}

/// What did not pass a link, if anything.
fn held_back(link: &LinkSnapshot) -> Option<String> {
    let failed = link.ended.iter().filter(|(end, _)| **end != LinkEnd::Passed);
    let failed: Vec<_> = failed.map(|(end, count)| format!("{count} {end}")).collect();
    (!failed.is_empty()).then(|| format!("{:<32} {} offered: {}", link.name, link.offered, failed.join(", ")))
}
