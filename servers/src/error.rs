//! What can go wrong with a server.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a server could not be started, stopped or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The program is not on this machine.
    #[error("{program} is not installed; install it (Debian and Ubuntu: apt-get install {package})")]
    Missing {
        /// The program that was looked for, on the path and in the folders of its package.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// PostgreSQL refuses to run as root, and there is nobody else to run it as.
    #[error("PostgreSQL does not run as root, and there is no user {tried}; add one of them")]
    NoUser {
        /// The users that were looked for.
        tried: &'static str,
    },
    /// The operating system refused a file, a folder or a process.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program ended with an error: a helper such as `initdb`, or the server before it was ready.
    #[error("{program} ended with {status}: {output}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status.
        status: String,
        /// The end of what it wrote.
        output: String,
    },
    /// The server is running and does not answer.
    #[error("{program} did not answer within {waited:?}; the end of its log ({}): {output}", log.display())]
    NotReady {
        /// The program.
        program: &'static str,
        /// How long it was asked.
        waited: Duration,
        /// The file with everything it wrote, gone with the server.
        log: PathBuf,
        /// The end of it.
        output: String,
    },
    /// The server was told to stop, and did not.
    #[error("{program} did not stop within {waited:?}; it was killed")]
    NotStopped {
        /// The program.
        program: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The server is not running, so it can be neither stopped nor asked.
    #[error("{program} is not running; start it again first")]
    NotRunning {
        /// The program.
        program: &'static str,
    },
    /// The server is running already.
    #[error("{program} is running already")]
    Running {
        /// The program.
        program: &'static str,
    },
    /// Every port that was tried was taken.
    #[error("no free port on 127.0.0.1 after {tried} tries")]
    NoPort {
        /// How many were tried.
        tried: u32,
    },
}

/// Names what was being done when the operating system refused.
pub(crate) fn while_doing(doing: impl Into<String>) -> impl FnOnce(io::Error) -> ServerError {
    let doing = doing.into();
    move |source| ServerError::Io { doing, source }
}
