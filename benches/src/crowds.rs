//! The systems as crowds of small actors, one file each. A new one is named twice here: as a module, and in [`each`].

use crate::crowd::Venue;
use crate::systems::{kameo::Kameo, ractor::Ractor, tokio::Tokio, xtra::Xtra};
use crate::{Pinned, WorkStealing};

pub mod actix;
pub mod kameo;
pub mod ractor;
pub mod statim;
pub mod tokio;
pub mod xtra;

/// Something to do with every crowd; a trait, since a closure cannot be generic over a type.
pub trait Visitor {
    /// Meets one crowd on its threads.
    fn visit<V: Venue>(&mut self);
}

/// Shows every crowd to the visitor, in the order of the tables.
pub fn each(visitor: &mut impl Visitor) {
    visitor.visit::<statim::Threads<true>>();
    visitor.visit::<statim::Threads<false>>();
    visitor.visit::<actix::OneArbiter>();
    visitor.visit::<Pinned<Kameo>>();
    visitor.visit::<WorkStealing<Kameo>>();
    visitor.visit::<Pinned<Ractor>>();
    visitor.visit::<WorkStealing<Ractor>>();
    visitor.visit::<Pinned<Xtra>>();
    visitor.visit::<WorkStealing<Xtra>>();
    visitor.visit::<Pinned<Tokio>>();
    visitor.visit::<WorkStealing<Tokio>>();
}
