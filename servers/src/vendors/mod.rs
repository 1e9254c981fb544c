//! Strict stand-ins for services that call people: PagerDuty, Opsgenie and Jira Service Management, Slack, a receiver of
//! signed webhooks, and Alertmanager.
//!
//! Each takes what the service documents and nothing else: method, path, headers, signatures, every field with its type and
//! length; a field that is not documented is refused. It answers as the service does, remembers what it took and refused and
//! which incidents are open, notices what it was told twice, and misbehaves on request ([`Fault`]).
//!
//! ```
//! use statim_servers::vendors::{Fault, Vendor, VendorKind};
//!
//! let pagerduty = Vendor::start(VendorKind::PagerDuty)?;
//! pagerduty.next([Fault::Limited(30)]);
//! // … what is tested sends to pagerduty.url() …
//! assert!(pagerduty.accepted().is_empty() && pagerduty.duplicates().is_empty());
//! # Ok::<(), statim_servers::ServerError>(())
//! ```

mod alertmanager;
mod fault;
mod http;
mod journal;
mod opsgenie;
mod pagerduty;
mod server;
mod shape;
mod slack;
mod webhook;

pub use self::fault::Fault;
pub use self::journal::{Accepted, Refused};
pub use self::server::Vendor;

/// The keys that the stand-ins know. They open nothing else.
pub mod keys {
    /// PagerDuty's routing key.
    pub const PAGERDUTY: &str = "R0123456789abcdefghijKLMNOPQRST5";
    /// The API key of Opsgenie and Jira Service Management.
    pub const OPSGENIE: &str = "0f0e0d0c-aaaa-4bbb-8ccc-0123456789ab";
    /// The path of Slack's incoming webhook, which is the key to the channel.
    pub const SLACK: &str = "/services/T00000000/B00000000/kEyToThEcHaNnElkEyToThEc";
    /// The keys that a webhook may be signed with.
    pub const WEBHOOK: [&str; 2] =
        ["whsec_c3RhdGltLXN0YW5kLWluLXNpZ25pbmcta2V5LTE=", "whsec_c3RhdGltLXN0YW5kLWluLXNpZ25pbmcta2V5LTI="];
}

/// A service that there is a stand-in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendorKind {
    /// PagerDuty's Events API v2, for the key [`keys::PAGERDUTY`].
    PagerDuty,
    /// Opsgenie's alert API, for the key [`keys::OPSGENIE`].
    Opsgenie,
    /// The same under the path of Jira Service Management.
    JiraServiceManagement,
    /// A Slack incoming webhook at the path [`keys::SLACK`].
    Slack,
    /// A receiver of webhooks with Alertmanager's payload, signed by one of [`keys::WEBHOOK`].
    SignedWebhook,
    /// The same without a signature.
    Webhook,
    /// Alertmanager's API v2.
    Alertmanager,
}
