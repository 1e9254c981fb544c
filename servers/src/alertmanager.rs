//! Alertmanager.

use std::fmt;

use rustix::process::Signal;

use crate::error::ServerError;
use crate::process::Recipe;
use crate::program::Program;
use crate::server::{Server, new_folder, write_file};
use crate::{http, port};

/// Debian's name for it; elsewhere it is plain `alertmanager`.
const ALERTMANAGER: Program = Program { name: "prometheus-alertmanager", package: "prometheus-alertmanager" };
const UPSTREAM: Program = Program { name: "alertmanager", ..ALERTMANAGER };
const CONFIG: &str = "alertmanager.yml";

/// An Alertmanager of one's own, without a cluster.
pub struct Alertmanager {
    server: Server,
    port: u16,
}

impl Alertmanager {
    /// Starts one with this configuration (YAML, as in `alertmanager.yml`) and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not start, for instance because of the configuration.
    pub fn start(config: &str) -> Result<Self, ServerError> {
        let program = ALERTMANAGER.find().or_else(|error| UPSTREAM.find().map_err(|_| error))?;
        let folder = new_folder("alertmanager", None)?;
        write_file(folder.path(), CONFIG, config)?;
        let port = port::free()?;
        let recipe = Recipe {
            name: ALERTMANAGER.name,
            program,
            arguments: vec![
                format!("--config.file={CONFIG}"),
                "--storage.path=data".into(),
                format!("--web.listen-address=127.0.0.1:{port}"),
                // Else it listens for others of its kind on a port of its own.
                "--cluster.listen-address=".into(),
            ],
            folder: folder.path().to_owned(),
            user: None,
            last_signal: "KILL",
        };
        let ready = Box::new(move |_| http::status(port, "GET", "/-/ready").is_ok_and(|it| it == 200));
        let mut alertmanager = Self { server: Server::new(recipe, folder, ready), port };
        alertmanager.server.start()?;
        Ok(alertmanager)
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it with `SIGKILL`.
    ///
    /// # Errors
    ///
    /// It is not running.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.server.kill()
    }

    /// Starts it again, on the same port and with the silences it had written.
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
}

impl fmt::Debug for Alertmanager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alertmanager").field("port", &self.port).finish_non_exhaustive()
    }
}
