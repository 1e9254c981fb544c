//! What an analysis finds.

use std::fmt;

use serde::Serialize;

use super::forecast::Forecast;
use super::gain::Gain;
use crate::message::Priority;

/// What limits a system, and what to do about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// What it is about.
    pub subject: String,
    /// Seconds that were looked at.
    pub seconds: f64,
    /// In a few sentences.
    pub verdict: Verdict,
    /// How long messages took, by agent and priority.
    pub responses: Vec<ResponseLine>,
    /// What was used of each resource.
    pub resources: Vec<ResourceLine>,
    /// What limits the system, most limiting first. Empty: nothing does.
    pub bottlenecks: Vec<Bottleneck>,
    /// What to do, in order.
    pub recommendations: Vec<Recommendation>,
    /// How much more load there is room for.
    pub forecast: Forecast,
    /// What is closest to its limit, closest first.
    pub headroom: Vec<Headroom>,
    /// What could not be judged, and how to have it measured.
    pub unjudged: Vec<Unjudged>,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether nothing limits the system and every target was met.
    pub healthy: bool,
    /// In one sentence.
    pub headline: String,
    /// More sentences.
    pub details: Vec<String>,
    /// Thresholds and targets, line by line: what was wanted, what was measured, whether it is met.
    pub targets: Vec<super::evidence::TargetEvidence>,
}

/// How long one agent's messages of one priority took. Seconds; means are of the window, the 99th percentiles since the
/// agent's start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResponseLine {
    /// The agent.
    pub agent: String,
    /// How urgent they were.
    pub priority: Priority,
    /// How many.
    pub count: u64,
    /// Mean wait in the mailbox.
    pub wait: f64,
    /// Mean time in the handler.
    pub service: f64,
    /// Mean of both.
    pub response: f64,
    /// 99th percentile of both.
    pub response_p99: f64,
    /// What that may be at most, if a threshold says so.
    pub wanted_p99: Option<f64>,
    /// Whether it is.
    pub met: Option<bool>,
}

/// What was used of a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceLine {
    /// Which.
    pub resource: String,
    /// What was used, with its unit.
    pub used: String,
    /// What there is, with its unit; empty if there is no limit, or none is known.
    pub limit: String,
    /// Used over limit, 0 to 1.
    pub ratio: Option<f64>,
    /// What to know about it.
    pub note: String,
}

/// Which kind of bottleneck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BottleneckKind {
    /// The generator of the load did not keep up, so what it measured is not of the target.
    Generator,
    /// An agent has more work than time.
    Agent,
    /// An agent's handler keeps a thread from the agents that share it.
    HeldThread,
    /// One member of a pool routed by key has most of the work.
    HotMember,
    /// A mailbox refuses or sheds although its agent has time left: it is too small for the bursts.
    Mailbox,
    /// Callers wait for a connection of the store.
    Pool,
    /// Callers wait for the turn to write.
    WriteTurn,
    /// The database works long on statements.
    Statements,
    /// The query cache misses.
    Cache,
    /// A circuit breaker refuses calls because the agent behind it fails.
    Breaker,
    /// A rate limit or a bulkhead of a link refuses calls.
    LinkLimit,
    /// An agent's handler fails.
    Failures,
    /// Attempts are repeated so often that repeating is a load of its own.
    Retries,
    /// Most messages claim to be urgent.
    Urgency,
    /// The process uses all processors that it may.
    Cpu,
    /// The control group's processor limit holds the process back.
    Throttling,
    /// The process is short of memory.
    Memory,
    /// Something waits for disks.
    Disk,
}

impl BottleneckKind {
    /// As JSON writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Agent => "agent",
            Self::HeldThread => "held_thread",
            Self::HotMember => "hot_member",
            Self::Mailbox => "mailbox",
            Self::Pool => "pool",
            Self::WriteTurn => "write_turn",
            Self::Statements => "statements",
            Self::Cache => "cache",
            Self::Breaker => "breaker",
            Self::LinkLimit => "link_limit",
            Self::Failures => "failures",
            Self::Retries => "retries",
            Self::Urgency => "urgency",
            Self::Cpu => "cpu",
            Self::Throttling => "throttling",
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}

impl fmt::Display for BottleneckKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that limits the system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bottleneck {
    /// Which kind.
    pub kind: BottleneckKind,
    /// The agent, store or resource: a name of the deployment's, or `processor` and the like.
    pub resource: String,
    /// In one sentence.
    pub summary: String,
    /// The figures that say so.
    pub evidence: Vec<Fact>,
    /// The part of all time of messages, or of all messages, that it accounts for, 0 to 1. The order is by it.
    pub weight: f64,
    /// What removing it would bring.
    pub gain: Gain,
    /// What to do.
    pub advice: String,
}

/// A figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Of what.
    pub what: String,
    /// With its unit.
    pub value: String,
}

impl Fact {
    pub(super) fn new(what: impl Into<String>, value: impl Into<String>) -> Self {
        Self { what: what.into(), value: value.into() }
    }
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommendation {
    /// What it is about.
    pub resource: String,
    /// What to do.
    pub advice: String,
    /// What it would bring.
    pub gain: Gain,
}

/// How close something is to its limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headroom {
    /// What.
    pub resource: String,
    /// How much of it is used, 0 to 1 and beyond.
    pub used: f64,
    /// Where its limit is.
    pub limit: f64,
    /// How many times as much load it takes to be there; 1 or less if it is there.
    pub times: f64,
}

/// What could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unjudged {
    /// What.
    pub what: String,
    /// How to have it measured.
    pub how: String,
}
