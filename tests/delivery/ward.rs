//! An agent whose messages are durable, and what it has seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use statim::delivery::{Durable, DurableRef, Outbox, OutboxOptions, SettleError};
use statim::prelude::*;
use statim::store::Store;

/// What a ward is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Note {
    Alarm {
        number: u32,
    },
    Entry {
        patient: String,
        number: u32,
    },
    /// Fails this often, then succeeds.
    Trouble {
        number: u32,
        failures: u32,
    },
    /// An entry whose effect is a row, made together with the end of the message.
    Effect {
        number: u32,
    },
    /// Commits its effect and then panics.
    EffectAndPanic {
        number: u32,
    },
    #[serde(skip)]
    Unwritable,
}

impl Message for Note {
    fn priority(&self) -> Priority {
        match self {
            Note::Alarm { .. } => Priority::Critical,
            Note::Trouble { .. } | Note::Effect { .. } | Note::EffectAndPanic { .. } => Priority::Normal,
            _ => Priority::Low,
        }
    }

    fn key(&self) -> Option<Key> {
        match self {
            Note::Entry { patient, .. } => Some(Key::of(patient)),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Note::Alarm { .. } => "alarm",
            Note::Entry { .. } => "entry",
            Note::Trouble { .. } => "trouble",
            _ => "effect",
        }
    }

    fn for_retry(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl Durable for Note {}

pub(crate) fn entry(number: u32) -> Note {
    Note::Entry { patient: format!("patient-{}", number % 7), number }
}

#[derive(Debug, thiserror::Error)]
#[error("the ward is in trouble")]
pub(crate) struct InTrouble;

/// What happened in a ward, for all its lives.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    seen: Arc<Mutex<Vec<Note>>>,
    failures: Arc<Mutex<BTreeMap<u32, u32>>>,
    redelivered: Arc<Mutex<u32>>,
}

impl Journal {
    pub(crate) fn seen(&self) -> Vec<Note> {
        self.seen.lock().unwrap().clone()
    }

    /// Numbers of entries, in the order they were handled.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        let number = |note: &Note| match note {
            Note::Entry { number, .. } | Note::Alarm { number } | Note::Effect { number } => Some(*number),
            _ => None,
        };
        self.seen().iter().filter_map(number).collect()
    }

    pub(crate) fn see(&self, note: Note) {
        self.seen.lock().unwrap().push(note);
    }

    pub(crate) fn redelivered(&self) -> u32 {
        *self.redelivered.lock().unwrap()
    }
}

pub(crate) struct Ward {
    journal: Journal,
    /// For effects.
    outbox: Option<Outbox>,
    pace: Duration,
}

impl Agent for Ward {
    type Message = Note;
    type Error = InTrouble;

    async fn handle(&mut self, note: Note, ctx: &mut Context<Self>) -> Result<(), InTrouble> {
        if !self.pace.is_zero() {
            tokio::time::sleep(self.pace).await;
        }
        let receipt = ctx.receipt();
        if receipt.as_ref().is_some_and(|receipt| receipt.is_redelivery()) {
            *self.journal.redelivered.lock().unwrap() += 1;
        }
        if let Note::Trouble { number, failures } = note {
            let mut failed = self.journal.failures.lock().unwrap();
            let failed = failed.entry(number).or_default();
            if *failed < failures {
                *failed += 1;
                return Err(InTrouble);
            }
        }
        if let (Note::Effect { number } | Note::EffectAndPanic { number }, Some(outbox)) =
            (&note, &self.outbox)
        {
            let receipt = receipt.expect("it came through an outbox");
            let mut work = outbox.begin().await.map_err(|_| InTrouble)?;
            sqlx::query("INSERT INTO effects (number) VALUES ($1)")
                .bind(i64::from(*number))
                .execute(&mut *work)
                .await
                .map_err(|_| InTrouble)?;
            match receipt.settle_in(&mut work).await {
                Ok(()) => work.commit().await.map_err(|_| InTrouble)?,
                // Its effect has been made.
                Err(SettleError::AlreadySettled { .. }) => return Ok(()),
                Err(_) => return Err(InTrouble),
            }
        }
        let panics = matches!(note, Note::EffectAndPanic { .. });
        self.journal.see(note);
        assert!(!panics, "after the effect");
        Ok(())
    }
}

/// A runtime with a ward in it, bound to an outbox.
pub(crate) struct Hospital {
    pub(crate) runtime: Runtime,
    pub(crate) agent: AgentRef<Note>,
    pub(crate) outbox: Outbox,
    pub(crate) ward: DurableRef<Note>,
    pub(crate) journal: Journal,
    pub(crate) store: Store,
}

#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) capacity: usize,
    pub(crate) attempts: u16,
    pub(crate) pace: Duration,
    pub(crate) paused: bool,
    pub(crate) outbox: OutboxOptions,
    pub(crate) journal: Journal,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            capacity: 10_000,
            attempts: 1,
            pace: Duration::ZERO,
            paused: false,
            outbox: OutboxOptions::default(),
            journal: Journal::default(),
        }
    }
}

impl Hospital {
    pub(crate) async fn open(store: &Store, plan: Plan) -> Self {
        let Plan { capacity, attempts, pace, paused, outbox, journal } = plan;
        let outbox = Outbox::open_with(store, outbox).await.expect("the outbox opens");
        create_effects(store).await;
        let runtime = Runtime::builder().start().expect("a runtime starts");
        let (its_journal, its_outbox) = (journal.clone(), outbox.clone());
        let agent = runtime
            .spawn(
                "ward",
                AgentOptions::default().capacity(capacity).reserve(0).attempts(attempts),
                move || Ward { journal: its_journal.clone(), outbox: Some(its_outbox.clone()), pace },
            )
            .expect("the ward is spawned");
        if paused {
            agent.pause().unwrap();
        }
        let ward = outbox.bind(&agent).await.expect("the ward is bound");
        Self { runtime, agent, outbox, ward, journal, store: store.clone() }
    }

    /// Waits until nothing is pending.
    pub(crate) async fn settled(&self) {
        let began = Instant::now();
        while self.ward.pending() > 0 {
            if began.elapsed() > Duration::from_secs(30) {
                panic!("not settled within 30 s: {:?}, {} stored", self.outbox.stats(), self.stored().await);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(self.outbox.flush().await, "what is settled is written down");
    }

    /// Ends as a process does that is told to.
    pub(crate) async fn close(self) {
        self.runtime.shutdown().await;
        self.outbox.close().await;
    }

    pub(crate) async fn stored(&self) -> i64 {
        count(&self.store, "SELECT COUNT(*) FROM outbox_messages").await
    }

    pub(crate) async fn effects(&self) -> i64 {
        count(&self.store, "SELECT COUNT(*) FROM effects").await
    }
}

pub(crate) async fn create_effects(store: &Store) {
    let mut work = store.write().await.unwrap();
    sqlx::query("CREATE TABLE IF NOT EXISTS effects (number BIGINT NOT NULL)")
        .execute(&mut *work)
        .await
        .unwrap();
    work.commit().await.unwrap();
}

pub(crate) async fn count(store: &Store, sql: &'static str) -> i64 {
    use sqlx::Row;
    let mut reader = store.read().await.unwrap();
    sqlx::query(sql).fetch_one(&mut *reader).await.unwrap().get(0)
}

/// Waits for a condition; fails after 30 s.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "it did not come to pass within 30 s");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
