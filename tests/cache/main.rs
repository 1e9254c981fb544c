//! The query cache, against a real Redis where one is named.

mod memory;
mod outages;
mod races;
mod shared;
mod single_flight;
mod strangers;
mod support;
