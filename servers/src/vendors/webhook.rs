//! A receiver of webhooks: Alertmanager's payload, version 4, signed as Standard Webhooks says.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::http::{Answer, Request};
use super::journal::{Accepted, Journal};
use super::keys;
use super::server::Judged;
use super::shape::{Faults, Shape, is_label_name};

/// Where it listens.
pub(super) const PATH: &str = "/hooks/alerts";
/// How old or early a signature may be, in seconds.
const TOLERANCE: u64 = 300;

pub(super) fn judge(
    signed: bool,
    request: &Request,
    body: &Value,
    mut faults: Faults,
    journal: &mut Journal,
) -> Judged {
    if request.path != PATH {
        faults.push(format!("the path is {}", request.path));
        return Judged { answer: Answer::text(404, "not found"), faults };
    }
    let id = header(request, "webhook-id");
    // Alertmanager itself, which does not sign, sends no id either.
    if (signed && id.is_empty()) || id.contains('.') || id.len() > 128 {
        faults.push("webhook-id is not an id".to_owned());
    }
    if signed {
        let before = faults.len();
        verify(request, id, &mut faults);
        if faults.len() > before {
            return Judged { answer: Answer::text(401, "signature"), faults };
        }
    } else if !header(request, "webhook-signature").is_empty() {
        faults.push("there is a signature that nobody can verify".to_owned());
    }
    payload(body, &mut faults);
    if !faults.is_empty() {
        return Judged { answer: Answer::text(400, "payload"), faults };
    }
    let seen = |it: &Accepted| it.headers.get("webhook-id").is_some_and(|before| before == id);
    if journal.accepted.iter().any(seen) {
        journal.duplicates.push(format!("the id {id}"));
    }
    Judged { answer: Answer::text(200, ""), faults }
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    request.headers.get(name).map_or("", String::as_str)
}

fn verify(request: &Request, id: &str, faults: &mut Faults) {
    let timestamp = header(request, "webhook-timestamp");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    match timestamp.parse::<u64>() {
        Ok(time) if time.abs_diff(now) <= TOLERANCE => {}
        Ok(_) => faults.push("webhook-timestamp is not of now".to_owned()),
        Err(_) => faults.push("webhook-timestamp is not a number".to_owned()),
    }
    let content = [format!("{id}.{timestamp}.").as_bytes(), &request.body].concat();
    let is_right = |signature: &str, key: &str| {
        let key = STANDARD.decode(key.trim_start_matches("whsec_")).unwrap_or_default();
        let given = STANDARD.decode(signature).unwrap_or_default();
        Hmac::<Sha256>::new_from_slice(&key).is_ok_and(|mut mac| {
            mac.update(&content);
            mac.verify_slice(&given).is_ok()
        })
    };
    let given: Vec<&str> = header(request, "webhook-signature").split(' ').collect();
    if given.iter().any(|it| !it.starts_with("v1,")) {
        faults.push("webhook-signature has one that is not v1".to_owned());
    }
    let mut versions = given.iter().filter_map(|it| it.strip_prefix("v1,"));
    if !versions.any(|it| keys::WEBHOOK.iter().any(|key| is_right(it, key))) {
        faults.push("webhook-signature is by no key that is known".to_owned());
    }
}

fn payload(body: &Value, faults: &mut Faults) {
    let mut payload = Shape::of(body, "payload", faults);
    if payload.text("version", 8, faults).is_some_and(|it| it != "4") {
        faults.push("payload.version is not 4".to_owned());
    }
    payload.text("groupKey", usize::MAX, faults);
    if payload.need("truncatedAlerts", faults).is_some_and(|it| it.as_u64().is_none()) {
        faults.push("payload.truncatedAlerts is not a number".to_owned());
    }
    let status = payload.one_of("status", &["firing", "resolved"], faults);
    payload.text("receiver", usize::MAX, faults);
    let group = payload.texts("groupLabels", faults);
    let common = payload.texts("commonLabels", faults);
    payload.texts("commonAnnotations", faults);
    payload.need("externalURL", faults);
    payload.need("groupLabels", faults);
    payload.need("commonLabels", faults);
    payload.need("commonAnnotations", faults);
    let alerts = payload.list("alerts", 1_000, faults);
    if alerts.is_empty() {
        faults.push("payload.alerts is empty".to_owned());
    }
    let mut firing = false;
    for (index, value) in alerts.iter().enumerate() {
        let mut alert = Shape::of(value, &format!("payload.alerts[{index}]"), faults);
        let fires = alert.one_of("status", &["firing", "resolved"], faults) == Some("firing");
        firing |= fires;
        let labels = alert.texts("labels", faults);
        alert.need("labels", faults);
        if group.iter().chain(&common).any(|pair| !labels.contains(pair)) {
            faults.push("a group's or common label is not a label of each alert".to_owned());
        }
        let annotations = alert.texts("annotations", faults);
        if labels.iter().chain(&annotations).any(|(name, _)| !is_label_name(name)) {
            faults.push("a label or annotation has a name that is none".to_owned());
        }
        let (starts, ends) = (alert.time("startsAt", faults), alert.time("endsAt", faults));
        let never = "0001-01-01T00:00:00Z".parse().ok();
        match fires {
            true if ends != never => faults.push("an alert that fires ends".to_owned()),
            false if ends < starts => faults.push("an alert ends before it begins".to_owned()),
            _ => {}
        }
        alert.need("generatorURL", faults);
        let fingerprint = alert.text("fingerprint", 16, faults).unwrap_or_default();
        if fingerprint.len() != 16 || !fingerprint.bytes().all(|it| it.is_ascii_hexdigit()) {
            faults.push("a fingerprint is not 16 hexadecimal digits".to_owned());
        }
        alert.finish(faults);
    }
    if status.is_some_and(|it| (it == "firing") != firing) {
        faults.push("payload.status is not that of its alerts".to_owned());
    }
    payload.finish(faults);
}
