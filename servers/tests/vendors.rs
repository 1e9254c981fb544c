//! The stand-ins are strict: each refuses what its service would refuse, and notices what it was told twice.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use statim_servers::vendors::{Fault, Vendor, VendorKind, keys};

/// Posts this to the path behind the stand-in's own address, and says the status of the answer; 0 if there is none.
fn post(vendor: &Vendor, path: &str, headers: &str, body: &Value) -> u16 {
    raw(vendor, "POST", path, &format!("Content-Type: application/json\r\n{headers}"), &body.to_string())
}

fn raw(vendor: &Vendor, method: &str, path: &str, headers: &str, body: &str) -> u16 {
    let url = vendor.url();
    let url = url.trim_start_matches("http://");
    let (host, base) = url.find('/').map_or((url, ""), |at| url.split_at(at));
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    // What resets the connection does so whenever it likes.
    let _ = write!(
        stream,
        "{method} {base}{path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.strip_prefix("HTTP/1.1 ").and_then(|it| it[..3].parse().ok()).unwrap_or(0)
}

/// A copy in which the value at this pointer is another, or is not there.
fn with(body: &Value, pointer: &str, value: Option<Value>) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    body
}

/// Sends each changed body, and sees it refused for one reason that names the field.
fn refuses(vendor: &Vendor, path: &str, headers: &str, body: &Value, changes: &[(&str, Option<Value>)]) {
    for (pointer, value) in changes {
        let before = vendor.refused().len();
        let status = post(vendor, path, headers, &with(body, pointer, value.clone()));
        assert!((400..500).contains(&status), "{pointer} {value:?}: {status}");
        assert_eq!(vendor.refused().len(), before + 1, "{pointer}");
    }
    assert_eq!(vendor.accepted().len(), 0);
    assert!((200..300).contains(&post(vendor, path, headers, body)), "{:?}", vendor.refused().last());
}

fn long(length: usize) -> Option<Value> {
    Some("x".repeat(length).into())
}

#[test]
fn pagerduty_is_strict() {
    let vendor = Vendor::start(VendorKind::PagerDuty).unwrap();
    let event = json!({
        "routing_key": keys::PAGERDUTY, "event_action": "trigger", "dedup_key": "k",
        "payload": { "summary": "s", "source": "h", "severity": "critical", "timestamp": "2026-11-21T10:00:00Z" },
        "links": [{ "href": "https://a", "text": "b" }],
    });
    let changes = [
        ("/routing_key", long(32)),
        ("/routing_key", None),
        ("/event_action", Some("triger".into())),
        ("/dedup_key", long(256)),
        ("/dedup_key", Some(7.into())),
        ("/payload", None),
        ("/payload/summary", long(1_025)),
        ("/payload/summary", Some("🩺".repeat(513).into())),
        ("/payload/summary", Some("".into())),
        ("/payload/source", None),
        ("/payload/severity", Some("fatal".into())),
        ("/payload/timestamp", Some("yesterday".into())),
        ("/payload/custom_details", Some("text".into())),
        ("/payload/more", Some("x".into())),
        ("/links", Some(json!([{ "href": "javascript:x" }]))),
        ("/more", Some("x".into())),
        ("/payload/custom_details", Some(json!({ "x": "x".repeat(512_000) }))),
    ];
    refuses(&vendor, "/v2/enqueue", "", &event, &changes);
    assert_eq!(post(&vendor, "/v1/enqueue", "", &event), 404);
    assert_eq!(
        raw(&vendor, "PUT", "/v2/enqueue", "Content-Type: application/json\r\n", &event.to_string()),
        400
    );
    assert_eq!(raw(&vendor, "POST", "/v2/enqueue", "Content-Type: text/plain\r\n", &event.to_string()), 400);
    assert_eq!(raw(&vendor, "POST", "/v2/enqueue", "Content-Type: application/json\r\n", "{"), 400);
}

