//! Answers scrapers and health probes, from a thread of its own: agents that keep every other thread busy cannot starve it.
//!
//! No authentication: what is served is meant for the operator's own network, and nothing of a patient is in it. So nothing
//! listens unless it is told to, and the configured default is the loopback interface. A program can add
//! routes of its own ([`HttpServer::start_with`]), which see to that themselves.

mod routes;
mod server;

pub use self::server::{HttpServer, ServeError};
