//! The seam: the only folder that names actix.
//!
//! actix supplies what it is good at: threads with an event loop (arbiters), and on each an actor whose life
//! cycle frames that of the arbiter's agents. The actor hosts an executor, which runs the agents by urgency
//! (`docs/decisions/0010`). The data plane is ours, because actix's own mailbox is unbounded in practice, has
//! no priorities and starves its neighbours under a flood. Exchanging actix means exchanging this folder.

mod actor;
mod attend;
mod executor;
mod in_hand;
mod serve;
mod sleep;
mod system;

pub(crate) use actor::seat;
pub(crate) use system::{Home, Host, VirtualHost};
