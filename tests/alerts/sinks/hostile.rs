//! Whatever an alert holds, services take it.

use statim::alert::sink::Delivered;
use statim::alert::{Alert, Labels, Notification, Severity, Status, Why};
use statim_servers::Alertmanager;
use statim_servers::vendors::{Vendor, VendorKind};

use super::support::{KINDS, alert, an_hour_ago, deliver, fired, notification, sink, sink_at};

/// Names and values that would do harm if they were taken for what they look like.
const TEXTS: [&str; 10] = [
    "a\nb\r\nWebhook-Id: forged",
    "\0\u{1}\u{7}\u{1b}[2J\u{7f}",
    "\"},{\"labels\":{\"alertname\":\"forged\"}}",
    "<!channel> <@U0123> <https://evil.example.org|click> & more",
    "🩺👩‍⚕️ naïve ﷽ \u{202e}right to left",
    "../../v2/alerts?x=y#z",
    "{{ .Labels }} ${HOME} %s %n",
    "\u{fffd}\u{feff}\u{d7ff}\u{10ffff}",
    "<&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&><&>",
    " ",
];

fn hostile() -> Notification {
    let texts = TEXTS.iter().enumerate().map(|(number, text)| {
        let mut alert = alert("consent", an_hour_ago());
        let labels = [("alertname", *text), ("agent", *text), ("x", *text)];
        alert.labels = Labels::new(labels).unwrap();
        alert.dedup_key = format!("{text}{number}");
        alert.rule = (*text).to_owned();
        alert.finding = (*text).to_owned();
        alert.severity = Severity::NAMES[number % 4].1;
        alert.annotations =
            vec![("summary".to_owned(), (*text).to_owned()), ((*text).to_owned(), (*text).to_owned())];
        alert
    });
    let mut notification = notification(Why::Fired, Status::Firing, texts.chain([huge(), empty()]).collect());
    notification.group_key = TEXTS.concat();
    notification.group_labels = Labels::none();
    notification
}

/// As large as labels can be, and larger than any service takes.
fn huge() -> Alert {
    let mut alert = alert("consent", an_hour_ago());
    let wide = "🩺".repeat(64);
    alert.labels = Labels::new((0..32).map(|n| (format!("{}{n}", "l".repeat(200)), wide.clone()))).unwrap();
    let long = "🩺&\n".repeat(18_000);
    alert.annotations = (0..80).map(|n| (format!("{long}{n}"), long.clone())).collect();
    alert.annotations.push(("runbook_url".to_owned(), format!("https://{long}")));
    (alert.rule, alert.finding, alert.dedup_key) = (long.clone(), long.clone(), long);
    alert
}

fn empty() -> Alert {
    let mut alert = alert("consent", an_hour_ago());
    alert.labels = Labels::none();
    alert.annotations = vec![(String::new(), String::new()), ("summary".to_owned(), String::new())];
    (alert.rule, alert.finding, alert.dedup_key) = (String::new(), String::new(), String::new());
    (alert.incident, alert.value) = (None, Some(f64::NAN));
    alert
}

#[tokio::test]
async fn every_service_takes_hostile_labels_and_texts() {
    for kind in KINDS {
        let vendor = Vendor::start(kind).unwrap();
        let sink = sink("oncall", kind, &vendor);
        for status in [Status::Firing, Status::Acknowledged, Status::Resolved] {
            let mut said = hostile();
            said.id = format!("{} {}", TEXTS[0], status.as_str());
            said.notices.iter_mut().for_each(|it| it.status = status);
            assert_eq!(deliver(&*sink, said).await, Ok(Delivered::Told), "{kind:?}");
        }
        assert_eq!((vendor.refused(), vendor.duplicates()), (vec![], vec![]), "{kind:?}");
    }
}

#[tokio::test]
async fn a_real_alertmanager_takes_hostile_labels_and_texts() {
    let alertmanager =
        Alertmanager::start("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n").unwrap();
    let sink = sink_at("oncall", VendorKind::Alertmanager, &alertmanager.url());
    let said = hostile();
    let count = said.notices.len();
    assert_eq!(deliver(&*sink, said).await, Ok(Delivered::Told));
    assert_eq!(super::alertmanager::active(&alertmanager).len(), count);
}

#[tokio::test]
async fn what_goes_on_is_left_out_of_a_webhook_that_would_be_too_large() {
    let vendor = Vendor::start(VendorKind::Webhook).unwrap();
    let mut said = fired();
    for number in 0..40 {
        let mut notice = said.notices[0].clone();
        notice.new = false;
        let text = "x".repeat(5_000);
        notice.alert.annotations = (0..64).map(|it| (format!("text{it}"), text.clone())).collect();
        notice.alert.dedup_key = number.to_string();
        said.notices.push(notice);
    }
    (said.more, said.group_labels) = (2, Labels::none());
    let sink = sink("oncall", VendorKind::Webhook, &vendor);
    assert_eq!(deliver(&*sink, said).await, Ok(Delivered::Told));
    let body = &vendor.accepted()[0].body;
    let told = body["alerts"].as_array().unwrap().len();
    assert!((1..41).contains(&told), "{told}");
    assert_eq!(body["truncatedAlerts"], 43 - told);
    assert!(body.to_string().len() <= 1 << 20);
    assert_eq!(body["alerts"][0]["labels"]["agent"], "consent");
}

#[tokio::test]
async fn a_notification_of_nothing_sends_nothing() {
    for kind in KINDS {
        let vendor = Vendor::start(kind).unwrap();
        let said = notification(Why::Fired, Status::Firing, Vec::new());
        let sink = sink("oncall", kind, &vendor);
        assert_eq!(sink.requests(&said), 0);
        assert_eq!(deliver(&*sink, said).await, Ok(Delivered::Nothing), "{kind:?}");
        assert_eq!(vendor.requests(), 0);
    }
}
