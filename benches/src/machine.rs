//! What the figures were measured on; without it they say nothing.

use std::fs;
use std::process::Command;
use std::thread;

use serde::Serialize;

/// The lock file the benchmark was built with, for the versions of what it measures.
const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));

/// The machine, as far as it tells.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu_model: String,
    /// Threads this process may run at once.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// The compiler on the path, normally the one that built this.
    pub rustc: String,
    /// Operating system and architecture.
    pub target: String,
    /// Processes ready to run over the last minute, before the first round: well above zero, others were at work too.
    pub load_average: Option<f64>,
    /// Whether the build checks itself; figures from such a build mean nothing.
    pub debug_assertions: bool,
}

impl Machine {
    /// Looks around; what cannot be found is "unknown".
    pub fn look() -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            cpu_model: fs::read_to_string("/proc/cpuinfo")
                .ok()
                .and_then(|text| cpu_model(&text))
                .unwrap_or_else(unknown),
            cores: thread::available_parallelism().map_or(1, usize::from),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |text| text.trim().to_owned()),
            rustc: rustc().unwrap_or_else(unknown),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            load_average: fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|text| text.split(' ').next()?.parse().ok()),
            debug_assertions: cfg!(debug_assertions),
        }
    }
}

impl Machine {
    /// The machine in a line, with a warning if its figures mean nothing.
    pub fn heading(&self) -> String {
        let mut text =
            format!("{}, {} cores, Linux {}, {}", self.cpu_model, self.cores, self.kernel, self.rustc);
        if let Some(load) = self.load_average {
            text.push_str(&format!(", load average {load:.2} at the start"));
        }
        text.push('\n');
        if self.debug_assertions {
            text.push_str("THIS IS A DEBUG BUILD: its figures mean nothing.\n");
        }
        text
    }
}

/// The version of a crate in the build, when the lock file holds exactly one.
pub fn version(package: &str) -> Option<&'static str> {
    let mut lines = LOCK.lines();
    let mut found = None;
    while let Some(line) = lines.next() {
        if quoted(line, "name") == Some(package) {
            let version = lines.next().and_then(|line| quoted(line, "version"))?;
            if found.replace(version).is_some() {
                return None;
            }
        }
    }
    found
}

fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_as_the_kernel_names_it() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 7B13\nmodel name\t: other\n";
        assert_eq!(cpu_model(text).as_deref(), Some("AMD EPYC 7B13"));
        assert_eq!(cpu_model("processor : 0"), None);
    }

    #[test]
    fn the_lock_file_gives_the_versions_of_what_is_measured() {
        assert!(version("actix").is_some_and(|version| version.starts_with("0.13.")));
        assert_eq!(version("no-such-crate"), None);
    }
}