#[test]
fn pagerduty_counts_what_it_is_told_twice() {
    let vendor = Vendor::start(VendorKind::PagerDuty).unwrap();
    let say = |action: &str| {
        let mut event = json!({ "routing_key": keys::PAGERDUTY, "event_action": action, "dedup_key": "k" });
        if action == "trigger" {
            event["payload"] = json!({ "summary": "s", "source": "h", "severity": "info", "timestamp": "2026-11-21T10:00:00Z" });
        }
        assert_eq!(post(&vendor, "/v2/enqueue", "", &event), 202);
        (vendor.opened("k"), vendor.duplicates().len(), vendor.open().len(), vendor.acknowledged("k"))
    };
    assert_eq!(say("resolve"), (0, 1, 0, false));
    assert_eq!(say("acknowledge"), (0, 2, 0, false));
    assert_eq!(say("trigger"), (1, 2, 1, false));
    assert_eq!(say("trigger"), (1, 3, 1, false));
    assert_eq!(say("acknowledge"), (1, 3, 1, true));
    assert_eq!(say("acknowledge"), (1, 4, 1, true));
    assert_eq!(say("resolve"), (1, 4, 0, false));
    assert_eq!(say("trigger"), (2, 4, 1, false));
}

#[test]
fn opsgenie_is_strict() {
    let key = format!("Authorization: GenieKey {}\r\n", keys::OPSGENIE);
    let alert =
        json!({ "message": "m", "alias": "k", "priority": "P1", "tags": ["a"], "details": { "a": "b" } });
    for kind in [VendorKind::Opsgenie, VendorKind::JiraServiceManagement] {
        let vendor = Vendor::start(kind).unwrap();
        let changes = [
            ("/message", long(131)),
            ("/message", None),
            ("/alias", long(513)),
            ("/priority", Some("P0".into())),
            ("/tags", Some(vec!["a"; 21].into())),
            ("/tags", Some(json!(["x".repeat(51)]))),
            ("/details", Some(json!({ "a": 1 }))),
            ("/details", Some(json!({ "a": "x".repeat(8_001) }))),
            ("/description", long(15_001)),
            ("/more", long(1)),
        ];
        refuses(&vendor, "/v2/alerts", &key, &alert, &changes);
        let act = |path: &str, body: &Value| post(&vendor, path, &key, body);
        assert_eq!(act("/v2/alerts/k/acknowledge?identifierType=alias", &json!({ "user": "u" })), 202);
        assert!(vendor.acknowledged("k"));
        assert_eq!(
            act("/v2/alerts/k/close", &json!({})),
            422,
            "without it the alias would be taken for an id"
        );
        assert_eq!(act("/v2/alerts/k/destroy?identifierType=alias", &json!({})), 422);
        assert_eq!(act("/v2/alerts/k/close?identifierType=alias", &json!({ "note": 1 })), 422);
        assert_eq!(act("/v2/alerts/k/close?identifierType=alias", &json!({ "note": "n" })), 202);
        assert_eq!((vendor.open().len(), vendor.duplicates().len()), (0, 0));
        assert_eq!(post(&vendor, "/v2/alerts", "Authorization: GenieKey no\r\n", &alert), 401);
        assert_eq!(post(&vendor, "/v2/alerts", "", &alert), 401);
    }
}

#[test]
fn slack_is_strict() {
    let vendor = Vendor::start(VendorKind::Slack).unwrap();
    let section = |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    let message =
        json!({ "text": "a &amp; b", "blocks": [section("<https://a.example.org/?b&amp;c|d> &lt;")] });
    let changes = [
        ("/text", None),
        ("/text", Some("".into())),
        ("/text", long(4_001)),
        ("/text", Some("a & b".into())),
        ("/text", Some("<!channel>".into())),
        ("/blocks", Some(vec![section("a"); 51].into())),
        ("/blocks", Some(json!([section(&"x".repeat(3_001))]))),
        ("/blocks", Some(json!([section("a > b")]))),
        ("/blocks", Some(json!([{ "type": "sektion" }]))),
        ("/channel", Some("#other".into())),
    ];
    refuses(&vendor, "", "", &message, &changes);
    assert_eq!(post(&vendor, "x", "", &message), 404);
    assert_eq!(post(&vendor, "", "", &message), 200);
    assert_eq!(vendor.duplicates().len(), 1);
}

