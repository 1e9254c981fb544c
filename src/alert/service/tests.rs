//! What waits, and what becomes of it, in every order of events.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::entry::{Fate, Stage};
use super::lane::Next;
use super::queue::Queue;
use crate::alert::incident::dedup_key;
use crate::alert::{Alert, Labels, Moment, Notice, Notification, Severity, Status, Why};

const SINK: &str = "sink";

fn at(second: u64) -> Moment {
    Moment::from_millis(second * 1_000)
}

fn alert(name: &str) -> Alert {
    Alert {
        rule: name.to_owned(),
        dedup_key: name.to_owned(),
        labels: Labels::none(),
        severity: Severity::Warning,
        value: None,
        finding: String::new(),
        annotations: Vec::new(),
        actions: Vec::new(),
        incident: None,
        resolved: None,
        watchdog: false,
        repeat_seconds: 0,
    }
}

fn notice(name: &str, status: Status, new: bool) -> Notice {
    Notice { alert: alert(name), status, new }
}

fn say(why: Why, group: &str, notices: Vec<Notice>, number: u64) -> Notification {
    Notification {
        id: format!("{}-{number}", dedup_key("", group, &Labels::none())),
        at: at(number),
        why,
        sinks: vec![SINK.to_owned()],
        group_key: group.to_owned(),
        group_labels: Labels::none(),
        notices,
        more: 0,
    }
}

fn queue() -> Queue {
    Queue::new(1_000, Duration::from_mins(5))
}

/// Everything so far is stored.
fn store(queue: &mut Queue) {
    let batch = queue.unsaved();
    queue.saved(batch.revision);
}

