//! Which files of the sources are new or have changed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::SystemTime;

use super::error::DeploymentError;
use crate::formats::discover;

/// Remembers what was seen.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: HashMap<PathBuf, (Option<SystemTime>, u64)>,
}

impl Watch {
    /// The files below `sources` that were not there, or not the same, the last time. By size and time of change: taking
    /// in a file again that did not change costs time and nothing else.
    pub(super) fn changed(&mut self, sources: &[PathBuf]) -> Result<Vec<PathBuf>, DeploymentError> {
        let mut changed = Vec::new();
        for path in discover(sources)? {
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            let stamp = (metadata.modified().ok(), metadata.len());
            if self.seen.insert(path.clone(), stamp) != Some(stamp) {
                changed.push(path);
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_and_changed_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let sources = [folder.path().to_owned()];
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&a, "1").unwrap();
        let mut watch = Watch::default();
        assert_eq!(watch.changed(&sources).unwrap(), std::slice::from_ref(&a));
        std::fs::write(&b, "1").unwrap();
        assert_eq!(watch.changed(&sources).unwrap(), [b]);
        std::fs::write(&a, "22").unwrap();
        assert_eq!(watch.changed(&sources).unwrap(), [a]);
        assert!(watch.changed(&sources).unwrap().is_empty());
    }
}
