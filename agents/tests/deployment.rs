//! The deployment, end to end: through the real binary, and through the library where a test must hold an agent still.

#[path = "deployment/alerts.rs"]
mod alerts;
#[path = "deployment/consent.rs"]
mod consent;
#[path = "deployment/dead_letters.rs"]
mod dead_letters;
#[path = "deployment/drill.rs"]
mod drill;
#[path = "deployment/flow.rs"]
mod flow;
#[path = "deployment/interrupt.rs"]
mod interrupt;
#[path = "deployment/ledger.rs"]
mod ledger;
#[path = "deployment/links.rs"]
mod links;
#[path = "deployment/load.rs"]
mod load;
#[path = "deployment/messages.rs"]
mod messages;
#[path = "deployment/metrics.rs"]
mod metrics;
#[path = "deployment/place.rs"]
mod place;
#[path = "deployment/postgres.rs"]
mod postgres;
#[path = "deployment/real.rs"]
mod real;
#[path = "deployment/sample.rs"]
mod sample;