fn waiting(queue: &Queue) -> Vec<(Why, Vec<String>)> {
    let lanes = queue.lanes.get(SINK).into_iter();
    let live = lanes.flat_map(|it| it.live());
    live.map(|it| {
        let notices = it.notification.notices.iter();
        (it.notification.why, notices.map(|it| it.alert.dedup_key.clone()).collect())
    })
    .collect()
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn nothing_is_due_before_it_is_stored() {
    let mut queue = queue();
    queue.push(&say(Why::Fired, "g", vec![notice("a", Status::Firing, true)], 1), at(1));
    assert_eq!(queue.next(SINK, at(1)), Next::Nothing);
    store(&mut queue);
    assert!(matches!(queue.next(SINK, at(1)), Next::Due(_)));
}

#[test]
fn a_beginning_and_its_end_that_nobody_heard_of_leave_together_and_what_else_was_said_stays() {
    let mut queue = queue();
    let (firing, resolved) = (Status::Firing, Status::Resolved);
    let both = vec![notice("a", firing, true), notice("b", firing, true)];
    queue.push(&say(Why::Fired, "g", both, 1), at(1));
    store(&mut queue);
    queue.push(
        &say(Why::Resolved, "g", vec![notice("a", resolved, true), notice("b", firing, false)], 2),
        at(2),
    );
    assert_eq!(waiting(&queue), [(Why::Fired, texts(&["b"]))]);
    queue.push(&say(Why::Resolved, "g", vec![notice("b", resolved, true)], 3), at(3));
    assert_eq!(waiting(&queue), []);
}

#[test]
fn what_somebody_may_have_heard_of_is_said_to_be_over() {
    let (firing, resolved) = (Status::Firing, Status::Resolved);
    let mut queue = queue();
    queue.push(&say(Why::Fired, "g", vec![notice("a", firing, true)], 1), at(1));
    store(&mut queue);
    let Next::Due(seq) = queue.next(SINK, at(1)) else { panic!("it is due") };
    queue.begin(SINK, seq).unwrap();
    queue.retry(SINK, seq, at(60), "no answer".to_owned());
    let end = say(Why::Resolved, "g", vec![notice("a", resolved, true)], 2);
    queue.push(&end, at(2));
    assert_eq!(waiting(&queue), [(Why::Fired, texts(&["a"])), (Why::Resolved, texts(&["a"]))]);
    store(&mut queue);
    // In turn: the end waits for the beginning, whose time has not come.
    assert_eq!(queue.next(SINK, at(3)), Next::At(at(60)));
    // Told before, and told by an escalation now: its end is not taken back with the escalation.
    let mut queue = super::tests::queue();
    queue.push(&say(Why::Fired, "g", vec![notice("a", firing, true)], 1), at(1));
    store(&mut queue);
    let Next::Due(seq) = queue.next(SINK, at(1)) else { panic!("it is due") };
    queue.begin(SINK, seq).unwrap();
    queue.settle(SINK, seq, Fate::Delivered, None, false, at(1));
    store(&mut queue);
    queue.push(&say(Why::Escalation(1), "g", vec![notice("a", firing, true)], 2), at(2));
    queue.push(&end, at(3));
    assert_eq!(waiting(&queue).last().unwrap().0, Why::Resolved);
}

#[test]
fn a_sink_that_was_never_told_of_it_is_not_told_that_it_is_over() {
    let mut queue = queue();
    queue.push(&say(Why::Resolved, "g", vec![notice("a", Status::Resolved, true)], 1), at(1));
    assert_eq!(waiting(&queue), []);
}

#[test]
fn a_repetition_gives_way_to_news_of_its_group_and_gets_too_old() {
    let mut queue = queue();
    let again = |number| say(Why::Repeat, "g", vec![notice("a", Status::Firing, false)], number);
    queue.push(&again(1), at(1));
    queue.push(&again(2), at(2));
    queue.push(&say(Why::Repeat, "other", vec![notice("z", Status::Firing, false)], 3), at(3));
    assert_eq!(waiting(&queue).len(), 2);
    queue.push(&say(Why::Fired, "g", vec![notice("b", Status::Firing, true)], 4), at(4));
    assert_eq!(waiting(&queue), [(Why::Repeat, texts(&["z"])), (Why::Fired, texts(&["b"]))]);
    store(&mut queue);
    queue.next(SINK, at(3 + 300));
    assert_eq!(waiting(&queue), [(Why::Fired, texts(&["b"]))]);
    let settled = queue.take_settled();
    assert_eq!(settled[&(SINK.to_owned(), Fate::Superseded)], 2);
    assert_eq!(settled[&(SINK.to_owned(), Fate::Expired)], 1);
}

#[test]
fn over_the_bound_what_matters_least_goes_and_an_end_never_does() {
    let mut queue = Queue::new(4, Duration::from_mins(5));
    let firing = |name: &str| vec![notice(name, Status::Firing, true)];
    for name in ["a", "b"] {
        queue.push(&say(Why::Fired, name, firing(name), 1), at(1));
        store(&mut queue);
        let Next::Due(seq) = queue.next(SINK, at(1)) else { panic!("it is due") };
        queue.begin(SINK, seq).unwrap();
        queue.settle(SINK, seq, Fate::Delivered, None, false, at(1));
    }
    queue.push(&say(Why::Heartbeat, "heart", firing("heart"), 2), at(2));
    queue.push(&say(Why::Fired, "c", firing("c"), 3), at(3));
    for (number, name) in [(4, "a"), (5, "b")] {
        let end = vec![notice(name, Status::Resolved, true)];
        queue.push(&say(Why::Resolved, name, end, number), at(number));
    }
    assert_eq!(waiting(&queue).len(), 4);
    queue.push(&say(Why::Fired, "d", firing("d"), 6), at(6));
    assert_eq!(
        waiting(&queue).into_iter().map(|it| it.1[0].clone()).collect::<Vec<_>>(),
        ["c", "a", "b", "d"]
    );
    queue.push(&say(Why::Fired, "e", firing("e"), 7), at(7));
    queue.push(&say(Why::Fired, "f", firing("f"), 8), at(8));
    let left: Vec<_> = waiting(&queue).into_iter().map(|it| it.1[0].clone()).collect();
    assert_eq!(left, ["a", "b", "e", "f"]);
    assert_eq!(queue.take_settled()[&(SINK.to_owned(), Fate::Evicted)], 3);
}

#[test]
fn what_waits_for_a_sink_that_is_taken_away_is_given_up() {
    let mut queue = queue();
    queue.push(&say(Why::Fired, "g", vec![notice("a", Status::Firing, true)], 1), at(1));
    store(&mut queue);
    queue.keep_sinks(&["another".to_owned()], at(2));
    let batch = queue.unsaved();
    assert!(matches!(batch.rows[0].stage, Stage::Settled(Fate::Undeliverable, _)));
    queue.saved(batch.revision);
    assert!(queue.lanes.is_empty());
}

#[test]
fn a_change_while_it_is_stored_is_stored_again() {
    let mut queue = queue();
    queue.push(&say(Why::Fired, "g", vec![notice("a", Status::Firing, true)], 1), at(1));
    store(&mut queue);
    let Next::Due(seq) = queue.next(SINK, at(1)) else { panic!("it is due") };
    queue.begin(SINK, seq).unwrap();
    let batch = queue.unsaved();
    queue.settle(SINK, seq, Fate::Delivered, None, false, at(1));
    queue.saved(batch.revision);
    let batch = queue.unsaved();
    assert_eq!(batch.rows.len(), 1);
    assert!(matches!(batch.rows[0].stage, Stage::Settled(Fate::Delivered, _)));
}

/// What happens next in a run.
#[derive(Debug, Clone)]
enum Step {
    /// The alert changes: it fires, or is over.
    Turn(usize),
    /// All that changed is decided on, in groups of two.
    Decide,
    Store,
    /// An attempt: it arrives or not, and the answer arrives or not.
    Attempt {
        arrives: bool,
        answered: bool,
    },
    /// Only what is stored is left.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_usize).prop_map(Step::Turn),
        4 => Just(Step::Decide),
        3 => Just(Step::Store),
        4 => (any::<bool>(), any::<bool>()).prop_map(|(arrives, answered)| Step::Attempt { arrives, answered }),
        1 => Just(Step::Crash),
    ]
}

