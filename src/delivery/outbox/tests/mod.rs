//! What can be shown without a database.

mod lanes;
