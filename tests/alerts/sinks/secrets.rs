//! No secret is seen.

use std::io;
use std::sync::{Arc, Mutex};

use statim::alert::sink::{Address, Log, Origin, PagerDuty, Secret, Sink, Slack};
use statim_servers::vendors::{Fault, Vendor, VendorKind, keys};
use tracing_subscriber::fmt::MakeWriter;

use super::support::{KINDS, deliver, fired, http, sink, sink_at, story};

/// Everything that would open something, and the paths of addresses.
const SECRETS: [&str; 8] = [
    keys::PAGERDUTY,
    keys::OPSGENIE,
    "kEyToThEcHaNnEl",
    "c3RhdGltLXN0YW5k",
    "statim-stand-in-signing",
    "s3cret-password",
    "/hooks/alerts",
    "/services/T0",
];

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn reveals(text: &str) -> Option<&'static str> {
    SECRETS.into_iter().find(|it| text.contains(it))
}

#[tokio::test]
async fn no_secret_is_in_a_debug_text_an_error_or_the_log() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(captured.clone())
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the capture works");

    let faults = [
        Fault::Status(400),
        Fault::Limited(1),
        Fault::Status(500),
        Fault::Reset,
        Fault::Garbage,
        Fault::Portal,
        Fault::Redirect,
        Fault::EndlessHead,
    ];
    for kind in KINDS {
        let vendor = Vendor::start(kind).unwrap();
        let sink = sink("oncall", kind, &vendor);
        for fault in faults {
            vendor.next([fault]);
            if let Err(error) = deliver(&*sink, fired()).await {
                tracing::warn!(%error, ?error, ?sink, "not told");
            }
        }
        for notification in story() {
            deliver(&*sink, notification).await.unwrap();
        }
        tracing::info!(?sink, "told");
    }
    // An address that holds a password, of a cluster that is down.
    for url in ["http://user:s3cret-password@127.0.0.1:1", "http://user:s3cret-password@no-such-host.invalid"]
    {
        let sink = sink_at("oncall", VendorKind::Alertmanager, url);
        let error = deliver(&*sink, fired()).await.unwrap_err();
        tracing::warn!(%error, ?error, ?sink, "not told");
    }
    let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("the capture works") && text.lines().count() > 60);
    assert_eq!(reveals(&text), None, "{text}");
    assert_eq!(format!("{:?}", Secret::new("s3cret-password")), "Secret(…)");
}

#[tokio::test]
async fn a_key_that_cannot_be_right_or_would_travel_in_clear_is_refused_without_being_repeated() {
    let address = |text: &str| Address::parse(text).unwrap();
    let pagerduty = |key: &str, at: Option<Address>| {
        PagerDuty::new("oncall", Secret::new(key), at, Origin::default(), http()).map(|_| ())
    };
    assert_eq!(pagerduty(&format!(" {}\n", keys::PAGERDUTY), None), Ok(()));
    let wrong = pagerduty("s3cret-password", None).unwrap_err();
    assert_eq!(reveals(&format!("{wrong} {wrong:?}")), None);
    assert!(pagerduty(keys::PAGERDUTY, Some(address("http://proxy.example.org"))).is_err());
    assert!(pagerduty(keys::PAGERDUTY, Some(address("https://proxy.example.org"))).is_ok());
    assert!(Slack::new("oncall", address("http://hooks.example.org/x"), http()).is_err());
}

#[tokio::test]
async fn the_password_in_an_address_is_sent_as_a_header() {
    let vendor = Vendor::start(VendorKind::Alertmanager).unwrap();
    let url = vendor.url().replace("http://", "http://user:s3cret-password@");
    deliver(&*sink_at("oncall", VendorKind::Alertmanager, &url), fired()).await.unwrap();
    let accepted = &vendor.accepted()[0];
    assert_eq!(accepted.headers["authorization"], "Basic dXNlcjpzM2NyZXQtcGFzc3dvcmQ=");
    assert_eq!(reveals(&format!("{} {}", accepted.path, accepted.headers["host"])), None);
}

#[tokio::test]
async fn the_log_says_what_fires_in_one_line_each() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt().with_writer(captured.clone()).with_ansi(false).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let log = Log::new("log");
    let mut said = story().remove(0);
    said.notices[0].alert.annotations[0].1 = "two\nlines\u{1b}[2J".to_owned();
    deliver(&log, said).await.unwrap();
    drop(guard);
    let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("ERROR statim::alert") && text.contains("two lines [2J") && !text.contains('\u{1b}'),
        "{text}"
    );
    assert_eq!(Sink::kind(&log), "log");
}
