//! Several alerts to services that take one at a time.

use statim::alert::sink::{Delivered, RetryClass, SinkError};
use statim::alert::{Notification, Status, Why};
use statim_servers::vendors::{Fault, Vendor, VendorKind};

use super::support::{alert, an_hour_ago, delivery, notification, sink};

fn three() -> Notification {
    let alerts = ["a", "b", "c"].map(|agent| alert(agent, an_hour_ago()));
    notification(Why::Fired, Status::Firing, alerts.to_vec())
}

#[tokio::test]
async fn a_retry_goes_on_where_it_stopped_and_triggers_nothing_twice() {
    for kind in [VendorKind::PagerDuty, VendorKind::JiraServiceManagement] {
        let vendor = Vendor::start(kind).unwrap();
        let sink = sink("oncall", kind, &vendor);
        let delivery = delivery(three());
        assert_eq!(sink.requests(&delivery.notification), 3);
        // The second is limited, the third fails at the second attempt.
        vendor.next([Fault::Slow(std::time::Duration::ZERO), Fault::Limited(5)]);
        let error = sink.deliver(&delivery).await.unwrap_err();
        assert!(matches!(error, SinkError::Partly { told: 1, of: 3, .. }), "{error:?}");
        assert_eq!(error.retry(), RetryClass::After(std::time::Duration::from_secs(5)));
        assert_eq!(vendor.requests(), 2, "what is limited is not asked on");
        vendor.next([Fault::Slow(std::time::Duration::ZERO), Fault::Status(500)]);
        let error = sink.deliver(&delivery).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "2 of 3 alerts were told: the receiver answered 500: a fault of its own"
        );
        assert_eq!(sink.deliver(&delivery).await, Ok(Delivered::Told));
        assert_eq!((vendor.accepted().len(), vendor.open().len(), vendor.duplicates().len()), (3, 3, 0));
    }
}

#[tokio::test]
async fn after_a_restart_the_key_keeps_an_incident_from_being_opened_twice() {
    let vendor = Vendor::start(VendorKind::PagerDuty).unwrap();
    let delivery = delivery(three());
    // Takes the first, and the process ends before it knows.
    vendor.next([Fault::Vanish]);
    let error = sink("oncall", VendorKind::PagerDuty, &vendor).deliver(&delivery).await.unwrap_err();
    assert!(matches!(&error, SinkError::Partly { told: 0, source, .. } if **source == SinkError::Broken));
    let restarted = sink("oncall", VendorKind::PagerDuty, &vendor);
    assert_eq!(restarted.deliver(&delivery).await, Ok(Delivered::Told));
    assert_eq!((vendor.open().len(), vendor.duplicates().len()), (3, 1));
    assert_eq!(vendor.opened(&delivery.notification.notices[0].alert.dedup_key), 1);
}

#[tokio::test]
async fn one_that_is_refused_does_not_keep_the_others_from_being_told() {
    let vendor = Vendor::start(VendorKind::PagerDuty).unwrap();
    let sink = sink("oncall", VendorKind::PagerDuty, &vendor);
    vendor.next([Fault::Status(400)]);
    let error = sink.deliver(&delivery(three())).await.unwrap_err();
    assert!(matches!(error, SinkError::Partly { told: 2, of: 3, .. }), "{error:?}");
    assert_eq!((error.retry(), error.status(), vendor.open().len()), (RetryClass::Never, Some(400), 2));
}