/// A queue with a table behind it and a receiver in front.
struct Run {
    queue: Queue,
    rows: BTreeMap<i64, super::entry::Entry>,
    told: BTreeMap<String, super::lane::Told>,
    /// What fires, as it is, and as it was decided; and as that was stored.
    fires: [bool; 4],
    decided: [bool; 4],
    stored: [bool; 4],
    heard: Vec<(String, String, Status)>,
    number: u64,
}

impl Run {
    fn store(&mut self) {
        let batch = self.queue.unsaved();
        for row in batch.rows {
            match row.stage {
                Stage::Settled(..) => drop(self.rows.remove(&row.seq)),
                _ => drop(self.rows.insert(row.seq, row)),
            }
        }
        for (_, key, told) in batch.told {
            if told.gone { drop(self.told.remove(&key)) } else { drop(self.told.insert(key, told)) }
        }
        self.queue.saved(batch.revision);
        self.stored = self.decided;
    }

    fn crash(&mut self) {
        self.queue = queue();
        let rows = self.rows.values().cloned().map(|mut row| {
            (row.stage, row.unsaved, row.stored) = (Stage::Waiting, None, true);
            row
        });
        self.queue.restore(rows.collect(), self.rows.keys().copied().max().unwrap_or(0) + 1_000);
        for (key, told) in &self.told {
            let told = super::lane::Told { unsaved: None, ..told.clone() };
            self.queue.lane(SINK).told.insert(key.clone(), told);
        }
        self.decided = self.stored;
    }

    fn decide(&mut self) {
        for (group, members) in [("g", [0, 1]), ("h", [2, 3])] {
            let mut notices = Vec::new();
            let mut news = false;
            for index in members {
                let name = format!("alert-{index}");
                let new = self.fires[index] != self.decided[index];
                let status = if self.fires[index] { Status::Firing } else { Status::Resolved };
                if new || self.fires[index] {
                    notices.push(notice(&name, status, new));
                }
                news |= new;
                self.decided[index] = self.fires[index];
            }
            if news {
                self.number += 1;
                let any = notices.iter().any(|it| it.new && it.status == Status::Firing);
                let why = if any { Why::Fired } else { Why::Resolved };
                let said = say(why, group, notices, self.number);
                self.queue.push(&said, at(self.number));
            }
        }
    }

    fn attempt(&mut self, arrives: bool, answered: bool) {
        let Next::Due(seq) = self.queue.next(SINK, at(1_000_000)) else { return };
        let attempt = self.queue.begin(SINK, seq).expect("it waits");
        // As the sender does: that it is tried is stored first.
        self.store();
        if arrives {
            for it in attempt.notification.notices.iter().filter(|it| it.new) {
                let id = attempt.notification.id.clone();
                self.heard.push((id, it.alert.dedup_key.clone(), it.status));
            }
        }
        if arrives && answered {
            self.queue.settle(SINK, seq, Fate::Delivered, None, false, at(1));
        } else {
            self.queue.retry(SINK, seq, at(1), "no answer".to_owned());
        }
    }

    fn check(&self) {
        let mut seen = Vec::new();
        let mut open: BTreeMap<&str, bool> = BTreeMap::new();
        for (id, key, status) in &self.heard {
            if seen.contains(&(id, key)) {
                continue;
            }
            seen.push((id, key));
            let open = open.entry(key).or_default();
            assert_ne!(*open, *status == Status::Firing, "{key} {status:?} out of turn: {:?}", self.heard);
            *open = *status == Status::Firing;
        }
        assert!(open.values().all(|it| !it), "never told to be over: {:?}", self.heard);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn a_receiver_hears_of_beginnings_and_ends_in_turn_whatever_happens(steps in proptest::collection::vec(step(), 1..60)) {
        let mut run = Run {
            queue: queue(),
            rows: BTreeMap::new(),
            told: BTreeMap::new(),
            fires: [false; 4],
            decided: [false; 4],
            stored: [false; 4],
            heard: Vec::new(),
            number: 0,
        };
        for step in steps {
            match step {
                Step::Turn(index) => run.fires[index] = !run.fires[index],
                Step::Decide => run.decide(),
                Step::Store => run.store(),
                Step::Attempt { arrives, answered } => run.attempt(arrives, answered),
                Step::Crash => run.crash(),
            }
        }
        run.fires = [false; 4];
        run.decide();
        run.store();
        for _ in 0..200 {
            run.attempt(true, true);
        }
        run.store();
        prop_assert!(run.rows.is_empty(), "{} rows are left", run.rows.len());
        run.check();
        prop_assert!(run.told.is_empty());
    }
}
