//! The folder of a report: whole, or as it was before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use statim::load::Measured;

use crate::cli::{CliError, Doing};

/// The result, for machines and for `statim report`.
pub(in crate::cli) const RESULT: &str = "result.json";

const PAGE: &str = "report.html";
const ANALYSIS: &str = "report.md";

/// Where a report is to be.
pub(super) struct ReportFolder {
    path: PathBuf,
}

impl ReportFolder {
    /// A folder that is not there, is empty, or holds an earlier report and nothing else.
    pub(super) fn new(path: &Path) -> Result<Self, CliError> {
        let refused = |what: &str| {
            CliError::usage(format!("the report cannot be written to {}: {what}", path.display()))
        };
        match fs::read_dir(path) {
            Ok(entries) => {
                for entry in entries {
                    let name = entry.map_err(|error| refused(&error.to_string()))?.file_name();
                    if !is_of_a_report(&name.to_string_lossy()) {
                        return Err(refused("it holds what is no load test's report; name another folder"));
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(refused(&error.to_string())),
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Writes everything beside it first, and then takes its place.
    pub(super) fn write(&self, measured: &Measured, page: &str, analysis: &str) -> Result<(), CliError> {
        const DOING: &str = "writing the report";
        let parent = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).doing(DOING)?;
        let beside = tempfile::Builder::new().prefix(".statim-report-").tempdir_in(parent).doing(DOING)?;
        let (new, old) = (beside.path().join("new"), beside.path().join("old"));
        fs::create_dir(&new).doing(DOING)?;
        measured.write(&new).doing(DOING)?;
        fs::write(new.join(PAGE), page).doing(DOING)?;
        fs::write(new.join(ANALYSIS), analysis).doing(DOING)?;
        // Somebody may have put something there meanwhile.
        Self::new(&self.path)?;
        if self.path.exists() {
            fs::rename(&self.path, &old).doing(DOING)?;
        }
        if let Err(error) = fs::rename(&new, &self.path) {
            // What was there before stays there.
            let _ = fs::rename(&old, &self.path);
            return Err(error).doing(DOING);
        }
        Ok(())
    }

    /// The page to look at.
    pub(super) fn page(&self) -> PathBuf {
        self.path.join(PAGE)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn is_of_a_report(name: &str) -> bool {
    [RESULT, PAGE, ANALYSIS].contains(&name) || name.ends_with(".hlog") || name.ends_with(".hgrm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_report_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ReportFolder::new(&folder.path().join("new")).is_ok());
        assert!(ReportFolder::new(folder.path()).is_ok(), "empty");
        fs::write(folder.path().join("result.json"), "{}").unwrap();
        fs::write(folder.path().join("latency.hlog"), "").unwrap();
        assert!(ReportFolder::new(folder.path()).is_ok());
        fs::write(folder.path().join("thesis.md"), "").unwrap();
        assert!(ReportFolder::new(folder.path()).is_err());
        assert!(ReportFolder::new(&folder.path().join("thesis.md")).is_err(), "a file");
    }
}
