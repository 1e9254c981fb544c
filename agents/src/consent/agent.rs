//! The consent agent: the ledger and the book behind a mailbox.
//!
//! A revocation is Critical. It is on the disk and in the book before the next message is looked at, and whatever is
//! still queued anywhere about that patient (a grant, an import, work on their data) is purged. Decisions are High and
//! are recorded before they are answered, as many together as are waiting.

use std::collections::HashMap;

use jiff::Timestamp;
use statim::monitor::Monitor;
use statim::store::{Store, StoreOptions};
use statim::{Agent, Batch, Context, Key, Message, Priority, Reply, Severity};

use super::book::Book;
use super::error::LedgerError;
use super::event::{ConsentEvent, Revocation};
use super::ledger::Ledger;
use super::model::{AccessRequest, Actor, Decision, Outcome, Provision, ProvisionId, Reason};
use super::patient::PatientId;

/// What the consent agent is told.
#[derive(Debug)]
pub enum ConsentMessage {
    /// A patient takes permissions back. Critical.
    Revoke {
        /// What.
        revocation: Revocation,
        /// Who wants to know that it is on the disk.
        reply: Option<Reply<ConsentEvent>>,
    },
    /// A patient agrees or refuses. High.
    Grant {
        /// What.
        provision: Box<Provision>,
        /// Who recorded it.
        by: Actor,
        /// Who wants to know that it is on the disk.
        reply: Option<Reply<ConsentEvent>>,
    },
    /// May they? High. No answer means no.
    Decide {
        /// What is asked.
        request: Box<AccessRequest>,
        /// Who asks.
        reply: Reply<Decision>,
    },
    /// A provision from another system. Low, those of a patient together.
    Import(Box<Provision>),
    /// The last events about a patient. Normal.
    History {
        /// Whom.
        patient: PatientId,
        /// At most so many.
        limit: u32,
        /// Who asks.
        reply: Reply<Vec<ConsentEvent>>,
    },
}

impl ConsentMessage {
    /// What a purge for a patient removes: everything queued that is about them and not an answer to somebody.
    #[must_use]
    pub fn patient_key(patient: &PatientId) -> Key {
        Key::of(patient.expose())
    }
}

impl Message for ConsentMessage {
    fn priority(&self) -> Priority {
        match self {
            Self::Revoke { .. } => Priority::Critical,
            Self::Grant { .. } | Self::Decide { .. } => Priority::High,
            Self::History { .. } => Priority::Normal,
            Self::Import(_) => Priority::Low,
        }
    }

    /// A revocation overtakes the grants and imports queued before it, which must not undo it: they are purged. A
    /// revocation itself is not, and a question is answered, by the book as it then is.
    fn key(&self) -> Option<Key> {
        match self {
            Self::Grant { provision, .. } | Self::Import(provision) => {
                Some(Self::patient_key(&provision.patient))
            }
            Self::Revoke { .. } | Self::Decide { .. } | Self::History { .. } => None,
        }
    }

    /// A patient's word counts whether or not anybody waits to hear that it was recorded.
    fn outlives_its_asker(&self) -> bool {
        matches!(self, Self::Revoke { .. })
    }

    fn batch_key(&self) -> Option<Key> {
        match self {
            Self::Decide { .. } => Some(Key::of("decisions")),
            Self::Import(provision) => Some(Self::patient_key(&provision.patient)),
            Self::Revoke { .. } | Self::Grant { .. } | Self::History { .. } => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Revoke { .. } => "revoke",
            Self::Grant { .. } => "grant",
            Self::Decide { .. } => "decide",
            Self::Import(_) => "import",
            Self::History { .. } => "history",
        }
    }

    /// A revocation or an import that fails is kept to be requeued. A grant is not: it answers to somebody who was
    /// there, and repeating it later could undo a revocation that came in between.
    fn body(&self) -> Option<Vec<u8>> {
        match self {
            Self::Revoke { revocation, .. } => serde_json::to_vec(revocation).ok(),
            Self::Import(provision) => serde_json::to_vec(provision).ok(),
            Self::Grant { .. } | Self::Decide { .. } | Self::History { .. } => None,
        }
    }

