//! What all servers have in common: a folder, a process, and a way to ask whether it is ready.

use std::os::unix::fs::chown;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::error::{ServerError, while_doing};
use crate::process::{Process, Recipe};
use crate::user::User;

/// How long a server may take to answer, or to stop: generous, because tests share a machine with compilers.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a server is started that ends before it is ready, because somebody took its port or because what it left
/// behind is not cleared away yet.
const STARTS: u32 = 5;

/// Tells whether the server with this process number answers.
pub(crate) type Ready = Box<dyn Fn(u32) -> bool + Send + Sync>;

/// A server and its folder.
pub(crate) struct Server {
    recipe: Recipe,
    ready: Ready,
    // Before the folder: dropped in this order.
    process: Option<Process>,
    folder: TempDir,
}

impl Server {
    pub(crate) fn new(recipe: Recipe, folder: TempDir, ready: Ready) -> Self {
        Self { recipe, ready, process: None, folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn user(&self) -> Option<User> {
        self.recipe.user
    }

    /// Starts it and waits until it answers.
    pub(crate) fn start(&mut self) -> Result<(), ServerError> {
        if self.process.is_some() {
            return Err(ServerError::Running { program: self.recipe.name });
        }
        let deadline = Instant::now() + PATIENCE;
        for attempt in 1.. {
            let mut process = Process::start(&self.recipe)?;
            match self.wait_until_ready(&mut process, deadline) {
                Ok(()) => {
                    self.process = Some(process);
                    break;
                }
                Err(ServerError::Failed { .. }) if attempt < STARTS => {
                    thread::sleep(Duration::from_millis(100 * u64::from(attempt)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn wait_until_ready(&self, process: &mut Process, deadline: Instant) -> Result<(), ServerError> {
        loop {
            let answered = (self.ready)(process.id());
            // Also after an answer: it may have come from another server that has the port.
            if let Some(status) = process.exited() {
                return Err(ServerError::Failed {
                    program: self.recipe.name.to_owned(),
                    status: status.to_string(),
                    output: self.recipe.log_tail(),
                });
            }
            if answered {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(ServerError::NotReady {
                    program: self.recipe.name,
                    waited: PATIENCE,
                    log: self.recipe.log(),
                    output: self.recipe.log_tail(),
                });
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to stop with this signal and waits until it has.
    pub(crate) fn stop(&mut self, signal: Signal) -> Result<(), ServerError> {
        let mut process = self.take()?;
        process.signal(signal);
        // One that was paused hears it now.
        process.signal(Signal::CONT);
        if process.ends_within(PATIENCE) {
            return Ok(());
        }
        process.kill();
        Err(ServerError::NotStopped { program: self.recipe.name, waited: PATIENCE })
    }

    /// Kills it: it has no time to write anything, nor to say goodbye to its clients.
    pub(crate) fn kill(&mut self) -> Result<(), ServerError> {
        self.take()?.kill();
        Ok(())
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<(), ServerError> {
        self.process
            .as_ref()
            .ok_or(ServerError::NotRunning { program: self.recipe.name })
            .map(|it| it.signal(signal))
    }

    fn take(&mut self) -> Result<Process, ServerError> {
        self.process.take().ok_or(ServerError::NotRunning { program: self.recipe.name })
    }
}

/// A new folder in the system's one (`TMPDIR`, which should be open to all as `/tmp` is), which belongs to whom the
/// server runs as. The name is short because the path of a socket may have 107 bytes at most.
pub(crate) fn new_folder(name: &str, user: Option<User>) -> Result<TempDir, ServerError> {
    let folder = tempfile::Builder::new()
        .prefix(&format!("statim-{name}-"))
        .tempdir()
        .map_err(while_doing("make a temporary folder"))?;
    if let Some(user) = user {
        chown(folder.path(), Some(user.uid), Some(user.gid))
            .map_err(while_doing("give the temporary folder away"))?;
    }
    Ok(folder)
}

/// Writes a file into a server's folder.
pub(crate) fn write_file(folder: &Path, name: &str, text: &str) -> Result<(), ServerError> {
    std::fs::write(folder.join(name), text).map_err(while_doing(format!("write the file {name}")))
}
