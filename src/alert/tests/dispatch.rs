//! Who is told, and when.

use super::*;

fn told(notifications: &[Notification]) -> Vec<String> {
    notifications
        .iter()
        .map(|it| {
            let notices = it.notices.iter().map(|notice| {
                let agent = notice.alert.labels.get("agent");
                let name = if agent.is_empty() { &notice.alert.rule } else { agent };
                format!("{}{name}:{}", if notice.new { "*" } else { "" }, notice.status.as_str())
            });
            let notices = notices.collect::<Vec<_>>().join(" ");
            format!("{} {} to {}: {notices}", it.at.millis() / 1_000, it.why.as_str(), it.sinks.join(","))
        })
        .collect()
}

/// An engine and a dispatcher that are told the depth of each agent every 10 s.
struct Deployment {
    engine: Engine,
    dispatcher: Dispatcher,
    now: u64,
}

impl Deployment {
    fn new(rules: impl IntoIterator<Item = Rule>, options: DispatchOptions) -> Self {
        Self { engine: engine(rules), dispatcher: Dispatcher::new(options), now: 0 }
    }

    /// Until `end`, with these depths.
    fn run(&mut self, end: u64, depths: &[(&str, f64)]) -> Vec<String> {
        let mut notifications = Vec::new();
        while self.now < end {
            for (name, depth) in depths {
                self.engine.observe(METRIC, &agent(name), *depth, at(self.now));
            }
            let events = self.engine.evaluate(at(self.now));
            notifications.extend(self.dispatcher.step(&events, at(self.now)));
            self.now += STEP;
        }
        told(&notifications)
    }
}

fn at_once() -> Rule {
    Rule { hold: Duration::ZERO, ..rule() }
}

fn dispatch() -> DispatchOptions {
    DispatchOptions {
        sinks: vec!["boss".to_owned(), "desk".to_owned()],
        wait: seconds(30),
        interval: seconds(60),
        ..DispatchOptions::default()
    }
}

fn to_desk(rule: Rule) -> Rule {
    Rule { actions: vec![Action::Notify { sinks: vec!["desk".to_owned()] }], ..rule }
}

#[test]
fn a_group_waits_once_and_then_tells_what_is_new_at_its_interval() {
    let mut deployment = Deployment::new([to_desk(at_once())], dispatch());
    let mut said = deployment.run(20, &[("a", 10.0)]);
    said.extend(deployment.run(50, &[("a", 10.0), ("b", 10.0)]));
    said.extend(deployment.run(100, &[("a", 1.0), ("b", 10.0), ("c", 10.0)]));
    said.extend(deployment.run(200, &[("b", 1.0), ("c", 1.0)]));
    assert_eq!(
        said,
        [
            "30 fired to desk: *a:firing *b:firing",
            "90 fired to desk: *c:firing *a:resolved b:firing",
            "150 resolved to desk: *b:resolved *c:resolved",
        ]
    );
}

#[test]
fn what_is_over_while_its_group_waits_is_never_told() {
    let mut deployment = Deployment::new([at_once()], dispatch());
    assert_eq!(deployment.run(20, &[("a", 10.0)]), [""; 0]);
    assert_eq!(deployment.run(300, &[("a", 1.0)]), [""; 0]);
}

#[test]
fn a_rule_that_notifies_nobody_is_told_nobody() {
    let quiet = Rule { actions: vec![Action::investigate()], ..at_once() };
    let mut deployment = Deployment::new([quiet], dispatch());
    assert_eq!(deployment.run(300, &[("a", 10.0)]), [""; 0]);
    assert_eq!(deployment.engine.firing()[0].actions, [Action::investigate()]);
}

#[test]
fn what_fires_on_is_repeated_until_it_is_acknowledged() {
    let mut deployment = Deployment::new([to_desk(Rule { repeat: seconds(100), ..at_once() })], dispatch());
    let said = deployment.run(240, &[("a", 10.0)]);
    assert_eq!(
        said,
        ["30 fired to desk: *a:firing", "130 repeat to desk: a:firing", "230 repeat to desk: a:firing"]
    );
    let key = deployment.engine.firing()[0].dedup_key.clone();
    let acknowledged = deployment.dispatcher.acknowledge(&key, "ann", at(240)).unwrap();
    assert_eq!(told(&Vec::from_iter(acknowledged)), ["240 acknowledged to desk: *a:acknowledged"]);
    assert_eq!(deployment.dispatcher.acknowledge(&key, "bob", at(241)), Ok(None));
    assert_eq!(deployment.dispatcher.acknowledged(&key).unwrap().by, "ann");
    assert_eq!(deployment.run(600, &[("a", 10.0)]), [""; 0]);
    // It ends with the incident.
    assert_eq!(deployment.run(610, &[("a", 1.0)]), ["600 resolved to desk: *a:resolved"]);
    assert_eq!(deployment.dispatcher.acknowledge(&key, "ann", at(610)), Err(NotFiring));
    assert_eq!(deployment.run(740, &[("a", 10.0)])[0], "640 fired to desk: *a:firing");
}

#[test]
fn nobody_can_acknowledge_what_nobody_was_told_of() {
    let mut deployment = Deployment::new([at_once()], dispatch());
    deployment.run(20, &[("a", 10.0)]);
    let key = deployment.engine.firing()[0].dedup_key.clone();
    assert_eq!(deployment.dispatcher.acknowledge(&key, "ann", at(20)), Err(NotFiring));
}

fn escalating() -> DispatchOptions {
    let step = |after, least| EscalationStep { after: seconds(after), sinks: vec!["boss".to_owned()], least };
    DispatchOptions {
        escalation: vec![step(120, Severity::Warning), step(60, Severity::Critical)],
        ..dispatch()
    }
}