    fn for_retry(&self) -> Option<Self> {
        match self {
            Self::Revoke { revocation, .. } => {
                Some(Self::Revoke { revocation: revocation.clone(), reply: None })
            }
            Self::Import(provision) => Some(Self::Import(provision.clone())),
            Self::Grant { .. } | Self::Decide { .. } | Self::History { .. } => None,
        }
    }
}

/// Why the consent agent could not do what it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// The ledger's database could not be opened.
    #[error("the consent ledger cannot be opened: {0}")]
    Open(#[from] statim::store::OpenError),
    /// The ledger could not be read or written.
    #[error("the consent ledger failed: {0}")]
    Ledger(#[from] LedgerError),
}

/// Answers for consent.
#[derive(Debug)]
pub struct Consent {
    url: String,
    monitor: Option<Monitor>,
    open: Option<(Ledger, Book)>,
    /// Patients with revocations that the ledger could not record yet, and of which provisions (`None`: of everything).
    /// Nothing about them is permitted until each of those is recorded. With each, who waits to hear of it: they are told
    /// when a later attempt succeeds, and while they wait the runtime does not take the retry for an orphan.
    withheld: HashMap<PatientId, HashMap<Option<ProvisionId>, Vec<Reply<ConsentEvent>>>>,
    permitted: u64,
    denied: u64,
}

impl Consent {
    /// Keeps the ledger in the database at `url`, which should be a file of its own.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), monitor: None, open: None, withheld: HashMap::new(), permitted: 0, denied: 0 }
    }

    /// Lets a monitor watch the database, as `consent`.
    #[must_use]
    pub fn watched_by(mut self, monitor: Option<Monitor>) -> Self {
        self.monitor = monitor;
        self
    }

    fn open(&mut self) -> (&Ledger, &mut Book) {
        let (ledger, book) = self.open.as_mut().expect("the ledger is opened before the first message");
        (ledger, book)
    }

    async fn revoke(
        &mut self,
        revocation: Revocation,
        reply: Option<Reply<ConsentEvent>>,
        ctx: &mut Context<Self>,
    ) -> Result<(), ConsentError> {
        let patient = revocation.patient.clone();
        // First of all, so that nothing queued about the patient is done while the disk is busy. What is purged goes to
        // the dead letters; whoever asked for it is told.
        ctx.runtime().purge(ConsentMessage::patient_key(&patient));
        let Revocation { provision, at, by, .. } = revocation;
        let (ledger, book) = self.open();
        match ledger.revoke(patient.clone(), provision.clone(), at, by).await {
            Ok(event) => {
                book.apply(&event);
                for waiting in self.release(&patient, &provision).into_iter().chain(reply) {
                    waiting.send(event.clone());
                }
                Ok(())
            }
            Err(error) => {
                // The patient's word counts although it is not on record; the failure is tried again and is loud.
                book.withhold(&patient);
                self.withheld.entry(patient).or_default().entry(provision).or_default().extend(reply);
                Err(error.into())
            }
        }
    }

    /// A revocation was recorded: ends what withheld the patient's data, unless another one still waits to be. Returns
    /// who waits to hear of it.
    fn release(&mut self, patient: &PatientId, recorded: &Option<ProvisionId>) -> Vec<Reply<ConsentEvent>> {
        let Some(pending) = self.withheld.get_mut(patient) else { return Vec::new() };
        let waiting = match recorded {
            // It covers what every other one would.
            None => pending.drain().flat_map(|(_, waiting)| waiting).collect(),
            Some(_) => pending.remove(recorded).unwrap_or_default(),
        };
        if pending.is_empty() {
            self.withheld.remove(patient);
            self.open().1.release(patient);
        }
        waiting
    }

    async fn grant(&mut self, provision: Provision, by: Actor) -> Result<ConsentEvent, ConsentError> {
        let (ledger, book) = self.open();
        let event = ledger.grant(provision, Timestamp::now(), by).await?;
        book.apply(&event);
        Ok(event)
    }

    /// Decides, records, and then answers.
    async fn decide(&mut self, asked: Vec<(AccessRequest, Reply<Decision>)>) -> Result<(), ConsentError> {
        let (ledger, book) = self.open();
        // Another process (the command line) may have recorded a revocation since.
        let caught_up = ledger.catch_up(book).await;
        let now = Timestamp::now();
        let mut decided: Vec<_> = asked
            .into_iter()
            .map(|(request, reply)| {
                let decision = book.decide(&request, now);
                (request, decision, reply)
            })
            .collect();
        let record = decided.iter().map(|(request, decision, _)| (request.clone(), decision.clone()));
        let recorded = match caught_up {
            Ok(_) => ledger.record_decisions(record).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if recorded.is_err() {
            // What is not on record must not be handed over, and what may be out of date must not be relied on.
            for (_, decision, _) in &mut decided {
                decision.outcome = Outcome::Deny;
                decision.reason = Reason::EvaluatorError;
                decision.provision = None;
            }
        }
        for (_, decision, reply) in decided {
            if decision.is_permit() {
                self.permitted += 1;
            } else {
                self.denied += 1;
            }
            reply.send(decision);
        }
        recorded.map_err(ConsentError::from)
    }

    async fn import(&mut self, provisions: Vec<Provision>) -> Result<(), ConsentError> {
        let (ledger, book) = self.open();
        ledger.catch_up(book).await?;
        let news: Vec<_> = provisions.into_iter().filter(|provision| book.would_import(provision)).collect();
        if news.is_empty() {
            return Ok(());
        }
        for event in ledger.import(news, Timestamp::now()).await? {
            book.apply(&event);
        }
        Ok(())
    }
}

impl Agent for Consent {
    type Message = ConsentMessage;
    type Error = ConsentError;

    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), ConsentError> {
        // A revocation's commit waits for nobody else's file.
        let options = StoreOptions { preallocate: true, ..StoreOptions::default() };
        let store = Store::open_with(&self.url, options).await?;
        let ledger = Ledger::open(&store).await?;
        let book = ledger.rebuild().await?;
        self.open = Some((ledger, book));
        if let Some(monitor) = &self.monitor {
            monitor.watch_store("consent", &store);
        }
        Ok(())
    }

    async fn handle(&mut self, message: ConsentMessage, ctx: &mut Context<Self>) -> Result<(), ConsentError> {
        match message {
            ConsentMessage::Revoke { revocation, reply } => {
                self.revoke(revocation, reply, ctx).await?;
            }
            ConsentMessage::Grant { provision, by, reply } => {
                let event = self.grant(*provision, by).await?;
                if let Some(reply) = reply {
                    reply.send(event);
                }
            }
            ConsentMessage::Decide { request, reply } => self.decide(vec![(*request, reply)]).await?,
            ConsentMessage::Import(provision) => self.import(vec![*provision]).await?,
            ConsentMessage::History { patient, limit, reply } => {
                let (ledger, _) = self.open();
                reply.send(ledger.history(&patient, limit).await?);
            }
        }
        Ok(())
    }

    async fn handle_batch(
        &mut self,
        batch: &mut Batch<ConsentMessage>,
        ctx: &mut Context<Self>,
    ) -> Result<(), ConsentError> {
        let (mut asked, mut imported) = (Vec::new(), Vec::new());
        while let Some(message) = batch.next() {
            match message {
                ConsentMessage::Decide { request, reply } => asked.push((*request, reply)),
                ConsentMessage::Import(provision) => imported.push(*provision),
                other => self.handle(other, ctx).await?,
            }
        }
        if !asked.is_empty() {
            self.decide(asked).await?;
        }
        if !imported.is_empty() {
            self.import(imported).await?;
        }
        Ok(())
    }

    fn severity(error: &ConsentError) -> Severity {
        match error {
            ConsentError::Open(_) => Severity::Agent,
            // The state is right: what is withheld must stay so, which a rebuilt agent would not know.
            ConsentError::Ledger(_) => Severity::Message,
        }
    }

    fn inspect(&self) -> serde_json::Value {
        serde_json::json!({
            "patients": self.open.as_ref().map_or(0, |(_, book)| book.patients()),
            "permitted": self.permitted,
            "denied": self.denied,
            "withheld": self.withheld.len(),
        })
    }
}
