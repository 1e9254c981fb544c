//! Limits, the worst offender and the folder, without agents.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::bundle::{self, BundleError, Contents};
use super::offender::worst;
use super::outcome::Skip;
use super::state::RemedySnapshot;
use crate::alert::{Action, Alert, Labels, Moment, Severity};
use crate::telemetry::{AgentReading, AgentState, Totals};

const HOUR: Duration = Duration::from_hours(1);

fn at(seconds: u64) -> Moment {
    Moment::from_millis(1_763_759_255_000 + seconds * 1_000)
}

fn alert(rule: &str) -> Alert {
    Alert {
        rule: rule.to_owned(),
        dedup_key: format!("key of {rule}"),
        labels: Labels::none(),
        severity: Severity::Warning,
        value: Some(1.0),
        finding: String::new(),
        annotations: Vec::new(),
        actions: vec![Action::investigate()],
        incident: None,
        resolved: None,
        watchdog: false,
        repeat_seconds: 60,
    }
}

// ---- Limits ----------------------------------------------------------------------------------

#[test]
fn members_are_added_no_oftener_than_the_cooldown_for_each_incident_and_agent() {
    let mut state = RemedySnapshot::default();
    state.may_add("k", "a", at(0)).unwrap();
    state.added("k", "a", 7, 2, at(300));
    assert!(matches!(state.may_add("k", "a", at(299)), Err(Skip::Cooldown { until }) if until == at(300)));
    state.may_add("k", "b", at(1)).unwrap();
    state.may_add("other", "a", at(1)).unwrap();
    state.may_add("k", "a", at(300)).unwrap();
    state.added("k", "a", 7, 1, at(600));
    let added = state.take_added("k");
    assert_eq!(added.iter().map(|it| it.members).collect::<Vec<_>>(), [3]);
    assert!(state.take_added("k").is_empty(), "they are taken away once");
    assert!(state.may_add("k", "a", at(599)).is_err(), "the rest goes on after a resolve");
    state.may_add("k", "a", at(600)).unwrap();
    assert_eq!(state, RemedySnapshot::default(), "what plays no part is forgotten");
}

#[test]
fn members_of_an_earlier_pool_of_the_name_are_forgotten() {
    let mut state = RemedySnapshot::default();
    state.added("k", "a", 7, 2, at(1));
    state.added("k", "a", 8, 1, at(2));
    assert_eq!(state.take_added("k")[0].members, 1);
}

#[test]
fn a_rule_restarts_so_often_in_so_long_and_an_agent_not_again_before_it_could_help() {
    let mut state = RemedySnapshot::default();
    let mut begin = |agent: &str, seconds| state.begin_restart("r", agent, 3, HOUR, at(seconds));
    begin("a", 0).unwrap();
    assert!(matches!(begin("a", 1), Err(Skip::Cooldown { until }) if until == at(1_200)));
    begin("b", 2).unwrap();
    begin("c", 3).unwrap();
    assert!(matches!(begin("d", 4), Err(Skip::RateLimited { until }) if until == at(3_600)));
    assert!(begin("a", 3_599).is_err());
    begin("a", 3_600).unwrap();
    assert!(begin("b", 3_601).is_err());
    state.begin_restart("another rule", "a", 1, HOUR, at(5)).unwrap();
}

#[test]
fn a_restart_that_came_to_nothing_does_not_count() {
    let mut state = RemedySnapshot::default();
    state.begin_restart("r", "a", 1, HOUR, at(0)).unwrap();
    state.revoke_restart("r", "a");
    state.begin_restart("r", "a", 1, HOUR, at(0)).unwrap();
    assert!(state.begin_restart("r", "b", 1, HOUR, at(0)).is_err());
}

#[test]
fn a_bundle_that_failed_is_tried_again_after_a_minute() {
    let mut state = RemedySnapshot::default();
    state.begin_bundle("r", HOUR, at(0)).unwrap();
    assert!(state.begin_bundle("r", HOUR, at(3_599)).is_err());
    state.revoke_bundle("r", at(0));
    assert!(state.begin_bundle("r", HOUR, at(59)).is_err());
    state.begin_bundle("r", HOUR, at(60)).unwrap();
    state.begin_bundle("other", HOUR, at(60)).unwrap();
}