#[test]
fn what_nobody_acknowledges_goes_up_and_everyone_told_hears_that_it_is_over() {
    let mut deployment = Deployment::new([to_desk(at_once())], escalating());
    let said = deployment.run(400, &[("a", 10.0)]);
    // The first step is for critical alerts only.
    assert_eq!(said, ["30 fired to desk: *a:firing", "150 escalation to boss: *a:firing"]);
    let said = deployment.run(500, &[("a", 1.0)]);
    assert_eq!(said, ["400 resolved to boss: *a:resolved", "400 resolved to desk: *a:resolved"]);
}

#[test]
fn what_is_acknowledged_in_time_does_not_go_up() {
    let mut deployment =
        Deployment::new([to_desk(Rule { severity: Severity::Critical, ..at_once() })], escalating());
    deployment.run(80, &[("a", 10.0)]);
    let key = deployment.engine.firing()[0].dedup_key.clone();
    deployment.dispatcher.acknowledge(&key, "ann", at(80)).unwrap();
    assert_eq!(deployment.run(900, &[("a", 10.0)]), [""; 0]);
}

fn silence(ends: u64, pattern: &str) -> Silence {
    Silence {
        id: "s".to_owned(),
        matchers: vec![Matcher::is("alertname", pattern)],
        starts: at(0),
        ends: at(ends),
        by: "ann".to_owned(),
        comment: "upgrade".to_owned(),
    }
}

#[test]
fn a_silence_holds_back_and_what_still_fires_at_its_end_is_told() {
    let mut deployment = Deployment::new([at_once()], dispatch());
    deployment.dispatcher.silence(silence(200, "De*"), at(0)).unwrap();
    assert_eq!(deployment.run(200, &[("a", 10.0), ("b", 10.0)]), [""; 0]);
    let said = deployment.run(300, &[("a", 10.0), ("b", 1.0)]);
    assert_eq!(said, ["200 fired to boss,desk: *a:firing"]);
}

#[test]
fn whoever_was_told_before_a_silence_hears_that_it_is_over() {
    let mut deployment = Deployment::new([Rule { repeat: seconds(60), ..at_once() }], dispatch());
    assert_eq!(deployment.run(40, &[("a", 10.0)]).len(), 1);
    deployment.dispatcher.silence(silence(9_999, "*"), at(40)).unwrap();
    assert_eq!(deployment.run(300, &[("a", 10.0)]), [""; 0]);
    assert_eq!(deployment.run(310, &[("a", 1.0)]), ["300 resolved to boss,desk: *a:resolved"]);
}

#[test]
fn a_heartbeat_waits_for_nobody_and_cannot_be_silenced() {
    let mut deployment = Deployment::new([Rule::new("Watchdog", Condition::Always)], escalating());
    deployment.dispatcher.silence(silence(9_999, "*"), at(0)).unwrap();
    let said = deployment.run(130, &[]);
    assert_eq!(
        said,
        [
            "0 fired to boss,desk: *Watchdog:firing",
            "60 heartbeat to boss,desk: Watchdog:firing",
            "120 heartbeat to boss,desk: Watchdog:firing",
        ]
    );
}

#[test]
fn what_is_over_and_back_within_the_interval_was_never_over() {
    let mut deployment = Deployment::new([at_once()], dispatch());
    let mut said = deployment.run(40, &[("a", 10.0)]);
    said.extend(deployment.run(60, &[("a", 1.0)]));
    said.extend(deployment.run(200, &[("a", 10.0)]));
    assert_eq!(said, ["30 fired to boss,desk: *a:firing"]);
}

#[test]
fn everything_new_is_told_however_much_it_is() {
    let mut deployment = Deployment::new([to_desk(at_once())], dispatch());
    let names: Vec<String> = (0..250).map(|n| format!("a{n}")).collect();
    let depths: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 10.0)).collect();
    let said = deployment.run(40, &depths);
    assert_eq!(said.len(), 3);
    assert_eq!(said.iter().map(|it| it.matches('*').count()).sum::<usize>(), 250);
    let mut depths = depths;
    depths[0].1 = 1.0;
    deployment.run(90, &depths);
    let resolved: Vec<_> = names.iter().take(1).map(|name| (name.as_str(), 1.0)).collect();
    deployment.now = 90;
    let said = deployment.run(100, &resolved);
    assert!(said[0].starts_with("90 resolved to desk: *a0:resolved"), "{said:?}");
}

#[test]
fn a_sink_that_is_new_hears_of_what_fires_and_one_that_is_gone_of_nothing() {
    let mut deployment = Deployment::new([at_once()], dispatch());
    deployment.run(40, &[("a", 10.0)]);
    let sinks = vec!["desk".to_owned(), "pager".to_owned()];
    deployment.dispatcher.reload(DispatchOptions { sinks, ..dispatch() });
    assert_eq!(deployment.run(100, &[("a", 10.0)]), ["40 fired to pager: *a:firing"]);
    assert_eq!(deployment.run(200, &[("a", 1.0)]), ["100 resolved to desk,pager: *a:resolved"]);
}

#[test]
fn a_dispatcher_goes_on_where_it_was_stored() {
    let mut deployment = Deployment::new([at_once()], dispatch());
    deployment.run(40, &[("a", 10.0)]);
    let stored = serde_json::to_string(&deployment.dispatcher.snapshot()).unwrap();
    let snapshot: DispatcherSnapshot = serde_json::from_str(&stored).unwrap();
    deployment.dispatcher = Dispatcher::restore(dispatch(), snapshot);
    assert_eq!(deployment.run(100, &[("a", 1.0)]), ["90 resolved to boss,desk: *a:resolved"]);
}
