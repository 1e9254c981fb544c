//! What a revocation does, and what an agent does that cannot write its ledger.

use std::collections::{BTreeMap, BTreeSet};

use statim::{AskError, Reason as Dropped};
use statim_agents::consent::{Actor, ConsentMessage, Outcome, PatientId, ProvisionId, Reason};

use crate::ledger::{Office, kinds, last_decision, provision, revocation};
use crate::place::{Outcome as Ended, block_on, shared};

#[test]
fn a_revocation_purges_what_is_queued_about_its_patient_and_nobody_elses() {
    let _machine = shared();
    block_on(async {
        let office = Office::open();
        office.grant("P1", "old", "research").await;
        office.consent.pause().expect("lives");
        let ask = |patient: &str, id: &str| {
            let (consent, provision) = (office.consent.clone(), Box::new(provision(patient, id, "research")));
            tokio::spawn(async move {
                let by = Actor::new("test");
                consent.ask(|reply| ConsentMessage::Grant { provision, by, reply: Some(reply) }).await
            })
        };
        let (theirs, another) = (ask("P1", "new"), ask("P2", "new"));
        let import = ConsentMessage::Import(Box::new(provision("P1", "imported", "research")));
        office.consent.tell(import).await.expect("takes it");
        office.queued(3).await;
        let revoke = ConsentMessage::Revoke { revocation: revocation("P1", Some("old")), reply: None };
        office.consent.tell(revoke).await.expect("takes it");
        office.consent.resume().expect("lives");

        let refused = theirs.await.expect("ends").expect_err("was purged");
        assert!(matches!(refused, AskError::Dropped(Dropped::Purged)), "{refused:?}");
        another.await.expect("ends").expect("was granted");
        let decision = office.decide("P1", "research").await;
        assert_eq!((decision.outcome, decision.reason), (Outcome::Deny, Reason::Revoked));
        assert_eq!(decision.provision, Some(ProvisionId::new("old")));
        assert_eq!(kinds(&office.on_record("P1").await), ["grant", "revoke", "decision"]);
        assert!(office.decide("P2", "research").await.is_permit());
        let dropped = office.runtime.snapshot().agent("consent").expect("is there").dropped.clone();
        assert_eq!(dropped, BTreeMap::from([(Dropped::Purged, 2)]));
        office.close().await;
    });
}

#[test]
fn a_decision_is_on_record_before_it_is_answered() {
    let _machine = shared();
    block_on(async {
        let office = Office::open();
        office.grant("P1", "g", "research").await;
        for round in 1..=20 {
            let decision = office.decide("P1", if round % 2 == 0 { "research" } else { "marketing" }).await;
            let events = office.on_record("P1").await;
            assert_eq!(events.len(), 1 + round);
            assert_eq!(last_decision(&events), Some(decision));
        }
        office.close().await;
    });
}

#[test]
fn a_ledger_that_cannot_be_written_denies_everything() {
    let _machine = shared();
    block_on(async {
        let office = Office::open();
        office.grant("P1", "g", "research").await;
        assert!(office.decide("P1", "research").await.is_permit());
        office
            .tamper(
                "CREATE TRIGGER full BEFORE INSERT ON consent_events
                 BEGIN SELECT raise(ABORT, 'the disk is full'); END",
            )
            .await;
        for _ in 0..3 {
            let decision = office.decide("P1", "research").await;
            assert_eq!((decision.outcome, decision.reason), (Outcome::Deny, Reason::EvaluatorError));
            assert_eq!(decision.provision, None);
        }
        office.tamper("DROP TRIGGER full").await;
        assert!(office.decide("P1", "research").await.is_permit());
        assert_eq!(kinds(&office.on_record("P1").await), ["grant", "decision", "decision"]);
        office.close().await;
    });
}

#[test]
fn a_patient_is_withheld_until_every_revocation_of_theirs_is_on_record() {
    let _machine = shared();
    block_on(async {
        let office = Office::open();
        for (id, purpose) in [("a", "research"), ("b", "marketing"), ("c", "treatment")] {
            office.grant("P1", id, purpose).await;
        }
        office.grant("P2", "a", "research").await;
        office
            .tamper(
                "CREATE TRIGGER no_a BEFORE INSERT ON consent_events WHEN NEW.kind = 'revoke' AND NEW.provision = 'a'
                 BEGIN SELECT raise(ABORT, 'the disk is full'); END",
            )
            .await;
        let refused = office.revoke("P1", Some("a")).await.expect_err("cannot be recorded");
        assert!(matches!(refused, AskError::Dropped(Dropped::Poisoned)), "{refused:?}");
        let denied = office.decide("P1", "research").await;
        assert_eq!((denied.outcome, denied.reason), (Outcome::Deny, Reason::Revoked));
        assert!(!office.decide("P1", "treatment").await.is_permit(), "nothing of theirs, for safety's sake");
        assert!(office.decide("P2", "research").await.is_permit(), "somebody else");

        // Another revocation that can be recorded must not bring back what the first one took.
        office.revoke("P1", Some("b")).await.expect("is recorded");
        for purpose in ["research", "marketing", "treatment"] {
            assert!(!office.decide("P1", purpose).await.is_permit(), "{purpose}");
        }
        // Given up by now: three attempts, and then the dead letters, with a body.
        office.until(|office| office.runtime.dead_letters().len() == 1).await;
        let letter = office.runtime.dead_letters().remove(0);
        assert_eq!((letter.kind, letter.reason, letter.attempts), ("revoke", Dropped::Poisoned, 3));
        assert!(letter.body.is_some());

        office.tamper("DROP TRIGGER no_a").await;
        assert!(!office.decide("P1", "treatment").await.is_permit(), "still not on record");
        office.revoke("P1", Some("a")).await.expect("is recorded");
        assert!(!office.decide("P1", "research").await.is_permit());
        assert!(office.decide("P1", "treatment").await.is_permit(), "never revoked, and nothing is withheld");
        office.close().await;
    });
}

