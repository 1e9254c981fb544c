//! PagerDuty, Events API v2.

use serde_json::{Value, json};

use super::http::{Answer, Request};
use super::journal::Journal;
use super::keys;
use super::server::Judged;
use super::shape::{Faults, Shape};

const LARGEST: usize = 512 * 1_000;
const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

pub(super) fn judge(request: &Request, body: &Value, mut faults: Faults, journal: &mut Journal) -> Judged {
    if request.path != "/v2/enqueue" {
        faults.push(format!("the path is {}", request.path));
        return Judged { answer: Answer::text(404, "Not Found"), faults };
    }
    if request.body.len() > LARGEST {
        faults.push("the body is larger than 512 KB".to_owned());
        return Judged { answer: Answer::text(413, "Too Large"), faults };
    }
    let mut event = Shape::of(body, "event", &mut faults);
    if event.text("routing_key", 32, &mut faults) != Some(keys::PAGERDUTY) {
        faults.push("event.routing_key is not the key".to_owned());
    }
    let action = event.one_of("event_action", &["trigger", "acknowledge", "resolve"], &mut faults);
    let key = event.text("dedup_key", 255, &mut faults);
    if action == Some("trigger") {
        if let Some(value) = event.need("payload", &mut faults) {
            payload(value, &mut faults);
        }
        for (index, link) in event.list("links", 100, &mut faults).iter().enumerate() {
            let mut link = Shape::of(link, &format!("event.links[{index}]"), &mut faults);
            address(link.text("href", 2_048, &mut faults), &mut faults);
            link.maybe_text("text", 255, &mut faults);
            link.finish(&mut faults);
        }
        event.maybe_text("client", 255, &mut faults);
        if let Some(url) = event.maybe_text("client_url", 2_048, &mut faults) {
            address(Some(url), &mut faults);
        }
    }
    event.finish(&mut faults);
    if !faults.is_empty() {
        let said =
            json!({ "status": "invalid event", "message": "Event object is invalid", "errors": faults });
        return Judged { answer: Answer::json(400, said.to_string()), faults };
    }
    let key = key.unwrap_or_default();
    match action {
        Some("trigger") => journal.open(key),
        Some("acknowledge") => journal.acknowledge(key),
        _ => journal.close(key),
    }
    let said = json!({ "status": "success", "message": "Event processed", "dedup_key": key });
    Judged { answer: Answer::json(202, said.to_string()), faults }
}

fn payload(value: &Value, faults: &mut Faults) {
    let mut payload = Shape::of(value, "event.payload", faults);
    payload.text("summary", 1_024, faults);
    payload.text("source", 255, faults);
    payload.one_of("severity", &SEVERITIES, faults);
    payload.time("timestamp", faults);
    for name in ["component", "group", "class"] {
        payload.maybe_text(name, 255, faults);
    }
    if payload.get("custom_details").is_some_and(|it| !it.is_object()) {
        faults.push("event.payload.custom_details is not an object".to_owned());
    }
    payload.finish(faults);
}

fn address(text: Option<&str>, faults: &mut Faults) {
    if !text.is_some_and(|it| it.starts_with("https://") || it.starts_with("http://")) {
        faults.push("a link is not an address".to_owned());
    }
}
