//! The seam: the only folder that names actix.
//!
//! actix supplies what it is good at: threads with an event loop (arbiters), the life cycle of an actor,
//! and a mailbox for the control plane, where a handful of commands a day pass through. The data plane is
//! ours, because actix's own mailbox is unbounded in practice, has no priorities and starves its
//! neighbours under a flood (`docs/decisions`). Exchanging actix means exchanging this folder.

mod actor;
mod attend;
mod in_hand;
mod serve;
mod sleep;
mod system;

pub(crate) use actor::seat;
pub(crate) use system::{Home, Host, VirtualHost};
