//! What is decided, case by case.

use super::*;

#[test]
fn what_nobody_permitted_is_denied() {
    let ask = request("org:a", "research", "laboratory");
    assert_eq!(answer(&Book::default(), &ask), (Reason::NoConsent, None));
    let other = book(&[grant(1, provision("p", r#""effect":"permit","purposes":["treatment"]"#))]);
    assert_eq!(answer(&other, &ask), (Reason::NoConsent, None));
}

#[test]
fn the_deepest_matching_rule_decides_and_denial_between_equals() {
    let nested = provision(
        "p",
        r#""effect":"permit","exceptions":[
            {"effect":"deny","data_types":["genomics"],"exceptions":[{"effect":"permit","actors":["org:lab"]}]},
            {"effect":"permit","purposes":["research"]},
            {"effect":"deny","purposes":["research"],"data_types":["psychiatry"]}]"#
            .replace('\n', " ")
            .as_str(),
    );
    let book = book(&[grant(1, nested)]);
    assert_eq!(answer(&book, &request("org:a", "treatment", "laboratory")), named(Reason::Permitted, "p"));
    assert_eq!(
        answer(&book, &request("org:a", "treatment", "genomics")),
        named(Reason::DeniedByProvision, "p")
    );
    assert_eq!(answer(&book, &request("org:lab", "treatment", "genomics")), named(Reason::Permitted, "p"));
    assert_eq!(
        answer(&book, &request("org:a", "research", "psychiatry")),
        named(Reason::DeniedByProvision, "p")
    );
}

#[test]
fn between_provisions_denial_overrides_and_is_named() {
    let book = book(&[
        grant(1, provision("no", r#""effect":"deny","actors":["org:b"]"#)),
        grant(2, provision("yes", r#""effect":"permit""#)),
    ]);
    assert_eq!(answer(&book, &request("org:b", "x", "y")), named(Reason::DeniedByProvision, "no"));
    assert_eq!(answer(&book, &request("org:a", "x", "y")), named(Reason::Permitted, "yes"));
}

#[test]
fn somebody_unknown_is_never_permitted_and_always_denied() {
    let open = book(&[grant(1, provision("p", r#""effect":"permit""#))]);
    assert_eq!(answer(&open, &request(" ", "x", "y")).0, Reason::NoConsent);
    let closed = book(&[
        grant(1, provision("p", r#""effect":"permit","actors":["org:a",null]"#)),
        grant(2, provision("d", r#""effect":"deny","actors":["org:b"]"#)),
    ]);
    assert_eq!(answer(&closed, &request("", "x", "y")), named(Reason::DeniedByProvision, "d"));
    assert_eq!(answer(&closed, &request("org:a", "x", "y")), named(Reason::Permitted, "p"));
    let unresolved = book(&[
        grant(1, provision("p", r#""effect":"permit""#)),
        grant(2, provision("d", r#""effect":"deny","actors":[null]"#)),
    ]);
    assert_eq!(answer(&unresolved, &request("org:a", "x", "y")), named(Reason::DeniedByProvision, "d"));
}

#[test]
fn an_end_given_as_a_date_includes_that_day_and_one_given_as_a_time_does_not() {
    let ask = request("org:a", "x", "y");
    for (period, at, reason) in [
        (r#"{"start":"2026-01-01","end":"2026-06-15"}"#, "2026-06-15T23:59:59.999Z", Reason::Permitted),
        (r#"{"start":"2026-01-01","end":"2026-06-15"}"#, "2026-06-16T00:00:00Z", Reason::Expired),
        (r#"{"end":"2026-06-15T12:00:00+02:00"}"#, "2026-06-15T09:59:59Z", Reason::Permitted),
        (r#"{"end":"2026-06-15T12:00:00+02:00"}"#, "2026-06-15T10:00:00Z", Reason::Expired),
        (r#"{"start":"2026-06"}"#, "2026-05-31T23:59:59Z", Reason::NotYetInForce),
        (r#"{"start":"2026-06","end":null}"#, "2026-06-01T00:00:00Z", Reason::Permitted),
        (r#"{"end":"2024-02"}"#, "2024-02-29T23:59:59Z", Reason::Permitted),
        (r#"{"end":"2025"}"#, "2025-12-31T23:59:59Z", Reason::Permitted),
        (r#"{"end":"2025"}"#, "2026-01-01T00:00:00Z", Reason::Expired),
    ] {
        let book = book(&[grant(1, provision("p", &format!(r#""effect":"permit","period":{period}"#)))]);
        let decision = book.decide(&ask, time(at));
        assert_eq!((decision.reason, decision.provision.is_some()), (reason, true), "{period} at {at}");
    }
}

#[test]
fn a_revocation_counts_for_the_very_next_decision_until_a_later_grant() {
    let ask = request("org:a", "x", "y");
    let permit = || provision("p", r#""effect":"permit""#);
    let mut book = book(&[grant(1, permit())]);
    let queued = book.decide(&ask, now());
    assert_eq!((queued.consent_version, book.version(&patient())), (1, 1));
    book.apply(&revoke(2, Some("p")));
    assert_eq!(answer(&book, &ask), named(Reason::Revoked, "p"));
    // Whoever still holds the earlier decision can see that it is out of date.
    assert_ne!(queued.consent_version, book.version(&patient()));
    book.apply(&import(3, permit()));
    assert_eq!(answer(&book, &ask), named(Reason::Revoked, "p"));
    assert!(book.apply(&import(3, provision("p", r#""effect":"permit","purposes":["x"]"#))));
    assert_eq!(answer(&book, &ask), named(Reason::Revoked, "p"));
    book.apply(&grant(4, permit()));
    assert_eq!(answer(&book, &ask), named(Reason::Permitted, "p"));
    book.apply(&revoke(5, None));
    assert_eq!(answer(&book, &ask), named(Reason::Revoked, "p"));
}

#[test]
fn revoking_a_refusal_does_not_lift_it_and_granting_it_anew_does() {
    let ask = request("org:a", "x", "y");
    let mut book = book(&[
        grant(1, provision("yes", r#""effect":"permit""#)),
        grant(2, provision("no", r#""effect":"deny","purposes":["x"]"#)),
        revoke(3, Some("no")),
    ]);
    assert_eq!(answer(&book, &ask), named(Reason::DeniedByProvision, "no"));
    book.apply(&grant(4, provision("no", r#""effect":"deny","purposes":["z"]"#)));
    assert_eq!(answer(&book, &ask), named(Reason::Permitted, "yes"));
}

#[test]
fn an_import_that_a_revocation_has_overtaken_does_not_undo_it() {
    let ask = request("org:a", "x", "y");
    for overtaking in [revoke(1, None), revoke(1, Some("p"))] {
        let mut book = book(&[overtaking]);
        assert_eq!(book.version(&patient()), 1);
        book.apply(&import(2, provision("p", r#""effect":"permit","issued":"2026-06-15T11:59:59Z""#)));
        assert_eq!(answer(&book, &ask), named(Reason::Revoked, "p"));
    }
    let mut book = book(&[revoke(1, None)]);
    book.apply(&import(2, provision("later", r#""effect":"permit","issued":"2026-06-15T12:00:01Z""#)));
    assert_eq!(answer(&book, &ask), named(Reason::Permitted, "later"));
}

#[test]
fn an_older_import_gives_way_to_a_newer_one_and_the_same_one_is_no_news() {
    let old = provision("p", r#""effect":"permit","issued":"2026-01-01T00:00:00Z""#);
    let new = provision("p", r#""effect":"deny","issued":"2026-02-01T00:00:00Z""#);
    let mut book = book(&[import(1, new.clone())]);
    assert!(!book.would_import(&new) && !book.would_import(&old));
    assert!(!book.apply(&import(2, old)));
    assert_eq!(answer(&book, &request("org:a", "x", "y")), named(Reason::DeniedByProvision, "p"));
    assert_eq!(book.version(&patient()), 1);
}

#[test]
fn a_patient_whose_revocation_could_not_be_recorded_is_withheld() {
    let mut book = book(&[grant(1, provision("p", r#""effect":"permit""#))]);
    let ask = request("org:a", "x", "y");
    book.withhold(&patient());
    assert_eq!(answer(&book, &ask), (Reason::Revoked, None));
    book.release(&patient());
    assert_eq!(answer(&book, &ask).0, Reason::Permitted);
}

#[test]
fn what_makes_no_sense_is_denied() {
    let mut book = book(&[grant(1, provision("p", r#""effect":"permit""#))]);
    for ask in
        [request("org:a", "", "y"), request("org:a", "x", "\t "), request("org:a", &"x".repeat(300), "y")]
    {
        assert_eq!(answer(&book, &ask), (Reason::EvaluatorError, None));
    }
    let mut backwards = provision("back", r#""effect":"permit""#);
    backwards.period = Period { start: Some(now()), end: Some(now()) };
    book.apply(&grant(2, backwards));
    assert_eq!(answer(&book, &request("org:a", "x", "y")), named(Reason::EvaluatorError, "back"));
    let mut rule = Rule {
        effect: Effect::Permit,
        purposes: vec![],
        data_types: vec![],
        actors: vec![],
        period: Period::ALWAYS,
        exceptions: vec![],
    };
    for _ in 0..50 {
        rule = Rule { exceptions: vec![rule.clone()], ..rule };
    }
    let mut deep = provision("deep", r#""effect":"permit""#);
    deep.exceptions.push(rule);
    assert_eq!(deep.check(), Err(ProvisionFault::TooDeep));
}

#[test]
fn a_patient_is_never_shown_in_full() {
    let ask = request("org:a", "x", "y");
    let shown = format!("{} {:?} {ask:?} {:?}", patient(), patient(), book(&[revoke(1, None)]));
    assert!(!shown.contains("MRN") && !shown.contains("Ann"), "{shown}");
    assert_eq!(patient().to_string().len(), "patient:01234567".len());
    assert_eq!(patient().fingerprint(), patient().fingerprint());
    assert_ne!(patient().fingerprint(), PatientId::new("MRN-0043-Bob").fingerprint());
}

#[test]
fn a_decision_and_a_request_survive_json() {
    let book = book(&[grant(7, provision("p", r#""effect":"deny""#))]);
    let decision = book.decide(&request("org:a", "x", "y"), now());
    let json = serde_json::to_string(&decision).expect("writes");
    assert!(
        json.contains(
            r#""outcome":"deny","reason":"denied_by_provision","provision":"p","consent_version":7"#
        )
    );
    assert_eq!(serde_json::from_str::<Decision>(&json).expect("reads"), decision);
}
