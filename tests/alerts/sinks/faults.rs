//! Each way to fail has its retry class.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use statim::alert::sink::RetryClass::{After, Later, Never};
use statim::alert::sink::{
    Address, Alertmanager, AlertmanagerOptions, Delivered, Origin, Sink as _, SinkError, Step, Webhook,
};
use statim_servers::vendors::{Fault, Vendor, VendorKind};

use super::support::{KINDS, deliver, fired, http, http_within, sink, sink_at};

#[tokio::test]
async fn each_fault_of_a_service_has_its_retry_class() {
    let class = [
        (Fault::Status(400), Never),
        (Fault::Status(401), Never),
        (Fault::Status(403), Never),
        (Fault::Status(404), Never),
        (Fault::Status(408), Later),
        (Fault::Status(410), Never),
        (Fault::Status(413), Never),
        (Fault::Status(422), Never),
        (Fault::Status(429), Later),
        (Fault::Limited(30), After(Duration::from_secs(30))),
        (Fault::Limited(1 << 40), After(Duration::from_hours(24))),
        (Fault::Status(500), Later),
        (Fault::Status(502), Later),
        (Fault::Status(503), Later),
        (Fault::Reset, Later),
        (Fault::Vanish, Later),
        (Fault::Garbage, Later),
        (Fault::EndlessHead, Later),
        (Fault::Redirect, Never),
    ];
    for kind in KINDS {
        let vendor = Vendor::start(kind).unwrap();
        let sink = sink("oncall", kind, &vendor);
        for (fault, class) in class {
            vendor.next([fault]);
            let before = vendor.requests();
            let error = deliver(&*sink, fired()).await.unwrap_err();
            assert_eq!(error.retry(), class, "{kind:?} {fault:?}: {error}");
            // Neither tried again by itself nor followed elsewhere.
            assert_eq!(vendor.requests(), before + 1, "{kind:?} {fault:?}");
            let status = match fault {
                Fault::Status(status) => Some(status),
                Fault::Limited(_) => Some(429),
                Fault::Redirect => Some(307),
                _ => None,
            };
            assert_eq!(error.status(), status, "{kind:?} {fault:?}: {error}");
        }
        assert_eq!(vendor.refused(), []);
    }
}

#[tokio::test]
async fn a_date_to_come_back_at_is_understood() {
    let vendor = Vendor::start(VendorKind::Slack).unwrap();
    vendor.next([Fault::Down(3_000)]);
    let error = deliver(&*sink("oncall", VendorKind::Slack, &vendor), fired()).await.unwrap_err();
    let After(wait) = error.retry() else { panic!("{error:?}") };
    assert!((2_990..=3_000).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn a_service_that_says_nothing_is_given_up_in_time() {
    let vendor = Vendor::start(VendorKind::PagerDuty).unwrap();
    vendor.next([Fault::Silent]);
    let limit = Duration::from_millis(600);
    let address = Address::parse(&vendor.url()).unwrap();
    let hasty = Webhook::new("oncall", address, None, Origin::default(), http_within(limit));
    let start = Instant::now();
    let error = deliver(&hasty, fired()).await.unwrap_err();
    assert_eq!(error, SinkError::TimedOut { step: Step::Answer, limit });
    assert_eq!((error.retry(), error.is_outage()), (Later, true));
    assert!(start.elapsed() >= limit && start.elapsed() < limit * 10, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_and_an_endless_one_is_not_read() {
    for kind in KINDS {
        let vendor = Vendor::start(kind).unwrap();
        let sink = sink("oncall", kind, &vendor);
        vendor.next([Fault::Slow(Duration::from_millis(300)), Fault::Endless]);
        let start = Instant::now();
        assert_eq!(deliver(&*sink, fired()).await, Ok(Delivered::Told), "{kind:?}");
        assert!(start.elapsed() >= Duration::from_millis(300));
        let result = deliver(&*sink, fired()).await;
        if kind == VendorKind::Slack {
            // It says only in its body that it took the message.
            assert_eq!(result, Err(SinkError::Garbled { status: Some(200) }));
        } else {
            assert_eq!(result, Ok(Delivered::Told), "{kind:?}");
        }
    }
}

#[tokio::test]
async fn a_captive_portal_is_not_taken_for_the_service() {
    for kind in [VendorKind::PagerDuty, VendorKind::Opsgenie, VendorKind::Slack] {
        let vendor = Vendor::start(kind).unwrap();
        vendor.next([Fault::Portal]);
        let error = deliver(&*sink("oncall", kind, &vendor), fired()).await.unwrap_err();
        assert_eq!(error, SinkError::Garbled { status: Some(200) }, "{kind:?}");
        assert_eq!(error.retry(), Later);
    }
}

#[tokio::test]
async fn nobody_listening_is_an_outage_in_which_nothing_was_sent() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("http://{free}"), "http://no-such-host.invalid".to_owned()] {
        let sink = sink_at("oncall", VendorKind::Webhook, &url);
        let error = deliver(&*sink, fired()).await.unwrap_err();
        assert!(matches!(error, SinkError::Unreachable { .. }), "{error:?}");
        assert_eq!((error.retry(), error.is_outage()), (Later, true));
    }
}

#[tokio::test]
async fn every_member_of_a_cluster_is_told_and_one_that_took_it_is_enough() {
    let members = [VendorKind::Alertmanager; 3].map(|kind| Vendor::start(kind).unwrap());
    let addresses = members.iter().map(|it| Address::parse(&it.url()).unwrap()).collect();
    let sink = Alertmanager::new("oncall", addresses, AlertmanagerOptions::default(), http()).unwrap();
    let faults = |faults: [Option<Fault>; 3]| {
        for (member, fault) in members.iter().zip(faults) {
            member.next(fault);
        }
    };
    assert_eq!(deliver(&sink, fired()).await, Ok(Delivered::Told));
    assert!(members.iter().all(|it| it.accepted().len() == 1));
    faults([Some(Fault::Status(500)), None, Some(Fault::Reset)]);
    assert_eq!(deliver(&sink, fired()).await, Ok(Delivered::Told));
    assert_eq!(members.each_ref().map(|it| it.accepted().len()), [1, 2, 1]);
    // If none took it: as soon as one of them may.
    faults([Some(Fault::Status(400)), Some(Fault::Limited(60)), Some(Fault::Status(400))]);
    assert_eq!(deliver(&sink, fired()).await.unwrap_err().retry(), After(Duration::from_secs(60)));
    faults([Some(Fault::Status(500)), Some(Fault::Limited(60)), Some(Fault::Status(400))]);
    assert_eq!(deliver(&sink, fired()).await.unwrap_err().retry(), Later);
    faults([Some(Fault::Status(400)); 3]);
    assert_eq!(deliver(&sink, fired()).await.unwrap_err().retry(), Never);
    assert_eq!(sink.resend_every(), Some(Duration::from_mins(1)));
}
