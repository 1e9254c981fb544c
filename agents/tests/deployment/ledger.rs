//! A consent agent on its own, and its ledger seen from outside.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use statim::store::Store;
use statim::{AgentOptions, AgentRef, AskError, BatchOptions, Runtime, ShutdownReport};
use statim_agents::consent::{
    AccessRequest, Actor, Change, Consent, ConsentEvent, ConsentMessage, DataType, Decision, Effect, Ledger,
    PatientId, Period, Provision, ProvisionId, Purpose, Revocation,
};

use crate::place::Place;

pub(crate) struct Office {
    pub(crate) place: Place,
    pub(crate) runtime: Runtime,
    pub(crate) consent: AgentRef<ConsentMessage>,
}

impl Office {
    /// As a deployment spawns it.
    pub(crate) fn open() -> Self {
        let place = Place::new();
        let runtime = Runtime::builder().start().expect("starts");
        let url = Self::ledger_url(&place);
        let options = AgentOptions::default().batch(BatchOptions::up_to(64)).attempts(3);
        let consent = runtime.spawn("consent", options, move || Consent::new(url.clone())).expect("spawns");
        Self { place, runtime, consent }
    }

    fn ledger_url(place: &Place) -> String {
        place.url("d.consent.db")
    }

    pub(crate) async fn close(self) -> ShutdownReport {
        self.runtime.shutdown().await
    }

    pub(crate) async fn grant(&self, patient: &str, id: &str, purpose: &str) {
        let provision = Box::new(provision(patient, id, purpose));
        let by = Actor::new("test");
        self.consent
            .ask(|reply| ConsentMessage::Grant { provision, by, reply: Some(reply) })
            .await
            .expect("recorded");
    }

    pub(crate) async fn revoke(
        &self,
        patient: &str,
        id: Option<&str>,
    ) -> Result<ConsentEvent, AskError<ConsentMessage>> {
        let revocation = revocation(patient, id);
        self.consent.ask(|reply| ConsentMessage::Revoke { revocation, reply: Some(reply) }).await
    }

    pub(crate) async fn decide(&self, patient: &str, purpose: &str) -> Decision {
        let request = Box::new(AccessRequest {
            patient: PatientId::new(patient),
            actor: Actor::new("org:uni"),
            purpose: Purpose::new(purpose),
            data_type: DataType::new("laboratory"),
        });
        self.consent.ask(|reply| ConsentMessage::Decide { request, reply }).await.expect("answered")
    }

    /// What the ledger says about a patient, as another process would see it.
    pub(crate) async fn on_record(&self, patient: &str) -> Vec<ConsentEvent> {
        let store = Store::open(&Self::ledger_url(&self.place)).await.expect("opens");
        let ledger = Ledger::open(&store).await.expect("opens");
        let events = ledger.history(&PatientId::new(patient), 1_000).await.expect("reads");
        store.close().await;
        events
    }

    /// Changes the ledger's database behind the agent's back.
    pub(crate) async fn tamper(&self, sql: &'static str) {
        let store = Store::open(&Self::ledger_url(&self.place)).await.expect("opens");
        let mut writer = store.write().await.expect("begins");
        sqlx::raw_sql(sql).execute(&mut *writer).await.expect("is SQL");
        writer.commit().await.expect("commits");
        store.close().await;
    }

    /// Waits until so many messages are queued.
    pub(crate) async fn queued(&self, messages: u64) {
        self.until(|office| office.consent.depth() == messages).await;
    }

    pub(crate) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !holds(self) {
            assert!(since.elapsed() < Duration::from_secs(30), "it never holds");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) fn provision(patient: &str, id: &str, purpose: &str) -> Provision {
    Provision {
        id: ProvisionId::new(id),
        patient: PatientId::new(patient),
        issued: None,
        effect: Effect::Permit,
        purposes: vec![Purpose::new(purpose)],
        data_types: Vec::new(),
        actors: Vec::new(),
        period: Period::default(),
        exceptions: Vec::new(),
    }
}

pub(crate) fn revocation(patient: &str, id: Option<&str>) -> Revocation {
    let provision = id.map(ProvisionId::new);
    Revocation { patient: PatientId::new(patient), provision, at: Timestamp::now(), by: Actor::new("test") }
}

/// The kinds of events, in order.
pub(crate) fn kinds(events: &[ConsentEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.change.kind()).collect()
}

/// The last decision among them.
pub(crate) fn last_decision(events: &[ConsentEvent]) -> Option<Decision> {
    events.iter().rev().find_map(|event| match &event.change {
        Change::Decision { decision, .. } => Some(decision.clone()),
        _ => None,
    })
}
