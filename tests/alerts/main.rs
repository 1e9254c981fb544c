//! Alerts that reach somebody: the service on real databases, and each sink.

mod bench;
mod crash;
mod faults;
mod operators;
mod receiver;
mod service;
mod sinks;
