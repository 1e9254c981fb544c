//! The monitor on real runtimes, and its HTTP endpoint with real clients.

mod counting;
mod http;
mod parts;
mod prometheus;
mod shipped;
mod support;
