//! What concerns the store: durable messages, cached queries, and the forms they are written in.

pub mod cached_query;
pub mod durable;
pub mod wire;
