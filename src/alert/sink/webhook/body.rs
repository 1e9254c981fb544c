//! What Alertmanager posts to a webhook, version 4.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::error::SinkError;
use super::super::origin::Origin;
use super::super::view;
use crate::alert::{Moment, Notice, Notification, Status};

/// Largest body, in bytes. What goes on is left out of one that would be larger, as `truncatedAlerts` says.
const LARGEST: usize = 1 << 20;

/// When an alert ends that still fires.
const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'n> {
    version: &'static str,
    group_key: &'n str,
    truncated_alerts: usize,
    status: &'static str,
    receiver: &'n str,
    group_labels: BTreeMap<String, String>,
    common_labels: BTreeMap<String, String>,
    common_annotations: BTreeMap<String, String>,
    #[serde(rename = "externalURL")]
    external_url: &'n str,
    alerts: Vec<One<'n>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct One<'n> {
    status: &'static str,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'n str,
    fingerprint: String,
}

/// The body. Alerts at the end, which are those that are not new, are left out until it has at most 1 MiB.
pub(super) fn body(
    notification: &Notification,
    receiver: &str,
    origin: &Origin,
) -> Result<Vec<u8>, SinkError> {
    let url = origin.url.as_deref().unwrap_or_default();
    let alerts: Vec<One<'_>> =
        notification.notices.iter().map(|it| One::of(it, notification.at, url)).collect();
    let status = if alerts.iter().any(|it| it.status == "firing") { "firing" } else { "resolved" };
    let mut payload = Payload {
        version: "4",
        group_key: &notification.group_key,
        truncated_alerts: notification.more,
        status,
        receiver,
        group_labels: view::map_of(&notification.group_labels),
        common_labels: common(alerts.iter().map(|it| &it.labels)),
        common_annotations: common(alerts.iter().map(|it| &it.annotations)),
        external_url: url,
        alerts,
    };
    loop {
        // Of strings and numbers, which serialise.
        let body = serde_json::to_vec(&payload).unwrap_or_default();
        if body.len() <= LARGEST {
            return Ok(body);
        }
        let fits = payload.alerts.len() * LARGEST / body.len();
        let kept = fits.min(payload.alerts.len().saturating_sub(1));
        let said_news = notification.notices.get(kept).is_none_or(|it| !it.new);
        if kept == 0 || !said_news {
            return Err(SinkError::TooLarge { bytes: body.len(), most: LARGEST });
        }
        payload.truncated_alerts += payload.alerts.len() - kept;
        payload.alerts.truncate(kept);
    }
}

impl<'n> One<'n> {
    fn of(notice: &Notice, decided: Moment, url: &'n str) -> Self {
        let labels = view::labels(&notice.alert);
        Self {
            status: if notice.status == Status::Resolved { "resolved" } else { "firing" },
            fingerprint: view::fingerprint(&labels),
            labels,
            annotations: view::annotations(&notice.alert),
            starts_at: view::rfc3339(view::fired(&notice.alert, decided)),
            ends_at: view::over(notice, decided).map_or_else(|| NEVER.to_owned(), view::rfc3339),
            generator_url: url,
        }
    }
}

/// What all of them have.
fn common<'a>(mut maps: impl Iterator<Item = &'a BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut common = maps.next().cloned().unwrap_or_default();
    for map in maps {
        common.retain(|name, value| map.get(name) == Some(value));
    }
    common
}