#[test]
fn a_receiver_of_webhooks_is_strict() {
    let vendor = Vendor::start(VendorKind::Webhook).unwrap();
    let payload = json!({
        "version": "4", "groupKey": "g", "truncatedAlerts": 0, "status": "firing", "receiver": "r",
        "groupLabels": { "a": "b" }, "commonLabels": { "a": "b" }, "commonAnnotations": {}, "externalURL": "",
    });
    let alert = json!({
        "status": "firing", "labels": { "a": "b" }, "annotations": {}, "startsAt": "2026-11-21T10:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "0123456789abcdef",
    });
    let changed = |pointer, value: Value| ("/alerts", Some(json!([with(&alert, pointer, Some(value))])));
    let payload = with(&payload, "/alerts", Some(json!([alert])));
    let changes = [
        ("/version", Some("3".into())),
        ("/status", Some("resolved".into())),
        ("/groupLabels", Some(json!({ "a": "c" }))),
        ("/groupKey", None),
        ("/truncatedAlerts", Some("0".into())),
        ("/alerts", Some(json!([]))),
        ("/more", Some(1.into())),
        changed("/endsAt", "2026-11-21T10:00:00Z".into()),
        changed("/startsAt", "now".into()),
        changed("/labels", json!({ "a": "b", "a-b": "c" })),
        changed("/fingerprint", "xyz".into()),
    ];
    refuses(&vendor, "", "", &payload, &changes);

    let signed = Vendor::start(VendorKind::SignedWebhook).unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    for headers in [
        String::new(),
        format!("webhook-id: a\r\nwebhook-timestamp: {now}\r\n"),
        format!("webhook-id: a\r\nwebhook-timestamp: {now}\r\nwebhook-signature: v1,AAAA\r\n"),
    ] {
        assert_eq!(post(&signed, "", &headers, &payload), 401, "{headers}");
    }
}

#[test]
fn alertmanager_is_strict() {
    let vendor = Vendor::start(VendorKind::Alertmanager).unwrap();
    let alert = json!({
        "labels": { "alertname": "a" }, "annotations": {}, "startsAt": "2026-11-21T10:00:00Z",
        "endsAt": "2999-01-01T00:00:00Z",
    });
    let list = |alert: Value| json!([alert]);
    for (pointer, value) in [
        ("/labels", Some(json!({}))),
        ("/labels", Some(json!({ "a-b": "c" }))),
        ("/labels", Some(json!({ "a": "" }))),
        ("/annotations", Some(json!({ "a b": "c" }))),
        ("/startsAt", Some("soon".into())),
        ("/endsAt", Some("2001-01-01T00:00:00Z".into())),
        ("/more", Some("x".into())),
    ] {
        let changed = list(with(&alert, pointer, value));
        assert_eq!(post(&vendor, "/api/v2/alerts", "", &changed), 400, "{changed}");
    }
    assert_eq!(post(&vendor, "/api/v2/alerts", "", &json!([])), 400);
    assert_eq!(post(&vendor, "/api/v1/alerts", "", &list(alert.clone())), 404);
    assert_eq!(post(&vendor, "/api/v2/alerts", "", &list(alert.clone())), 200);
    assert_eq!(vendor.open().len(), 1);
    let over = with(&alert, "/endsAt", Some("2026-11-21T10:00:01Z".into()));
    assert_eq!(post(&vendor, "/api/v2/alerts", "", &list(over)), 200);
    assert_eq!((vendor.open().len(), vendor.accepted().len(), vendor.requests()), (0, 2, 11));
}

#[test]
fn faults_come_in_their_order_and_take_nothing() {
    let vendor = Vendor::start(VendorKind::Alertmanager).unwrap();
    let body = json!([{ "labels": { "a": "b" }, "startsAt": "2026-11-21T10:00:00Z", "endsAt": "2999-01-01T00:00:00Z" }]);
    vendor.next([Fault::Status(500), Fault::Limited(3), Fault::Reset, Fault::Garbage, Fault::Redirect]);
    let said: Vec<u16> = (0..6).map(|_| post(&vendor, "/api/v2/alerts", "", &body)).collect();
    assert_eq!(said, [500, 429, 0, 0, 307, 200]);
    assert_eq!((vendor.accepted().len(), vendor.refused().len(), vendor.requests()), (1, 0, 6));
    vendor.next([Fault::Vanish]);
    assert_eq!(post(&vendor, "/api/v2/alerts", "", &body), 0);
    assert_eq!(vendor.accepted().len(), 2, "taken, and nobody was told so");
}
