//! A process that does not outlive its parent, whatever happens to the parent.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{ServerError, while_doing};
use crate::program::tail;
use crate::user::User;

/// Becomes the server, and leaves a watchdog beside it that waits for the end of standard input. A line means that the
/// server is being looked after. The end without a line means that the parent is gone: then the server gets its last
/// signal, and its folder goes when it is gone (or after five seconds, should nobody take its exit status).
///
/// `$$` is the server's process also in the watchdog: `exec` keeps the number.
const GUARDED: &str = r#"
last=$1 folder=$2
shift 2
exec 3<&0
(
  read -r _ <&3 && exit
  kill -s "$last" $$
  kill -s CONT $$
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    kill -0 $$ || break
    sleep 0.2
  done
  rm -rf -- "$folder"
) >/dev/null 2>&1 &
exec "$@" 3<&- </dev/null
"#;

/// What to run.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Where it runs, and what goes when the parent is gone.
    pub(crate) folder: PathBuf,
    pub(crate) user: Option<User>,
    /// How the server is told to go at once, by its name without SIG.
    pub(crate) last_signal: &'static str,
}

impl Recipe {
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(crate) fn log_tail(&self) -> String {
        tail(&String::from_utf8_lossy(&fs::read(self.log()).unwrap_or_default()))
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    pub(crate) fn start(recipe: &Recipe) -> Result<Self, ServerError> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(recipe.log())
            .map_err(while_doing(format!("write {}", recipe.log().display())))?;
        let errors = log.try_clone().map_err(while_doing("open the server's log twice"))?;
        let mut command = as_user("sh", &recipe.folder, recipe.user);
        let child = command
            .args(["-c", GUARDED, "statim-servers", recipe.last_signal])
            .arg(&recipe.folder)
            .arg(&recipe.program)
            .args(&recipe.arguments)
            // An interrupt from the terminal is for the tests; the servers follow when the tests are gone.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(while_doing(format!("start {}", recipe.name)))?;
        Ok(Self { child })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() {
            self.dismiss_watchdog();
        }
        status
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // It fails only when the process is gone, and whoever waits for that sees it.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Whether it ended within this time.
    pub(crate) fn ends_within(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.exited().is_none() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Kills it, and on Linux its children, none of which has time to notice.
    pub(crate) fn kill(&mut self) {
        let children = children(self.id());
        self.signal(Signal::KILL);
        for child in children {
            let _ = kill_process(child, Signal::KILL);
        }
        let _ = self.child.wait();
        self.dismiss_watchdog();
    }

    /// The process number may belong to somebody else from now on.
    fn dismiss_watchdog(&mut self) {
        if let Some(mut pipe) = self.child.stdin.take() {
            // The watchdog may be dead already: it is a child of the server.
            let _ = pipe.write_all(b"done\n");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.exited().is_none() {
            self.kill();
        }
    }
}

/// A command in this folder, as this user, and without the environment variables that PostgreSQL's programs obey.
pub(crate) fn as_user(program: impl AsRef<Path>, folder: &Path, user: Option<User>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(folder).env("LC_ALL", "C");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

fn children(parent: u32) -> Vec<Pid> {
    fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|id| Pid::from_raw(id.parse().ok()?))
        .collect()
}
