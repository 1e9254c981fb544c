//! Alertmanager, by its API v2.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use hyper::header::AUTHORIZATION;
use serde::Serialize;

use super::delivery::{Delivered, Delivery};
use super::error::{RetryClass, SinkError};
use super::fault::SinkFault;
use super::http::{Address, HttpClient, Post, secret_header};
use super::origin::Origin;
use super::secret::Secret;
use super::{Delivering, Sink, view};
use crate::alert::{Labels, Moment, Notice};

const PATH: &str = "/api/v2/alerts";

/// What fires is over, for an Alertmanager, when it was not told so many times in a row: two may fail.
const RESENDS: u32 = 4;

/// Tells every member of a cluster of Alertmanagers.
///
/// An Alertmanager keeps alerts in memory, for as long as it is told of them. So what fires is to be told again every
/// [`resend_every`](Sink::resend_every), and is said to end four times as long from now: should nobody tell it any more, it
/// takes it for resolved then. What is over is told with its end.
///
/// Members tell each other what they sent on, and not what they were told. So each is told. It counts as told if one took
/// it: the others hear of it at the next time, and what is over ends for them by itself.
#[derive(Debug)]
pub struct Alertmanager {
    name: String,
    members: Vec<Address>,
    options: AlertmanagerOptions,
    http: HttpClient,
}

/// How Alertmanagers are told.
#[derive(Debug, Clone)]
pub struct AlertmanagerOptions {
    /// How often what fires is told again. Default: 1 min, as Prometheus does.
    pub resend: Duration,
    /// Labels that every alert gets, unless it has them: they tell deployments apart that call the same Alertmanager.
    /// Default: none.
    pub labels: Labels,
    /// A token for `Authorization: Bearer`, where something in front of them asks for one. Default: none.
    pub token: Option<Secret>,
    /// Who speaks; its page becomes `generatorURL`.
    pub origin: Origin,
}

impl Default for AlertmanagerOptions {
    fn default() -> Self {
        Self {
            resend: Duration::from_mins(1),
            labels: Labels::none(),
            token: None,
            origin: Origin::default(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'o> {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<&'o str>,
}

impl Alertmanager {
    /// A sink for these members, each by the address that its web page is at.
    ///
    /// # Errors
    ///
    /// There is no member.
    pub fn new(
        name: &str,
        members: Vec<Address>,
        options: AlertmanagerOptions,
        http: HttpClient,
    ) -> Result<Self, SinkFault> {
        if members.is_empty() {
            return Err(SinkFault::NoAddress);
        }
        let members = members.iter().map(|it| it.api(PATH)).collect();
        Ok(Self { name: name.to_owned(), members, options, http })
    }

    fn told(&self, notice: &Notice, decided: Moment, now: Moment) -> Told<'_> {
        let AlertmanagerOptions { resend, labels, origin, .. } = &self.options;
        let alert = &notice.alert;
        let mut own = view::labels(alert);
        for (name, value) in view::map_of(labels) {
            own.entry(name).or_insert(value);
        }
        Told {
            labels: own,
            annotations: view::annotations(alert),
            starts_at: view::rfc3339(view::fired(alert, decided)),
            ends_at: view::rfc3339(view::over(notice, decided).unwrap_or(now.after(*resend * RESENDS))),
            generator_url: origin.url.as_deref(),
        }
    }

    async fn tell(&self, member: &Address, body: Vec<u8>, delivery: &Delivery) -> Result<(), SinkError> {
        let token = self.options.token.as_ref();
        let bearer = token.and_then(|it| secret_header(&format!("Bearer {}", it.reveal())));
        let headers = bearer.map(|it| (AUTHORIZATION, it)).into_iter().collect();
        let post = Post { address: member, headers, body, wanted: 0, now: delivery.now };
        self.http.post(post).await?.expect(|status| status == 200)
    }
}

impl Sink for Alertmanager {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "alertmanager"
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            let Delivery { notification, now, .. } = delivery;
            if notification.notices.is_empty() {
                return Ok(Delivered::Nothing);
            }
            let told = notification.notices.iter();
            let told: Vec<Told<'_>> = told.map(|it| self.told(it, notification.at, (*now).into())).collect();
            // Of strings, which serialise.
            let body = serde_json::to_vec(&told).unwrap_or_default();
            let telling = self.members.iter().map(|member| self.tell(member, body.clone(), delivery));
            let mut failed: Option<SinkError> = None;
            let mut took = false;
            for (index, result) in join_all(telling).await.into_iter().enumerate() {
                let Err(error) = result else {
                    took = true;
                    continue;
                };
                if self.members.len() > 1 {
                    let (sink, member) = (&self.name, index + 1);
                    tracing::warn!(%sink, member, %error, "a member of a cluster of Alertmanagers was not told");
                }
                failed = Some(match failed {
                    Some(before) if rank(&before) >= rank(&error) => before,
                    _ => error,
                });
            }
            match failed {
                Some(error) if !took => Err(error),
                _ => Ok(Delivered::Told),
            }
        })
    }

    fn resend_every(&self) -> Option<Duration> {
        Some(self.options.resend)
    }
}

/// How much there is to be said for trying again: what says when is worth least, since the others may be ready before.
fn rank(error: &SinkError) -> u8 {
    match error.retry() {
        RetryClass::Never => 0,
        RetryClass::After(_) => 1,
        RetryClass::Later => 2,
    }
}
