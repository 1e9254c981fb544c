//! An event as PagerDuty wants it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::origin::Origin;
use super::super::view;
use crate::alert::{Notice, Notification, Status};

/// Largest event, in bytes.
pub(super) const LARGEST: usize = 512 * 1_000;
/// Longest summary and source.
const SUMMARY: usize = 1_024;
const SOURCE: usize = 255;

/// An event.
#[derive(Debug, Serialize)]
pub(super) struct Event {
    pub(super) routing_key: String,
    event_action: &'static str,
    dedup_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<String>,
}

#[derive(Debug, Serialize)]
struct Payload {
    summary: String,
    source: String,
    severity: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    component: String,
    group: String,
    class: String,
    custom_details: Details,
}

#[derive(Debug, Default, Serialize)]
struct Details {
    #[serde(skip_serializing_if = "String::is_empty")]
    finding: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Link {
    href: String,
    text: String,
}

/// Whether PagerDuty has to hear of it.
pub(super) fn is_news(notice: &Notice) -> bool {
    // An incident that is always open would be none; and what is not new it knows.
    notice.new && !notice.alert.watchdog
}

/// The events that say what is news, each by its key, in their order.
pub(super) fn events(notification: &Notification, origin: &Origin) -> Vec<(String, Event)> {
    let news = notification.notices.iter().filter(|it| is_news(it));
    let event = |notice| {
        let event = Event::of(notice, notification, origin);
        (event.dedup_key.clone(), event)
    };
    news.map(event).collect()
}

impl Event {
    fn of(notice: &Notice, notification: &Notification, origin: &Origin) -> Self {
        let event_action = match notice.status {
            Status::Firing => "trigger",
            Status::Acknowledged => "acknowledge",
            Status::Resolved => "resolve",
        };
        let mut event = Self {
            routing_key: String::new(),
            event_action,
            dedup_key: view::key(&notice.alert.dedup_key),
            payload: None,
            links: Vec::new(),
            client: None,
            client_url: None,
        };
        if notice.status == Status::Firing {
            event.payload = Some(Payload::of(notice, notification, origin));
            let links = view::links(&notice.alert).into_iter();
            event.links = links.map(|(text, href)| Link { href, text }).collect();
            event.client = Some("Statim");
            event.client_url = origin.url.clone();
        }
        event
    }

    pub(super) fn json(&self) -> Vec<u8> {
        // Of strings and numbers, which serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn leave_out_details(&mut self) {
        if let Some(payload) = &mut self.payload {
            let left_out = Some("the details are larger than PagerDuty takes");
            payload.custom_details = Details { left_out, ..Details::default() };
        }
    }
}

impl Payload {
    fn of(notice: &Notice, notification: &Notification, origin: &Origin) -> Self {
        let alert = &notice.alert;
        Self {
            summary: view::summary(alert, SUMMARY),
            source: view::line(&origin.name, SOURCE),
            severity: alert.severity.as_str(),
            timestamp: view::rfc3339(view::fired(alert, notification.at)),
            component: alert.labels.get("agent").to_owned(),
            group: view::line(&notification.group_key, SOURCE),
            class: view::line(&alert.rule, SOURCE),
            custom_details: Details {
                finding: view::lines(&alert.finding, SUMMARY),
                labels: view::labels(alert),
                annotations: view::annotations(alert),
                flaps: alert.incident.as_ref().map(|it| it.flaps).filter(|it| *it > 0),
                left_out: None,
            },
        }
    }
}
