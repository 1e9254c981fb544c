//! What is sent is what each service documents.

use std::time::Duration;

use serde_json::Value;
use statim::alert::sink::Delivered::{Nothing, Told};
use statim::alert::sink::{SigningKeys, Sink as _};
use statim::alert::{Alert, Status, Why};
use statim_servers::vendors::{Vendor, VendorKind, keys};

use super::support::{
    KINDS, alert, an_hour_ago, deliver, delivery, fired, http, notification, sink, sink_at, story,
};

#[tokio::test]
async fn every_service_takes_a_whole_incident_and_hears_nothing_twice() {
    for kind in KINDS {
        let (oncall_vendor, boss_vendor) = (Vendor::start(kind).unwrap(), Vendor::start(kind).unwrap());
        let (oncall, boss) = (sink("oncall", kind, &oncall_vendor), sink("boss", kind, &boss_vendor));
        let mut came_of_it = Vec::new();
        for notification in story() {
            for sink in [&oncall, &boss] {
                if notification.sinks.iter().any(|it| it == sink.name()) {
                    let result = deliver(&**sink, notification.clone()).await.unwrap();
                    came_of_it.push((notification.why, sink.name() == "boss", result));
                }
            }
        }
        let keeps_incidents =
            matches!(kind, VendorKind::PagerDuty | VendorKind::Opsgenie | VendorKind::JiraServiceManagement);
        let repeated = if keeps_incidents { Nothing } else { Told };
        let expected = [
            (Why::Fired, false, Told),
            (Why::Repeat, false, repeated),
            (Why::Escalation(1), true, Told),
            (Why::Escalation(1), true, Told),
            (Why::Acknowledged, false, Told),
            (Why::Acknowledged, true, Told),
            (Why::Resolved, true, Told),
            (Why::Resolved, true, Told),
            (Why::Resolved, false, Told),
        ];
        assert_eq!(came_of_it, expected, "{kind:?}");
        for vendor in [&oncall_vendor, &boss_vendor] {
            assert_eq!(vendor.refused(), [], "{kind:?}");
            assert_eq!(vendor.duplicates(), [""; 0], "{kind:?}");
            assert_eq!(vendor.open(), [""; 0], "{kind:?}");
        }
        if keeps_incidents {
            let key = alert("consent", an_hour_ago()).dedup_key;
            assert_eq!((oncall_vendor.opened(&key), boss_vendor.opened(&key)), (1, 1), "{kind:?}");
        }
    }
}

#[tokio::test]
async fn whoever_acknowledges_is_seen_by_services_that_know_of_it() {
    for kind in [VendorKind::PagerDuty, VendorKind::Opsgenie] {
        let vendor = Vendor::start(kind).unwrap();
        let sink = sink("oncall", kind, &vendor);
        let alert = alert("consent", an_hour_ago());
        let key = alert.dedup_key.clone();
        deliver(&*sink, fired()).await.unwrap();
        assert!(!vendor.acknowledged(&key) && vendor.open() == [key.clone()]);
        let acknowledged = notification(Why::Acknowledged, Status::Acknowledged, vec![alert]);
        deliver(&*sink, acknowledged).await.unwrap();
        assert!(vendor.acknowledged(&key), "{kind:?}");
    }
}

#[tokio::test]
async fn an_address_may_have_the_path_of_the_api_or_not() {
    for (kind, path) in [
        (VendorKind::PagerDuty, "/v2/enqueue"),
        (VendorKind::JiraServiceManagement, "/v2/alerts"),
        (VendorKind::Alertmanager, "/api/v2/alerts/"),
    ] {
        let vendor = Vendor::start(kind).unwrap();
        let sink = sink_at("oncall", kind, &format!("{}{path}", vendor.url()));
        for status in [Status::Firing, Status::Resolved] {
            let said = notification(Why::Fired, status, vec![alert("consent", an_hour_ago())]);
            assert_eq!(deliver(&*sink, said).await, Ok(Told), "{kind:?}");
        }
        assert_eq!((vendor.accepted().len(), vendor.refused().len()), (2, 0), "{kind:?}");
    }
}

#[tokio::test]
async fn the_watchdog_beats_only_where_it_can_be_missed() {
    let beat = || {
        let watchdog = Alert { watchdog: true, ..alert("consent", an_hour_ago()) };
        notification(Why::Heartbeat, Status::Firing, vec![watchdog])
    };
    for kind in KINDS {
        let vendor = Vendor::start(kind).unwrap();
        let sink = sink("oncall", kind, &vendor);
        let hears =
            matches!(kind, VendorKind::SignedWebhook | VendorKind::Webhook | VendorKind::Alertmanager);
        let expected = if hears { Told } else { Nothing };
        assert_eq!(deliver(&*sink, beat()).await, Ok(expected), "{kind:?}");
        assert_eq!(vendor.requests(), usize::from(hears), "{kind:?}");
        assert_eq!(sink.requests(&beat()), usize::from(hears), "{kind:?}");
    }
}

