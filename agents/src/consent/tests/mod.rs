//! What is promised about consent.

mod deciding;
mod importing;
mod keeping;
mod postgres;
mod properties;

use jiff::Timestamp;

use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn now() -> Timestamp {
    time("2026-06-15T12:00:00Z")
}

fn patient() -> PatientId {
    PatientId::new("MRN-0042-Ann")
}

fn parse(json: &str) -> Provision {
    read_provisions(json.as_bytes()).next().expect("a line").expect("a provision")
}

/// A provision of the test patient from the fields after its name and patient.
fn provision(id: &str, rest: &str) -> Provision {
    parse(&format!(r#"{{"id":"{id}","patient":"MRN-0042-Ann",{rest}}}"#))
}

fn request(actor: &str, purpose: &str, data_type: &str) -> AccessRequest {
    AccessRequest {
        patient: patient(),
        actor: Actor::new(actor),
        purpose: purpose.into(),
        data_type: data_type.into(),
    }
}

fn grant(seq: u64, provision: Provision) -> ConsentEvent {
    ConsentEvent { seq, at: now(), change: Change::Grant { provision, by: Actor::Unresolved } }
}

fn import(seq: u64, provision: Provision) -> ConsentEvent {
    ConsentEvent { seq, at: now(), change: Change::Import { provision } }
}

fn revoke(seq: u64, provision: Option<&str>) -> ConsentEvent {
    let provision = provision.map(ProvisionId::from);
    let revocation = Revocation { patient: patient(), provision, at: now(), by: Actor::Unresolved };
    ConsentEvent { seq, at: now(), change: Change::Revoke(revocation) }
}

fn book(events: &[ConsentEvent]) -> Book {
    let mut book = Book::default();
    for event in events {
        book.apply(event);
    }
    book
}

fn answer(book: &Book, request: &AccessRequest) -> (Reason, Option<String>) {
    let decision = book.decide(request, now());
    assert_eq!(decision.is_permit(), decision.reason == Reason::Permitted);
    (decision.reason, decision.provision.map(|it| it.to_string()))
}

fn named(reason: Reason, id: &str) -> (Reason, Option<String>) {
    (reason, Some(id.to_owned()))
}
