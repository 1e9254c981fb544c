//! Remedies on real agents under load.

mod investigating;
mod restarting;
mod scaling;
mod support;