#[test]
fn what_is_remembered_survives_a_store_and_members_do_not_survive_a_process() {
    let mut state = RemedySnapshot::default();
    state.added("k", "a", 7, 2, at(300));
    state.begin_restart("r", "a", 3, HOUR, at(0)).unwrap();
    state.begin_bundle("r", HOUR, at(0)).unwrap();
    let text = serde_json::to_string(&state).unwrap();
    let mut restored: RemedySnapshot = serde_json::from_str(&text).unwrap();
    assert_eq!(restored, state);
    restored.forget_members();
    assert!(restored.take_added("k").is_empty());
    assert!(restored.may_add("k", "a", at(299)).is_err() && restored.begin_bundle("r", HOUR, at(1)).is_err());
}

// ---- The worst offender ----------------------------------------------------------------------

fn reading(name: &str, queued: u64, busy_ms: u64, attempts: u64) -> AgentReading {
    AgentReading {
        name: name.into(),
        state: AgentState::Running,
        instances: 1,
        capacity: 100,
        depth: [0, 0, queued, 0],
        totals: Totals { handled: attempts, ..Totals::default() },
        panics: 0,
        restarts: 0,
        busy: Duration::from_millis(busy_ms),
        cpu: None,
        allocated: None,
        refused: None,
        utilization: None,
        latencies: None,
    }
}

#[test]
fn the_worst_has_the_queue_that_takes_longest() {
    let slow = reading("slow", 10, 1_000, 10);
    let fast = reading("fast", 500, 1_000, 1_000);
    let pool = AgentReading { instances: 4, ..reading("pool", 30, 1_000, 10) };
    let agents = [fast, slow, pool];
    assert_eq!(worst(&agents, false, |_| true), Some("slow"));
    assert_eq!(worst(&agents, true, |_| true), Some("slow"), "nothing is known of memory");
    assert_eq!(worst(&agents, false, |name| name != "slow"), Some("pool"));
}

#[test]
fn if_memory_is_short_and_counted_the_worst_holds_most_of_it() {
    let small = AgentReading { allocated: Some(1 << 20), ..reading("small", 10, 1_000, 10) };
    let large = AgentReading { allocated: Some(9 << 20), ..reading("large", 0, 0, 0) };
    let agents = [small, large];
    assert_eq!(worst(&agents, true, |_| true), Some("large"));
    assert_eq!(worst(&agents, false, |_| true), Some("small"));
}

#[test]
fn without_a_queue_the_busiest_is_the_worst_and_nobody_of_idle_ones() {
    let idle = reading("idle", 0, 1_000, 1);
    let busy = AgentReading { utilization: Some(0.4), ..reading("busy", 0, 1, 1) };
    let ended = AgentReading { state: AgentState::Failed, ..reading("ended", 99, 1_000, 1) };
    assert_eq!(worst(&[idle.clone(), busy, ended.clone()], true, |_| true), Some("busy"));
    assert_eq!(worst(&[idle, ended], true, |_| true), None);
}

// ---- The folder ------------------------------------------------------------------------------

fn write(
    folder: &Path,
    rule: &str,
    seconds: u64,
    sizes: &[usize],
    most: u64,
) -> Result<bundle::Bundle, BundleError> {
    const NAMES: [&str; 3] = ["alert.json", "agents.json", "events.json"];
    let parts = sizes.iter().zip(NAMES).map(|(size, name)| (name, vec![b'x'; *size]));
    bundle::write(folder, &alert(rule), at(seconds), Contents::of(parts), most)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".lock")
        .collect();
    names.sort();
    names
}

fn bytes_in(folder: &Path) -> u64 {
    let directories = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).filter(|it| it.is_dir());
    directories.flat_map(|it| fs::read_dir(it).unwrap()).map(|it| it.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn all_bundles_together_keep_to_the_bound_and_the_oldest_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let most = 64 << 10;
    for n in 0..20 {
        let bundle = write(folder.path(), "r", n, &[5_000, 5_000, 5_000], most).unwrap();
        assert!(bytes_in(folder.path()) <= most, "after {n}");
        assert_eq!(bundle.deleted > 0, n >= 4, "{n}: {bundle:?}");
        assert_eq!(bytes_in(&bundle.path.join("..")), bytes_in(folder.path()));
    }
    let kept = names(folder.path());
    assert_eq!(kept.len(), 4);
    assert!(
        kept.iter().zip(["51", "52", "53", "54"]).all(|(name, it)| name.contains(&format!("T2107{it}"))),
        "{kept:?}"
    );
}

