//! What a configuration says, and what is said about a bad one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::alerting::RuleSource;

fn faults(text: &str) -> Vec<String> {
    let faults = Config::parse(text, "f.toml").expect_err("is wrong");
    faults.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

fn shipped() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut candidates = folder.ancestors().map(|it| it.join("config/statim.toml"));
    candidates.find(|it| it.exists()).expect("the repository has a configuration")
}

#[test]
fn an_empty_file_is_the_default_deployment() {
    let config = Config::parse("", "f.toml").expect("is right");
    let default = Config { origin: "f.toml".to_owned(), ..Config::default() };
    assert_eq!(config, default);
    assert_eq!(config.database.url.as_str(), "sqlite://var/statim.db");
    assert_eq!(config.database.url.consent(), "sqlite://var/statim.consent.db");
    assert_eq!(DatabaseUrl::parse(DatabaseUrl::DEFAULT), Ok(DatabaseUrl::default()));
    assert!(config.ingestion.worker_count() >= 1 && config.runtime.arbiter_count() >= 1);
}

#[test]
fn the_shipped_file_says_the_defaults_and_plays_the_sample() {
    let path = shipped();
    let config = Config::load(&path).expect("is right");
    let mut expected = Config::default();
    expected.consent.replay = Some("data/sample/consents.ndjson".into());
    expected.origin = path.display().to_string();
    expected.places = config.places.clone();
    assert_eq!(config, expected);
    // A setting that only the default gives would go unseen by the operator.
    let text = std::fs::read_to_string(&path).expect("reads");
    let settings = text.lines().filter(|line| !line.starts_with(['#', '[']) && !line.trim().is_empty());
    assert_eq!(settings.count(), 24);
}

#[test]
fn every_setting_can_be_set() {
    let config = Config::parse(
        r#"
        database.url = "sqlite:///data/x.db?mode=rw"
        drill.every_ms = 250
        [runtime]
        arbiters = 3
        shutdown_seconds = 0.5
        [ingestion]
        sources = ["a", "b/c"]
        workers = 0x10
        rescan_seconds = 0
        memory_mib = 1
        [deduplication]
        batch_records = 1
        linger_ms = 0
        capacity = 16
        [consent]
        replay = "r"
        capacity = 1_000_000
        [monitor]
        interval_seconds = 0.05
        history_hours = 48
        listen = "[::1]:9464"
        [alerting]
        rules = "r.toml"
        bundles = ""
        [log]
        level = "trace"
        format = "json"
        "#,
        "f.toml",
    )
    .expect("is right");
    assert_eq!(config.database.url.as_str(), "sqlite:///data/x.db?mode=rw");
    assert_eq!(config.database.url.consent(), "sqlite:///data/x.consent.db?mode=rw");
    assert_eq!(config.runtime, RuntimeConfig { arbiters: 3, shutdown: Duration::from_millis(500) });
    let IngestionConfig { sources, workers, rescan, memory_bytes } = config.ingestion;
    assert_eq!(sources, ["a", "b/c"].map(PathBuf::from));
    assert_eq!((workers, rescan, memory_bytes), (16, None, 1 << 20));
    let DeduplicationConfig { batch_records, linger, capacity } = config.deduplication;
    assert_eq!((batch_records, linger, capacity), (1, Duration::ZERO, 16));
    assert_eq!(config.consent, ConsentConfig { replay: Some("r".into()), capacity: 1_000_000 });
    let listen = "[::1]:9464".parse().ok();
    let history = Duration::from_secs(48 * 3600);
    assert_eq!(config.monitor, MonitorConfig { interval: Duration::from_millis(50), history, listen });
    let rules = RuleSource::File("r.toml".into());
    assert_eq!(config.alerting, AlertingConfig { rules, bundles: None });
    assert_eq!(config.drill.every, Some(Duration::from_millis(250)));
    assert_eq!(config.log, LogConfig { level: LogLevel::Trace, format: LogFormat::Json });
}

