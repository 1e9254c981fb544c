//! The log of the process.

use super::delivery::{Delivered, Delivery};
use super::{Delivering, Sink, view};
use crate::alert::{Severity, Status, Why};

/// Longest text in a log line.
const LONGEST: usize = 1_024;

/// Writes an event of `tracing`, target `statim::alert`, for each alert: at the level of its severity while it fires, as
/// information when it is over, for debugging when it is said again.
#[derive(Debug)]
pub struct Log {
    name: String,
}

impl Log {
    /// A sink.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

impl Sink for Log {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "log"
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            let notification = &delivery.notification;
            let why = notification.why;
            for notice in &notification.notices {
                let alert = &notice.alert;
                let (status, severity) = (notice.status.as_str(), alert.severity.as_str());
                let (summary, key) = (view::summary(alert, LONGEST), view::key(&alert.dedup_key));
                let finding = view::line(&alert.finding, LONGEST);
                let (why, labels) = (why.as_str(), &alert.labels);
                macro_rules! say {
                    ($level:expr) => {
                        tracing::event!(target: "statim::alert", $level, status, severity, why, %summary, %finding, %labels, %key, "alert")
                    };
                }
                match (notice.status, alert.severity) {
                    _ if !notice.new && notification.why != Why::Repeat => say!(tracing::Level::DEBUG),
                    (Status::Resolved | Status::Acknowledged, _) => say!(tracing::Level::INFO),
                    (Status::Firing, Severity::Critical | Severity::Error) => say!(tracing::Level::ERROR),
                    (Status::Firing, Severity::Warning) => say!(tracing::Level::WARN),
                    (Status::Firing, Severity::Info) => say!(tracing::Level::INFO),
                }
            }
            Ok(if notification.notices.is_empty() { Delivered::Nothing } else { Delivered::Told })
        })
    }
}