#[test]
fn nothing_but_what_was_written_here_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("20200101T000000.000Z-somebodys")).unwrap();
    fs::write(path("20200101T000000.000Z-somebodys/file"), vec![0; 100_000]).unwrap();
    fs::create_dir(path("backup")).unwrap();
    fs::write(path("backup/.statim-bundle"), "").unwrap();
    fs::write(path("20200101T000001.000Z-file"), "a file").unwrap();
    fs::write(elsewhere.path().join(".statim-bundle"), "").unwrap();
    fs::write(elsewhere.path().join("precious"), vec![0; 100_000]).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(elsewhere.path(), path("20200101T000002.000Z-link")).unwrap();
    let before = names(folder.path());
    for n in 0..5 {
        write(folder.path(), "r", n, &[8_000], 20 << 10).unwrap();
    }
    let after = names(folder.path());
    assert!(before.iter().all(|name| after.contains(name)), "{after:?}");
    assert_eq!(after.len(), before.len() + 2);
    assert!(elsewhere.path().join("precious").exists());
}

#[test]
fn what_does_not_fit_is_left_out_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = write(folder.path(), "r", 0, &[1_000, 50_000, 2_000], 10_000).unwrap();
    assert_eq!(bundle.left_out, ["agents.json"]);
    assert_eq!(names(&bundle.path), [".statim-bundle", "alert.json", "events.json", "manifest.json"]);
    let manifest = fs::read_to_string(bundle.path.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["left_out"][0], "agents.json");
    assert!(bytes_in(folder.path()) <= 10_000);
    let none = write(folder.path(), "r", 1, &[1_000], 4_500);
    assert!(matches!(none, Err(BundleError::TooSmall { most_bytes: 4_500 })), "{none:?}");
}

#[test]
fn a_bundle_that_cannot_be_written_whole_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let twice = [("alert.json", vec![1]), ("alert.json", vec![2])];
    let failed = bundle::write(folder.path(), &alert("r"), at(0), Contents::of(twice), 1 << 20);
    assert!(matches!(failed, Err(BundleError::Write { .. })), "{failed:?}");
    assert!(names(folder.path()).is_empty());
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let failed = write(&file.join("below"), "r", 0, &[10], 1 << 20);
    assert!(matches!(failed, Err(BundleError::Folder { .. })), "{failed:?}");
}

#[test]
fn what_a_crash_left_unfinished_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let unfinished = folder.path().join(".unfinished-20251121T000000.000Z-r");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join(".statim-bundle"), "").unwrap();
    fs::create_dir(folder.path().join(".unfinished-of-somebody")).unwrap();
    write(folder.path(), "r", 0, &[10], 1 << 20).unwrap();
    assert!(!unfinished.exists());
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn a_folder_has_one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let lock = fs::File::create(folder.path().join(".lock")).unwrap();
    lock.lock().unwrap();
    let busy = write(folder.path(), "r", 0, &[10], 1 << 20);
    assert!(matches!(busy, Err(BundleError::Busy { .. })), "{busy:?}");
    drop(lock);
    write(folder.path(), "r", 0, &[10], 1 << 20).unwrap();
}

#[test]
fn bundles_of_one_moment_are_told_apart_and_hostile_rules_stay_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    for rule in ["r", "r", "../../r", "/r", "r\0", &"r".repeat(5_000)] {
        let bundle = write(folder.path(), rule, 0, &[10], 1 << 20).unwrap();
        assert_eq!(bundle.path.parent(), Some(folder.path()));
        assert!(bundle.path.is_dir());
    }
    assert_eq!(names(folder.path()).len(), 6);
    #[cfg(unix)]
    for name in names(folder.path()) {
        let mode = |path: std::path::PathBuf| {
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
        };
        let path = folder.path().join(name);
        assert_eq!((mode(path.join("alert.json")), mode(path)), (0o600, 0o700));
    }
}
