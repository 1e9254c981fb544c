//! The files under `data/sample` are exactly what the commands in their README generate.
//!
//! With the environment variable `STATIM_WRITE_SAMPLE` set, this writes them instead of comparing:
//! `STATIM_WRITE_SAMPLE=1 cargo test -p statim-agents --test sample_set`.

use std::fs;
use std::path::{Path, PathBuf};

use statim_agents::generate::{Kind, Options, write_file};

/// One file: its name, and what follows `statim generate`.
struct Sample {
    name: &'static str,
    kind: Kind,
    options: Options,
}

impl Sample {
    fn new(name: &'static str, kind: Kind, count: u64) -> Self {
        Sample { name, kind, options: Options::new(count, 25) }
    }

    /// The command as the README states it: options that have their default are left out.
    fn command(&self) -> String {
        let Options { count, seed, first, duplicates, bad, .. } = self.options;
        let mut command = format!("statim generate {} --count {count} --seed {seed}", self.kind);
        if first != 0 {
            command += &format!(" --first {first}");
        }
        if duplicates != 0.1 {
            command += &format!(" --duplicates {duplicates}");
        }
        if bad != 0.0 {
            command += &format!(" --bad {bad}");
        }
        command + " --output data/sample/" + self.name
    }
}

fn samples() -> Vec<Sample> {
    let mut studies = Sample::new("studies.json", Kind::Studies, 60);
    studies.options.duplicates = 0.25;
    let mut more = Sample::new("studies-more.ndjson.gz", Kind::Studies, 100);
    more.options.first = 60;
    more.options.duplicates = 0.25;
    let mut labels = Sample::new("labels.json", Kind::Labels, 40);
    labels.options.duplicates = 0.2;
    let mut events = Sample::new("events.json", Kind::Events, 40);
    events.options.duplicates = 0.2;
    let mut people = Sample::new("people.csv", Kind::People, 100);
    people.options.duplicates = 0.3;
    vec![
        studies,
        more,
        Sample::new("articles.xml.gz", Kind::Articles, 200),
        labels,
        Sample::new("applications.json", Kind::Applications, 30),
        Sample::new("products.json", Kind::Products, 40),
        events,
        people,
        Sample::new("consents.ndjson", Kind::Consents, 200),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/sample")
}

#[test]
fn the_shipped_sample_is_what_its_commands_generate() {
    let writing = std::env::var_os("STATIM_WRITE_SAMPLE").is_some();
    let scratch = tempfile::tempdir().unwrap();
    let mut total = 0;
    for sample in samples() {
        let into = if writing { folder() } else { scratch.path().to_owned() };
        let truth =
            write_file(sample.kind, &sample.options, &into.join(sample.name), writing, &mut |_| {}).unwrap();
        let made = fs::read(into.join(sample.name)).unwrap();
        let shipped = fs::read(folder().join(sample.name)).unwrap();
        assert!(made == shipped, "{} is not what `{}` gives", sample.name, sample.command());
        total += shipped.len();
        if writing {
            println!("{:>7} {} {truth:?}", shipped.len(), sample.name);
        }
    }
    assert!(total < 600_000, "{total} bytes");
}

#[test]
fn the_readme_of_the_sample_states_every_command() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for sample in samples() {
        assert!(readme.lines().any(|line| line == sample.command()), "missing: {}", sample.command());
    }
}
