//! Real servers for tests and benchmarks, started privately: PostgreSQL, Redis, Prometheus and Alertmanager;
//! and a browser.
//!
//! Each server has its own folder and its own port of 127.0.0.1, is asked until it answers before [`start`] returns,
//! and is gone with its folder when its value is dropped. It is also gone when the test process dies by `SIGKILL`:
//! beside the server a small shell reads a pipe whose other end only the test process has, and the end of that pipe
//! is the end of the server (`process`). A death signal of the kernel would be shorter, but it belongs to the
//! *thread* that started the server, and a test's thread ends with the test.
//!
//! Services that cannot be started here, because they are somebody's, have a strict stand-in: [`vendors`].
//!
//! The functions block (starting takes up to some seconds), so in an asynchronous test
//! call them before the runtime is busy. Unix only.
//!
//! ```no_run
//! let url = statim_servers::database("ledger")?; // a fresh database on a server that this process shares
//! let mut redis = statim_servers::Redis::start()?;
//! redis.kill()?;
//! redis.start_again()?;
//! # Ok::<(), statim_servers::ServerError>(())
//! ```
//!
//! [`start`]: Postgres::start

mod alertmanager;
mod browser;
mod error;
mod http;
mod port;
mod postgres;
mod process;
mod program;
mod prometheus;
mod redis;
mod server;
mod user;
pub mod vendors;

pub use self::alertmanager::Alertmanager;
pub use self::browser::{Browsed, browse};
pub use self::error::ServerError;
pub use self::postgres::{Postgres, PostgresOptions, database};
pub use self::prometheus::{Prometheus, promtool};
pub use self::redis::Redis;
