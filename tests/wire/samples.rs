//! A message with everything in it that messages have, and how to draw one.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use statim::wire::{Format, Header, MessageId, Parcel, Timestamp, TraceContext};
use statim::{Key, Message, Priority};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Ward {
    Empty,
    Revoke(Revocation),
    Move(u32, String, char),
    Observe { code: String, values: Vec<Number>, dose: Small, note: Option<Option<String>> },
    Integers(u64, i64, u128, i128, u8, i8),
    Table(BTreeMap<String, i64>, BTreeMap<u16, bool>),
    Raw(Bytes),
    Nothing((), Vec<Option<()>>),
    Nested(Box<Ward>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Revocation {
    pub(crate) patient: String,
    pub(crate) purposes: Vec<String>,
    pub(crate) emergency: bool,
    pub(crate) at: Timestamp,
}

impl Message for Ward {
    fn priority(&self) -> Priority {
        match self {
            Self::Revoke(_) => Priority::Critical,
            _ => Priority::Normal,
        }
    }

    fn key(&self) -> Option<Key> {
        match self {
            Self::Revoke(revocation) => Some(Key::of(&revocation.patient)),
            _ => None,
        }
    }

    fn batch_key(&self) -> Option<Key> {
        self.key()
    }
}

/// Equal when every bit is, also of NaN.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Number(pub(crate) f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// The same of single precision.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Small(pub(crate) f32);

impl PartialEq for Small {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// Bytes that are written as bytes, not as a sequence of numbers, where the format has them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut access: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = access.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

impl Ward {
    /// Whether JSON can say it.
    pub(crate) fn is_finite(&self) -> bool {
        match self {
            Self::Observe { values, dose, .. } => {
                values.iter().all(|number| number.0.is_finite()) && dose.0.is_finite()
            }
            Self::Nested(inner) => inner.is_finite(),
            _ => true,
        }
    }

    /// JSON writes `Some(None)` and `None` alike: `null`. Serde's way, and what every reader of JSON expects.
    pub(crate) fn written_in(self, format: Format) -> Self {
        match self {
            Self::Observe { code, values, dose, note: Some(None) } if format == Format::Json => {
                Self::Observe { code, values, dose, note: None }
            }
            Self::Nothing((), list) if format != Format::Bincode => Self::Nothing((), vec![None; list.len()]),
            Self::Observe { code, values, dose, note: Some(None) } if format == Format::MessagePack => {
                Self::Observe { code, values, dose, note: None }
            }
            Self::Nested(inner) => Self::Nested(Box::new(inner.written_in(format))),
            other => other,
        }
    }
}

/// Texts that trip those who count bytes, escape, or end at a zero.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let awkward = [
        "",
        "\0",
        "a\0b",
        "\"\\/\u{8}\u{c}\n\r\t",
        "\u{7f}\u{80}\u{2028}\u{2029}\u{feff}",
        "Ærøskøbing 東京 🏥",
        "e\u{301}",
        "\u{10ffff}\u{d7ff}\u{e000}",
        "</script>${x}%s",
        "null",
        "NaN",
        "1e400",
    ];
    prop_oneof![
        3 => proptest::sample::select(awkward.to_vec()).prop_map(str::to_owned),
        3 => any::<String>(),
        1 => vec(any::<char>(), 240..300).prop_map(|letters| letters.into_iter().collect::<String>()),
    ]
}

fn number() -> impl Strategy<Value = Number> {
    let extreme = [
        0.0,
        -0.0,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        f64::MIN,
        f64::EPSILON,
        0.1 + 0.2,
        9_007_199_254_740_993.0,
        1e22,
        1e23,
    ];
    prop_oneof![
        3 => proptest::sample::select(extreme.to_vec()),
        6 => any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |number| number.is_finite()),
        1 => proptest::sample::select([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::from_bits(0xfff8_0000_dead_beef)].to_vec()),
    ]
    .prop_map(Number)
}

fn small() -> impl Strategy<Value = Small> {
    prop_oneof![
        9 => any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |number| number.is_finite()),
        1 => proptest::sample::select([f32::NAN, f32::INFINITY, -0.0, f32::MAX, 1e-45].to_vec()),
    ]
    .prop_map(Small)
}

/// Integers at the edges of what they are stored in, and between.
fn edge() -> impl Strategy<Value = u128> {
    prop_oneof![
        (0_u32..129, -2_i128..3)
            .prop_map(|(bits, off)| { 1_u128.checked_shl(bits).unwrap_or(0).wrapping_add_signed(off) }),
        any::<u128>(),
    ]
}

