//! What may be said of a statement without repeating it.

mod class;
mod shape;

pub use self::class::StatementClass;
pub use self::shape::Fingerprint;

pub(super) use self::shape::shape;
