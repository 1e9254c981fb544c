//! What the figures were measured on and of; without it they say nothing.

pub use statim::telemetry::system::Machine;

/// The lock file the benchmark was built with, for the versions of what it measures.
const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_gives_the_versions_of_what_is_measured() {
        assert!(version("actix").is_some_and(|version| version.starts_with("0.13.")));
        assert_eq!(version("no-such-crate"), None);
    }
}
