//! Provisions from files.

use super::*;

#[test]
fn bad_lines_are_named_by_number_and_reason_and_say_nothing_of_the_patient() {
    let long = format!("{{\"id\":\"{}\"}}", "MRN-0042-Ann".repeat(100_000));
    let deep = format!("{}1{}", r#"{"exceptions":["#.repeat(200), "]}".repeat(200));
    let lines: [(&[u8], &str); 14] = [
        (br#"{"id":"p1","patient":"MRN-0042-Ann","effect":"permit"}"#, ""),
        (b"MRN-0042-Ann", "line 2: not one JSON object, at byte 1"),
        (br#"{"id":"p","effect":"permit"}"#, "line 3: the provision lacks the field patient"),
        (
            br#"{"id":"p","patient":"a","effect":"MRN-0042-Ann"}"#,
            "line 4: the value at effect is not of the expected form",
        ),
        (
            br#"{"id":"p","patient":"a","effect":"permit","MRN-0042-Ann":1}"#,
            "line 5: the provision has a field that is not known",
        ),
        (
            br#"{"id":"p","patient":"a","effect":"permit","exceptions":[{"effect":"deny","purpose":["x"]}]}"#,
            "line 6: exceptions[0] has a field that is not known",
        ),
        (
            br#"{"id":"p","patient":"a","effect":"permit","purposes":["x",5]}"#,
            "line 7: the value at purposes[1] is not of the expected form",
        ),
        (
            br#"{"id":"p","patient":"a","effect":"permit","period":{"end":"MRN-0042-Ann"}}"#,
            "line 8: the value at period.end is not of the expected form",
        ),
        (
            br#"{"id":"p","patient":" ","effect":"permit"}"#,
            "line 9: patient is blank or contains a blank entry",
        ),
        (
            br#"{"id":"p","patient":"a","effect":"permit","period":{"start":"2026","end":"2025"}}"#,
            "line 10: a period ends before it begins",
        ),
        (
            b"{\"id\":\"\xff\xfe\",\"patient\":\"a\",\"effect\":\"permit\"}",
            "line 11: not one JSON object, at byte ",
        ),
        (long.as_bytes(), "line 12: longer than 1 MiB"),
        (deep.as_bytes(), "line 13: "),
        (
            br#"{"id":"p2","patient":"MRN-0042-Ann","effect":"deny"} trailing"#,
            "line 14: not one JSON object, at byte ",
        ),
    ];
    let text: Vec<u8> = lines.iter().flat_map(|(line, _)| [*line, b"\r\n"].concat()).collect();
    let read: Vec<_> = read_provisions(&text[..]).collect();
    assert_eq!(read.len(), lines.len());
    for (result, (_, expected)) in read.iter().zip(lines) {
        match result {
            Ok(_) => assert_eq!(expected, ""),
            Err(bad) => {
                let said = format!("{bad} {bad:?}");
                assert!(!expected.is_empty() && said.starts_with(expected), "{said} is not {expected}");
                assert!(!said.contains("MRN") && !said.contains("Ann"), "{said}");
            }
        }
    }
    assert!(read[0].is_ok());
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark_and_end_without_a_line_feed() {
    let text = b"\xef\xbb\xbf\n\n{\"id\":\"p\",\"patient\":\"a\",\"effect\":\"deny\"}";
    assert_eq!(read_provisions(&text[..]).filter(Result::is_ok).count(), 1);
}
