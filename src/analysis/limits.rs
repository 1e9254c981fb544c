//! From where on something is a bottleneck, each with its reason.
//!
//! They are of two sorts. A *limit* is where queueing theory or practice says that things turn; below it, something may still be
//! the nearest to its limit, and is told so. A *floor* keeps noise out: what is below it is not worth anybody's time, whatever
//! its ratio.

/// Busy part of an agent's time, of each instance, from which on it is saturated. With random arrivals the mean wait is
/// ρ / (1 − ρ) services (M/M/1): 4 services at 0.8, 9 at 0.9, 19 at 0.95. Beyond 0.8 a little more load is a lot more wait.
pub const SATURATED: f64 = 0.8;

/// Busy part from which on long waits alone make it saturated: bursts. 0.5 is where M/M/1 waits as long as it serves.
pub const HALF_BUSY: f64 = 0.5;

/// Mean wait over mean service that says so: what M/M/1 has at [`SATURATED`].
pub const LONG_WAIT: f64 = 4.0;

/// Messages, waits or queries that there must have been before a mean is believed: of 20 random ones its standard error is
/// 22 %.
pub const FEWEST: u64 = 20;

/// Messages that there must have been before a part of a hundredth is believed.
pub const FEWEST_FOR_PARTS: u64 = 100;

/// Waits below this, in seconds, are nobody's bottleneck: 25 of an arbiter's slices of 200 µs.
pub const SHORTEST_WAIT: f64 = 0.005;

/// Part of the time in handlers that has to go to a cause before it is called one. Amdahl: removing 20 % gains 1.25 times at
/// most, and less is not to be told from noise on a shared machine.
pub const WORTH_IT: f64 = 0.2;

/// Part of an agent's time in handlers that is explained by something else (a pool, another agent) from which on that is the
/// cause, and the agent only where it shows: more than half.
pub const MOSTLY: f64 = 0.5;

/// Busy part of an agent that may hold its thread from others. Below it, its neighbours wait for less than a fifth of
/// its handler.
pub const HOLDS_THREAD: f64 = 0.2;

/// Queries without a load, of all, below which a cache misses too often. At 0.5 it halves the work; a query cache in
/// production is expected above 0.9.
pub const FEW_HITS: f64 = 0.5;

/// What a cache can be brought to, for the estimate of the gain.
pub const GOOD_HITS: f64 = 0.9;

/// Processor time over what may be used from which on processors are the limit. Not 1: what is spent between two
/// handlers, in the kernel, and by the last partly used slice, is in no average.
pub const CPU_FULL: f64 = 0.85;

/// Part of the periods held back by the control group's limit: where Kubernetes' own monitoring rules raise
/// `CPUThrottlingHigh`.
pub const THROTTLED: f64 = 0.25;

/// Memory over its limit. The last tenth goes to page cache, allocator slack and the next burst; then comes the
/// out-of-memory killer.
pub const MEMORY_FULL: f64 = 0.9;

/// Part of the time in which something stalled for memory: a working system stalls for memory next to never.
pub const MEMORY_STALLED: f64 = 0.1;

/// Part of the time in which something waited for a disk.
pub const IO_STALLED: f64 = 0.4;

/// Part of the messages that may be lost, refused or failed: 1 %, the error rate of the lightest scenario.
pub const LOST: f64 = 0.01;

/// Retries over first attempts from which on retries are a load of their own; the retry budget's usual ratio.
pub const MANY_RETRIES: f64 = 0.1;

/// Throughput over offered load below which the target does not keep up. 5 % is what a run that ends within a burst lacks.
pub const KEPT_UP: f64 = 0.95;

/// The hottest member of a pool routed by key over the mean of the others: from here on the keys are uneven. Random keys on a
/// dozen members stay well below 2.
pub const SKEWED: f64 = 3.0;

/// Part of the messages that are Critical or High above which urgency says nothing any more: if half are first, nobody is.
pub const TOO_MANY_URGENT: f64 = 0.5;

/// Mean duration of a write, in seconds, below which a commit is most of it, so that several in one transaction pay: the sync
/// of a disk takes about as long.
pub const SHORT_WRITE: f64 = 0.002;

/// Of a pool that is full, how much its enlargement may bring at most in one step: doubling it.
pub const ONE_STEP: f64 = 2.0;

/// Part of an agent's work that is assumed to stay serial, for the lower end of a gain.
pub const SERIAL: f64 = 0.5;

/// Lines that a table has at most; the others are counted.
pub const LONGEST_TABLE: usize = 40;
