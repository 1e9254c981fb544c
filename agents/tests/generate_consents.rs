//! The consent agent decides generated requests as the generator says is right.

use jiff::Timestamp;
use serde::Deserialize;
use statim_agents::consent::{
    AccessRequest, Actor, Book, Change, ConsentEvent, DataType, Outcome, PatientId, Provision, ProvisionId,
    Purpose, Revocation,
};
use statim_agents::generate::{Kind, Options, generate};

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Line {
    Grant { provision: Provision },
    Revoke { patient: PatientId, provision: Option<ProvisionId> },
    Decide { patient: PatientId, actor: Actor, purpose: Purpose, data_type: DataType, expect: Outcome },
}

fn decisions_agree_at(now: &str) {
    let now: Timestamp = now.parse().unwrap();
    let mut bytes = Vec::new();
    let options = Options { bad: 0.02, ..Options::new(6_000, 77) };
    let truth = generate(Kind::Consents, &options, &mut bytes, &mut |_| {}).unwrap();
    let text = String::from_utf8(bytes).unwrap();

    let (mut book, mut bad, mut permitted, mut denied) = (Book::default(), Vec::new(), 0, 0);
    for (position, line) in (0..).zip(text.lines()) {
        let Ok(line) = serde_json::from_str::<Line>(line) else {
            bad.push(position);
            continue;
        };
        let change = match line {
            Line::Grant { provision } => {
                provision.check().unwrap();
                Change::Grant { provision, by: Actor::Unresolved }
            }
            Line::Revoke { patient, provision } => {
                Change::Revoke(Revocation { patient, provision, at: now, by: Actor::Unresolved })
            }
            Line::Decide { patient, actor, purpose, data_type, expect } => {
                let decision = book.decide(&AccessRequest { patient, actor, purpose, data_type }, now);
                assert_eq!(decision.outcome, expect, "line {position}: {:?}", decision.reason);
                *(if decision.is_permit() { &mut permitted } else { &mut denied }) += 1;
                continue;
            }
        };
        book.apply(&ConsentEvent { seq: position + 1, at: now, change });
    }
    assert_eq!(bad, truth.bad.iter().map(|planted| planted.position).collect::<Vec<_>>());
    assert_eq!((permitted, denied), (truth.permitted, truth.denied));
    assert!(permitted > 500 && denied > 500, "{permitted} {denied}");
}

#[test]
fn decisions_agree_with_the_expected_ones_today() {
    decisions_agree_at("2026-06-01T12:00:00Z");
}

#[test]
fn decisions_agree_with_the_expected_ones_at_both_ends_of_the_years_they_are_made_for() {
    decisions_agree_at("2025-01-01T00:00:00Z");
    decisions_agree_at("2089-12-31T23:59:59Z");
}
