//! A place to deploy in: a folder, a configuration, a database, and the binary.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::Row;
use statim::store::Store;
use statim_agents::generate::{Kind, Options, write_file};

/// Articles in the large file.
pub(crate) const LARGE: u64 = 8_000;

static MACHINE: RwLock<()> = RwLock::new(());

/// The machine, shared with other tests of this program.
pub(crate) fn shared() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// The machine without other tests of this program, for what is measured.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace")
}

/// The folder with the real files, or `None`, said aloud.
pub(crate) fn real_files() -> Option<PathBuf> {
    let beside = root().join("../shared/data");
    let data = std::env::var_os("STATIM_DATA").map_or(beside, PathBuf::from);
    let found = data.join("pubmed").is_dir();
    if !found {
        eprintln!("skipped: no real files in {}; set STATIM_DATA", data.display());
    }
    found.then_some(data)
}

/// A folder with a file of [`LARGE`] articles, made once.
pub(crate) fn large() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let make = || {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("articles.xml");
        write_file(Kind::Articles, &Options::new(LARGE, 7), &path, false, &mut |_| {}).expect("writes");
        folder
    };
    FOLDER.get_or_init(make).path()
}

pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        std::fs::write(&path, text).expect("writes");
        path
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("sqlite://{}", self.path(name).display())
    }

    /// The shipped configuration with a database of this place, and with each line that begins as one of `lines` does, up
    /// to its `=`, replaced by that.
    pub(crate) fn config(&self, name: &str, lines: &[&str]) -> PathBuf {
        let shipped = std::fs::read_to_string(root().join("config/statim.toml")).expect("is shipped");
        let database = format!("url = {:?}", self.url(&format!("{name}.db")));
        let mut lines: Vec<&str> = lines.to_vec();
        lines.push(&database);
        let mut text = String::new();
        for line in shipped.lines() {
            let key = |line: &str| line.split_once(" = ").map(|(key, _)| key.to_owned());
            let found = lines.iter().position(|it| key(line).is_some_and(|key2| key(it) == Some(key2)));
            text += found.map_or(line, |at| lines.swap_remove(at));
            text += "\n";
        }
        assert!(lines.is_empty(), "not in the shipped configuration: {lines:?}");
        self.write(&format!("{name}.toml"), &text)
    }

    /// The binary, in the root of the workspace.
    pub(crate) fn statim(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_statim"));
        command
            .args(args)
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for variable in ["STATIM_DATABASE", "STATIM_CONFIG", "RUST_LOG"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn done(&self, args: &[&str]) -> Outcome {
        Outcome::of(self.statim(args).spawn().expect("runs"))
    }

    /// Waits until the database of this name answers `query` with at least `least`.
    pub(crate) fn wait_for(&self, name: &str, query: &'static str, least: i64) {
        let since = Instant::now();
        while self.number(name, query).is_none_or(|it| it < least) {
            assert!(since.elapsed() < Duration::from_secs(120), "{query} stays below {least}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn number(&self, name: &str, query: &'static str) -> Option<i64> {
        let url = format!("{}?mode=rw", self.url(&format!("{name}.db")));
        block_on(async {
            let store = Store::open(&url).await.ok()?;
            let number = sqlx::query_scalar(query).fetch_one(&mut *store.read().await.ok()?).await.ok();
            store.close().await;
            number
        })
    }

    /// Everything a catalogue holds that does not depend on the order of arrival. Fails if the file is damaged.
    pub(crate) fn catalogue(&self, name: &str) -> Vec<String> {
        let url = format!("{}?mode=rw", self.url(&format!("{name}.db")));
        block_on(async {
            let store = Store::open(&url).await.expect("opens");
            let sound: String = sqlx::query_scalar("PRAGMA integrity_check")
                .fetch_one(&mut *store.read().await.expect("a reader"))
                .await
                .expect("reads");
            assert_eq!(sound, "ok");
            let rows = sqlx::query(
                "SELECT 'record ' || r.kind || ' ' || r.id || ' ' || coalesce(hex(v.hash), 'deleted') AS line
                 FROM records AS r LEFT JOIN record_versions AS v ON v.vid = r.vid
                 UNION ALL
                 SELECT 'version ' || kind || ' ' || own_id || ' ' || hex(hash) || ' ' || first_index || ' ' || last_index
                 FROM record_versions
                 UNION ALL
                 SELECT 'tombstone ' || kind || ' ' || id || ' ' || number || ' ' || at_index FROM tombstones
                 ORDER BY line",
            )
            .fetch_all(&mut *store.read().await.expect("a reader"))
            .await
            .expect("reads");
            store.close().await;
            rows.iter().map(|row| row.get(0)).collect()
        })
    }
}

/// What came of a process.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The object that is the last line of standard output, of a process that ended with this status.
    #[track_caller]
    pub(crate) fn json(&self, status: i32) -> Value {
        assert_eq!(self.status, Some(status), "{self:#?}");
        let last = self.out.lines().last().expect("a last line");
        let value: Value = serde_json::from_str(last).expect("JSON");
        assert!(value.is_object(), "{value}");
        value
    }
}

/// Sends a signal to a process that this test started.
pub(crate) fn signal(child: &Child, signal: &str) {
    let status =
        Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

#[track_caller]
pub(crate) fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("{name} is no number in {value}"))
}

/// Each record read is accounted for exactly once.
#[track_caller]
pub(crate) fn assert_adds_up(ingest: &Value) {
    let ways = ["inserted", "updated", "unchanged", "superseded", "not_stored"];
    let sum: u64 = ways.iter().map(|way| number(ingest, way)).sum();
    assert_eq!(sum, number(ingest, "records"), "{ingest}");
}

/// The figures of an agent in a run's JSON.
#[track_caller]
pub(crate) fn agent<'a>(report: &'a Value, name: &str) -> &'a Value {
    let agents = report["agents"].as_array().expect("agents");
    agents.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name} in {report}"))
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime")
        .block_on(work)
}
