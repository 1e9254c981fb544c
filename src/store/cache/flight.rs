//! Single flight: of those who want the same, one goes and the others wait.

use std::any::Any;
use std::sync::Arc;

use dashmap::{DashMap, Entry as Place};
use tokio::sync::watch;

use super::entry::Entry;
use super::key::Print;

/// How a flight ended.
#[derive(Clone)]
pub(super) enum Landed {
    /// With a result.
    Result(Arc<Entry>),
    /// With the loader's error, which is an `Arc` of whatever error the leader's loader has.
    Failed(Arc<dyn Any + Send + Sync>),
    /// With a result that cannot be shared.
    Unshared,
}

/// The flights under way.
#[derive(Default)]
pub(super) struct Flights {
    under_way: DashMap<Print, watch::Receiver<Option<Landed>>>,
}

/// What to do.
pub(super) enum Turn<'a> {
    Lead(Lead<'a>),
    Wait(Waiting),
}

impl Flights {
    pub(super) fn join(&self, name: Print) -> Turn<'_> {
        match self.under_way.entry(name) {
            Place::Occupied(place) => Turn::Wait(Waiting { landed: place.get().clone() }),
            Place::Vacant(place) => {
                let (sender, receiver) = watch::channel(None);
                place.insert(receiver);
                Turn::Lead(Lead { flights: self, name, sender })
            }
        }
    }
}

/// The one that goes. Dropped before it has landed (cancelled, or in a panic), it makes room for another.
pub(super) struct Lead<'a> {
    flights: &'a Flights,
    name: Print,
    sender: watch::Sender<Option<Landed>>,
}

impl Lead<'_> {
    pub(super) fn land(self, landed: Landed) {
        // Who comes from now on finds the result in memory, or leads. Removed before it is told: one who was told and
        // is not content must not meet the same flight again.
        self.flights.under_way.remove(&self.name);
        self.sender.send_replace(Some(landed));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        // After `land` the place may be another's already.
        if self.sender.borrow().is_none() {
            self.flights.under_way.remove(&self.name);
        }
    }
}

/// One that waits.
pub(super) struct Waiting {
    landed: watch::Receiver<Option<Landed>>,
}

impl Waiting {
    /// How it ended; `None` if whoever led is gone.
    pub(super) async fn landed(mut self) -> Option<Landed> {
        self.landed.wait_for(Option::is_some).await.ok().and_then(|landed| landed.clone())
    }
}
