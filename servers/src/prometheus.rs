//! Prometheus, and its tool.

use std::fmt;
use std::process::{Command, Output};

use rustix::process::Signal;

use crate::error::ServerError;
use crate::process::Recipe;
use crate::program::{Program, run};
use crate::server::{Server, new_folder, write_file};
use crate::{http, port};

const PROMETHEUS: Program = Program { name: "prometheus", package: "prometheus" };
const PROMTOOL: Program = Program { name: "promtool", package: "prometheus" };
const CONFIG: &str = "prometheus.yml";

/// A Prometheus server of one's own.
pub struct Prometheus {
    server: Server,
    port: u16,
}

impl Prometheus {
    /// Starts one with this configuration (YAML, as in `prometheus.yml`) and waits until it is ready. `files` are
    /// written beside the configuration, by their names, for its `rule_files` and the like.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not start, for instance because of the configuration.
    pub fn start(config: &str, files: &[(&str, &str)]) -> Result<Self, ServerError> {
        let program = PROMETHEUS.find()?;
        let folder = new_folder("prometheus", None)?;
        write_file(folder.path(), CONFIG, config)?;
        for (name, text) in files {
            write_file(folder.path(), name, text)?;
        }
        let port = port::free()?;
        let recipe = Recipe {
            name: PROMETHEUS.name,
            program,
            arguments: vec![
                format!("--config.file={CONFIG}"),
                "--storage.tsdb.path=data".into(),
                format!("--web.listen-address=127.0.0.1:{port}"),
                "--web.enable-lifecycle".into(),
            ],
            folder: folder.path().to_owned(),
            user: None,
            last_signal: "KILL",
        };
        let ready = Box::new(move |_| http::status(port, "GET", "/-/ready").is_ok_and(|it| it == 200));
        let mut prometheus = Self { server: Server::new(recipe, folder, ready), port };
        prometheus.server.start()?;
        Ok(prometheus)
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

    /// Starts it again, on the same port and with the samples it had written.
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

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prometheus").field("port", &self.port).finish_non_exhaustive()
    }
}

/// Runs `promtool` with these arguments and this standard input, for instance `["check", "metrics"]` and an exposition.
/// Its exit status says what it thinks of them.
///
/// # Errors
///
/// It is not installed, or cannot be run.
pub fn promtool(arguments: &[&str], input: &str) -> Result<Output, ServerError> {
    run(Command::new(PROMTOOL.find()?).args(arguments), input)
}
