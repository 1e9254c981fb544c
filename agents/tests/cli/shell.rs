//! Runs the binary in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A folder to run in, which goes away with it.
pub(crate) struct Shell {
    folder: tempfile::TempDir,
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        std::fs::write(&path, text).expect("writes");
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_statim"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for variable in ["STATIM_DATABASE", "STATIM_CONFIG", "RUST_LOG"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn statim(&self, args: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(args))
    }
}

impl Outcome {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().expect("runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self {
            status: output.status.code().expect("was not killed"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// It was done, silently or not.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.status, 0, "{self:#?}");
        self
    }

    /// It ended with this status, nothing on standard output, and these words on standard error.
    #[track_caller]
    pub(crate) fn refused(&self, status: i32, words: &[&str]) {
        assert_eq!((self.status, self.out.as_str()), (status, ""), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing in {self:#?}");
        }
    }

    /// The only line of standard output, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert!(self.out.ends_with('\n') && self.out.lines().count() == 1, "{self:#?}");
        serde_json::from_str(&self.out).expect("JSON")
    }
}

/// The folder of the sample data.
pub(crate) fn sample() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = folder.ancestors().map(|it| it.join("data/sample")).find(|it| it.join("README.md").exists());
    found.expect("the repository has a sample").canonicalize().expect("exists")
}
