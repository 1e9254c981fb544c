use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::*;
use super::{lines, make};

/// Reads CSV with quoted fields.
fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(|line| {
            let (mut fields, mut quoted) = (vec![String::new()], false);
            let mut letters = line.chars().peekable();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' if quoted && letters.peek() == Some(&'"') => {
                        letters.next();
                        fields.last_mut().unwrap().push('"');
                    }
                    '"' => quoted = !quoted,
                    ',' if !quoted => fields.push(String::new()),
                    _ => fields.last_mut().unwrap().push(letter),
                }
            }
            fields
        })
        .collect()
}

#[test]
fn people_have_clusters_whose_copies_differ_and_numbers_that_were_never_issued() {
    let (csv, truth) = make(Kind::People, &Options { duplicates: 0.4, bad: 0.05, ..Options::new(800, 4) });
    let rows = rows(std::str::from_utf8(&csv).unwrap());
    assert_eq!(
        rows[0].join(","),
        "rec_id,cluster,given_name,surname,street_number,address_1,address_2,suburb,postcode,state,date_of_birth,soc_sec_id"
    );
    let bad: BTreeSet<u64> = truth.bad.iter().map(|planted| planted.position).collect();
    let (mut ids, mut originals, mut copies) = (BTreeSet::new(), BTreeMap::new(), 0);
    for (position, row) in rows[1..].iter().enumerate() {
        if bad.contains(&(position as u64)) {
            assert!(row.len() != 12 || row[0].is_empty());
            continue;
        }
        assert_eq!(row.len(), 12);
        assert!(ids.insert(row[0].clone()), "{} stands twice", row[0]);
        if row[0].ends_with("-org") {
            let social: u64 = row[11].parse().unwrap();
            assert!(social >= 900_000_000 && social / 10_000 % 100 < 50);
            originals.insert(row[1].clone(), row[2..].to_vec());
        } else {
            copies += 1;
            assert_ne!(originals[&row[1]], row[2..], "{}", row[0]);
        }
    }
    assert_eq!((originals.len() as u64, copies), (truth.distinct, truth.variants));
}

#[test]
fn the_expected_decisions_follow_from_the_lines() {
    let (lines, truth) =
        lines(Kind::Consents, Options { duplicates: 0.1, bad: 0.05, ..Options::new(3_000, 6) });
    let bad: BTreeSet<u64> = truth.bad.iter().map(|planted| planted.position).collect();
    let mut held: BTreeMap<String, (Value, bool)> = BTreeMap::new();
    let (mut permitted, mut denied) = (0, 0);
    for (position, line) in lines.iter().enumerate() {
        if bad.contains(&(position as u64)) {
            continue;
        }
        let text = |key: &str| line[key].as_str().unwrap();
        match text("op") {
            "grant" => {
                let provision = line["provision"].clone();
                held.insert(provision["id"].as_str().unwrap().to_owned(), (provision, false));
            }
            "revoke" => {
                let named = line["provision"].as_str();
                for (id, (provision, revoked)) in &mut held {
                    *revoked |=
                        provision["patient"] == line["patient"] && named.is_none_or(|named| named == id);
                }
            }
            "decide" => {
                let effects: Vec<&str> = held.values().filter_map(|held| effect(held, line)).collect();
                let permit = effects.contains(&"permit") && !effects.contains(&"deny");
                assert_eq!(text("expect") == "permit", permit, "line {position}");
                *(if permit { &mut permitted } else { &mut denied }) += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!((permitted, denied), (truth.permitted, truth.denied));
    assert!(permitted > 100 && denied > 100, "{permitted} {denied}");
}

/// What a provision, revoked or not, does with a request, as the consent agent documents it.
fn effect((provision, revoked): &(Value, bool), request: &Value) -> Option<&'static str> {
    let among = |list: &Value, code: &Value| list.as_array().is_none_or(|list| list.contains(code));
    let (start, end) = (provision["period"]["start"].as_str(), provision["period"]["end"].as_str());
    let speaks = provision["patient"] == request["patient"]
        && among(&provision["purposes"], &request["purpose"])
        && among(&provision["data_types"], &request["data_type"])
        && among(&provision["actors"], &request["actor"])
        && start.is_none_or(|start| start <= "2026-06-01")
        && end.is_none_or(|end| end >= "2026-06-01");
    let excepted = provision["exceptions"]
        .as_array()
        .is_some_and(|list| list.iter().any(|rule| among(&rule["data_types"], &request["data_type"])));
    match (speaks, provision["effect"] == "deny" || excepted, revoked) {
        (true, true, _) => Some("deny"),
        (true, false, false) => Some("permit"),
        _ => None,
    }
}
