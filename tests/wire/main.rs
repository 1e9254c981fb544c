//! Messages as bytes: what goes in comes out, old bytes stay readable, and nothing hostile does harm.

mod faults;
mod golden;
mod limits;
mod mutations;
mod parcels;
mod round_trips;
mod samples;
mod skew;
