//! Ingestion and deduplication joined: files in, a catalogue out.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use statim::monitor::Monitor;
use statim::resilience::AdmissionOptions;
use statim::{
    AgentOptions, AgentRef, BatchOptions, ControlError, LinkOptions, MailboxOptions, Placement, Pool,
    RuntimeHandle,
};

use super::error::DeploymentError;
use super::report::{IngestReport, UnreadableFile};
use crate::deduplication::{Deduplication, DeduplicationMessage};
use crate::formats::FileReport;
use crate::ingestion::{FileOutcome, Flow, Ingestion, IngestionMessage};

/// Files asked for at a time; more than the pool has members, so that none of them waits.
const FILES_ASKED: usize = 64;

/// How a pipeline is built.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// The catalogue's database.
    pub database: String,
    /// Files read at a time, each on a thread of its own.
    pub workers: usize,
    /// Bytes of records on their way at a time.
    pub memory_bytes: u64,
    /// Records in one batch at most.
    pub batch_records: usize,
    /// How long a batch waits to fill.
    pub linger: Duration,
    /// Messages queued at deduplication at most.
    pub capacity: usize,
    /// What guards the link from ingestion to deduplication.
    pub link: LinkOptions,
    /// When both agents refuse messages; `None` is never. Not for reading files: a file whose message is refused is not read.
    pub admission: Option<AdmissionOptions>,
}

impl PipelineOptions {
    /// The defaults, for a database.
    ///
    /// One reader less than there are processors, so that one is free for whoever may not wait. 48 MiB on their way and
    /// batches of 256: at 15,000 records a second, a transaction of under 20 ms.
    #[must_use]
    pub fn new(database: impl Into<String>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            database: database.into(),
            workers: processors.saturating_sub(1).max(1),
            memory_bytes: 48 << 20,
            batch_records: 256,
            linger: Duration::from_millis(5),
            capacity: 4_096,
            link: LinkOptions::default(),
            admission: None,
        }
    }
}

/// How far an ingestion is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Files read.
    pub files: usize,
    /// Files there are.
    pub of: usize,
    /// Records read.
    pub records: u64,
}

/// The two agents and their addresses.
#[derive(Debug, Clone)]
pub struct Pipeline {
    ingestion: AgentRef<IngestionMessage>,
    deduplication: AgentRef<DeduplicationMessage>,
    flow: Flow,
}

impl Pipeline {
    /// The name of the agents that read files.
    pub const INGESTION: &str = "ingestion";
    /// The name of the agent that keeps the catalogue.
    pub const DEDUPLICATION: &str = "deduplication";

    /// Resolves when both agents are between two messages.
    pub(super) async fn rest(&self) -> Result<(), ControlError> {
        self.ingestion.inspect().await?;
        self.deduplication.inspect().await?;
        Ok(())
    }

    /// Spawns the agents, in the background: bulk takes what the urgent leave.
    ///
    /// # Errors
    ///
    /// [`DeploymentError`] if their names are taken, a thread cannot be started, or the link's options are no good.
    pub fn spawn(runtime: &RuntimeHandle, options: &PipelineOptions) -> Result<Self, DeploymentError> {
        Self::spawn_watched(runtime, options, None)
    }

    /// The same, with the catalogue's database watched by this monitor.
    pub(super) fn spawn_watched(
        runtime: &RuntimeHandle,
        options: &PipelineOptions,
        monitor: Option<Monitor>,
    ) -> Result<Self, DeploymentError> {
        let database = options.database.clone();
        let batch = BatchOptions::up_to(options.batch_records).linger(options.linger);
        let admitting = |agent: AgentOptions| match options.admission {
            Some(admission) => agent.admission(admission),
            None => agent,
        };
        let deduplication = runtime.spawn(
            Self::DEDUPLICATION,
            admitting(
                AgentOptions::default()
                    .capacity(options.capacity.max(16))
                    .batch(batch)
                    .placement(Placement::background(Self::DEDUPLICATION))
                    .stop_order(10),
            ),
            move || Deduplication::new(database.clone()).watched_by(monitor.clone()),
        )?;
        let flow = Flow::new(options.memory_bytes);
        let to = deduplication.guarded(Self::INGESTION, &options.link)?;
        let of_readers = flow.clone();
        let ingestion = runtime.spawn(
            Self::INGESTION,
            admitting(
                AgentOptions::default()
                    .capacity(MailboxOptions::DEFAULT_CAPACITY)
                    // Batches of one source are taken together; a file is taken alone.
                    .batch(BatchOptions::up_to(16))
                    .placement(Placement::background(Self::INGESTION))
                    .pool(Pool::Shared(options.workers.max(1))),
            ),
            move || Ingestion::new(to.clone(), of_readers.clone()),
        )?;
        Ok(Self { ingestion, deduplication, flow })
    }

    /// The agents that read files.
    #[must_use]
    pub fn ingestion(&self) -> &AgentRef<IngestionMessage> {
        &self.ingestion
    }

    /// The agent that keeps the catalogue.
    #[must_use]
    pub fn deduplication(&self) -> &AgentRef<DeduplicationMessage> {
        &self.deduplication
    }

    /// What is on its way to deduplication.
    pub(super) fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Ends all reading: readers leave their files after the record they are at, and no other file is begun. An
    /// [`ingest`](Self::ingest) that is under way soon returns with an account of what was stored. There is no way back.
    pub fn interrupt(&self) {
        self.flow.stop();
    }

    /// Ingests files and returns when everything in them is stored. One at a time: the account of what was stored is of
    /// everything since the last one.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, files being read are read to their end, others are not begun.
    ///
    /// # Errors
    ///
    /// [`DeploymentError::AgentEnded`] if one of the agents ended meanwhile.
    pub async fn ingest(
        &self,
        files: Vec<PathBuf>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<IngestReport, DeploymentError> {
        let began = Instant::now();
        let mut report = IngestReport::default();
        let mut done = Progress { of: files.len(), ..Progress::default() };
        let mut outcomes = futures_util::stream::iter(files)
            .map(|path| async move {
                if self.flow.is_stopped() {
                    return (Ok(FileOutcome::Interrupted(FileReport::default())), path);
                }
                let asked = self
                    .ingestion
                    .ask(|reply| IngestionMessage::File { path: path.clone(), reply: Some(reply) });
                (asked.await, path)
            })
            .buffer_unordered(FILES_ASKED);
        while let Some((outcome, path)) = outcomes.next().await {
            match outcome {
                Ok(FileOutcome::Read(file)) => report.add(&file),
                Ok(FileOutcome::Interrupted(file)) => {
                    report.add(&file);
                    report.interrupted += 1;
                }
                Ok(FileOutcome::Unreadable { reason, sent }) => {
                    report.add(&sent);
                    report.unreadable.push(UnreadableFile { path, reason });
                }
                Err(error) => {
                    report.files += 1;
                    report.unreadable.push(UnreadableFile { path, reason: error.to_string() });
                }
            }
            done.files += 1;
            done.records = report.records;
            progress(done);
        }
        drop(outcomes);
        let settled = self.deduplication.ask(DeduplicationMessage::Settle).await;
        report.settle(settled.map_err(|_| DeploymentError::AgentEnded { agent: Self::DEDUPLICATION })?);
        report.finish(began.elapsed());
        Ok(report)
    }
}
