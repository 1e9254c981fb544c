//! What travels between agents: a message, how urgent it is, and the envelope that carries it.
//!
//! A message type belongs to its *receiver*: the receiver's type says how urgent each message is, so a
//! sender can lower the urgency of what it sends but never raise it.

use std::any::Any;
use std::fmt;
use std::hash::Hasher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::clock::Nanos;
use crate::mailbox::Reason;

/// How urgent a message is. Each level is one lane of the mailbox.
///
/// Sorts most urgent first. Whether "greater" should mean "more urgent" is a question every reader answers
/// differently, so compare with [`is_more_urgent_than`](Self::is_more_urgent_than).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Priority {
    /// May not wait: served before everything else, always (a consent revocation).
    Critical = 0,
    /// Someone is waiting for the answer (a consent decision).
    High = 1,
    /// Ordinary work.
    Normal = 2,
    /// Bulk that can wait (a record of a file being ingested).
    Low = 3,
}

impl Priority {
    /// How many levels there are.
    pub const COUNT: usize = 4;

    /// Every level, most urgent first.
    pub const ALL: [Self; Self::COUNT] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// The lane this level is queued in: 0 is the most urgent.
    #[must_use]
    pub const fn lane(self) -> usize {
        self as usize
    }

    /// Whether `self` is served before `other`.
    #[must_use]
    pub const fn is_more_urgent_than(self, other: Self) -> bool {
        (self as u8) < (other as u8)
    }

    /// The less urgent of the two: what a sender's wish leaves of the receiver's grant.
    #[must_use]
    pub const fn at_most(self, other: Self) -> Self {
        if self.is_more_urgent_than(other) { other } else { self }
    }

    /// Normal and Low: what may never fill the share reserved for Critical and High.
    #[must_use]
    pub const fn is_bulk(self) -> bool {
        matches!(self, Self::Normal | Self::Low)
    }

    /// The level's name in lower case, as configuration, metrics and JSON write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The entity a message is about (a patient, a study), as a 128-bit SipHash-1-3 fingerprint.
///
/// A fingerprint rather than the name itself: it is `Copy`, it costs no allocation on the way through a
/// mailbox, and a patient's identifier cannot leak out of it into a log. Two names share a fingerprint
/// with a probability of 2⁻¹²⁸. It is stable across processes and machines.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u64; 2]);

impl Key {
    /// The key of an entity named by bytes.
    #[must_use]
    pub fn of(name: impl AsRef<[u8]>) -> Self {
        let mut hasher = SipHasher13::new_with_keys(0x5374_6174_696d_206b, 0x6579_2076_6572_2031);
        hasher.write(name.as_ref());
        let hash = hasher.finish128();
        Self([hash.h1, hash.h2])
    }

    /// The fingerprint as bytes, the same on every machine: what a message on the wire carries. Whoever sees them can
    /// recognise the entity, so they belong neither in a log nor in an error.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.0[0].to_le_bytes());
        bytes[8..].copy_from_slice(&self.0[1].to_le_bytes());
        bytes
    }

    /// The key whose [`to_bytes`](Self::to_bytes) these are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let [first, second] =
            [0, 8].map(|at| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte])));
        Self([first, second])
    }

    /// The member of a pool of `members` that handles this key: the same one, always.
    pub(crate) fn member(self, members: usize) -> usize {
        // The remainder of a uniform 64-bit value is uniform enough for any pool that fits in memory.
        usize::try_from(self.0[0] % members as u64).unwrap_or(0)
    }
}

impl fmt::Debug for Key {
    /// Shows that there is a key, not which: a fingerprint of a known name could be looked up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What an agent receives: usually one enum per agent, matched statically.
///
/// # Examples
///
/// ```
/// use statim::prelude::*;
///
/// enum Ward {
///     Alarm { bed: u32 },
///     Note { bed: u32, text: String },
/// }
///
/// impl Message for Ward {
///     fn priority(&self) -> Priority {
///         match self {
///             Ward::Alarm { .. } => Priority::Critical,
///             Ward::Note { .. } => Priority::Low,
///         }
///     }
///     fn key(&self) -> Option<Key> {
///         let (Ward::Alarm { bed } | Ward::Note { bed, .. }) = self;
///         Some(Key::of(bed.to_le_bytes()))
///     }
/// }
/// assert_eq!(Ward::Alarm { bed: 3 }.priority(), Priority::Critical);
/// ```
pub trait Message: Send + 'static {
    /// How urgent this message is. The receiver's type decides; a sender can only lower it.
    fn priority(&self) -> Priority {
        Priority::Normal
    }

    /// The entity the message is about. A purge by this key removes the message from every queue it
    /// still waits in (also a sender's that waits for room), and a pool routed by key gives all messages of one key to one member.
    fn key(&self) -> Option<Key> {
        None
    }

    /// Messages of one batch key (and one priority) are handed over together when the agent's options
    /// ask for batches. `None` is always handled alone.
    fn batch_key(&self) -> Option<Key> {
        None
    }