#[tokio::test]
async fn labels_texts_and_links_are_carried() {
    let said = |kind: VendorKind| async move {
        let vendor = Vendor::start(kind).unwrap();
        deliver(&*sink("oncall", kind, &vendor), fired()).await.unwrap();
        vendor.accepted().remove(0).body
    };
    let link = "https://runbooks.example.org/slow?a=b&c=d";

    let event = said(VendorKind::PagerDuty).await;
    let payload = &event["payload"];
    assert_eq!(payload["summary"], "consent is slow");
    assert_eq!((&payload["severity"], &payload["source"]), (&"critical".into(), &"ward-3".into()));
    assert_eq!((&payload["component"], &payload["class"]), (&"consent".into(), &"SlowAgent".into()));
    assert_eq!(payload["custom_details"]["labels"]["agent"], "consent");
    assert_eq!(payload["custom_details"]["finding"], "2.5 s ≥ 2 s");
    assert_eq!((&event["links"][0]["href"], &event["links"][0]["text"]), (&link.into(), &"runbook".into()));
    assert_eq!(event["client_url"], "https://statim.example.org/");

    let created = said(VendorKind::Opsgenie).await;
    assert_eq!((&created["message"], &created["priority"]), (&"consent is slow".into(), &"P1".into()));
    assert_eq!((&created["entity"], &created["source"]), (&"consent".into(), &"ward-3".into()));
    assert_eq!(created["details"]["runbook_url"], link);
    let tags: Vec<&str> = created["tags"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(tags, ["agent:consent", "severity:critical"]);

    let message = said(VendorKind::Slack).await;
    assert_eq!(message["text"], "FIRING (1) SlowAgent: consent is slow");
    let block = message["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(block.contains("2.5 s ≥ 2 s") && block.contains("?a=b&amp;c=d|runbook>"), "{block}");

    for (alerts, key) in [
        (said(VendorKind::Webhook).await["alerts"].clone(), "webhook"),
        (said(VendorKind::Alertmanager).await, "am"),
    ] {
        let alert = &alerts[0];
        assert_eq!(
            (&alert["labels"]["agent"], &alert["labels"]["alertname"]),
            (&"consent".into(), &"SlowAgent".into()),
            "{key}"
        );
        assert_eq!(
            (&alert["annotations"]["summary"], &alert["annotations"]["runbook_url"]),
            (&"consent is slow".into(), &link.into())
        );
        assert_eq!(
            (&alert["annotations"]["finding"], &alert["generatorURL"]),
            (&"2.5 s ≥ 2 s".into(), &"https://statim.example.org/".into())
        );
    }
}

#[tokio::test]
async fn a_webhook_keeps_its_id_and_is_signed_anew_at_each_attempt() {
    let vendor = Vendor::start(VendorKind::SignedWebhook).unwrap();
    let sink = sink("oncall", VendorKind::SignedWebhook, &vendor);
    let mut delivery = delivery(fired());
    sink.deliver(&delivery).await.unwrap();
    delivery.attempt = 2;
    delivery.now += Duration::from_secs(60);
    sink.deliver(&delivery).await.unwrap();
    let accepted = vendor.accepted();
    let header = |index: usize, name: &str| accepted[index].headers[name].clone();
    assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"));
    for name in ["webhook-timestamp", "webhook-signature"] {
        assert_ne!(header(0, name), header(1, name));
    }
    assert_eq!(vendor.duplicates().len(), 1, "the receiver knows the repetition by its id");
    // Too old, by the clock of the receiver.
    delivery.now -= Duration::from_mins(20);
    assert!(sink.deliver(&delivery).await.is_err());
    assert_eq!(vendor.refused()[0].status, 401);
}

#[tokio::test]
async fn a_webhook_says_why() {
    let vendor = Vendor::start(VendorKind::Webhook).unwrap();
    let sink = sink("oncall", VendorKind::Webhook, &vendor);
    for notification in story() {
        deliver(&*sink, notification).await.unwrap();
    }
    let accepted = vendor.accepted();
    let mut said: Vec<&str> = accepted.iter().map(|it| it.headers["statim-why"].as_str()).collect();
    said.dedup();
    assert_eq!(said, ["fired", "repeat", "escalation", "acknowledged", "resolved"]);
}

#[tokio::test]
async fn keys_can_be_rotated_without_a_gap() {
    use statim::alert::sink::{Address, Origin, Secret, Webhook};

    let vendor = Vendor::start(VendorKind::SignedWebhook).unwrap();
    let with = |keys: &str| {
        let keys = SigningKeys::parse(&Secret::new(keys)).unwrap();
        let address = Address::parse(&vendor.url()).unwrap();
        Webhook::new("oncall", address, Some(keys), Origin::default(), http())
    };
    let unknown = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    with(&format!("{unknown} {}", keys::WEBHOOK[1])).deliver(&delivery(fired())).await.unwrap();
    assert!(with(unknown).deliver(&delivery(fired())).await.is_err());
}

#[tokio::test]
async fn an_incident_that_comes_back_is_opened_anew() {
    let vendor = Vendor::start(VendorKind::PagerDuty).unwrap();
    let sink = sink("oncall", VendorKind::PagerDuty, &vendor);
    let alert = alert("consent", an_hour_ago());
    for (number, status) in [Status::Firing, Status::Resolved, Status::Firing].into_iter().enumerate() {
        let mut notification = notification(Why::Fired, status, vec![alert.clone()]);
        notification.id = number.to_string();
        deliver(&*sink, notification).await.unwrap();
    }
    assert_eq!((vendor.opened(&alert.dedup_key), vendor.duplicates().len()), (2, 0));
}
