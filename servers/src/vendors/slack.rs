//! A Slack incoming webhook.

use serde_json::Value;

use super::http::{Answer, Request};
use super::journal::Journal;
use super::keys;
use super::server::Judged;
use super::shape::{Faults, Shape};

pub(super) fn judge(request: &Request, body: &Value, mut faults: Faults, journal: &mut Journal) -> Judged {
    if request.path != keys::SLACK {
        faults.push("there is no such webhook".to_owned());
        return Judged { answer: Answer::text(404, "no_service"), faults };
    }
    let mut message = Shape::of(body, "message", &mut faults);
    let text = message.text("text", 4_000, &mut faults);
    escaped(text.unwrap_or_default(), &mut faults);
    for (index, block) in message.list("blocks", 50, &mut faults).iter().enumerate() {
        let path = format!("message.blocks[{index}]");
        let mut block = Shape::of(block, &path, &mut faults);
        block.one_of("type", &["section"], &mut faults);
        if let Some(text) = block.need("text", &mut faults) {
            let mut text = Shape::of(text, &format!("{path}.text"), &mut faults);
            text.one_of("type", &["mrkdwn", "plain_text"], &mut faults);
            let text_itself = text.text("text", 3_000, &mut faults);
            escaped(text_itself.unwrap_or_default(), &mut faults);
            text.finish(&mut faults);
        }
        block.finish(&mut faults);
    }
    message.finish(&mut faults);
    if !faults.is_empty() {
        let status = if text.is_none() { "no_text" } else { "invalid_blocks" };
        return Judged { answer: Answer::text(400, status), faults };
    }
    if journal.accepted.iter().any(|it| it.body == *body) {
        journal.duplicates.push("the same message".to_owned());
    }
    Judged { answer: Answer::text(200, "ok"), faults }
}

/// In Slack's texts `<` begins a command or a link and `&` an entity: any other is a fault.
fn escaped(text: &str, faults: &mut Faults) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>']) {
        let found = &rest[at..];
        let entity = ["&amp;", "&lt;", "&gt;"].into_iter().find(|it| found.starts_with(it));
        let link = found.find('>').map(|end| &found[..=end]);
        let link = link.filter(|it| it.starts_with("<https://") || it.starts_with("<http://"));
        let Some(length) = entity.or(link).map(str::len) else {
            faults.push("a text has &, < or > that is not escaped".to_owned());
            return;
        };
        rest = &found[length..];
    }
}