    /// What kind of message this is, for dead letters and traces: a name, never the payload. Asked for
    /// each message, so it should cost nothing; a path is shortened to its last part when it is shown.
    fn kind(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// The payload in a form that a dead-letter store can keep and requeue. `None` (the default) keeps
    /// only the message's kind, priority and reason.
    fn body(&self) -> Option<Vec<u8>> {
        None
    }

    /// Whether an asked message is handled also when its asker has stopped waiting. `false` (the default)
    /// drops it unhandled: an answer that nobody reads is wasted work. `true` is for what must happen
    /// whether or not somebody waits to hear of it, such as a revocation; then an ask's timeout ends the
    /// wait and not the message.
    fn outlives_its_asker(&self) -> bool {
        false
    }

    /// A copy to retry with, should handling fail, and whose [`body`](Self::body) the dead letters keep.
    /// Asked for each message before it is handled, so it should be cheap (an `Arc`). `None` (the default)
    /// means that the message is handled at most once: a failure sends it to the dead letters at once,
    /// without its body.
    fn for_retry(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// On what terms a message is to be handled, where there are any: by when, and for whom.
pub(crate) trait Terms: Send + Sync {
    /// Not to be handled after this moment.
    fn deadline(&self) -> Option<Nanos>;
    /// The asker, who may be gone and wants to know of a failure.
    fn asker(&self) -> Option<&dyn Asker>;
    /// Whoever keeps the message until it is done with, if it is durable.
    fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        None
    }
}

/// Whoever keeps a message in a store until it is done with.
pub(crate) trait Keeper: Any + Send + Sync {
    /// Its handler succeeded.
    fn handled(&self);
    /// It will not be handled. `false` if it is not lost by that: it stays stored and will be delivered again, so it is
    /// no dead letter.
    fn buried(&self, reason: Reason, attempts: u16) -> bool;
    /// Whether it is done with whatever its handler says, because its effect and its end were committed together.
    fn is_settled(&self) -> bool;
}

/// Whoever waits for the answer to a message.
pub(crate) trait Asker {
    fn is_gone(&self) -> bool;
    fn fail(&self, reason: Reason);
}

/// The terms of a message that nobody waits for and that is not to be handled later than this.
pub(crate) struct Until(pub(crate) Nanos);

impl Terms for Until {
    fn deadline(&self) -> Option<Nanos> {
        Some(self.0)
    }

    fn asker(&self) -> Option<&dyn Asker> {
        None
    }
}

/// A message on its way, with what the mailbox must know of it. What few messages need is behind a pointer:
/// a queue of 10,000 is read and written from two cores, and every cache line of it counts.
pub(crate) struct Envelope<M> {
    pub(crate) message: M,
    /// When the send was accepted or began to wait for room.
    pub(crate) sent_at: Nanos,
    pub(crate) terms: Option<Arc<dyn Terms>>,
    pub(crate) batch_key: Option<Box<Key>>,
    /// Arrival number inside this mailbox: what FIFO means.
    pub(crate) sequence: u64,
    /// Handling attempts that have failed.
    pub(crate) failed_attempts: u16,
    pub(crate) priority: Priority,
    /// Given back by the agent's loop: it left the mailbox once, so it no longer counts against the bound.
    pub(crate) returned: bool,
}

impl<M: Message> Envelope<M> {
    #[cfg(any(test, statim_loom, statim_shuttle))]
    pub(crate) fn new(message: M, sent_at: Nanos) -> Self {
        let priority = message.priority();
        Self::on_terms(message, priority, sent_at, None)
    }

    #[inline]
    pub(crate) fn on_terms(
        message: M,
        priority: Priority,
        sent_at: Nanos,
        terms: Option<Arc<dyn Terms>>,
    ) -> Self {
        Self {
            message,
            sent_at,
            terms,
            batch_key: None,
            sequence: 0,
            failed_attempts: 0,
            priority,
            returned: false,
        }
    }

    /// The message, for its handler, and what remains to account for it by, with a copy if its type makes
    /// one: to try again, and to keep in the dead letters.
    #[inline]
    pub(crate) fn take_apart(self) -> (M, Remains<M>) {
        // A user's code: what cannot say its kind has none, what cannot be copied is not retried.
        let asked = catch_unwind(AssertUnwindSafe(|| (self.message.kind(), self.message.for_retry())));
        let (kind, copy) = asked.unwrap_or((UNKNOWN_KIND, None));
        let (message, envelope) = self.exchange(copy);
        (message, Remains { envelope, kind })
    }

    /// The message as its own remains: it was not even looked at.
    pub(crate) fn untouched(self) -> Remains<M> {
        let kind = catch_unwind(AssertUnwindSafe(|| self.message.kind())).unwrap_or(UNKNOWN_KIND);
        let (message, mut envelope) = self.exchange(None);
        envelope.message = Some(message);
        Remains { envelope, kind }
    }

    /// Why this message is not to be handled any more, if so.
    pub(crate) fn lapse(&self, now: Nanos) -> Option<Reason> {
        self.terms.as_ref().and_then(|terms| lapse(&**terms, now, &self.message))
    }
}

fn lapse(terms: &dyn Terms, now: Nanos, message: &impl Message) -> Option<Reason> {
    let asker = terms.asker();
    let reason = if asker.is_some_and(|asker| asker.is_gone()) {
        Reason::Cancelled
    } else {
        terms.deadline().filter(|deadline| now > *deadline).map(|_| Reason::Expired)?
    };
    // A user's code: what cannot say that it outlives its asker does not.
    let outlives = || catch_unwind(AssertUnwindSafe(|| message.outlives_its_asker())).unwrap_or(false);
    if asker.is_some() && outlives() { None } else { Some(reason) }
}

/// An envelope in the agent's hands: its message is there, or with its handler, or a copy of it is there. Messages
/// are taken into one that the agent has already, because to pass an envelope on from function to function copies
/// it each time.
pub(crate) type Hand<M> = Envelope<Option<M>>;

impl<M: Message> Hand<M> {
    /// Nothing in it.
    #[inline]
    pub(crate) fn empty() -> Self {
        Self {
            message: None,
            sent_at: Nanos(0),
            terms: None,
            batch_key: None,
            sequence: 0,
            failed_attempts: 0,
            priority: Priority::Critical,
            returned: false,
        }
    }

    /// The envelope of the message in it, if there is one.
    pub(crate) fn filled(self) -> Result<Envelope<M>, Self> {
        match self.exchange(()) {
            (Some(message), envelope) => Ok(envelope.exchange(message).1),
            (None, envelope) => Err(envelope.exchange(None).1),
        }
    }

    /// Why the message in it is not to be handled any more, if so.
    #[inline]
    pub(crate) fn lapses(&self, now: Nanos) -> Option<Reason> {
        let (terms, message) = (self.terms.as_ref()?, self.message.as_ref()?);
        lapse(&**terms, now, message)
    }

    /// The message, for its handler. Left is a copy if its type makes one: to try again, and to keep in the dead
    /// letters. `kind` is its kind from then on.
    #[inline]
    pub(crate) fn lend(&mut self, kind: &mut Option<&'static str>) -> Option<M> {
        // A user's code: what cannot say its kind has none, what cannot be copied is not retried. Asked while the
        // message is where it is: what is looked at is in memory, and would be copied once more.
        let asked = catch_unwind(AssertUnwindSafe(|| {
            let message = self.message.as_ref()?;
            Some((message.for_retry(), message.kind()))
        }));
        let (copy, its_kind) = asked.ok().flatten().unwrap_or((None, UNKNOWN_KIND));
        let message = self.message.take()?;
        *kind = Some(its_kind);
        if copy.is_some() {
            self.message = copy;
        }
        Some(message)
    }
}

impl<M> Envelope<M> {
    #[inline]
    pub(crate) fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        self.terms.as_ref()?.keeper()
    }

    /// The content, and the same envelope around another.
    #[inline]
    fn exchange<N>(self, message: N) -> (M, Envelope<N>) {
        let envelope = Envelope {
            message,
            sent_at: self.sent_at,
            terms: self.terms,
            batch_key: self.batch_key,
            sequence: self.sequence,
            failed_attempts: self.failed_attempts,
            priority: self.priority,
            returned: self.returned,
        };
        (self.message, envelope)
    }
}

const UNKNOWN_KIND: &str = "unknown";

/// What stays of a message while its handler has it.
#[derive(Debug)]
pub(crate) struct Remains<M> {
    /// With a copy of the message, if it may be tried again.
    pub(crate) envelope: Hand<M>,
    pub(crate) kind: &'static str,
}

impl<M: Message> Remains<M> {
    /// The message as it was before its handling failed, if a copy was kept.
    pub(crate) fn restore(self) -> Result<Envelope<M>, Self> {
        let kind = self.kind;
        self.envelope.filled().map_err(|envelope| Self { envelope, kind })
    }
}

impl<M> fmt::Debug for Envelope<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("priority", &self.priority)
            .field("sequence", &self.sequence)
            .field("failed_attempts", &self.failed_attempts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_can_lower_a_priority_but_not_raise_it() {
        for granted in Priority::ALL {
            for wished in Priority::ALL {
                let effective = granted.at_most(wished);
                assert!(!effective.is_more_urgent_than(granted), "{granted} {wished}");
                assert!(!effective.is_more_urgent_than(wished), "{granted} {wished}");
            }
        }
    }

    #[test]
    fn a_key_is_stable_distinct_and_not_shown() {
        assert_eq!(Key::of("patient-1"), Key::of("patient-1"));
        assert_ne!(Key::of("patient-1"), Key::of("patient-2"));
        assert_eq!(format!("{:?}", Key::of("patient-1")), "Key(..)");
    }

    #[test]
    fn the_key_of_a_name_never_changes_between_versions() {
        // Written down once: partitions by key on several machines rely on it.
        let key = Key::of("statim");
        assert_eq!(key.0, [12_288_311_423_948_738_565, 5_631_536_331_076_195_612]);
        assert_eq!(key.to_bytes()[..8], 12_288_311_423_948_738_565_u64.to_le_bytes());
        assert_eq!(Key::from_bytes(key.to_bytes()), key);
    }
}
