//! What is open, for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::alert::dispatch::Dispatcher;
use crate::alert::engine::Engine;
use crate::alert::event::Alert;
use crate::alert::group::Acknowledgement;
use crate::alert::time::Moment;

/// An alert that is pending or fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenAlert {
    /// The alert: what, how bad, since when.
    pub alert: Alert,
    /// Whether it fires; else it is pending.
    pub firing: bool,
    /// The sinks that were told, or are being told, by name.
    pub told: Vec<String>,
    /// When it was first decided to tell somebody.
    pub told_since: Option<Moment>,
    /// Who looks after it.
    pub acknowledged: Option<Acknowledgement>,
    /// The silence that covers it.
    pub silenced: Option<String>,
}

/// What is open, by dedup key.
pub(super) type Board = BTreeMap<String, OpenAlert>;

pub(super) fn board(engine: &Engine, dispatcher: &Dispatcher, now: Moment) -> Board {
    let pending = engine.pending().into_iter().map(|alert| (alert, false));
    let firing = engine.firing().into_iter().map(|alert| (alert, true));
    let open = |(alert, firing): (Alert, bool)| {
        let key = alert.dedup_key.clone();
        let (told, told_since) = dispatcher.told_of(&key);
        let silenced = dispatcher.silences().covering(&alert.labels, now).filter(|_| !alert.watchdog);
        let open = OpenAlert {
            told: told.map(str::to_owned).collect(),
            told_since,
            acknowledged: dispatcher.acknowledged(&key).cloned(),
            silenced: silenced.map(|it| it.id.clone()),
            alert,
            firing,
        };
        (key, open)
    };
    pending.chain(firing).map(open).collect()
}
