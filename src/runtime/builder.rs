//! What can be chosen about a runtime.

use std::fmt;
use std::thread::available_parallelism;
use std::time::Duration;

use super::core::Core;
use super::error::StartError;
use super::{Runtime, RuntimeHandle};
use crate::agent::Commons;
use crate::clock::Clock;
use crate::delivery::{DeadLetterSink, DeadLetters};
use crate::host::Host;
use crate::resilience::{Environment, Listener, LogListener};
use crate::sync::Arc;
use crate::telemetry::{AllocationMeter, Metering};

/// The options of a runtime. Every one has a default.
#[must_use]
pub struct RuntimeBuilder {
    arbiters: Option<usize>,
    kept_dead_letters: usize,
    sink: Option<Box<dyn DeadLetterSink>>,
    latencies: bool,
    shutdown_deadline: Duration,
    guards: Environment,
    metering: Metering,
}

impl Default for RuntimeBuilder {
    fn default() -> Self {
        Self {
            arbiters: None,
            kept_dead_letters: 1_000,
            sink: None,
            latencies: true,
            shutdown_deadline: Duration::from_secs(10),
            guards: Environment::default().listener(LogListener),
            metering: Metering::default(),
        }
    }
}

impl RuntimeBuilder {
    /// Shared arbiters (threads). Default: one for each processor.
    pub fn arbiters(mut self, arbiters: usize) -> Self {
        self.arbiters = Some(arbiters.max(1));
        self
    }

    /// How many of the latest dead letters stay in memory. Default 1,000.
    pub fn keep_dead_letters(mut self, letters: usize) -> Self {
        self.kept_dead_letters = letters;
        self
    }

    /// Where dead letters go besides.
    pub fn dead_letter_sink(mut self, sink: impl DeadLetterSink) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }

    /// Whether latencies are recorded. Default: yes. Counters are always kept.
    pub fn latencies(mut self, recorded: bool) -> Self {
        self.latencies = recorded;
        self
    }

    /// How long a shutdown lets agents handle what they have. Default 10 s.
    pub fn shutdown_deadline(mut self, deadline: Duration) -> Self {
        self.shutdown_deadline = deadline;
        self
    }

    /// Who hears of every decision of the guards on links and of admission control. Default: the log
    /// ([`LogListener`]).
    pub fn guard_listener(mut self, listener: impl Listener + 'static) -> Self {
        self.guards = self.guards.listener(listener);
        self
    }

    /// Whether processor time is measured for each agent, on Linux. Default: no. It costs a reading of the time-stamp
    /// counter for each turn of an agent (10 ns; a turn handles a message, or up to 1,024 that wait), and a system call
    /// (0.5 µs) where a thread wakes up and after a turn of more than 50 µs.
    pub fn cpu_time(mut self, measured: bool) -> Self {
        self.metering.cpu = measured;
        self
    }

    /// Counts what each agent allocates by this meter. Default: nothing is counted.
    ///
    /// An agent's figure is what its turns allocated less what they freed. A message that is sent with its memory counts
    /// for the sender, which allocated it, and against the receiver, which frees it: what grows without end shows, and who
    /// holds what to the byte does not.
    pub fn allocation_meter(mut self, meter: impl AllocationMeter + 'static) -> Self {
        self.metering.memory = Some(Arc::new(meter));
        self
    }

    /// Starts the runtime's threads.
    ///
    /// # Errors
    ///
    /// [`StartError::Threads`] if they could not be started.
    pub fn start(self) -> Result<Runtime, StartError> {
        let arbiters = self.arbiters.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
        let clock = Clock::real();
        let host = Host::start(arbiters, clock.clone(), self.metering.clone())?;
        Ok(self.build(host, clock))
    }

    pub(crate) fn build(self, host: Host, clock: Clock) -> Runtime {
        let dead_letters = DeadLetters::new(self.kept_dead_letters, self.sink);
        let metered = self.metering.metered();
        let commons = Commons::new(clock, dead_letters, self.latencies, self.guards, metered);
        let commons = Arc::new(commons);
        let core = Core::new(commons, host, self.shutdown_deadline);
        Runtime::of(RuntimeHandle::new(Arc::new(core)))
    }
}

impl fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeBuilder")
            .field("arbiters", &self.arbiters)
            .field("shutdown_deadline", &self.shutdown_deadline)
            .finish_non_exhaustive()
    }
}
