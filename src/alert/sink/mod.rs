//! Where notifications go: one client for each kind of receiver, each speaking its real wire format.
//!
//! A [`Sink`] sends a [`Notification`] once and says what came of it. When to try again, how often, and
//! what is remembered over a restart is the business of whoever calls: [`SinkError::retry`] says what would make sense.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use statim::alert::sink::{Callback, Delivered, Delivery, Sink};
//! use statim::alert::{Labels, Moment, Notification, Why};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let pager = Callback::new("pager", Duration::from_secs(5), |delivery| async move {
//!     println!("{}: {} alerts", delivery.notification.why.as_str(), delivery.notification.notices.len());
//!     Ok(())
//! });
//! # let notification = Notification {
//! #     id: "n-1".into(), at: Moment::from_millis(0), why: Why::Fired, sinks: vec!["pager".into()],
//! #     group_key: String::new(), group_labels: Labels::none(), notices: Vec::new(), more: 0,
//! # };
//! // A notification as a dispatcher makes it.
//! let delivery = Delivery { id: "n-1-pager".into(), notification, attempt: 1, now: SystemTime::now() };
//! assert_eq!(pager.deliver(&delivery).await, Ok(Delivered::Told));
//! # }
//! ```

mod alertmanager;
mod callback;
mod delivery;
mod error;
mod fault;
mod http;
mod log;
mod opsgenie;
mod origin;
mod pagerduty;
mod progress;
mod secret;
mod slack;
mod view;
mod webhook;

pub use self::alertmanager::{Alertmanager, AlertmanagerOptions};
pub use self::callback::Callback;
pub use self::delivery::{Delivered, Delivery};
pub use self::error::{RetryClass, SinkError, Step};
pub use self::fault::SinkFault;
pub use self::http::{
    Address, AddressFault, AuthorityFault, HttpClient, HttpFault, HttpOptions, Proxies, ProxyFault,
};
pub use self::log::Log;
pub use self::opsgenie::{Opsgenie, Service};
pub use self::origin::Origin;
pub use self::pagerduty::PagerDuty;
pub use self::secret::Secret;
pub use self::slack::Slack;
pub use self::webhook::{SigningKeys, Webhook, WrongKey};

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use super::notification::Notification;

/// What [`Sink::deliver`] returns.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Result<Delivered, SinkError>> + Send + 'a>>;

/// Somewhere that notifications go. Sends each once.
///
/// Implementations say in their `Debug` nothing that is a secret.
pub trait Sink: Debug + Send + Sync + 'static {
    /// Its name, by which rules and escalation steps name it.
    fn name(&self) -> &str;

    /// What kind of receiver it is, as in a rule file: `webhook`, `pagerduty` and so on.
    fn kind(&self) -> &'static str;

    /// Sends it, once. Needs Tokio's timers and network. Bounded in time by itself.
    ///
    /// # Errors
    ///
    /// Why it was not told, or why nobody knows whether it was.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it may have been told or not, as with [`SinkError::Broken`].
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a>;

    /// How often what fires is to be told again even though nothing changed, since the receiver forgets what it is not told.
    /// `None`: never.
    fn resend_every(&self) -> Option<Duration> {
        None
    }

    /// How many requests it takes to say this: what a rate limit should count. 0 if nothing of it concerns this sink.
    fn requests(&self, notification: &Notification) -> usize {
        usize::from(!notification.notices.is_empty())
    }
}
