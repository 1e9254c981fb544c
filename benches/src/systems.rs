//! The systems measured, one file each. A new one is named twice here: as a module, and in [`each`].

use crate::{Pinned, System, WorkStealing};

pub mod actix;
pub mod kameo;
pub mod ractor;
pub mod ractor_factory;
pub mod statim;
pub mod tokio;
pub mod xtra;

/// Something to do with every system; a trait, since a closure cannot be generic over a type.
pub trait Visitor {
    /// Meets one system.
    fn visit<S: System>(&mut self);
}

/// Shows every system to the visitor, in the order of the tables.
pub fn each(visitor: &mut impl Visitor) {
    visitor.visit::<statim::Statim<true>>();
    visitor.visit::<actix::OnArbiters<actix::DoSend>>();
    visitor.visit::<actix::OnArbiters<actix::TrySend>>();
    visitor.visit::<actix::OnArbiters<actix::Request>>();
    visitor.visit::<Pinned<kameo::Kameo>>();
    visitor.visit::<WorkStealing<kameo::Kameo>>();
    visitor.visit::<Pinned<ractor::Ractor>>();
    visitor.visit::<WorkStealing<ractor::Ractor>>();
    visitor.visit::<Pinned<ractor_factory::RactorFactory>>();
    visitor.visit::<Pinned<xtra::Xtra>>();
    visitor.visit::<Pinned<xtra::XtraPriorities>>();
    visitor.visit::<WorkStealing<xtra::XtraPriorities>>();
    visitor.visit::<Pinned<tokio::Tokio>>();
    visitor.visit::<WorkStealing<tokio::Tokio>>();
}
