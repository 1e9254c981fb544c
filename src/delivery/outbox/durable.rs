//! Messages that are written down before their send completes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::message::Message;
use crate::wire::Format;

/// A message that survives a crash: a send through an [`Outbox`](super::Outbox) completes once it is committed, and it
/// is delivered again after a restart unless its handler had succeeded.
///
/// The type says how it is written, by serde. A variant that cannot be (it carries a
/// [`Reply`](crate::Reply)) is marked `#[serde(skip)]`: sending it through an outbox is refused, and it travels
/// undurably as ever.
///
/// What is written stays readable for as long as messages may wait in a store: add variants and optional fields, and do
/// not rename or renumber old ones. To be tried again after a failure, a type implements
/// [`Message::for_retry`] too.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use statim::delivery::Durable;
/// use statim::prelude::*;
///
/// #[derive(Clone, Serialize, Deserialize)]
/// enum Ledger {
///     Revoke { patient: String },
/// }
///
/// impl Message for Ledger {
///     fn priority(&self) -> Priority {
///         Priority::Critical
///     }
///     fn for_retry(&self) -> Option<Self> {
///         Some(self.clone())
///     }
/// }
/// impl Durable for Ledger {}
/// ```
pub trait Durable: Message + Serialize + DeserializeOwned {
    /// The form it is written in. It may change between versions: each stored message names its own. Default:
    /// MessagePack, whose fields have names, so that types can grow.
    #[must_use]
    fn format() -> Format {
        Format::MessagePack
    }
}
