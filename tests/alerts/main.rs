//! Alerts that reach somebody.

mod sinks;
