//! What figures were measured on; without it they say nothing.

use serde::{Deserialize, Serialize};

use super::probe::{SystemProbe, text};

/// The machine, as far as it tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name, `unknown` if it does not tell.
    pub cpu: String,
    /// Threads that this process may run at once.
    pub cores: usize,
    /// Memory of the host, in bytes.
    pub memory_bytes: Option<u64>,
    /// The kernel's release, `unknown` if it does not tell.
    pub kernel: String,
    /// The compiler that built this.
    pub rustc: String,
    /// Architecture and operating system: `x86_64-linux`.
    pub target: String,
    /// The tightest processor limit of the control group, in processors; `None` where there is no limit.
    pub cgroup_cpu_limit: Option<f64>,
    /// The tightest memory limit of the control group, in bytes; `None` where there is no limit.
    pub cgroup_memory_limit_bytes: Option<u64>,
    /// Processes ready to run over the last minute: well above zero, others were at work too.
    pub load_average: Option<f64>,
    /// Whether the build checks itself; figures from such a build mean nothing.
    pub debug_assertions: bool,
}

impl Machine {
    /// Looks around. Reads files: for a thread that may block.
    #[must_use]
    pub fn look() -> Self {
        let unknown = || "unknown".to_owned();
        let sample = SystemProbe::new().sample();
        Self {
            cpu: text("/proc/cpuinfo").and_then(|text| cpu(&text)).unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: sample.host.memory_bytes,
            kernel: text("/proc/sys/kernel/osrelease").map_or_else(unknown, |text| text.trim().to_owned()),
            rustc: env!("STATIM_RUSTC").to_owned(),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            cgroup_cpu_limit: sample.cgroup.cpu_limit_cores,
            cgroup_memory_limit_bytes: sample.cgroup.memory_limit_bytes,
            load_average: sample.host.load1,
            debug_assertions: cfg!(debug_assertions),
        }
    }

    /// The machine in a line, with a warning on a second one if its figures mean nothing.
    #[must_use]
    pub fn heading(&self) -> String {
        let mut text = format!("{}, {} cores, Linux {}, {}", self.cpu, self.cores, self.kernel, self.rustc);
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

fn cpu(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_as_the_kernel_names_it() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 7B13\nmodel name\t: other\n";
        assert_eq!(cpu(text).as_deref(), Some("AMD EPYC 7B13"));
        assert_eq!(cpu("processor : 0"), None);
    }

    #[test]
    fn the_machine_says_what_it_is_and_what_built_this() {
        let machine = Machine::look();
        assert!(machine.cores > 0);
        assert!(machine.rustc.starts_with("rustc "), "{}", machine.rustc);
        assert!(machine.debug_assertions && machine.heading().contains("DEBUG BUILD"));
    }
}
