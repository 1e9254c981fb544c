//! `statim check`, and which configuration is used.

use crate::shell::{Outcome, Shell};

const BAD: &str = "\
[ingestion]
workers = \"many\"
sources = [\"absent\"]
[alertng]
threshold = 5
[database]
url = \"mysql://ann:hunter2@host/db\"
[log]
level = \"loud\"
level = \"info\"
";

#[test]
fn every_fault_is_said_at_once_with_its_line() {
    let shell = Shell::new();
    shell.write("bad.toml", BAD);
    for command in [&["check"][..], &["run"], &["run", "--until-idle", "--json"]] {
        let outcome = shell.statim(&[command, &["--config", "bad.toml"]].concat());
        outcome.refused(
            2,
            &[
                "error: the configuration has 5 faults\n",
                "\n  bad.toml:2:11: ingestion.workers: is a text; give a whole number from 0 to 256\n",
                "\n  bad.toml:4:2: alertng: is a section that is not known; did you mean alerting?\n",
                "\n  bad.toml:7:7: database.url: mysql: neither SQLite nor PostgreSQL",
                "\n  bad.toml:9:9: log.level: \"loud\" is not known; the choices are error, warn, info, debug, trace\n",
                "\n  bad.toml:10:1: not TOML: duplicate key `level`\n",
            ],
        );
        assert!(!outcome.err.contains("hunter2"), "{outcome:#?}");
    }
}

#[test]
fn a_source_that_is_absent_is_a_fault_with_its_line() {
    let shell = Shell::new();
    shell.write("c.toml", "[ingestion]\nsources = [\n  \"here\",\n  \"gone\",\n]\n");
    std::fs::create_dir(shell.path().join("here")).expect("folder");
    for command in ["check", "run"] {
        shell
            .statim(&[command, "--config", "c.toml"])
            .refused(2, &["has a fault\n", "c.toml:4:3: ingestion.sources[1]: gone does not exist"]);
    }
}

#[test]
fn a_right_file_is_called_right_and_shown() {
    let shell = Shell::new();
    shell.write(
        "c.toml",
        "[ingestion]\nsources = [\".\"]\nworkers = 3\n[database]\nurl = \"sqlite://ann:hunter2@x.db\"\n",
    );
    let outcome = shell.statim(&["check", "--config", "c.toml"]).done();
    assert!(outcome.out.starts_with("c.toml is right\n"), "{outcome:#?}");
    assert!(
        outcome.out.contains("workers    3\n") && outcome.out.contains("sqlite://***@x.db"),
        "{outcome:#?}"
    );
    assert!(!shell.path().join("x.db").exists(), "checking opens no database");
}

#[test]
fn a_file_that_is_absent_or_no_text_is_a_fault() {
    let shell = Shell::new();
    shell.write("c.toml", b"[log]\nlevel = \"\xff\"\n");
    shell.statim(&["check", "--config", "c.toml"]).refused(2, &["c.toml:2:10: is not UTF-8"]);
    shell.statim(&["check", "--config", "no.toml"]).refused(2, &["no.toml: cannot be read"]);
}

#[test]
fn the_configuration_is_the_named_one_else_the_environments_else_the_usual_one() {
    let shell = Shell::new();
    let nothing = "[ingestion]\nsources = []\n";
    let used = |args: &[&str], variable: Option<&str>| {
        let mut command = shell.command(args);
        command.envs(variable.map(|it| ("STATIM_CONFIG", it)));
        Outcome::of(&mut command)
    };
    // The built-in defaults name a source that is not here.
    used(&["check"], None).refused(
        2,
        &["using the built-in defaults", "ingestion.sources[0]: data/sample (the default) does not exist"],
    );
    for name in ["named.toml", "variable.toml", "config/statim.toml"] {
        shell.write(name, nothing);
    }
    let named = ["check", "--config", "named.toml"];
    for (outcome, name) in [
        (used(&named, Some("variable.toml")), "named.toml (--config)"),
        (used(&["check"], Some("variable.toml")), "variable.toml ($STATIM_CONFIG)"),
        (used(&["check"], Some("")), "config/statim.toml (found in the current directory)"),
        (used(&["check"], None), "config/statim.toml (found in the current directory)"),
    ] {
        assert_eq!(outcome.done().err, format!("using {name}\n"));
    }
}

#[test]
fn the_shipped_configuration_is_right_in_a_fresh_clone() {
    let shell = Shell::new();
    let clone = crate::shell::sample().join("../..").canonicalize().expect("exists");
    let outcome = Outcome::of(shell.command(&["check"]).current_dir(clone)).done();
    assert!(outcome.out.starts_with("config/statim.toml is right\n"), "{outcome:#?}");
}
