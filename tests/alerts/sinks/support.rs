//! Alerts, notifications as a dispatcher makes them, and sinks that send to stand-ins.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use statim::alert::sink::{
    Address, Alertmanager, AlertmanagerOptions, Delivered, Delivery, HttpClient, HttpOptions, Opsgenie,
    Origin, PagerDuty, Proxies, Secret, Service, SigningKeys, Sink, SinkError, Slack, Webhook,
};
use statim::alert::{
    Action, Alert, DispatchOptions, Dispatcher, Ending, EscalationStep, Event, Incident, Labels, Moment,
    Notice, Notification, Severity, Status, Why, dedup_key,
};
use statim_servers::vendors::{Vendor, VendorKind, keys};

pub(crate) const KINDS: [VendorKind; 7] = [
    VendorKind::PagerDuty,
    VendorKind::Opsgenie,
    VendorKind::JiraServiceManagement,
    VendorKind::Slack,
    VendorKind::SignedWebhook,
    VendorKind::Webhook,
    VendorKind::Alertmanager,
];

/// An hour ago, so that everything that happens is over by now.
pub(crate) fn an_hour_ago() -> Moment {
    Moment::from(SystemTime::now() - Duration::from_hours(1))
}

/// An alert of this agent, that fired at `fired`.
pub(crate) fn alert(agent: &str, fired: Moment) -> Alert {
    let series = Labels::new([("agent", agent)]).unwrap();
    let labels =
        Labels::new([("alertname", "SlowAgent"), ("severity", "critical"), ("agent", agent)]).unwrap();
    let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    Alert {
        rule: "SlowAgent".to_owned(),
        dedup_key: dedup_key("", "SlowAgent", &series),
        labels,
        severity: Severity::Critical,
        value: Some(2.5),
        finding: "2.5 s ≥ 2 s".to_owned(),
        annotations: vec![
            text("summary", &format!("{agent} is slow")),
            text("runbook_url", "https://runbooks.example.org/slow?a=b&c=d"),
        ],
        actions: vec![Action::notify()],
        incident: Some(Incident { id: "i-1".to_owned(), fired, since: fired, flaps: 0, flapping: false }),
        resolved: None,
        watchdog: false,
        repeat_seconds: 600,
    }
}

/// What a dispatcher says of two agents that fire: `oncall` is told, and again, `boss` is told, somebody acknowledges, and
/// it is over. In this order: fired, repeated, escalated, acknowledged (one), resolved.
pub(crate) fn story() -> Vec<Notification> {
    let start = an_hour_ago();
    let after = |minutes: u64| start.after(Duration::from_mins(minutes));
    let mut dispatcher = Dispatcher::new(DispatchOptions {
        sinks: vec!["boss".to_owned(), "oncall".to_owned()],
        wait: Duration::ZERO,
        escalation: vec![EscalationStep {
            after: Duration::from_mins(15),
            sinks: vec!["boss".to_owned()],
            least: Severity::Critical,
        }],
        ..DispatchOptions::default()
    });
    let oncall = vec![Action::Notify { sinks: vec!["oncall".to_owned()] }];
    let alert = |agent| Alert { actions: oncall.clone(), ..alert(agent, start) };
    let (one, two) = (alert("consent"), alert("ingestion"));
    let mut told = dispatcher.step(&[Event::Fired(one.clone()), Event::Fired(two.clone())], start);
    told.extend(dispatcher.step(&[], after(10)));
    told.extend(dispatcher.step(&[], after(16)));
    told.extend(dispatcher.acknowledge(&one.dedup_key, "ann", after(17)).unwrap());
    let over = |alert: Alert| Event::Resolved(Alert { resolved: Some(after(30)), ..alert }, Ending::Good);
    told.extend(dispatcher.step(&[over(one), over(two)], after(30)));
    told
}

/// A notification of these alerts, all news.
pub(crate) fn notification(why: Why, status: Status, alerts: Vec<Alert>) -> Notification {
    let notices = alerts.into_iter().map(|alert| Notice { alert, status, new: true }).collect();
    let id = format!("{}-{}", why.as_str(), status.as_str());
    let (sinks, at) = (vec!["oncall".to_owned()], an_hour_ago());
    let group_labels = Labels::new([("alertname", "SlowAgent")]).unwrap();
    Notification { id, at, why, sinks, group_key: "oncall:{}".to_owned(), group_labels, notices, more: 0 }
}

pub(crate) fn fired() -> Notification {
    notification(Why::Fired, Status::Firing, vec![alert("consent", an_hour_ago())])
}

pub(crate) fn delivery(notification: Notification) -> Delivery {
    let id = format!("{}-oncall", notification.id);
    Delivery { notification, id, attempt: 1, now: SystemTime::now() }
}

pub(crate) async fn deliver(sink: &dyn Sink, notification: Notification) -> Result<Delivered, SinkError> {
    sink.deliver(&delivery(notification)).await
}

/// A client with as much time as a busy machine takes, which goes through no proxy.
pub(crate) fn http() -> HttpClient {
    http_within(Duration::from_secs(20))
}

pub(crate) fn http_within(timeout: Duration) -> HttpClient {
    let options =
        HttpOptions { connect_timeout: timeout, timeout, proxies: Proxies::Never, ..HttpOptions::default() };
    HttpClient::new(&options).unwrap()
}

/// A sink that sends to this stand-in.
pub(crate) fn sink(name: &str, kind: VendorKind, vendor: &Vendor) -> Arc<dyn Sink> {
    sink_at(name, kind, &vendor.url())
}

/// A sink of this kind that sends to this address.
pub(crate) fn sink_at(name: &str, kind: VendorKind, url: &str) -> Arc<dyn Sink> {
    let address = Address::parse(url).unwrap();
    let origin = Origin { name: "ward-3".to_owned(), url: Some("https://statim.example.org/".to_owned()) };
    let opsgenie = |service| {
        let (key, at) = (Secret::new(keys::OPSGENIE), Some(address.clone()));
        Arc::new(Opsgenie::new(name, service, key, at, origin.clone(), http()).unwrap())
    };
    match kind {
        VendorKind::PagerDuty => {
            let key = Secret::new(keys::PAGERDUTY);
            Arc::new(PagerDuty::new(name, key, Some(address), origin, http()).unwrap())
        }
        VendorKind::Opsgenie => opsgenie(Service::Opsgenie),
        VendorKind::JiraServiceManagement => opsgenie(Service::JiraServiceManagement),
        VendorKind::Slack => Arc::new(Slack::new(name, address, http()).unwrap()),
        VendorKind::SignedWebhook => {
            let keys = SigningKeys::parse(&Secret::new(keys::WEBHOOK[0])).unwrap();
            Arc::new(Webhook::new(name, address, Some(keys), origin, http()))
        }
        VendorKind::Webhook => Arc::new(Webhook::new(name, address, None, origin, http())),
        VendorKind::Alertmanager => {
            let options = AlertmanagerOptions { origin, ..AlertmanagerOptions::default() };
            Arc::new(Alertmanager::new(name, vec![address], options, http()).unwrap())
        }
    }
}
