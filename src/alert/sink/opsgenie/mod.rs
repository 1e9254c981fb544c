//! Jira Service Management and Opsgenie: one API, in two places.

mod alert;

use std::time::SystemTime;

use hyper::header::AUTHORIZATION;

use self::alert::{Request, is_news, requests};
use super::delivery::Delivery;
use super::error::SinkError;
use super::fault::SinkFault;
use super::http::{Address, HttpClient, Post, secret_header};
use super::origin::Origin;
use super::progress::Progress;
use super::secret::Secret;
use super::{Delivering, Sink};
use crate::alert::Notification;

/// What both accept a request with: it is worked on later.
const ACCEPTED: u16 = 202;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Jira Service Management, Opsgenie's successor.
    JiraServiceManagement,
    /// Opsgenie, which its maker ends on 2027-04-05.
    Opsgenie,
}

/// Creates, acknowledges and closes alerts of Jira Service Management or Opsgenie: a request for each alert that is news.
///
/// Both keep alerts themselves, by an alias, so they hear of nothing twice: neither repetitions nor the watchdog. A delivery
/// of several alerts goes on where it stopped when it is tried again.
#[derive(Debug)]
pub struct Opsgenie {
    name: String,
    service: Service,
    key: Secret,
    address: Address,
    origin: Origin,
    http: HttpClient,
    progress: Progress,
}

impl Service {
    /// Where its API is.
    const fn home(self) -> &'static str {
        match self {
            Self::JiraServiceManagement => "https://api.atlassian.com/jsm/ops/integration",
            Self::Opsgenie => "https://api.opsgenie.com",
        }
    }
}

impl Opsgenie {
    /// A sink for the integration of this API key; `at` is where the API is, if not at the vendor's own address: for Opsgenie in
    /// Europe `https://api.eu.opsgenie.com`.
    ///
    /// # Errors
    ///
    /// The key is empty or cannot be in a header, or the address is neither HTTPS nor on this machine.
    pub fn new(
        name: &str,
        service: Service,
        key: Secret,
        at: Option<Address>,
        origin: Origin,
        http: HttpClient,
    ) -> Result<Self, SinkFault> {
        let key = Secret::new(key.reveal().trim());
        if key.reveal().is_empty() || !key.reveal().bytes().all(|it| it.is_ascii_graphic()) {
            return Err(SinkFault::Key("is not an API key: letters, digits and hyphens"));
        }
        let address = match at {
            Some(at) => at.for_a_key()?,
            None => Address::parse(service.home())?,
        };
        let (name, address) = (name.to_owned(), address.base_of(alert::PATH));
        Ok(Self { name, service, key, address, origin, http, progress: Progress::default() })
    }

    async fn send(&self, request: Request, now: SystemTime) -> Result<(), SinkError> {
        let authorization = secret_header(&format!("GenieKey {}", self.key.reveal()));
        let headers = authorization.map(|it| (AUTHORIZATION, it)).into_iter().collect();
        let address = self.address.api(&request.path);
        let post = Post { address: &address, headers, body: request.body, wanted: 0, now };
        self.http.post(post).await?.expect(|status| status == ACCEPTED)
    }
}

impl Sink for Opsgenie {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        match self.service {
            Service::JiraServiceManagement => "jira_service_management",
            Service::Opsgenie => "opsgenie",
        }
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            let requests = requests(&delivery.notification, &self.origin);
            self.progress.send_each(&delivery.id, requests, |request| self.send(request, delivery.now)).await
        })
    }

    fn requests(&self, notification: &Notification) -> usize {
        notification.notices.iter().filter(|it| is_news(it)).count()
    }
}
