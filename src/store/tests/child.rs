//! What needs a process of its own: this test binary, started again to run one ignored test.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;

const ROLE: &str = "STATIM_STORE_CHILD";

/// Another process, killed with the test.
pub(super) struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(super) fn start(role: &str, url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("is a program"))
            .args(["--exact", "store::tests::child::a_process_of_its_own", "--ignored", "--nocapture"])
            .env(ROLE, format!("{role} {url}"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let output = BufReader::new(child.stdout.take().expect("is piped"));
        Self { child, output }
    }

    /// What follows `word` on the first line that begins with it.
    pub(super) fn wait_for(&mut self, word: &str) -> String {
        let mut line = String::new();
        while self.output.read_line(&mut line).expect("reads") > 0 {
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_owned();
            }
            line.clear();
        }
        panic!("the process ended without saying {word}");
    }

    /// `SIGKILL`: nothing of it runs any more.
    pub(super) fn kill(&mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test]
#[ignore = "is started by other tests as a process of its own"]
async fn a_process_of_its_own() {
    let Ok(told) = std::env::var(ROLE) else { return };
    let (role, url) = told.split_once(' ').expect("a role and a URL");
    let store = Store::open(url).await.expect("opens");
    match role {
        "lock" => {
            let _lock = store.lock(LockId::DEDUPLICATION).await.expect("locks");
            println!("\nheld");
            tokio::time::sleep(Duration::from_secs(120)).await;
        }
        "stream" => streams::measure(&store).await,
        role => panic!("{role} is no role"),
    }
}
