//! PagerDuty, by its Events API v2.

mod event;

use std::time::SystemTime;

use self::event::{Event, LARGEST, events};
use super::delivery::Delivery;
use super::error::SinkError;
use super::fault::SinkFault;
use super::http::{Address, HttpClient, Post};
use super::origin::Origin;
use super::progress::Progress;
use super::secret::Secret;
use super::{Delivering, Sink};
use crate::alert::Notification;

/// Where the API is, unless another place is named.
const HOME: &str = "https://events.pagerduty.com";
const PATH: &str = "/v2/enqueue";
/// What the API accepts an event with.
const ACCEPTED: u16 = 202;

/// Opens, acknowledges and resolves PagerDuty incidents: an event for each alert that is news.
///
/// PagerDuty keeps incidents itself, so it hears of nothing twice: neither repetitions nor the watchdog. A delivery of
/// several alerts goes on where it stopped when it is tried again; after a restart of the process it begins anew, which
/// PagerDuty notices by the key and opens nothing twice for as long as the incident is open.
#[derive(Debug)]
pub struct PagerDuty {
    name: String,
    key: Secret,
    address: Address,
    origin: Origin,
    http: HttpClient,
    progress: Progress,
}

impl PagerDuty {
    /// A sink for the service of this routing key; `at` is where the API is, if not at PagerDuty's own address.
    ///
    /// # Errors
    ///
    /// The key has not 32 letters and digits, or the address is neither HTTPS nor on this machine.
    pub fn new(
        name: &str,
        key: Secret,
        at: Option<Address>,
        origin: Origin,
        http: HttpClient,
    ) -> Result<Self, SinkFault> {
        let plausible = |it: &str| it.len() == 32 && it.bytes().all(|it| it.is_ascii_alphanumeric());
        let key = Secret::new(key.reveal().trim());
        if !plausible(key.reveal()) {
            return Err(SinkFault::Key("is not a routing key of the Events API v2: 32 letters and digits"));
        }
        let at = match at {
            Some(at) => at.for_a_key()?,
            None => Address::parse(HOME)?,
        };
        let (name, address) = (name.to_owned(), at.api(PATH));
        Ok(Self { name, key, address, origin, http, progress: Progress::default() })
    }

    async fn send(&self, event: Event, now: SystemTime) -> Result<(), SinkError> {
        let body = event.body(self.key.reveal())?;
        let post = Post { address: &self.address, headers: Vec::new(), body, wanted: 0, now };
        self.http.post(post).await?.expect(|status| status == ACCEPTED)
    }
}

impl Sink for PagerDuty {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "pagerduty"
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            let events = events(&delivery.notification, &self.origin);
            self.progress.send_each(&delivery.id, events, |event| self.send(event, delivery.now)).await
        })
    }

    fn requests(&self, notification: &Notification) -> usize {
        notification.notices.iter().filter(|it| event::is_news(it)).count()
    }
}

impl Event {
    /// The event as it is sent: without details, if it is too large with them.
    fn body(mut self, key: &str) -> Result<Vec<u8>, SinkError> {
        self.routing_key = key.to_owned();
        let body = self.json();
        if body.len() <= LARGEST {
            return Ok(body);
        }
        self.leave_out_details();
        let body = self.json();
        let (bytes, most) = (body.len(), LARGEST);
        if bytes <= most { Ok(body) } else { Err(SinkError::TooLarge { bytes, most }) }
    }
}
