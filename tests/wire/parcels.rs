//! What a parcel says about itself and its message.

use std::time::Duration;

use statim::wire::{EncodeError, Fault, Format, Header, Limits, Parcel, ParcelError, Timestamp};
use statim::{Key, Message, Priority};

use crate::mutations::seal;
use crate::samples::{full, least, message};

#[test]
fn a_header_is_what_the_message_type_says() {
    let before = Timestamp::now();
    let header = Header::of("consent", &message());
    assert_eq!((header.receiver.as_str(), header.priority), ("consent", Priority::Critical));
    assert_eq!(header.kind, message().kind());
    assert_eq!((header.key, header.batch_key), (Some(Key::of("patient-17")), Some(Key::of("patient-17"))));
    assert!(header.sent_at >= before && header.sent_at <= Timestamp::now());
    assert_eq!((header.attempts, header.deadline, header.idempotency_key), (0, None, None));
}

#[test]
fn a_header_in_json_is_json_that_people_read() {
    let bytes = full(Format::Json).to_bytes(&Limits::DEFAULT).unwrap();
    let documents: Vec<serde_json::Value> =
        serde_json::Deserializer::from_slice(&bytes[20..]).into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(
        documents[0],
        serde_json::json!({
            "id": "019aa7c4-0000-7abc-8def-0123456789ab",
            "receiver": "consent",
            "kind": "ward::Ward",
            "priority": "critical",
            "sent_at": 1_763_740_800_123_456_u64,
            "key": documents[0]["key"],
            "batch_key": documents[0]["key"],
            "deadline": 1_763_740_860_123_456_u64,
            "attempts": 2,
            "idempotency_key": "revoke/17",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "reply_to": "_INBOX.a.1",
            "correlation": "00000000-0000-0000-0000-00000000002a",
        })
    );
    assert_eq!(documents[0]["key"].as_str().unwrap().len(), 32);
    assert_eq!(documents[1]["Revoke"]["patient"], "patient-17");
}

#[test]
fn a_deadline_survives_rest_and_clocks_that_disagree() {
    let mut header = Header::new("consent", "test", Priority::Normal);
    assert_eq!(header.remaining(Timestamp::now()), None);
    let sent = Timestamp::from_micros(1_000_000_000);
    header.sent_at = sent;
    header.deadline = Some(sent.after(Duration::from_secs(60)));
    let remaining = |now| header.remaining(now).unwrap().as_secs();
    assert_eq!(remaining(sent), 60);
    assert_eq!(remaining(sent.after(Duration::from_secs(45))), 15, "time at rest counts");
    assert_eq!(remaining(sent.after(Duration::from_secs(61))), 0);
    assert_eq!(remaining(Timestamp::from_micros(0)), 60, "a clock behind grants no more than the sender did");
    header.deadline = Some(Timestamp::from_micros(0));
    assert_eq!(header.remaining(Timestamp::from_micros(0)), Some(Duration::ZERO));
}

#[test]
fn neither_header_nor_parcel_shows_a_key_or_the_payload() {
    let mut parcel = full(Format::Json);
    parcel.header.idempotency_key = Some("patient-17".to_owned());
    let shown = format!("{parcel:?}");
    assert!(!shown.contains("patient-17") && shown.contains("payload_bytes"), "{shown}");
}

