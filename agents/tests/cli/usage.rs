//! Help, mistakes, and a reader that goes away.

use std::io::Read;
use std::process::Stdio;

use crate::shell::{Outcome, Shell};

#[test]
fn without_arguments_it_prints_help_and_ends_with_2() {
    let shell = Shell::new();
    let outcome = shell.statim(&[]);
    outcome.refused(
        2,
        &["Usage: statim", "ingest", "consent", "dead-letters", "generate", "load", "report", "check"],
    );
    let help = shell.statim(&["--help"]).done().out;
    assert!(help.contains("Exit status"), "{help}");
    // What does not exist yet must not be offered.
    assert!(!help.lines().any(|line| line.trim_start().starts_with("dedupe")), "{help}");
    shell.statim(&["dedupe"]).refused(2, &["unrecognized subcommand"]);
}

#[test]
fn the_version_is_that_of_the_package() {
    let outcome = Shell::new().statim(&["--version"]).done();
    assert_eq!(outcome.out, concat!("statim ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let shell = Shell::new();
    for command in [
        &["run"][..],
        &["ingest"],
        &["generate"],
        &["check"],
        &["load"],
        &["report"],
        &["consent", "grant"],
        &["consent", "revoke"],
        &["consent", "import"],
        &["consent", "decide"],
        &["consent", "history"],
        &["alerts", "check"],
        &["alerts", "test"],
        &["alerts", "list"],
        &["dead-letters", "list"],
        &["dead-letters", "show"],
        &["dead-letters", "requeue"],
        &["dead-letters", "purge"],
    ] {
        let help = shell.statim(&[command, &["--help"]].concat()).done().out;
        assert!(help.contains("Example: statim ") && help.contains(&command.join(" ")), "{help}");
    }
}

#[test]
fn usage_errors_end_with_2_and_name_what_is_wrong() {
    let shell = Shell::new();
    let people = ["generate", "people", "--count", "1", "--seed", "1", "--output"];
    for (args, words) in [
        (&["consent", "grant", "--patient", "P1"][..], &["--provision"][..]),
        (&["consent", "revoke", "--patient", "  "], &["--patient", "blank"]),
        (
            &["consent", "grant", "--patient", "P1", "--provision", "x", "--effect", "allow"],
            &["permit, deny"],
        ),
        (
            &["consent", "grant", "--patient", "P1", "--provision", "x", "--start", "1st of May"],
            &["error: --start is not a time"],
        ),
        (
            &["consent", "grant", "--patient", "P1", "--provision", "x", "--start", "2026", "--end", "2025"],
            &["a period ends before it begins"],
        ),
        (&["consent", "revoke", "--patient", &"p".repeat(300)], &["--patient is longer than 256 bytes"]),
        (
            &["consent", "verify", "--database", "mysql://u:hunter2@h/d"],
            &["mysql: neither SQLite nor PostgreSQL"],
        ),
        (&["dead-letters", "list", "--database", "var/statim.db"], &["not a database URL"]),
        (&["dead-letters", "list", "--status", "gone"], &["parked, requeued, done"]),
        (&["dead-letters", "purge"], &["--older-than"]),
        (&["dead-letters", "purge", "3", "--all"], &["cannot be used with"]),
        (&["dead-letters", "purge", "--older-than", "3 moons"], &["such as 30d"]),
        (&["dead-letters", "purge", "--older-than", "101w1"], &["such as 30d"]),
        (&["dead-letters", "purge", "--older-than", "99999999999d"], &["more than a hundred years"]),
        (&["dead-letters", "requeue"], &["<ID>..."]),
        (&["ingest"], &["<PATH>..."]),
        (&["ingest", "x", "--workers", "0"], &["from 1 to 256"]),
        (
            &["generate", "poems", "--count", "1", "--seed", "1", "--output", "x.json"],
            &["studies", "consents"],
        ),
        (&[&people[..], &["p.txt"]].concat(), &["end it in .csv"]),
        (&[&people[..], &["p.csv", "--duplicates", "1.5"]].concat(), &["from 0 to 0.9"]),
        (&[&people[..], &["p.csv", "--bad", "0.85"]].concat(), &["at most 0.9"]),
        (&[&people[..], &["p.csv", "--first", "1000000000"]].concat(), &["up to position 1000000000"]),
    ] {
        let outcome = shell.statim(args);
        outcome.refused(2, words);
        assert!(outcome.err.starts_with("error: ") && !outcome.err.contains("hunter2"), "{outcome:#?}");
    }
    assert_eq!(
        std::fs::read_dir(shell.path()).expect("reads").count(),
        0,
        "a usage error leaves nothing behind"
    );
}

#[test]
fn the_database_of_the_environment_is_used_unless_one_is_named() {
    let shell = Shell::new();
    let grant = ["consent", "revoke", "--patient", "P1"];
    Outcome::of(shell.command(&grant).env("STATIM_DATABASE", "sqlite://env/a.db")).done();
    assert!(shell.path().join("env/a.consent.db").exists());
    let named = [&grant[..], &["--database", "sqlite://named.db"]].concat();
    Outcome::of(shell.command(&named).env("STATIM_DATABASE", "oracle://u:hunter2@h/d")).done();
    assert!(shell.path().join("named.consent.db").exists());
    shell.statim(&grant).done();
    assert!(shell.path().join("var/statim.consent.db").exists());
    Outcome::of(shell.command(&grant).env("STATIM_DATABASE", "oracle://u:hunter2@h/d"))
        .refused(2, &["oracle: neither SQLite nor PostgreSQL"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let shell = Shell::new();
    let mut lines = String::new();
    for n in 0..2_000 {
        lines += &format!("{{\"id\":\"p{n}\",\"patient\":\"P1\",\"effect\":\"permit\"}}\n");
    }
    shell.write("p.ndjson", lines);
    shell.statim(&["consent", "import", "p.ndjson"]).done();
    let history = ["consent", "history", "--patient", "P1", "--limit", "2000"];
    for args in [&history[..], &[&history[..], &["--json"]].concat(), &["--help"], &["run", "--help"]] {
        let mut child =
            shell.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
        let mut out = child.stdout.take().expect("piped");
        // `head -1`: the beginning is read, and then nobody listens. What remains does not fit into the pipe.
        let mut beginning = [0; 10];
        if args.len() > 2 {
            out.read_exact(&mut beginning).expect("reads");
        }
        drop(out);
        let output = child.wait_with_output().expect("ends");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), err.as_ref()), (Some(0), ""), "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_standard_output_is_a_failure() {
    let shell = Shell::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("opens");
    let child = shell.command(&["dead-letters", "list"]).stdout(full).stderr(Stdio::piped()).spawn();
    let output = child.expect("runs").wait_with_output().expect("ends");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.starts_with("error: writing to standard output failed\n  because: "), "{err}");
}
