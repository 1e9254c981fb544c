//! What holds for anything that can be agreed and asked.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn code(of: [&'static str; 3]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(of.to_vec())
}

fn codes(of: [&'static str; 3]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(code(of), 0..3)
}

const PURPOSES: [&str; 3] = ["care", "research", "billing"];
const TYPES: [&str; 3] = ["laboratory", "genomics", "imaging"];
const ACTORS: [&str; 3] = ["org:a", "org:b", ""];
const DAY: i64 = 86_400;

fn period() -> impl Strategy<Value = Period> {
    let edge = |range| proptest::option::weighted(0.3, range);
    let near = |days: i64| Timestamp::from_second(now().as_second() + days * DAY).expect("in range");
    (edge(-9..5_i64), edge(6..9_i64))
        .prop_map(move |(start, end)| Period { start: start.map(near), end: end.map(near) })
}

fn rule() -> impl Strategy<Value = Rule> {
    let one = || {
        let effect = proptest::sample::select(vec![Effect::Permit, Effect::Deny]);
        (effect, codes(PURPOSES), codes(TYPES), codes(ACTORS), period())
    };
    let build = |(effect, purposes, data_types, actors, period): (_, Vec<&str>, Vec<&str>, Vec<&str>, _),
                 exceptions| Rule {
        effect,
        purposes: purposes.into_iter().map(Purpose::from).collect(),
        data_types: data_types.into_iter().map(DataType::from).collect(),
        actors: actors.into_iter().map(Actor::new).collect(),
        period,
        exceptions,
    };
    one().prop_map(move |it| build(it, vec![])).prop_recursive(3, 8, 3, move |inner| {
        (one(), proptest::collection::vec(inner, 0..3))
            .prop_map(move |(it, exceptions)| build(it, exceptions))
    })
}

fn rooted(id: usize, rule: Rule) -> Provision {
    let Rule { effect, purposes, data_types, actors, period, exceptions } = rule;
    let id = ProvisionId::new(id.to_string());
    Provision {
        id,
        patient: patient(),
        issued: None,
        effect,
        purposes,
        data_types,
        actors,
        period,
        exceptions,
    }
}

fn agreed() -> impl Strategy<Value = Vec<ConsentEvent>> {
    proptest::collection::vec(rule(), 0..5).prop_map(|rules| {
        (1..).zip(rules).map(|(seq, rule)| grant(seq, rooted(seq as usize, rule))).collect()
    })
}

fn asked() -> impl Strategy<Value = AccessRequest> {
    (code(ACTORS), code(PURPOSES), code(TYPES))
        .prop_map(|(actor, purpose, kind)| request(actor, purpose, kind))
}

/// Puts `leaf` beside or below some rule of the provision.
fn except(exceptions: &mut Vec<Rule>, leaf: Rule, way: &[prop::sample::Index]) {
    match way.split_first() {
        Some((index, way)) if !exceptions.is_empty() => {
            let index = index.index(exceptions.len());
            except(&mut exceptions[index].exceptions, leaf, way);
        }
        _ => exceptions.push(leaf),
    }
}

proptest! {
    #[test]
    fn a_further_denial_never_turns_a_denial_into_a_permission(
        events in agreed(), ask in asked(), mut leaf in rule(), way in prop::collection::vec(any::<prop::sample::Index>(), 0..4)
    ) {
        leaf.effect = Effect::Deny;
        leaf.exceptions.clear();
        let before = book(&events).decide(&ask, now());
        // As a provision of its own.
        let mut more = events.clone();
        more.push(grant(100, rooted(100, leaf.clone())));
        prop_assert!(before.is_permit() || !book(&more).decide(&ask, now()).is_permit());
        // As an exception anywhere.
        if let Some(ConsentEvent { change: Change::Grant { provision, .. }, .. }) = events.clone().first_mut() {
            let mut changed = provision.clone();
            except(&mut changed.exceptions, leaf, &way);
            let mut more = events.clone();
            more.push(grant(100, changed));
            prop_assert!(before.is_permit() || !book(&more).decide(&ask, now()).is_permit());
        }
    }

    #[test]
    fn after_everything_is_revoked_nothing_is_permitted_without_a_later_grant(
        events in agreed(), imports in agreed(), ask in asked()
    ) {
        let mut book = book(&events);
        book.apply(&revoke(50, None));
        prop_assert!(!book.decide(&ask, now()).is_permit());
        for event in imports {
            let Change::Grant { provision, .. } = event.change else { continue };
            book.apply(&import(50 + event.seq, provision));
            prop_assert!(!book.decide(&ask, now()).is_permit());
        }
    }

    #[test]
    fn revoking_one_provision_never_permits_more(events in agreed(), ask in asked(), one in 1..5_u64) {
        let mut book = book(&events);
        let before = book.decide(&ask, now());
        book.apply(&revoke(50, Some(&one.to_string())));
        let after = book.decide(&ask, now());
        prop_assert!(before.is_permit() || !after.is_permit());
        prop_assert!(after.provision.is_none_or(|id| !after.outcome.eq(&Outcome::Permit) || id.as_str() != one.to_string()));
    }

    #[test]
    fn outside_every_period_nothing_is_permitted(events in agreed(), ask in asked()) {
        let mut bounded = events;
        for event in &mut bounded {
            if let Change::Grant { provision, .. } = &mut event.change {
                provision.period = Period { start: Some(time("2026-06-01T00:00:00Z")), end: Some(time("2026-07-01T00:00:00Z")) };
            }
        }
        let book = book(&bounded);
        for at in ["2026-05-31T23:59:59Z", "2026-07-01T00:00:00Z"] {
            prop_assert!(!book.decide(&ask, time(at)).is_permit());
        }
    }

    #[test]
    fn a_permission_always_names_a_provision_and_somebody_unknown_never_has_one(events in agreed(), ask in asked()) {
        let decision = book(&events).decide(&ask, now());
        if decision.is_permit() {
            prop_assert!(decision.provision.is_some() && ask.actor != Actor::Unresolved);
        }
    }

    #[test]
    fn events_taken_in_twice_change_nothing_more(events in agreed(), at in 0..6_u64, ask in asked()) {
        let mut all = events;
        all.insert((at as usize).min(all.len()), revoke(60, Some("1")));
        for (seq, event) in (1..).zip(&mut all) {
            event.seq = seq;
        }
        let once = book(&all);
        let twice = book(&[all.clone(), all].concat());
        prop_assert_eq!(once.decide(&ask, now()), twice.decide(&ask, now()));
    }

    #[test]
    fn any_provision_survives_json(rule in rule()) {
        let provision = rooted(1, rule);
        let json = serde_json::to_string(&provision).expect("writes");
        prop_assert_eq!(parse(&json), provision);
    }

    #[test]
    fn any_bytes_are_a_provision_or_a_bad_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (line, result) in (1..).zip(read_provisions(&bytes[..])) {
            if let Err(bad) = result {
                prop_assert!(bad.line >= line);
            }
        }
    }
}
