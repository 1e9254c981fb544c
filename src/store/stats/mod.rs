//! What a store measures of its own work.

mod figures;
mod snapshot;

pub use self::snapshot::{PoolStats, SlowStatement, StatementStats, StoreStats};

pub(super) use self::figures::{Ended, Figures, PoolEvent};
