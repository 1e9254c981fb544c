//! Any HTTP endpoint.

mod body;
mod signature;

pub use self::signature::{SigningKeys, WrongKey};

use hyper::header::{HeaderName, HeaderValue};

use super::delivery::{Delivered, Delivery};
use super::http::{Address, HttpClient, Post};
use super::origin::Origin;
use super::{Delivering, Sink, view};
use crate::alert::Moment;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const WHY: HeaderName = HeaderName::from_static("statim-why");

/// Posts what Alertmanager would post to a webhook (its payload, version 4), so that whatever understands that understands
/// this; signed as Standard Webhooks says, if there are keys. Hears of everything: repetitions, heartbeats and
/// acknowledgements too.
///
/// A receiver knows a repetition by the header `webhook-id`, which stays the same over every attempt, signed or not. The
/// header `statim-why` says what the payload has no word for: whether it fires, is said again, was acknowledged and so on
/// ([`Why::as_str`](crate::alert::Why::as_str)). Any status from 200 to 299 counts as told.
#[derive(Debug)]
pub struct Webhook {
    name: String,
    address: Address,
    keys: Option<SigningKeys>,
    origin: Origin,
    http: HttpClient,
}

impl Webhook {
    /// A sink for this address; without keys it is not signed.
    #[must_use]
    pub fn new(
        name: &str,
        address: Address,
        keys: Option<SigningKeys>,
        origin: Origin,
        http: HttpClient,
    ) -> Self {
        Self { name: name.to_owned(), address, keys, origin, http }
    }
}

impl Sink for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "webhook"
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            if delivery.notification.notices.is_empty() {
                return Ok(Delivered::Nothing);
            }
            let body = body::body(&delivery.notification, &self.name, &self.origin)?;
            let id = view::key(&delivery.id);
            let timestamp = Moment::from(delivery.now).millis() / 1_000;
            let signature = self.keys.as_ref().map(|keys| keys.sign(&id, timestamp, &body));
            let why = delivery.notification.why.as_str().to_owned();
            let headers = [
                (ID, Some(id)),
                (TIMESTAMP, Some(timestamp.to_string())),
                (SIGNATURE, signature),
                (WHY, Some(why)),
            ];
            // Letters and digits, which every header can have.
            let header =
                |(name, text): (_, Option<String>)| Some((name, HeaderValue::from_str(&text?).ok()?));
            let headers = headers.into_iter().filter_map(header).collect();
            let post = Post { address: &self.address, headers, body, wanted: 0, now: delivery.now };
            self.http.post(post).await?.expect(|status| (200..300).contains(&status))?;
            Ok(Delivered::Told)
        })
    }
}