pub(crate) fn ward() -> impl Strategy<Value = Ward> {
    let leaf = prop_oneof![
        Just(Ward::Empty),
        (text(), vec(text(), 0..4), any::<bool>(), any::<u64>()).prop_map(
            |(patient, purposes, emergency, at)| {
                Ward::Revoke(Revocation { patient, purposes, emergency, at: Timestamp::from_micros(at) })
            }
        ),
        (any::<u32>(), text(), any::<char>()).prop_map(|(bed, text, mark)| Ward::Move(bed, text, mark)),
        (text(), vec(number(), 0..9), small(), option::of(option::of(text())))
            .prop_map(|(code, values, dose, note)| Ward::Observe { code, values, dose, note }),
        (edge(), edge(), edge(), edge(), any::<u8>(), any::<i8>())
            .prop_map(|(a, b, c, d, e, f)| { Ward::Integers(a as u64, b as i64, c, d as i128, e, f) }),
        (btree_map(text(), any::<i64>(), 0..5), btree_map(any::<u16>(), any::<bool>(), 0..5))
            .prop_map(|(by_text, by_number)| Ward::Table(by_text, by_number)),
        vec(any::<u8>(), 0..300).prop_map(|bytes| Ward::Raw(Bytes(bytes))),
        vec(option::of(Just(())), 0..9).prop_map(|list| Ward::Nothing((), list)),
    ];
    leaf.prop_recursive(12, 12, 1, |inner| inner.prop_map(|inner| Ward::Nested(Box::new(inner))))
}

pub(crate) fn format() -> impl Strategy<Value = Format> {
    proptest::sample::select(Format::ALL.as_slice())
}

pub(crate) fn header() -> impl Strategy<Value = Header> {
    let key = || option::of(any::<[u8; 16]>().prop_map(Key::from_bytes));
    let moment = || edge().prop_map(|micros| Timestamp::from_micros(micros as u64));
    let id = || edge().prop_map(MessageId::from_u128);
    let trace = (any::<u128>(), any::<u64>(), any::<u8>()).prop_map(|(a, b, c)| TraceContext::new(a, b, c));
    let first =
        (id(), text(), text(), proptest::sample::select(Priority::ALL.as_slice()), moment(), key(), key());
    let second =
        (option::of(moment()), any::<u16>(), option::of(text()), trace, option::of(text()), option::of(id()));
    (first, second).prop_map(|((id, receiver, kind, priority, sent_at, key, batch_key), second)| {
        let mut header = Header::new(receiver, kind, priority);
        (header.id, header.sent_at, header.key, header.batch_key) = (id, sent_at, key, batch_key);
        (
            header.deadline,
            header.attempts,
            header.idempotency_key,
            header.trace,
            header.reply_to,
            header.correlation,
        ) = second;
        header
    })
}

/// A parcel that has every field, and never changes.
pub(crate) fn full(format: Format) -> Parcel<'static> {
    let mut parcel = Parcel::pack("consent", &message(), format, &Default::default()).unwrap();
    let header = &mut parcel.header;
    header.id = MessageId::from_u128(0x019a_a7c4_0000_7abc_8def_0123_4567_89ab);
    header.kind = "ward::Ward".to_owned();
    header.sent_at = Timestamp::from_micros(1_763_740_800_123_456);
    header.deadline = Some(Timestamp::from_micros(1_763_740_860_123_456));
    header.attempts = 2;
    header.idempotency_key = Some("revoke/17".to_owned());
    header.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().ok();
    header.reply_to = Some("_INBOX.a.1".to_owned());
    header.correlation = Some(MessageId::from_u128(42));
    parcel
}

/// A parcel that has no field that may be absent, and never changes.
pub(crate) fn least(format: Format) -> Parcel<'static> {
    let mut header = Header::new("consent", "ward::Ward", Priority::Low);
    header.id = MessageId::from_u128(1);
    header.sent_at = Timestamp::from_micros(1);
    let payload = statim::wire::encode_message(&Ward::Empty, format, &Default::default()).unwrap().into();
    Parcel { header, format, payload }
}

/// A message that never changes.
pub(crate) fn message() -> Ward {
    Ward::Revoke(Revocation {
        patient: "patient-17".to_owned(),
        purposes: vec!["research".to_owned(), "Ærø".to_owned()],
        emergency: true,
        at: Timestamp::from_micros(1_763_740_800_000_000),
    })
}
