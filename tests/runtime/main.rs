//! The runtime from outside, behaviour by behaviour.

mod asks;
mod batches;
mod bound;
mod control;
mod cycles;
mod embedding;
mod failures;
mod hostile;
mod lifecycle;
mod names;
mod neighbours;
mod pools;
mod scaling;
mod shutdown;
mod support;
mod telemetry;
mod timers;
mod turns;
mod urgency;