#[test]
fn every_fault_is_said_at_once_in_the_order_of_the_lines() {
    let said = faults(
        "[ingestion]\nworkers = \"many\"\nsources = [\"a\", 7, \" \"]\nrescan = 5\nmemory_mib = 0\n\n\
         [monitr]\nhistory = 3\n[log]\nlevel = \"inof\"\nformat = \"xml\"\n\
         [alerting]\nthreshold = 10\nclear = 20.5\nrules = \" \"\n[database]\nurl = \"mysql://u:hunter2@h/d\"\n",
    );
    assert_eq!(
        said,
        [
            "f.toml:2:11: ingestion.workers: is a text; give a whole number from 0 to 256",
            "f.toml:3:17: ingestion.sources[1]: is a whole number; give files or folders, such as [\"data/sample\"]",
            "f.toml:3:20: ingestion.sources[2]: is blank; give files or folders, such as [\"data/sample\"]",
            "f.toml:4:1: ingestion.rescan: is not known; [ingestion] has sources, workers, rescan_seconds, memory_mib",
            "f.toml:5:14: ingestion.memory_mib: 0 is out of range; give a whole number from 1 to 65536",
            "f.toml:7:2: monitr: is a section that is not known; did you mean monitor?",
            "f.toml:10:9: log.level: \"inof\" is not known; did you mean info?",
            "f.toml:11:10: log.format: \"xml\" is not known; the choices are pretty, json",
            "f.toml:13:1: alerting.threshold: is in the rule file now, as a field of [[rule]]; see config/alerts.toml",
            "f.toml:14:1: alerting.clear: is in the rule file now, as a field of [[rule]]; see config/alerts.toml",
            "f.toml:15:9: alerting.rules: is blank; give a rule file, such as \"config/alerts.toml\", or \"\" for \
             the built-in rules",
            "f.toml:17:7: database.url: mysql: neither SQLite nor PostgreSQL; give a URL such as \
             sqlite://var/statim.db or postgres://user:password@host/database",
        ]
    );
}

#[test]
fn what_is_not_toml_is_said_beside_the_other_faults() {
    let said =
        faults("[runtime]\narbiters = \nshutdown_seconds = 1\nshutdown_seconds = 2\n[log]\nlevel = 5\n");
    assert_eq!(said.len(), 3, "{said:#?}");
    assert!(said[0].starts_with("f.toml:2:"), "{said:#?}");
    assert_eq!(said[1], "f.toml:4:1: not TOML: duplicate key `shutdown_seconds`");
    assert_eq!(
        said[2],
        "f.toml:6:9: log.level: is a whole number; give one of error, warn, info, debug, trace"
    );
}

#[test]
fn a_section_of_the_wrong_form_and_a_field_outside_are_faults() {
    assert_eq!(
        faults("log = 5\nworkers = 2\n"),
        [
            "f.toml:1:1: log: is a whole number; write it as a section, [log]",
            "f.toml:2:1: workers: is a field outside a section that is not known; the sections are database, \
             runtime, ingestion, deduplication, consent, monitor, messages, alerting, drill, links, admission, log",
        ]
    );
}

#[test]
fn no_password_is_repeated() {
    for url in [
        "\"mysql://ann:hunter2@host/db\"",
        "\"postgres://ann:hunter2@host/db?key=hunter2\"",
        "\"postgres://ann:hunter2@host:hunter2/db\"",
        "\"sqlite://ann:hunter2@host/db?key=hunter2\"",
        "\"hunter2\"",
        "[\"hunter2\"]",
        "\"sqlite://ann:hunter2@host/db",
        "hunter2",
    ] {
        let faults = Config::parse(&format!("[database]\nurl = {url}\n"), "f.toml").expect_err("is wrong");
        assert!(!format!("{faults} {faults:?}").contains("hunter2"), "{faults}");
    }
    for (url, shown) in [
        ("sqlite://ann:hunter2@db", "sqlite://***@db"),
        ("postgres://ann:hunter2@db:5433/x?sslmode=require", "postgres://***@db:5433/x"),
    ] {
        let config = Config::parse(&format!("[database]\nurl = \"{url}\""), "f.toml").expect("is right");
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
        assert_eq!(config.database.url.to_string(), shown);
    }
}

#[test]
fn a_path_that_is_not_there_is_a_fault_only_when_asked() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path().display();
    let text = format!(
        "[ingestion]\nsources = [\n  \"{here}\",\n  \"{here}/absent\",\n]\n[consent]\nreplay = \"{here}\"\n"
    );
    let config = Config::parse(&text, "f.toml").expect("is right");
    let said = config.check_paths().expect_err("is wrong");
    let places: Vec<_> = said.faults().iter().map(|it| (it.position, it.field.as_deref())).collect();
    let at = |line, column| Some(Position { line, column });
    assert_eq!(
        places,
        [(at(4, 3), Some("ingestion.sources[1]")), (at(7, 10), Some("consent.replay"))],
        "{said}"
    );
    assert!(said.faults()[0].message.contains("does not exist"), "{said}");
    assert!(said.faults()[1].message.contains("is a folder"), "{said}");
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("f.toml");
    let said = |path: &Path| Config::load(path).expect_err("is wrong").to_string();
    assert!(said(&path).contains("cannot be read"), "{}", said(&path));
    assert!(said(folder.path()).contains("cannot be read"));
    std::fs::write(&path, b"[log]\n# \xc3\xa9 \xff\n").expect("writes");
    assert!(said(&path).contains("f.toml:2:5: is not UTF-8"), "{}", said(&path));
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).expect("writes");
    assert!(said(&path).contains("larger than 1 MiB"));
}

