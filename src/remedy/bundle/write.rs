//! Writing a bundle: all of it or nothing.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::contents::{Contents, Part};
use super::folder::{Folder, MARKER, UNFINISHED};
use super::name::name;
use super::{Bundle, BundleError};
use crate::alert::{Alert, Moment};

/// Said in the marker, for whoever wonders.
const MARK: &str = "Statim wrote this directory, and deletes it when bundles take too much room.\n";
/// Room for the marker and the manifest.
const OWN_ROOM: u64 = 4_096;
/// Bundles of one rule in one millisecond; more are an error.
const NAMES: usize = 16;

/// Writes a bundle below `folder`, where all bundles together then take at most so many bytes. Older ones are deleted
/// for it, the oldest first; a bundle that fails may have cost older ones.
pub(in crate::remedy) fn write(
    folder: &Path,
    alert: &Alert,
    now: Moment,
    contents: Contents,
    most_bytes: u64,
) -> Result<Bundle, BundleError> {
    let folder = Folder::open(folder)?;
    let (parts, left_out) = fit(contents, most_bytes)?;
    let name = free_name(folder.path(), &name(&alert.rule, now));
    let path = folder.path().join(&name);
    let parts = with_manifest(parts, alert, now, &left_out);
    let bytes = parts.iter().map(|part| part.bytes.len() as u64).sum::<u64>() + MARK.len() as u64;
    let deleted = folder.make_room(bytes, most_bytes)?;
    let unfinished = folder.path().join(format!("{UNFINISHED}{name}"));
    let written = write_all(&unfinished, &parts).and_then(|()| fs::rename(&unfinished, &path));
    if let Err(source) = written.and_then(|()| sync(folder.path())) {
        // What cannot be removed now is removed before the next one.
        let _ = fs::remove_dir_all(&unfinished);
        return Err(BundleError::Write { path, source });
    }
    Ok(Bundle { path, bytes, left_out, deleted })
}

/// What fits, the most telling first, and the names of what does not.
fn fit(contents: Contents, most_bytes: u64) -> Result<(Vec<Part>, Vec<String>), BundleError> {
    let mut room = most_bytes.saturating_sub(OWN_ROOM);
    let (mut parts, mut left_out) = (Vec::new(), Vec::new());
    for part in contents.parts {
        let bytes = part.bytes.len() as u64;
        if bytes <= room {
            room -= bytes;
            parts.push(part);
        } else if parts.is_empty() {
            return Err(BundleError::TooSmall { most_bytes });
        } else {
            left_out.push(part.name.to_owned());
        }
    }
    Ok((parts, left_out))
}

fn with_manifest(mut parts: Vec<Part>, alert: &Alert, now: Moment, left_out: &[String]) -> Vec<Part> {
    let files: Vec<_> =
        parts.iter().map(|part| json!({ "name": part.name, "bytes": part.bytes.len() })).collect();
    let manifest = json!({
        "format": 1,
        "statim": env!("CARGO_PKG_VERSION"),
        "rule": alert.rule,
        "at_millis": now.millis(),
        "files": files,
        "left_out": left_out,
    });
    parts.push(Part { name: "manifest.json", bytes: manifest.to_string().into_bytes() });
    parts
}

fn free_name(folder: &Path, name: &str) -> String {
    let numbered = |number: usize| if number == 1 { name.to_owned() } else { format!("{name}-{number}") };
    let mut names = (1..=NAMES).map(numbered);
    // The last one is tried whether it is free or not, and refused by the file system.
    names.find(|name| fs::symlink_metadata(folder.join(name)).is_err()).unwrap_or_else(|| numbered(NAMES))
}

fn write_all(directory: &Path, parts: &[Part]) -> io::Result<()> {
    make_directory(directory)?;
    write_file(&directory.join(MARKER), MARK.as_bytes())?;
    for part in parts {
        write_file(&directory.join(part.name), &part.bytes)?;
    }
    sync(directory)
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A directory's names are on disk.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
