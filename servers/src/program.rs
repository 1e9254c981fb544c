//! Where the programs are, and running one of them to its end.

use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::error::{ServerError, while_doing};

/// A program, and the Debian package that has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
}

impl Program {
    /// Looks on the path, then where Debian keeps PostgreSQL's programs, newest version first.
    pub(crate) fn find(self) -> Result<PathBuf, ServerError> {
        let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
        let folders = on_path.unwrap_or_default().into_iter();
        folders
            .chain(["/usr/sbin".into(), "/usr/local/bin".into()])
            .chain(postgres_folders())
            .map(|folder| folder.join(self.name))
            .find(|path| is_program(path))
            .ok_or(ServerError::Missing { program: self.name, package: self.package })
    }

    /// Like [`find`](Self::find), but Debian's own folders of PostgreSQL first: all of one version.
    pub(crate) fn find_beside_postgres(self) -> Result<PathBuf, ServerError> {
        match postgres_folders().into_iter().map(|folder| folder.join(self.name)).find(|it| is_program(it)) {
            Some(path) => Ok(path),
            None => self.find(),
        }
    }
}

fn postgres_folders() -> Vec<PathBuf> {
    let mut versions: Vec<u32> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|version| format!("/usr/lib/postgresql/{version}/bin").into()).collect()
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// Runs a program to its end with this input.
pub(crate) fn run(command: &mut Command, input: &str) -> Result<Output, ServerError> {
    let name = name_of(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(while_doing(format!("start {name}")))?;
    let mut pipe = child.stdin.take();
    // Beside the reading: a program that answers while it reads would fill its pipe and wait for us for ever.
    std::thread::scope(|scope| {
        // A program that does not want the rest of its input has its own way of saying what is wrong with it.
        scope.spawn(move || pipe.as_mut().map(|pipe| pipe.write_all(input.as_bytes())));
        child.wait_with_output()
    })
    .map_err(while_doing(format!("wait for {name}")))
}

/// Runs a program that must succeed, and gives what it wrote.
pub(crate) fn succeed(command: &mut Command, input: &str) -> Result<String, ServerError> {
    let output = run(command, input)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let written = [output.stderr, output.stdout].concat();
    Err(ServerError::Failed {
        program: name_of(command),
        status: output.status.to_string(),
        output: tail(&String::from_utf8_lossy(&written)),
    })
}

/// The end of a log: the last lines, of which the last ones say what went wrong.
pub(crate) fn tail(text: &str) -> String {
    const LINES: usize = 12;
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn name_of(command: &Command) -> String {
    Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned()
}
