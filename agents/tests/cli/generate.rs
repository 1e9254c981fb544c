//! `statim generate`.

use crate::shell::{Shell, sample};

#[test]
fn the_commands_of_the_sample_give_its_bytes() {
    let shell = Shell::new();
    std::fs::create_dir_all(shell.path().join("data/sample")).expect("folder");
    let readme = std::fs::read_to_string(sample().join("README.md")).expect("reads");
    let commands: Vec<Vec<&str>> = readme
        .lines()
        .filter_map(|it| it.strip_prefix("statim "))
        .map(|it| it.split(' ').collect())
        .collect();
    assert_eq!(commands.len(), 9);
    for command in commands {
        let outcome = shell.statim(&command).done();
        assert!(outcome.out.contains(" distinct") && outcome.err.is_empty(), "{outcome:#?}");
        let name = command.last().expect("a path").strip_prefix("data/sample/").expect("in the sample");
        let made = std::fs::read(shell.path().join("data/sample").join(name)).expect("was made");
        assert!(made == std::fs::read(sample().join(name)).expect("is shipped"), "{name} differs");
    }
}

#[test]
fn the_truth_is_the_last_line_as_json() {
    let shell = Shell::new();
    let args = [
        "generate", "consents", "--count", "300", "--seed", "3", "--bad", "0.1", "--output", "c.ndjson",
        "--json",
    ];
    let truth = shell.statim(&args).done().json();
    assert_eq!(truth["records"], 300);
    let number = |name: &str| truth[name].as_u64().expect("a number");
    let bad = truth["bad"].as_array().expect("a list").len();
    assert!(number("permitted") > 0 && number("denied") > 0 && bad > 0, "{truth}");
    let text = std::fs::read_to_string(shell.path().join("c.ndjson")).expect("was made");
    let expected = |what: &str| text.matches(&format!("\"expect\":\"{what}\"")).count() as u64;
    assert_eq!((number("permitted"), number("denied")), (expected("permit"), expected("deny")));
}

#[test]
fn a_file_is_replaced_only_by_force() {
    let shell = Shell::new();
    let people = ["generate", "people", "--count", "5", "--seed", "1", "--output", "p.csv"];
    shell.write("p.csv", "precious");
    shell.statim(&people).refused(1, &["p.csv exists already", "--force"]);
    assert_eq!(std::fs::read(shell.path().join("p.csv")).expect("reads"), b"precious");
    shell.statim(&[&people[..], &["--force"]].concat()).done();
    assert_ne!(std::fs::read(shell.path().join("p.csv")).expect("reads"), b"precious");
    let nowhere = ["generate", "people", "--count", "5", "--seed", "1", "--output", "absent/p.csv"];
    shell.statim(&nowhere).refused(1, &["nothing was generated", "because: could not write absent/p.csv"]);
}
