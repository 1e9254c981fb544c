//! What only the thread can tell: processor time and memory, counted for whoever has its turn.

use std::fmt;

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

/// Counts for whoever has the thread. Where one turn ends and the next begins at once, one look at the clock, which is a
/// system call, serves both.
#[derive(Debug)]
pub(crate) struct Meter {
    metering: Metering,
    /// When the turn before ended, if nothing came in between.
    last: Option<Counts>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    cpu_nanos: u64,
    balance: i64,
}

impl Meter {
    /// `None` if nothing is metered.
    pub(crate) fn new(metering: Metering) -> Option<Self> {
        let Metered { cpu, memory } = metering.metered();
        (cpu || memory).then_some(Self { metering, last: None })
    }

    /// The thread does something else for a while.
    pub(crate) fn rest(&mut self) {
        self.last = None;
    }

    /// Somebody's turn begins.
    pub(crate) fn begin(&mut self) -> Counts {
        self.last.take().unwrap_or_else(|| self.read())
    }

    /// It is over: processor time and bytes since it began.
    pub(crate) fn end(&mut self, began: Counts) -> (u64, i64) {
        let now = self.read();
        self.last = Some(now);
        (now.cpu_nanos.saturating_sub(began.cpu_nanos), now.balance.wrapping_sub(began.balance))
    }

    fn read(&self) -> Counts {
        Counts {
            cpu_nanos: if self.metering.cpu { thread_cpu_nanos() } else { 0 },
            balance: self.metering.memory.as_ref().map_or(0, |meter| meter.balance()),
        }
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
