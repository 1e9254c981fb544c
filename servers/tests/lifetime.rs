//! A server and its folder are gone with the process that started them, however that ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that holds one server of each kind; their folders are in a folder of this test's own.
struct Holder {
    child: Child,
    ports: Vec<u16>,
    folder: tempfile::TempDir,
}

impl Holder {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // As /tmp: PostgreSQL runs as another user, who removes its folder.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
        fs::set_permissions(folder.path(), open).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_statim-servers"))
            .args(["postgres", "redis", "prometheus", "alertmanager"])
            .env("TMPDIR", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(4);
        let ports = lines.map(|line| port_of(&line.unwrap())).collect();
        Self { child, ports, folder }
    }

    fn ports_that_answer(&self) -> usize {
        self.ports.iter().filter(|&&port| TcpStream::connect(("127.0.0.1", port)).is_ok()).count()
    }

    fn folders(&self) -> Vec<PathBuf> {
        fs::read_dir(self.folder.path()).unwrap().map(|it| it.unwrap().path()).collect()
    }

    fn processes(&self) -> Vec<String> {
        let place = self.folder.path().to_str().unwrap();
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(place))
            .collect()
    }

    fn assert_all_gone(&self, within: Duration) {
        let deadline = Instant::now() + within;
        while self.ports_that_answer() > 0 || !self.folders().is_empty() || !self.processes().is_empty() {
            assert!(
                Instant::now() < deadline,
                "still here: {} ports, {:?}, {:?}",
                self.ports_that_answer(),
                self.folders(),
                self.processes()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn port_of(url: &str) -> u16 {
    let (_, after) = url.rsplit_once("127.0.0.1:").unwrap_or_else(|| panic!("no port in {url}"));
    after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

#[test]
fn a_killed_process_leaves_nothing_behind() {
    let mut holder = Holder::start();
    assert_eq!((holder.ports_that_answer(), holder.folders().len()), (4, 4));
    assert!(!holder.processes().is_empty());
    holder.child.kill().unwrap();
    holder.child.wait().unwrap();
    holder.assert_all_gone(Duration::from_secs(20));
}

#[test]
fn a_process_that_ends_leaves_nothing_behind() {
    let mut holder = Holder::start();
    assert_eq!((holder.ports_that_answer(), holder.folders().len()), (4, 4));
    drop(holder.child.stdin.take());
    assert!(holder.child.wait().unwrap().success());
    // Dropped by the process itself, not by the watchdogs: nothing has to be waited for.
    assert_eq!((holder.ports_that_answer(), holder.folders().len()), (0, 0));
    holder.assert_all_gone(Duration::from_secs(5));
}

#[test]
fn what_is_missing_is_told_with_its_package() {
    let output = Command::new(env!("CARGO_BIN_EXE_statim-servers"))
        .arg("prometheus")
        .env("PATH", "/nowhere")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("apt-get install prometheus"), "{told}");
}
