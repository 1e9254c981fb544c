//! Opsgenie's alert API, which is that of Jira Service Management too.

use serde_json::{Value, json};

use super::http::{Answer, Request};
use super::journal::Journal;
use super::keys;
use super::server::Judged;
use super::shape::{Faults, Shape};

/// What is in front of the path in Jira Service Management.
pub(super) const JIRA: &str = "/jsm/ops/integration";

const PRIORITIES: [&str; 5] = ["P1", "P2", "P3", "P4", "P5"];

pub(super) fn judge(
    base: &str,
    request: &Request,
    body: &Value,
    mut faults: Faults,
    journal: &mut Journal,
) -> Judged {
    let authorization = request.headers.get("authorization").map_or("", String::as_str);
    if authorization != format!("GenieKey {}", keys::OPSGENIE) {
        faults.push("the key is wrong".to_owned());
        return refuse(401, "Could not authenticate", faults);
    }
    let path = request.path.strip_prefix(base).and_then(|it| it.strip_prefix("/v2/alerts"));
    let Some(path) = path else {
        faults.push(format!("the path is {}", request.path));
        return refuse(404, "Not found", faults);
    };
    let alias = match path {
        "" => create(body, &mut faults).map(|alias| (alias.to_owned(), "create")),
        path => act(path, body, &mut faults),
    };
    match alias {
        Some((alias, action)) if faults.is_empty() => {
            match action {
                "create" => journal.open(&alias),
                "acknowledge" => journal.acknowledge(&alias),
                _ => journal.close(&alias),
            }
            let said = json!({ "result": "Request will be processed", "took": 0.05, "requestId": "r-1" });
            Judged { answer: Answer::json(202, said.to_string()), faults }
        }
        _ => refuse(422, "Request body is not processable", faults),
    }
}

fn create<'v>(body: &'v Value, faults: &mut Faults) -> Option<&'v str> {
    let mut alert = Shape::of(body, "alert", faults);
    alert.text("message", 130, faults);
    let alias = alert.text("alias", 512, faults);
    alert.maybe_text("description", 15_000, faults);
    for tag in alert.list("tags", 20, faults) {
        if tag.as_str().is_none_or(|it| it.encode_utf16().count() > 50) {
            faults.push("alert.tags has one that is not a text of at most 50".to_owned());
        }
    }
    let details = alert.texts("details", faults);
    let size: usize =
        details.iter().map(|(name, text)| (name.len().min(128)) + text.encode_utf16().count()).sum();
    if size > 8_000 {
        faults.push("alert.details are longer than 8,000 in all".to_owned());
    }
    alert.maybe_text("entity", 512, faults);
    alert.maybe_text("source", 100, faults);
    alert.one_of("priority", &PRIORITIES, faults);
    alert.maybe_text("user", 100, faults);
    alert.maybe_text("note", 25_000, faults);
    alert.finish(faults);
    alias
}

/// `/ALIAS/close?identifierType=alias` and the like.
fn act(path: &str, body: &Value, faults: &mut Faults) -> Option<(String, &'static str)> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if query != "identifierType=alias" {
        faults.push(format!("the query is {query:?}"));
    }
    let mut parts = path.strip_prefix('/')?.split('/');
    let (alias, action) = (parts.next()?, parts.next()?);
    let action = ["acknowledge", "close"].into_iter().find(|it| *it == action);
    if action.is_none() || parts.next().is_some() || alias.is_empty() {
        faults.push("the action is not known".to_owned());
    }
    let mut said = Shape::of(body, "body", faults);
    said.maybe_text("source", 100, faults);
    said.maybe_text("user", 100, faults);
    said.maybe_text("note", 25_000, faults);
    said.finish(faults);
    Some((alias.to_owned(), action?))
}

fn refuse(status: u16, message: &str, faults: Faults) -> Judged {
    let said = json!({ "message": message, "took": 0.0, "requestId": "r-0" });
    Judged { answer: Answer::json(status, said.to_string()), faults }
}
