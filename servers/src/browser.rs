//! A browser without a window: Chromium, or Chrome.

use std::path::Path;
use std::process::Command;

use crate::error::ServerError;
use crate::program::{Program, run, tail};
use crate::server::new_folder;

const BROWSERS: [Program; 3] = [
    Program { name: "chromium", package: "chromium" },
    Program { name: "chromium-browser", package: "chromium" },
    Program { name: "google-chrome", package: "chromium" },
];

/// How long opening a page may take, in seconds, a cold start on a busy machine included.
const LONGEST: &str = "120";

/// A page as a browser had it after its scripts had run.
#[derive(Debug, Clone)]
pub struct Browsed {
    /// The document, as HTML.
    pub dom: String,
    /// What the page said, and what the browser had to say of it: errors of scripts, and what its policy refused. A line
    /// each.
    pub console: Vec<String>,
}

/// Opens a file in a browser of its own, without a window (as if it had a narrow one of 500 pixels) and without a network, and
/// gives what became of it.
///
/// # Errors
///
/// No browser is installed, or it does not start.
pub fn browse(file: &Path) -> Result<Browsed, ServerError> {
    let [first, others @ ..] = BROWSERS.map(Program::find);
    let program =
        others.into_iter().fold(first, |found, other| found.or_else(|missing| other.map_err(|_| missing)))?;
    let profile = new_folder("chromium", None)?;
    let mut command = Command::new("timeout");
    command.arg(LONGEST).arg(program).args([
        "--headless=new",
        // Its sandbox needs user namespaces, which containers mostly do not have, and refuses root. The page is ours.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr",
        // The narrowest that there is: what fits here fits elsewhere.
        "--window-size=500,900",
        "--virtual-time-budget=5000",
        "--dump-dom",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("file://{}", file.display()));
    let output = run(&mut command, "")?;
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(ServerError::Failed {
            program: "chromium".to_owned(),
            status: output.status.to_string(),
            output: tail(&log),
        });
    }
    let console = log.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    Ok(Browsed { dom: String::from_utf8_lossy(&output.stdout).into_owned(), console })
}
