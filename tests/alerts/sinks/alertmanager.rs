//! A real Alertmanager.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use statim::alert::sink::Delivered;
use statim::alert::{Moment, Status, Why};
use statim_servers::Alertmanager;
use statim_servers::vendors::{Vendor, VendorKind};

use super::support::{alert, deliver, notification, sink_at};

/// The alerts that it holds for active.
pub(crate) fn active(alertmanager: &Alertmanager) -> Vec<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", alertmanager.port())).unwrap();
    write!(stream, "GET /api/v2/alerts HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn a_real_alertmanager_shows_an_alert_calls_and_takes_it_back() {
    let called = Vendor::start(VendorKind::Webhook).unwrap();
    let config = format!(
        "route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}}\n\
         receivers: [{{name: hook, webhook_configs: [{{url: '{}', send_resolved: true}}]}}]\n",
        called.url()
    );
    let alertmanager = Alertmanager::start(&config).unwrap();
    let sink = sink_at("oncall", VendorKind::Alertmanager, &alertmanager.url());
    let start = Moment::from(SystemTime::now() - Duration::from_secs(30));
    let alert = alert("consent", start);

    let fired = notification(Why::Fired, Status::Firing, vec![alert.clone()]);
    assert_eq!(deliver(&*sink, fired.clone()).await, Ok(Delivered::Told));
    let [shown] = &active(&alertmanager)[..] else { panic!("{:?}", active(&alertmanager)) };
    assert_eq!(shown["status"]["state"], "active");
    assert_eq!(shown["labels"]["agent"], "consent");
    assert_eq!(shown["annotations"]["summary"], "consent is slow");
    let ends: jiff::Timestamp = shown["endsAt"].as_str().unwrap().parse().unwrap();
    let lasts = SystemTime::from(ends).duration_since(SystemTime::now()).unwrap();
    assert!((230..=240).contains(&lasts.as_secs()), "it may miss three of four: {lasts:?}");

    // Told again, it is the same alert, and nobody is called again.
    assert_eq!(deliver(&*sink, fired.clone()).await, Ok(Delivered::Told));
    assert_eq!(active(&alertmanager).len(), 1);

    // A webhook of ours gives it the fingerprint that Alertmanager gives it.
    let hooked = Vendor::start(VendorKind::Webhook).unwrap();
    deliver(&*super::support::sink("oncall", VendorKind::Webhook, &hooked), fired).await.unwrap();
    assert_eq!(hooked.accepted()[0].body["alerts"][0]["fingerprint"], shown["fingerprint"]);
    wait_for(|| called.accepted().len() == 1);

    let mut over = alert;
    over.resolved = Some(SystemTime::now().into());
    let resolved = notification(Why::Resolved, Status::Resolved, vec![over]);
    assert_eq!(deliver(&*sink, resolved.clone()).await, Ok(Delivered::Told));
    wait_for(|| active(&alertmanager).is_empty());
    wait_for(|| called.accepted().len() == 2);
    // Said again, as it is for some minutes, it changes nothing.
    assert_eq!(deliver(&*sink, resolved).await, Ok(Delivered::Told));
    assert_eq!(active(&alertmanager), [] as [Value; 0]);
    let said: Vec<Value> = called.accepted().iter().map(|it| it.body["status"].clone()).collect();
    assert_eq!(said, ["firing", "resolved"]);
    // What the real one posts is what the stand-in takes, and has the form of ours.
    assert_eq!(called.refused(), []);
    let names = |vendor: &Vendor| -> Vec<String> {
        vendor.accepted()[0].body["alerts"][0].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names(&called), names(&hooked));
}

#[tokio::test]
async fn an_alertmanager_that_was_down_is_told_when_it_is_back() {
    let mut alertmanager =
        Alertmanager::start("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n").unwrap();
    let sink = sink_at("oncall", VendorKind::Alertmanager, &alertmanager.url());
    let said =
        || notification(Why::Repeat, Status::Firing, vec![alert("consent", super::support::an_hour_ago())]);
    deliver(&*sink, said()).await.unwrap();
    alertmanager.kill().unwrap();
    assert!(deliver(&*sink, said()).await.unwrap_err().is_outage());
    alertmanager.start_again().unwrap();
    assert_eq!(active(&alertmanager).len(), 0, "it keeps alerts in memory only");
    deliver(&*sink, said()).await.unwrap();
    assert_eq!(active(&alertmanager).len(), 1);
}

#[tokio::test]
async fn deployments_that_call_the_same_one_are_told_apart() {
    use statim::alert::Labels;
    use statim::alert::sink::{Address, Alertmanager as Client, AlertmanagerOptions};

    let vendor = Vendor::start(VendorKind::Alertmanager).unwrap();
    let labels = Labels::new([("deployment", "ward-3"), ("agent", "not this")]).unwrap();
    let options = AlertmanagerOptions { labels, ..AlertmanagerOptions::default() };
    let address = Address::parse(&vendor.url()).unwrap();
    let client = Client::new("oncall", vec![address], options, super::support::http()).unwrap();
    deliver(&client, super::support::fired()).await.unwrap();
    let labels = &vendor.accepted()[0].body[0]["labels"];
    assert_eq!((&labels["deployment"], &labels["agent"]), (&"ward-3".into(), &"consent".into()));
}

fn wait_for(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "it did not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}
