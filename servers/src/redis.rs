//! Redis.

use std::fmt;
use std::io::{self, Read, Write};

use rustix::process::Signal;

use crate::error::ServerError;
use crate::process::Recipe;
use crate::program::Program;
use crate::server::{Server, new_folder};
use crate::{http, port};

const REDIS: Program = Program { name: "redis-server", package: "redis-server" };

/// A Redis server of one's own, in memory only.
pub struct Redis {
    server: Server,
    port: u16,
}

impl Redis {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not start.
    pub fn start() -> Result<Self, ServerError> {
        let program = REDIS.find()?;
        let folder = new_folder("redis", None)?;
        let port = port::free()?;
        let text = port.to_string();
        let options = [
            ["--port", &text],
            ["--bind", "127.0.0.1"],
            ["--save", ""],
            ["--appendonly", "no"],
            ["--dir", &folder.path().display().to_string()],
        ];
        let recipe = Recipe {
            name: REDIS.name,
            program,
            arguments: options.into_iter().flatten().map(str::to_owned).collect(),
            folder: folder.path().to_owned(),
            user: None,
            last_signal: "KILL",
        };
        let ready = Box::new(move |process| answers(port, process).unwrap_or(false));
        let mut redis = Self { server: Server::new(recipe, folder, ready), port };
        redis.server.start()?;
        Ok(redis)
    }

    /// `redis://127.0.0.1:PORT/`; the same after it was started again.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it with `SIGKILL`: what it held is gone, and its clients find their connections closed.
    ///
    /// # Errors
    ///
    /// It is not running.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.server.kill()
    }

    /// Starts it again after [`kill`](Self::kill) or [`stop`](Self::stop), on the same port and empty.
    ///
    /// # Errors
    ///
    /// It is running, or does not start.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        self.server.start()
    }

    /// Stops it in good order.
    ///
    /// # Errors
    ///
    /// It is not running, or does not stop.
    pub fn stop(&mut self) -> Result<(), ServerError> {
        self.server.stop(Signal::TERM)
    }

    /// Hangs it (`SIGSTOP`): the kernel still accepts connections for it, and nobody answers on them.
    ///
    /// # Errors
    ///
    /// It is not running.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.server.signal(Signal::STOP)
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Errors
    ///
    /// It is not running.
    pub fn resume(&self) -> Result<(), ServerError> {
        self.server.signal(Signal::CONT)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("port", &self.port).finish_non_exhaustive()
    }
}

/// Whether the server on this port answers, and is this process and not another one that took the port first.
fn answers(port: u16, process: u32) -> io::Result<bool> {
    let mut stream = http::connect(port)?;
    stream.write_all(b"INFO server\r\nQUIT\r\n")?;
    let mut answer = String::new();
    stream.take(64 << 10).read_to_string(&mut answer)?;
    Ok(answer.lines().any(|line| line.strip_prefix("process_id:") == Some(process.to_string().as_str())))
}
