//! Consent: who may see which of a patient's data, for what, and since when.
//!
//! * [`model`](Provision): what is agreed ([`Provision`]), asked ([`AccessRequest`]) and answered ([`Decision`]).
//! * [`decide`]: the answer, as a pure function of what is agreed, what is asked, and the time.
//! * [`Ledger`]: every change and every decision, appended durably, each chained to the one before by its hash.
//! * [`Book`]: what the ledger adds up to, in memory; decisions are answered from it without touching the disk.
//! * [`read_provisions`]: provisions from a file of one JSON object a line.
//!
//! # The policy, in full
//!
//! Consent engines disagree about everything that follows, so it is written down.
//!
//! 1. What is not permitted is denied.
//! 2. A provision is a rule with exceptions, which may have exceptions. A rule matches a request when each of its lists
//!    is empty or contains what is asked, and its period contains the time. An exception is looked at only where the
//!    rule around it matches. The deepest matching rule decides; between equally deep ones, denial does.
//! 3. Someone unknown (a requester, or a reference in a rule, that could not be resolved) matches every denial that
//!    names anyone and no permission, not even one for anybody.
//! 4. Between provisions, denial overrides: one that denies outweighs any number that permit.
//! 5. A period has its start and not its end. An end given as a date, month or year includes all of it, in UTC.
//! 6. A revocation takes permissions away and can never add one: what a revoked provision denied stays denied. It takes
//!    effect when it is recorded, whatever the clocks say. It ends with a later grant of the same provision, which is
//!    also the way to lift a denial.
//! 7. A revocation of everything also holds for provisions imported later, unless they were issued after it: a queue of
//!    imports that a revocation has overtaken cannot undo it.
//! 8. A request or provision that makes no sense is denied, as is everything about a patient with such a provision.

mod agent;
mod book;
mod chain;
mod decide;
mod error;
mod event;
mod import;
mod ledger;
mod model;
mod patient;
mod period;
mod schema;

pub use self::agent::{Consent, ConsentError, ConsentMessage};
pub use self::book::Book;
pub use self::chain::{ChainFault, Head, Verification};
pub use self::decide::decide;
pub use self::error::{LedgerError, ProvisionFault};
pub use self::event::{Change, ConsentEvent, Entry, Revocation};
pub use self::import::{BadLine, LineFault, read_provisions};
pub use self::ledger::Ledger;
pub use self::model::{
    AccessRequest, Actor, Consents, CurrentProvision, DataType, Decision, Effect, Outcome, Provision,
    ProvisionId, Purpose, Reason, Rule,
};
pub use self::patient::PatientId;
pub use self::period::Period;

#[cfg(test)]
mod tests;
