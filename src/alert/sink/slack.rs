//! A Slack channel, by an incoming webhook.

use serde::Serialize;

use super::delivery::{Delivered, Delivery};
use super::error::SinkError;
use super::fault::SinkFault;
use super::http::{Address, HttpClient, Post};
use super::{Delivering, Sink, view};
use crate::alert::{Notice, Notification, Status, Why};

/// Alerts that a message names; of more it says how many.
const NAMED: usize = 20;
/// Longest summary and finding in a message, and longest text of a section, which Slack bounds at 3,000.
const LINE: usize = 600;
const SECTION: usize = 2_900;

/// What Slack says when it has taken a message.
const TAKEN: &str = "ok";

/// Writes into a Slack channel. Hears of everything but the watchdog, whose heart would fill the channel.
///
/// Slack keeps nothing: each notification is a message of its own. It takes one a second and a few at once.
#[derive(Debug)]
pub struct Slack {
    name: String,
    address: Address,
    http: HttpClient,
}

#[derive(Serialize)]
struct Message {
    /// For notifications and screen readers.
    text: String,
    blocks: Vec<Block>,
}

#[derive(Serialize)]
struct Block {
    r#type: &'static str,
    text: Text,
}

#[derive(Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
}

impl Slack {
    /// A sink for the channel of this incoming webhook. The address is the key to it.
    ///
    /// # Errors
    ///
    /// The address is neither HTTPS nor on this machine.
    pub fn new(name: &str, address: Address, http: HttpClient) -> Result<Self, SinkFault> {
        Ok(Self { name: name.to_owned(), address: address.for_a_key()?, http })
    }
}

impl Sink for Slack {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "slack"
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            if self.requests(&delivery.notification) == 0 {
                return Ok(Delivered::Nothing);
            }
            // Of strings, which serialise.
            let body = serde_json::to_vec(&message(&delivery.notification)).unwrap_or_default();
            let (address, now) = (&self.address, delivery.now);
            let answer =
                self.http.post(Post { address, headers: Vec::new(), body, wanted: 1_024, now }).await?;
            answer.expect(|status| status == 200)?;
            if answer.says(TAKEN) {
                Ok(Delivered::Told)
            } else {
                Err(SinkError::Garbled { status: Some(200) })
            }
        })
    }

    fn requests(&self, notification: &Notification) -> usize {
        usize::from(notification.notices.iter().any(|it| !it.alert.watchdog))
    }
}

fn message(notification: &Notification) -> Message {
    let notices: Vec<&Notice> = notification.notices.iter().filter(|it| !it.alert.watchdog).collect();
    let title = title(notification, &notices);
    let mut blocks = vec![Block::section(format!("*{}*", escape(&title, LINE)))];
    blocks.extend(notices.iter().take(NAMED).map(|it| Block::section(alert(it, notification))));
    let more = notices.len().saturating_sub(NAMED) + notification.more;
    if more > 0 {
        blocks.push(Block::section(format!("and {more} more")));
    }
    let first = notices.first().map(|it| format!(": {}", view::summary(&it.alert, LINE)));
    Message { text: escape(&format!("{title}{}", first.unwrap_or_default()), 2 * LINE), blocks }
}

/// What happened, in a line.
fn title(notification: &Notification, notices: &[&Notice]) -> String {
    let count = |status| notices.iter().filter(|it| it.status == status).count();
    let firing = count(Status::Firing) + count(Status::Acknowledged) + notification.more;
    let named = notification.group_labels.get("alertname");
    let named = match (named.is_empty(), notices.first()) {
        (false, _) => named,
        (true, Some(notice)) => &notice.alert.rule,
        (true, None) => "",
    };
    let named = view::line(named, 150);
    match notification.why {
        Why::Fired | Why::Heartbeat => format!("FIRING ({firing}) {named}"),
        Why::Resolved if firing == 0 => format!("RESOLVED {named}"),
        Why::Resolved => format!("RESOLVED ({}) {named}, {firing} still firing", count(Status::Resolved)),
        Why::Repeat => format!("STILL FIRING ({firing}) {named}"),
        Why::Escalation(step) => format!("NOT ACKNOWLEDGED (step {step}) {named}"),
        Why::Acknowledged => format!("ACKNOWLEDGED {named}"),
    }
}

fn alert(notice: &Notice, notification: &Notification) -> String {
    let alert = &notice.alert;
    let mut text = format!(
        "[{}] {} — {}",
        alert.severity.as_str(),
        notice.status.as_str(),
        escape(&view::summary(alert, LINE), LINE)
    );
    if !alert.finding.is_empty() {
        text += &format!("\n{}", escape(&view::line(&alert.finding, LINE), LINE));
    }
    let fired = view::rfc3339(view::fired(alert, notification.at));
    text += &format!("\nsince {fired}");
    if let Some(over) = view::over(notice, notification.at) {
        text += &format!(", over {}", view::rfc3339(over));
    }
    for (name, url) in view::links(alert).iter().take(3) {
        // Whole: a link that is cut leads elsewhere.
        let link = format!("\n<{}|{}>", escape(url, usize::MAX), escape(name, LINE));
        if text.encode_utf16().count() + link.encode_utf16().count() <= SECTION {
            text += &link;
        }
    }
    text
}

impl Block {
    fn section(text: String) -> Self {
        Self { r#type: "section", text: Text { r#type: "mrkdwn", text } }
    }
}

/// A text in which nothing is left that Slack would take for a command, of at most so many UTF-16 units: never cut within
/// what stands for a character.
fn escape(text: &str, most: usize) -> String {
    let mut escaped = String::new();
    let mut left = most.saturating_sub(1);
    for c in text.chars() {
        let mut buffer = [0; 4];
        let safe: &str = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => c.encode_utf8(&mut buffer),
        };
        let Some(rest) = left.checked_sub(safe.encode_utf16().count()) else { return escaped + "…" };
        left = rest;
        escaped += safe;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_by_what_a_label_says() {
        assert_eq!(escape("<!channel> & <@U1>", 100), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
    }

    #[test]
    fn what_stands_for_a_character_is_not_cut() {
        assert_eq!(escape("a&b", 7), "a&amp;…");
        assert_eq!(escape("a&b", 6), "a…");
        assert_eq!(escape("a&b", 8), "a&amp;b");
        assert_eq!(escape("🩺🩺", 4), "🩺…");
    }
}
