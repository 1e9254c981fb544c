//! What only the thread can tell: processor time and memory, counted for whoever has its turn.

use std::fmt;

use crate::clock::{Clock, Nanos};
use crate::sync::Arc;

/// Says what the calling thread has allocated, for [`RuntimeBuilder::allocation_meter`].
///
/// Statim counts no allocations itself. An embedder whose allocator does hands its count over, such as the difference of
/// jemalloc's `thread.allocated` and `thread.deallocated`:
///
/// ```
/// use statim::telemetry::AllocationMeter;
///
/// # thread_local! { static ALLOCATED: std::cell::Cell<i64> = const { std::cell::Cell::new(0) }; }
/// struct Mine;
///
/// impl AllocationMeter for Mine {
///     fn balance(&self) -> i64 {
///         ALLOCATED.get()
///     }
/// }
/// ```
///
/// [`RuntimeBuilder::allocation_meter`]: crate::RuntimeBuilder::allocation_meter
pub trait AllocationMeter: Send + Sync {
    /// Bytes that the calling thread has allocated, less those it has freed, since it started. May be negative. Called
    /// twice a turn of an agent at most, on the thread that runs it; should take nanoseconds.
    fn balance(&self) -> i64;
}

/// What is metered.
#[derive(Clone, Default)]
pub(crate) struct Metering {
    pub(crate) cpu: bool,
    pub(crate) memory: Option<Arc<dyn AllocationMeter>>,
}

/// The same in short: which figures there are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Metered {
    pub(crate) cpu: bool,
    pub(crate) memory: bool,
}

impl Metering {
    pub(crate) fn metered(&self) -> Metered {
        Metered { cpu: self.cpu && HAS_CPU_CLOCK, memory: self.memory.is_some() }
    }
}

impl fmt::Debug for Metering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.metered().fmt(f)
    }
}

const HAS_CPU_CLOCK: bool = cfg!(target_os = "linux");

/// Counts for whoever has the thread.
#[derive(Debug)]
pub(crate) struct Meter {
    cpu: Option<CpuMeter>,
    memory: Option<MemoryMeter>,
}

impl Meter {
    /// `None` if nothing is metered.
    pub(crate) fn new(metering: Metering, clock: &Clock) -> Option<Self> {
        let cpu = metering.metered().cpu.then(|| CpuMeter::new(clock.clone()));
        let memory = metering.memory.map(|meter| MemoryMeter { meter, before: None });
        (cpu.is_some() || memory.is_some()).then_some(Self { cpu, memory })
    }

    /// The thread does something else for a while.
    pub(crate) fn rest(&mut self) {
        if let Some(cpu) = &mut self.cpu {
            cpu.began = None;
        }
        if let Some(memory) = &mut self.memory {
            memory.before = None;
        }
    }

    /// Somebody's turn begins.
    pub(crate) fn begin(&mut self) {
        if let Some(cpu) = &mut self.cpu {
            cpu.begin();
        }
        if let Some(memory) = &mut self.memory {
            // Where one turn ends and the next begins at once, one look serves both.
            memory.before.get_or_insert_with(|| memory.meter.balance());
        }
    }

    /// It is over: nanoseconds of processor time, and bytes, since it began.
    pub(crate) fn end(&mut self) -> (u64, i64) {
        (self.cpu.as_mut().map_or(0, CpuMeter::end), self.memory.as_mut().map_or(0, MemoryMeter::end))
    }
}

/// Tells turns apart by the time-stamp counter, and asks the kernel only where that could be wrong.
///
/// A turn is polled without a break, so while it lasts its thread computes, unless it blocks or somebody else is given
/// the processor. Either takes longer than a short turn does, so short turns are taken at their length, and after a long
/// one the thread's own clock says what is left for it.
#[derive(Debug)]
struct CpuMeter {
    clock: Clock,
    /// When the turn began; `None` if the thread did something else before.
    began: Option<Nanos>,
    /// The thread's processor time when it was asked for last.
    asked: u64,
    /// What turns took since then.
    since: u64,
}

/// A turn of so many nanoseconds is long: a hundred times what it costs to ask.
const LONG: u64 = 50_000;

impl CpuMeter {
    fn new(clock: Clock) -> Self {
        Self { clock, began: None, asked: 0, since: 0 }
    }

    fn begin(&mut self) {
        if self.began.is_none() {
            (self.asked, self.since) = (thread_cpu_nanos(), 0);
            self.began = Some(self.clock.now());
        }
    }

    fn end(&mut self) -> u64 {
        let now = self.clock.now();
        let took = self.began.replace(now).map_or(0, |began| now.since(began));
        if took < LONG {
            self.since += took;
            return took;
        }
        let cpu = thread_cpu_nanos();
        let left = cpu.saturating_sub(self.asked).saturating_sub(self.since);
        (self.asked, self.since) = (cpu, 0);
        left.min(took)
    }
}

struct MemoryMeter {
    meter: Arc<dyn AllocationMeter>,
    /// When the turn before ended, if nothing came in between.
    before: Option<i64>,
}

impl MemoryMeter {
    fn end(&mut self) -> i64 {
        let now = self.meter.balance();
        self.before.replace(now).map_or(0, |before| now.wrapping_sub(before))
    }
}

impl fmt::Debug for MemoryMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryMeter").field("before", &self.before).finish_non_exhaustive()
    }
}

/// Processor time of the calling thread.
#[cfg(target_os = "linux")]
fn thread_cpu_nanos() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    // Neither is negative.
    time.tv_sec.unsigned_abs().wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec.unsigned_abs())
}

#[cfg(not(target_os = "linux"))]
fn thread_cpu_nanos() -> u64 {
    0
}