#[test]
fn what_is_no_parcel_is_refused() {
    let limits = Limits::default();
    for bytes in
        [&b""[..], b"{}", b"\x89STM", &[0; 20], &[0xff; 100], b"{\"statim\":1,\"and\":\"much more\"}"]
    {
        assert_eq!(Parcel::from_bytes(bytes, &limits), Err(ParcelError::NotAParcel));
    }
    for format in Format::ALL {
        let bytes = full(format).to_bytes(&limits).unwrap();
        for length in 0..bytes.len() {
            assert!(Parcel::from_bytes(&bytes[..length], &limits).is_err(), "{format} {length}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        let claimed = bytes.len() - 20;
        let error = ParcelError::WrongLength { claimed, bytes: claimed + 1 };
        assert_eq!(Parcel::from_bytes(&longer, &limits), Err(error));
        let mut damaged = bytes;
        *damaged.last_mut().unwrap() ^= 0x10;
        assert_eq!(Parcel::from_bytes(&damaged, &limits), Err(ParcelError::Damaged));
    }
}

#[test]
fn lengths_are_held_to_the_limits_before_they_are_believed() {
    let limits = Limits::default();
    let mut bytes = least(Format::Bincode).to_bytes(&limits).unwrap();
    bytes[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = ParcelError::TooLarge { bytes: u32::MAX as usize, limit: limits.max_bytes };
    assert_eq!(Parcel::from_bytes(&bytes, &limits), Err(error));
    bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = ParcelError::HeaderTooLarge { bytes: u32::MAX as usize, limit: Header::MAX_BYTES };
    assert_eq!(Parcel::from_bytes(&bytes, &limits), Err(error));
    let boundless = Limits { max_bytes: usize::MAX, ..limits };
    bytes[8..12].copy_from_slice(&0_u32.to_le_bytes());
    assert!(matches!(Parcel::from_bytes(&bytes, &boundless), Err(ParcelError::WrongLength { .. })));
}

#[test]
fn what_is_too_long_is_not_written() {
    for format in Format::ALL {
        let mut parcel = least(format);
        let tight = Limits { max_bytes: parcel.payload.len(), ..Limits::default() };
        let bytes = parcel.to_bytes(&tight).unwrap();
        assert_eq!(Parcel::from_bytes(&bytes, &tight).as_ref(), Ok(&parcel));
        let tighter = Limits { max_bytes: tight.max_bytes - 1, ..tight };
        let error = EncodeError::TooLarge { format, limit: tighter.max_bytes };
        assert_eq!(parcel.to_bytes(&tighter), Err(error));
        assert!(matches!(Parcel::from_bytes(&bytes, &tighter), Err(ParcelError::TooLarge { .. })));
        parcel.header.receiver = "x".repeat(Header::MAX_BYTES);
        let error = EncodeError::HeaderTooLarge { limit: Header::MAX_BYTES };
        assert_eq!(parcel.to_bytes(&Limits::DEFAULT), Err(error));
        // The longest receiver that fits is read again.
        let longest = (0..400).find_map(|less| {
            parcel.header.receiver = "x".repeat(Header::MAX_BYTES - less);
            parcel.to_bytes(&Limits::DEFAULT).ok()
        });
        assert_eq!(Parcel::from_bytes(&longest.unwrap(), &Limits::DEFAULT).as_ref(), Ok(&parcel));
    }
}

/// The class of fault of a header in bincode that is this list of fields.
fn fault_of(fields: &[(u8, Vec<u8>)]) -> Option<Fault> {
    let header = statim::wire::encode_message(fields, Format::Bincode, &Limits::DEFAULT).unwrap();
    let mut bytes = least(Format::Bincode).to_bytes(&Limits::DEFAULT).unwrap()[..20].to_vec();
    bytes[8..12].copy_from_slice(&(header.len() as u32).to_le_bytes());
    bytes[12..16].copy_from_slice(&0_u32.to_le_bytes());
    bytes.extend(header);
    seal(&mut bytes);
    match Parcel::from_bytes(&bytes, &Limits::DEFAULT) {
        Ok(_) => None,
        Err(ParcelError::Header(statim::wire::DecodeError::Malformed { fault, .. })) => Some(fault),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_faulty_field_of_a_bincode_header_is_named() {
    let good =
        || vec![(1, vec![0; 16]), (2, b"a".to_vec()), (3, b"k".to_vec()), (4, vec![3]), (5, vec![0; 8])];
    let with = |tag: u8, value: Vec<u8>| {
        let mut fields = good();
        fields.retain(|(it, _)| *it != tag);
        fields.push((tag, value));
        fault_of(&fields)
    };
    assert_eq!(fault_of(&good()), None);
    for (tag, name) in [(1, "id"), (2, "receiver"), (3, "kind"), (4, "priority"), (5, "sent_at")] {
        let mut fields = good();
        fields.retain(|(it, _)| *it != tag);
        assert_eq!(fault_of(&fields), Some(Fault::MissingField(name)));
        fields = good();
        fields.extend_from_slice(&good()[usize::from(tag) - 1..usize::from(tag)]);
        assert_eq!(fault_of(&fields), Some(Fault::DuplicateField(name)));
    }
    assert_eq!(with(1, vec![0; 15]), Some(Fault::WrongField("id")));
    assert_eq!(with(2, vec![0xff]), Some(Fault::WrongField("receiver")));
    assert_eq!(with(4, vec![4]), Some(Fault::WrongField("priority")));
    assert_eq!(with(5, vec![0; 9]), Some(Fault::WrongField("sent_at")));
    assert_eq!(with(6, vec![]), Some(Fault::WrongField("key")));
    assert_eq!(with(9, vec![1]), Some(Fault::WrongField("attempts")));
    assert_eq!(with(11, vec![0; 25]), Some(Fault::WrongField("traceparent")));
    assert_eq!(with(0, vec![1]), None, "a tag of nothing that is known");
}
