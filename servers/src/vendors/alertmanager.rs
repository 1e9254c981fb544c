//! Alertmanager, API v2, as strict as the strictest of its versions: beside the real one it can misbehave.

use serde_json::Value;

use super::http::{Answer, Request};
use super::journal::Journal;
use super::server::Judged;
use super::shape::{Faults, Shape, is_label_name};

pub(super) fn judge(request: &Request, body: &Value, mut faults: Faults, journal: &mut Journal) -> Judged {
    if request.path != "/api/v2/alerts" {
        faults.push(format!("the path is {}", request.path));
        return Judged { answer: Answer::text(404, "not found"), faults };
    }
    let alerts = body.as_array().map(Vec::as_slice).unwrap_or_default();
    if alerts.is_empty() {
        faults.push("the body is not a list of alerts".to_owned());
    }
    let mut told = Vec::new();
    for (index, value) in alerts.iter().enumerate() {
        let mut alert = Shape::of(value, &format!("alerts[{index}]"), &mut faults);
        let labels = alert.texts("labels", &mut faults);
        let annotations = alert.texts("annotations", &mut faults);
        if labels.is_empty() {
            faults.push("an alert has no labels".to_owned());
        }
        if labels.iter().chain(&annotations).any(|(name, _)| !is_label_name(name)) {
            faults.push("a label or annotation has a name that is none".to_owned());
        }
        if labels.iter().any(|(_, value)| value.is_empty()) {
            faults.push("a label has no value".to_owned());
        }
        let (starts, ends) = (alert.time("startsAt", &mut faults), alert.time("endsAt", &mut faults));
        if ends < starts {
            faults.push("an alert ends before it begins".to_owned());
        }
        alert.maybe_text("generatorURL", 2_048, &mut faults);
        alert.finish(&mut faults);
        told.push((format!("{labels:?}"), ends));
    }
    if !faults.is_empty() {
        return Judged { answer: Answer::json(400, "\"bad request\"".to_owned()), faults };
    }
    for (labels, ends) in told {
        let incident = journal.incidents.entry(labels).or_default();
        let open = ends > Some(jiff::Timestamp::now());
        incident.opened += usize::from(open && !incident.open);
        incident.open = open;
    }
    Judged { answer: Answer::text(200, ""), faults }
}