#[test]
fn a_revocation_by_another_process_counts_for_the_very_next_decision() {
    let _machine = shared();
    block_on(async {
        let office = Office::open();
        for round in 0..5 {
            let (patient, id) = (format!("P{round}"), "study-7");
            office.grant(&patient, id, "research").await;
            assert!(office.decide(&patient, "research").await.is_permit());
            let url = office.place.url("d.db");
            let args = ["consent", "revoke", "--patient", &patient, "--provision", id, "--database", &url];
            let ended = Ended::of(office.place.statim(&args).spawn().expect("runs"));
            assert_eq!(ended.status, Some(0), "{ended:#?}");
            let decision = office.decide(&patient, "research").await;
            assert_eq!((decision.outcome, decision.reason), (Outcome::Deny, Reason::Revoked));
            assert_eq!(decision.provision, Some(ProvisionId::new(id)));
        }
        // Two processes took turns at one chain.
        let url = office.place.url("d.db");
        let verified = office.place.done(&["consent", "verify", "--json", "--database", &url]).json(0);
        assert_eq!(verified["intact"], true, "{verified}");
        office.close().await;
    });
}

#[test]
fn imports_of_a_patient_are_recorded_together() {
    let _machine = shared();
    block_on(async {
        let office = Office::open();
        office.consent.pause().expect("lives");
        for id in 0..10 {
            for patient in ["P1", "P2"] {
                let import = provision(patient, &format!("i{id}"), "research");
                office.consent.tell(ConsentMessage::Import(Box::new(import))).await.expect("takes it");
            }
        }
        office.queued(20).await;
        office.consent.resume().expect("lives");
        office
            .until(|office| office.runtime.snapshot().agent("consent").is_some_and(|it| it.handled == 20))
            .await;
        for patient in ["P1", "P2"] {
            let events = office.on_record(patient).await;
            let ids: BTreeSet<_> = events.iter().filter_map(|it| it.change.provision()).collect();
            assert_eq!((events.len(), ids.len()), (10, 10));
            assert!(events.iter().all(|it| *it.change.patient() == PatientId::new(patient)));
            let (first, last) = (events[0].seq, events[9].seq);
            assert_eq!(last - first, 9, "in one commit, one after the other");
            let times: BTreeSet<_> = events.iter().map(|it| it.at).collect();
            assert_eq!(times.len(), 1, "in one commit, at one time");
        }
        office.close().await;
    });
}

#[test]
fn whoever_revokes_is_told_when_a_later_attempt_is_recorded() {
    let _machine = shared();
    block_on(async {
        let office = Office::open();
        office.grant("P1", "a", "research").await;
        // Refuses until the table of refusals, which the test fills, is empty: as a disk that was full for a while.
        office
            .tamper(
                "CREATE TABLE refusals (n INTEGER); INSERT INTO refusals VALUES (1);
                 CREATE TRIGGER refuse BEFORE INSERT ON consent_events
                 WHEN NEW.kind = 'revoke' AND (SELECT count(*) FROM refusals) > 0
                 BEGIN SELECT raise(ABORT, 'the disk is full'); END",
            )
            .await;
        office.consent.pause().expect("lives");
        let asked = tokio::spawn({
            let consent = office.consent.clone();
            async move {
                let revocation = revocation("P1", Some("a"));
                consent.ask(|reply| ConsentMessage::Revoke { revocation, reply: Some(reply) }).await
            }
        });
        office.queued(1).await;
        office.consent.resume().expect("lives");
        let failed = |office: &Office| office.runtime.snapshot().agent("consent").map_or(0, |it| it.failed);
        office.until(|office| failed(office) >= 1).await;
        office.tamper("DELETE FROM refusals").await;
        match asked.await.expect("ends") {
            Ok(event) => assert_eq!(event.change.kind(), "revoke"),
            // All three attempts were over before the table was empty.
            Err(refused) => {
                assert!(matches!(refused, AskError::Dropped(Dropped::Poisoned)), "{refused:?}");
                assert_eq!(failed(&office), 3);
            }
        }
        assert!(!office.decide("P1", "research").await.is_permit());
        office.close().await;
    });
}
