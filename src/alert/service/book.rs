//! Everything that is decided, and what of it is not stored yet.

use std::collections::VecDeque;
use std::sync::Arc;

use super::batch::Batch;
use super::board::Board;
use super::ledger::{self, encode};
use super::options::AlertSetup;
use super::queue::Queue;
use crate::alert::action::Action;
use crate::alert::dispatch::{Dispatcher, NotFiring};
use crate::alert::engine::Engine;
use crate::alert::event::{Alert, Event};
use crate::alert::routing::DispatchOptions;
use crate::alert::silence::Silence;
use crate::alert::snapshot::EngineSnapshot;
use crate::alert::time::Moment;

/// Most deeds that wait for their state to be stored.
const MOST_DEEDS: usize = 1_000;

/// Everything that is decided, behind one lock: what is taken out of it to be stored is of one moment.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) dispatcher: Dispatcher,
    pub(super) queue: Queue,
    pub(super) setup: AlertSetup,
    pub(super) board: Arc<Board>,
    /// The epoch in which this process leads, if it does.
    pub(super) lead: Option<i64>,
    /// The last epoch in which it led.
    pub(super) last_lead: Option<i64>,
    /// Which taking over this is the state of.
    pub(super) generation: u64,
    /// What taking over found, to be told with the next evaluation.
    pub(super) carried: Vec<Event>,
    /// States that are not stored, with their revision.
    states: Option<(u64, States)>,
    answered: Vec<(u64, i64)>,
    deeds: VecDeque<(u64, Deed)>,
}

type States = Vec<(&'static str, Moment, Arc<[u8]>)>;

/// Something to be done, besides telling.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) alert: Alert,
    pub(super) action: Action,
    pub(super) over: bool,
    pub(super) at: Moment,
}

impl Book {
    pub(super) fn new(dispatcher: Dispatcher, queue: Queue, setup: AlertSetup) -> Self {
        Self {
            dispatcher,
            queue,
            setup,
            board: Arc::default(),
            lead: None,
            last_lead: None,
            generation: 0,
            carried: Vec::new(),
            states: None,
            answered: Vec::new(),
            deeds: VecDeque::new(),
        }
    }

    /// Writes down the states as they are now, to be stored with the next batch.
    pub(super) fn note_states(&mut self, engine: &EngineSnapshot, at: Moment) {
        let board: Vec<_> = self.board.values().collect();
        let states = vec![
            (ledger::ENGINE, at, encode(engine).into()),
            (ledger::DISPATCHER, at, encode(&self.dispatcher.snapshot()).into()),
            (ledger::BOARD, at, encode(&board).into()),
        ];
        self.states = Some((self.queue.revise(), states));
    }

    /// What the evaluation found, to be told: queued, and the deeds that go with it.
    pub(super) fn decide(&mut self, engine: &Engine, events: &[Event], now: Moment, queued: Moment) -> usize {
        let notifications = self.dispatcher.step(events, now);
        for notification in &notifications {
            self.queue.push(notification, queued);
        }
        self.board = Arc::new(super::board::board(engine, &self.dispatcher, now));
        self.note_states(&engine.states(), now);
        let revision = self.queue.revise();
        for event in events {
            let (alert, over) = match event {
                Event::Fired(alert) | Event::StillFiring(alert) => (alert, false),
                Event::Resolved(alert, _) => (alert, true),
                _ => continue,
            };
            for action in alert.actions.iter().filter(|it| !matches!(it, Action::Notify { .. })) {
                let deed = Deed { alert: alert.clone(), action: action.clone(), over, at: now };
                self.deeds.push_back((revision, deed));
            }
        }
        let over = self.deeds.len().saturating_sub(MOST_DEEDS);
        if over > 0 {
            tracing::error!(over, "too many actions wait for the database: the oldest are not done");
            self.deeds.drain(..over);
        }
        notifications.len()
    }

    /// As the setup has it, with the sinks there are.
    pub(super) fn dispatch_options(&self) -> DispatchOptions {
        self.setup.dispatch_options()
    }

    /// Gives up what waits for sinks that are no more.
    pub(super) fn keep_sinks(&mut self, now: Moment) {
        self.queue.keep_sinks(&self.dispatch_options().sinks, now);
    }

    /// Puts the silences of the setup in force, and lifts those of one before that are not in it.
    pub(super) fn set_silences(&mut self, before: &[Silence], now: Moment) {
        for gone in before.iter().filter(|it| !self.setup.silences.iter().any(|other| other.id == it.id)) {
            self.dispatcher.lift_silence(&gone.id, now);
        }
        for silence in &self.setup.silences {
            if let Err(fault) = self.dispatcher.silence(silence.clone(), now) {
                tracing::error!(id = silence.id, %fault, "a silence is not in force");
            }
        }
    }

    pub(super) fn acknowledge(
        &mut self,
        key: &str,
        by: &str,
        now: Moment,
        queued: Moment,
    ) -> Result<(), NotFiring> {
        if let Some(notification) = self.dispatcher.acknowledge(key, by, now)? {
            self.queue.push(&notification, queued);
        }
        Ok(())
    }

    pub(super) fn is_answered(&self, request: i64) -> bool {
        self.answered.iter().any(|(_, id)| *id == request)
    }

    pub(super) fn answer(&mut self, request: i64) {
        self.answered.push((self.queue.revise(), request));
    }

    /// Everything that is not stored.
    pub(super) fn unsaved(&mut self) -> Batch {
        let mut batch = self.queue.unsaved();
        batch.states = self.states.as_ref().map(|(_, states)| states.clone()).unwrap_or_default();
        batch.answered = self.answered.iter().map(|(_, id)| *id).collect();
        batch
    }

    /// Everything up to this revision is stored: the deeds that may be done now.
    pub(super) fn saved(&mut self, revision: u64) -> Vec<Deed> {
        self.queue.saved(revision);
        self.states.take_if(|(at, _)| *at <= revision);
        self.answered.retain(|(at, _)| *at > revision);
        let mut deeds = Vec::new();
        while let Some((_, deed)) = self.deeds.pop_front_if(|(at, _)| *at <= revision) {
            deeds.push(deed);
        }
        deeds
    }

    /// Forgets everything that is not stored: what is stored is taken up instead.
    pub(super) fn forget_unsaved(&mut self) {
        (self.states, self.answered) = (None, Vec::new());
        self.deeds.clear();
        self.carried.clear();
    }
}
