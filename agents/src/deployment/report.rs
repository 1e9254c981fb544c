//! What came of a job, in the form that scripts rely on.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use statim::link::LinkSnapshot;
use statim::resilience::AdmissionSnapshot;
use statim::{LatencySummary, Priority, Reason, Snapshot};

use super::peak_memory::peak_rss_bytes;
use super::replay::ReplayReport;
use crate::deduplication::Settled;
use crate::formats::FileReport;
use crate::record::Counts;

/// What came of an ingestion.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IngestReport {
    /// Files given.
    pub files: u64,
    /// Records read, those seen before included.
    pub records: u64,
    /// Records and files that could not be read and are in the quarantine.
    pub quarantined: u64,
    /// Records that were known already.
    pub unchanged: u64,
    /// Records of which a newer version came.
    pub updated: u64,
    /// Records that were new.
    pub inserted: u64,
    /// Records older than what was known: kept as history.
    pub superseded: u64,
    /// Records stored earlier that turned out to be an earlier life of another. They were counted when they came, so
    /// this is beside the others: each record read is inserted, updated, unchanged, superseded or not stored.
    pub merged: u64,
    /// Articles that a deletion took away.
    pub removed: u64,
    /// Pairs of records that share an identifier that ought to be one record's alone.
    pub possible_duplicates: u64,
    /// What the records hold.
    pub counts: Counts,
    /// From the first file to the last commit.
    pub seconds: f64,
    /// Records by seconds.
    pub records_per_second: f64,
    /// The most memory the process has held.
    pub peak_rss_bytes: Option<u64>,
    /// Files left before their end.
    pub interrupted: u64,
    /// Records read that are not in the database, because it refused them or the run was interrupted; their files must
    /// be read again.
    pub not_stored: u64,
    /// Deletions read that are not in the database.
    pub deletions_not_stored: u64,
    /// Files that the operating system did not give up.
    pub unreadable: Vec<UnreadableFile>,
    /// Files with something in the quarantine, and how much.
    pub quarantine: Vec<QuarantineNote>,
}

/// A file that could not be opened or read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreadableFile {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// A file with something in the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineNote {
    /// Which.
    pub file: String,
    /// How many entries.
    pub entries: u64,
    /// Records of it that were read.
    pub records: u64,
}

impl IngestReport {
    pub(super) fn add(&mut self, file: &FileReport) {
        self.files += 1;
        self.records += file.records;
        self.quarantined += file.quarantined;
        self.counts += file.counts;
        if file.quarantined > 0 {
            let note =
                QuarantineNote { file: file.file.clone(), entries: file.quarantined, records: file.records };
            self.quarantine.push(note);
        }
    }

    pub(super) fn settle(&mut self, settled: Settled) {
        let Settled { outcome, .. } = settled;
        let records = outcome.inserted + outcome.updated + outcome.unchanged + outcome.superseded;
        let deletions = outcome.deleted + outcome.deletions_without_effect;
        self.unchanged += outcome.unchanged;
        self.updated += outcome.updated;
        self.inserted += outcome.inserted;
        self.superseded += outcome.superseded;
        self.merged += outcome.merged;
        self.removed += outcome.deleted;
        self.possible_duplicates += outcome.possible_duplicates_found;
        // By difference: what never reached the agent, or was lost with it, is not stored either.
        self.not_stored += self.records.saturating_sub(records);
        self.deletions_not_stored += self.counts.deleted.saturating_sub(deletions);
    }

    pub(super) fn finish(&mut self, took: Duration) {
        self.seconds = took.as_secs_f64();
        self.records_per_second = self.records as f64 / self.seconds.max(1e-9);
        self.peak_rss_bytes = peak_rss_bytes();
        self.quarantine.sort_by(|a, b| a.file.cmp(&b.file));
    }

    /// Whether everything that could be read is stored.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.interrupted == 0
            && self.not_stored + self.deletions_not_stored == 0
            && self.unreadable.is_empty()
    }
}

impl AddAssign for IngestReport {
    /// One ingestion after the other.
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.records += other.records;
        self.quarantined += other.quarantined;
        self.unchanged += other.unchanged;
        self.updated += other.updated;
        self.inserted += other.inserted;
        self.superseded += other.superseded;
        self.merged += other.merged;
        self.removed += other.removed;
        self.possible_duplicates += other.possible_duplicates;
        self.counts += other.counts;
        self.seconds += other.seconds;
        self.records_per_second = self.records as f64 / self.seconds.max(1e-9);
        self.peak_rss_bytes = self.peak_rss_bytes.max(other.peak_rss_bytes);
        self.interrupted += other.interrupted;
        self.not_stored += other.not_stored;
        self.deletions_not_stored += other.deletions_not_stored;
        self.unreadable.extend(other.unreadable);
        self.quarantine.extend(other.quarantine);
    }
}

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// The ingestions, added up.
    pub ingest: IngestReport,
    /// The consent events played and decisions answered.
    pub decisions: ReplayReport,
    /// Each agent.
    pub agents: Vec<AgentReport>,
    /// Each link between agents: what was given to it, how that ended, and its guards.
    pub links: Vec<LinkSnapshot>,
    /// Messages put in the dead letters.
    pub dead_letters: u64,
    /// Where everything is.
    pub database: String,
}

/// One agent's figures.
#[derive(Debug, Clone, Serialize)]
pub struct AgentReport {
    /// Its name.
    pub name: String,
    /// Messages handled.
    pub handled: u64,
    /// Messages whose handling failed.
    pub failed: u64,
    /// Messages not handled, by reason.
    pub dropped: BTreeMap<Reason, u64>,
    /// Admission control, if the agent has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<AdmissionSnapshot>,
    /// End to end, from the send to the end of handling, by priority.
    pub latency_ms: BTreeMap<Priority, LatencyMillis>,
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatencyMillis {
    /// Messages measured.
    pub count: u64,
    /// The median.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl From<&LatencySummary> for LatencyMillis {
    fn from(summary: &LatencySummary) -> Self {
        let millis = |nanos: u64| nanos as f64 / 1e6;
        let quantiles = &summary.end_to_end;
        Self {
            count: summary.count,
            p50: millis(quantiles.p50),
            p99: millis(quantiles.p99),
            max: millis(quantiles.max),
        }
    }
}

/// Each agent's figures in a snapshot.
#[must_use]
pub fn agent_reports(snapshot: &Snapshot) -> Vec<AgentReport> {
    let report = |agent: &statim::AgentSnapshot| AgentReport {
        name: agent.name.clone(),
        handled: agent.handled,
        failed: agent.failed,
        dropped: agent.dropped.clone(),
        admission: agent.admission.clone(),
        latency_ms: agent.latency.iter().map(|(priority, summary)| (*priority, summary.into())).collect(),
    };
    snapshot.agents.iter().map(report).collect()
}