#[test]
fn hostile_files_give_faults_in_bounds() {
    let deep = format!("a = {}", "[".repeat(100_000));
    let dotted = format!("{}x = 1", "a.".repeat(50_000));
    let many: String = (0..5_000).map(|n| format!("k{n} = 1\n")).collect();
    let long = format!("[log]\nlevel = \"{}\"", "x".repeat(500_000));
    for text in
        [deep, dotted, many, long, "\u{feff}[log]\nlevel=1".to_owned(), "[log]\r\nlevel=\0".to_owned()]
    {
        let faults = Config::parse(&text, "f.toml").expect_err("is wrong");
        assert!((1..=100).contains(&faults.faults().len()));
        assert!(faults.to_string().len() < 50_000);
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\[|\\]|=|\"|[a-z]{1,3}|\n|[0-9.,{}#é]| |log|level|sources|url)*") {
        let _ = Config::parse(&text, "f.toml");
    }
}

#[test]
fn a_link_is_guarded_as_its_preset_and_its_overrides_say() {
    use statim::LinkOptions;
    use statim::link::Exempt;
    use statim::resilience::{AdmissionOptions, Backoff, BreakerOptions, RateLimitOptions, Window};

    let config = Config::parse(
        r#"
        [links."ingestion -> deduplication"]
        preset = "resilience4j"
        bulkhead = false
        timeout_seconds = 5
        rate_limit = { permits = 20_000, burst = 256 }
        [links."ingestion -> deduplication".breaker]
        window = { seconds = 10 }
        minimum_calls = 20
        [links]
        "monitor->alerting" = { preset = "healthsync", exempt = "high" }
        "replay -> consent".breaker = { open_seconds = 5.5, judge_slow_calls = false }
        [admission.consent]
        low_target_seconds = 0.5
        refuse_high = false
        "#,
        "f.toml",
    )
    .expect("is right");
    let records = LinkOptions::resilience4j()
        .timeout(Duration::from_secs(5))
        .rate_limit(RateLimitOptions { burst: Some(256), ..RateLimitOptions::per_second(20_000) })
        .breaker(BreakerOptions {
            window: Window::Time(Duration::from_secs(10)),
            minimum_calls: Some(20),
            ..BreakerOptions::default()
        });
    let mut records = records;
    records.guards.bulkhead = None;
    assert_eq!(config.links.records, records);
    assert_eq!(config.links.readings, LinkOptions::health_sync().exempt(Exempt::High));
    let replay = BreakerOptions {
        open: Backoff::constant(Duration::from_millis(5500)),
        slow_call_rate: None,
        ..BreakerOptions::default()
    };
    assert_eq!(config.links.replay, LinkOptions::default().breaker(replay));
    assert_eq!((config.links.requeue, config.links.drill), Default::default());
    let admission = AdmissionOptions {
        low_target: Duration::from_millis(500),
        refuse_high: false,
        ..AdmissionOptions::default()
    };
    assert_eq!(config.admission.consent, Some(admission));
}

