//! Requests as the alert API wants them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::origin::Origin;
use super::super::view;
use crate::alert::{Notice, Notification, Severity, Status};

/// Most of each that the API takes, in characters; details all together.
const MESSAGE: usize = 130;
const DESCRIPTION: usize = 15_000;
const DETAILS: usize = 8_000;
const ENTITY: usize = 512;
const SOURCE: usize = 100;
const TAG: usize = 50;
const TAGS: usize = 20;

/// Where alerts are.
pub(super) const PATH: &str = "/v2/alerts";

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) body: Vec<u8>,
}

#[derive(Serialize)]
struct Create {
    message: String,
    alias: String,
    description: String,
    tags: Vec<String>,
    details: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    entity: String,
    source: String,
    priority: &'static str,
}

/// What a close and an acknowledgement say.
#[derive(Serialize)]
struct Act {
    source: String,
    user: &'static str,
    note: &'static str,
}

/// Whether the receiver has to hear of it.
pub(super) fn is_news(notice: &Notice) -> bool {
    // An alert that is always open would be none; and what is not new it knows.
    notice.new && !notice.alert.watchdog
}

/// The requests that say what is news, each by its alias, in their order.
pub(super) fn requests(notification: &Notification, origin: &Origin) -> Vec<(String, Request)> {
    let news = notification.notices.iter().filter(|it| is_news(it));
    news.map(|notice| (view::key(&notice.alert.dedup_key), Request::of(notice, notification, origin)))
        .collect()
}

impl Request {
    fn of(notice: &Notice, notification: &Notification, origin: &Origin) -> Self {
        let alias = view::key(&notice.alert.dedup_key);
        let source = view::line(&origin.name, SOURCE);
        let act = |action: &str, note| Self {
            path: format!("{PATH}/{alias}/{action}?identifierType=alias"),
            body: json(&Act { source: source.clone(), user: "Statim", note }),
        };
        match notice.status {
            Status::Acknowledged => act("acknowledge", "somebody looks after it"),
            Status::Resolved => act("close", "it is over"),
            Status::Firing => {
                let create = Create::of(notice, notification, origin, alias, source);
                Self { path: PATH.to_owned(), body: json(&create) }
            }
        }
    }
}

impl Create {
    fn of(
        notice: &Notice,
        notification: &Notification,
        origin: &Origin,
        alias: String,
        source: String,
    ) -> Self {
        let alert = &notice.alert;
        let mut left = DETAILS;
        let mut details = BTreeMap::new();
        let links = origin.url.iter().map(|url| ("url".to_owned(), url.clone()));
        for (name, text) in view::labels(alert).into_iter().chain(view::annotations(alert)).chain(links) {
            let size = name.encode_utf16().count() + text.encode_utf16().count();
            // What came first stays: the labels.
            if size <= left && !details.contains_key(&name) {
                left -= size;
                details.insert(name, text);
            }
        }
        let fired = view::rfc3339(view::fired(alert, notification.at));
        let description =
            [view::summary(alert, DESCRIPTION), alert.finding.clone(), format!("since {fired}")];
        let tags = alert.labels.iter().filter(|(name, _)| *name != "alertname");
        let tag = |(name, value): (&str, &str)| view::line(&format!("{name}:{value}"), TAG);
        Self {
            message: view::summary(alert, MESSAGE),
            alias,
            description: view::lines(&description.join("\n"), DESCRIPTION),
            tags: tags.map(tag).take(TAGS).collect(),
            details,
            entity: view::line(alert.labels.get("agent"), ENTITY),
            source,
            priority: match alert.severity {
                Severity::Critical => "P1",
                Severity::Error => "P2",
                Severity::Warning => "P3",
                Severity::Info => "P5",
            },
        }
    }
}

fn json(body: &impl Serialize) -> Vec<u8> {
    // Of strings, which serialise.
    serde_json::to_vec(body).unwrap_or_default()
}
