//! Watches a runtime: looks at it at an interval, remembers, and tells whoever asks.
//!
//! A [`Monitor`] brings together what `telemetry` measures and writes: the figures of every agent, the process with its
//! host and cgroup, the program's own metrics, and a bounded history of all of them. [`HttpServer`] answers scrapers and
//! health probes from a thread of its own. This folder knows the runtime; `telemetry` is a leaf and does not, so the two are
//! two.
//!
//! ```
//! use std::time::Duration;
//! use statim::Runtime;
//! use statim::monitor::{Health, HttpServer, Monitor, MonitorOptions};
//!
//! let runtime = Runtime::builder().start()?;
//! let monitor = Monitor::new(&runtime, MonitorOptions::default());
//! let looking = monitor.start()?;
//! let health = Health::of(&runtime, &monitor);
//! let server = HttpServer::start(([127, 0, 0, 1], 0).into(), &monitor, health)?;
//! println!("http://{}/metrics", server.address());
//! let last_minutes = monitor.summary(Duration::from_secs(5 * 60));
//! # drop((looking, server, last_minutes));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Looks block (some tens of milliseconds for a thousand busy agents), so they run on a thread that may: [`Monitor::start`] makes one,
//! and an agent that looks by itself hands the look to such a thread.

mod health;
mod http;
mod look;
mod looking;
mod options;
mod parts;
mod reader;
mod watcher;

pub use self::health::{CheckOutcome, Health, HealthReport};
pub use self::http::{HttpServer, ServeError};
pub use self::look::Look;
pub use self::looking::Looking;
pub use self::options::MonitorOptions;
pub use self::watcher::{MetricSource, Monitor, MonitorSnapshot};