#[test]
fn every_fault_of_every_link_is_said_at_once_with_its_line() {
    let said = faults(
        "[links.\"ingestion -> deduplication\"]\n\
         preset = \"hystrix\"\n\
         timeout = 5\n\
         timeout_seconds = -1\n\
         bulkhead = 3\n\
         [links.\"ingestion -> deduplication\".breaker]\n\
         failure_rat = 0.5\n\
         failure_rate = 1.5\n\
         window = { calls = 10, minutes = 1 }\n\
         minimum_calls = 11\n\
         probes = \"many\"\n\
         open_jitter = \"a great deal\"\n\
         [links.\"replay -> consnt\"]\n\
         [links.\"replay -> consent\"]\n\
         rate_limit = { burst = -5, per_seconds = 1e999 }\n\
         [links.\"replay -> consent\".retry]\n\
         attempts = 99999999999999999999\n\
         backof = 1\n\
         budget = { ratio = 100, share = 1 }\n\
         [links.\"requeue -> consent\"]\n\
         rate_limit = true\n\
         [admission.consent]\n\
         clear = 7\n\
         target_seconds = 1\n\
         [admission.deduplication]\n",
    );
    let r = "f.toml:";
    let links = "links.\"ingestion -> deduplication\"";
    let replay = "links.\"replay -> consent\"";
    assert_eq!(
        said,
        [
            format!(
                "{r}2:10: {links}.preset: \"hystrix\" is not known; the choices are none, resilience4j, health_sync, healthsync"
            ),
            format!(
                "{r}3:1: {links}.timeout: is not known; the fields are preset, exempt, timeout_seconds, rate_limit, bulkhead, breaker, retry"
            ),
            format!("{r}4:19: {links}.timeout_seconds: give a number of seconds from 0.001 to 86400"),
            format!(
                "{r}5:12: {links}.bulkhead: is a whole number; give a table of max_concurrent, max_wait_seconds"
            ),
            format!("{r}7:1: {links}.breaker.failure_rat: is not known; did you mean failure_rate?"),
            format!("{r}8:16: {links}.breaker.failure_rate: give a share from 0.000001 to 1"),
            format!("{r}9:24: {links}.breaker.window.minutes: is not known; the fields are calls, seconds"),
            format!(
                "{r}10:17: {links}.breaker.minimum_calls: the window never holds more than 10 calls; give at most that"
            ),
            format!("{r}11:10: {links}.breaker.probes: is a text; give a whole number"),
            format!(
                "{r}12:15: {links}.breaker.open_jitter: \"a great deal\" is not known; the choices are none, equal, full"
            ),
            format!("{r}13:8: links.\"replay -> consnt\": is not known; did you mean replay -> consent?"),
            format!("{r}15:14: {replay}.rate_limit.permits: give a number from 1 to 1000000"),
            format!("{r}15:24: {replay}.rate_limit.burst: give a number from 1 to 1000000"),
            format!(
                "{r}15:42: {replay}.rate_limit.per_seconds: give a number of seconds from 0.001 to 86400"
            ),
            format!("{r}17:12: {replay}.retry.attempts: give a number from 1 to 100"),
            format!("{r}18:1: {replay}.retry.backof: is not known; did you mean backoff?"),
            format!("{r}19:20: {replay}.retry.budget.ratio: give a number from 0 to 10"),
            format!(
                "{r}19:25: {replay}.retry.budget.share: is not known; the fields are ratio, per_second, burst"
            ),
            format!(
                "{r}21:14: links.\"requeue -> consent\".rate_limit.permits: give a number from 1 to 1000000"
            ),
            format!("{r}23:9: admission.consent.clear: give a number from 0.01 to 1"),
            format!(
                "{r}24:1: admission.consent.target_seconds: is not known; did you mean low_target_seconds?"
            ),
            format!(
                "{r}25:12: admission.deduplication: is not known; there is admission control for consent"
            ),
        ]
    );
}

proptest! {
    #[test]
    fn no_options_of_a_link_make_it_panic(
        text in "(preset|breaker|window|retry|budget|=|\\{|\\}|true|false|-?[0-9]{1,25}|1e400|nan|\"x\"|,|\n| |\\.)*"
    ) {
        let _ = Config::parse(&format!("[links.\"replay -> consent\"]\n{text}"), "f.toml");
        let _ = Config::parse(&format!("[admission]\nconsent = {{{text}}}"), "f.toml");
    }
}

#[test]
fn an_address_to_listen_on_is_one_or_is_none() {
    let said = faults("[monitor]\nhistory_hours = 1\nlisten = \"localhost:9464\"\ninterval = 3\n");
    assert_eq!(
        said,
        [
            "f.toml:2:17: monitor.history_hours: 1 is out of range; give a whole number from 2 to 168",
            "f.toml:3:10: monitor.listen: is not an address and a port; give an address such as \"127.0.0.1:9464\", or \"\" \
             to serve nothing",
            "f.toml:4:1: monitor.interval: is not known; [monitor] has interval_seconds, history_hours, listen",
        ]
    );
    let config = Config::parse("[monitor]\nlisten = \"\"\n", "f.toml").expect("is right");
    assert_eq!(config.monitor.listen, None);
}
