//! What is done with the bytes that libFuzzer invents, and where it starts.
//!
//! Anything but a panic is a pass: bytes are refused, or they are read and then written and read again without a change.

use std::path::PathBuf;
use std::{env, fs};

use serde::{Deserialize, Serialize};
use statim::Priority;
use statim::wire::{Format, Header, Limits, Parcel, decode_message, encode_message};

/// What messages are made of, small enough to be explored and with nesting enough to fall into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Message {
    Empty,
    Text(String),
    Number(f64, f32, char),
    Wide(u128, i128, u64, i64),
    Record { name: String, tags: Vec<String>, flag: Option<bool> },
    Nothing(Vec<()>),
    Table(std::collections::BTreeMap<String, i32>),
    Tree(Vec<Message>),
    Chain(Box<Message>),
}

impl Message {
    /// Whether it is equal to itself: without NaN.
    fn is_comparable(&self) -> bool {
        match self {
            Self::Number(double, single, _) => !double.is_nan() && !single.is_nan(),
            Self::Tree(inner) => inner.iter().all(Self::is_comparable),
            Self::Chain(inner) => inner.is_comparable(),
            _ => true,
        }
    }
}

/// Small, so that an input reaches each of them.
const LIMITS: Limits = Limits { max_bytes: 4096, max_depth: 24, max_values: 4096 };

/// The bytes as a parcel; and, behind a preamble with a right checksum, as the header and the message of one.
pub fn header(format: Format, bytes: &[u8]) {
    // From outside.
    parcel(bytes);
    // From someone who knows how parcels are made: two bytes say where the header ends.
    let Some((split, rest)) = bytes.split_first_chunk::<2>() else { return };
    let header = usize::from(u16::from_le_bytes(*split)).min(rest.len());
    let payload = rest.len() - header;
    let Ok(mut sealed) =
        Parcel { header: Header::new("", "", Priority::Low), format, payload: Vec::new().into() }
            .to_bytes(&LIMITS)
    else {
        unreachable!("an empty parcel")
    };
    sealed.truncate(20);
    sealed[8..12].copy_from_slice(&(header as u32).to_le_bytes());
    sealed[12..16].copy_from_slice(&(payload as u32).to_le_bytes());
    sealed.extend_from_slice(rest);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&sealed[..16]);
    hasher.update(&sealed[20..]);
    let checksum = hasher.finalize();
    sealed[16..20].copy_from_slice(&checksum.to_le_bytes());
    parcel(&sealed);
}

fn parcel(bytes: &[u8]) {
    let Ok(parcel) = Parcel::from_bytes(bytes, &LIMITS) else { return };
    // What was skipped of a newer version is gone, so the header can only be shorter.
    let again = parcel.to_bytes(&LIMITS).expect("a parcel that was read can be written");
    assert_eq!(Parcel::from_bytes(&again, &LIMITS).as_ref(), Ok(&parcel));
    if let Ok(message) = parcel.unpack(&LIMITS) {
        same(&message, parcel.format);
    }
}

/// The bytes as a message, in the format that the first of them chooses.
pub fn message(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let format = Format::ALL[usize::from(*first) % Format::ALL.len()];
    if let Ok(message) = decode_message(rest, format, &LIMITS) {
        same(&message, format);
    }
}

/// A message that the bytes choose, through every format.
pub fn round_trip(bytes: &[u8]) {
    if let Ok(message) = decode_message(bytes, Format::Bincode, &LIMITS) {
        for format in Format::ALL {
            same(&message, format);
        }
    }
}

/// A message comes back as it was, if it may be written at all.
fn same(message: &Message, format: Format) {
    let Ok(bytes) = encode_message(message, format, &LIMITS) else { return };
    let back: Message = decode_message(&bytes, format, &LIMITS).expect("what may be written may be read");
    assert!(!message.is_comparable() || &back == message);
}

/// Writes where the search starts into the folder that `STATIM_FUZZ_SEEDS` names, if it names one.
pub fn plant(target: &str) {
    let Some(folder) = env::var_os("STATIM_FUZZ_SEEDS").map(PathBuf::from) else { return };
    for (number, seed) in seeds(target).iter().enumerate() {
        if let Err(error) = fs::write(folder.join(format!("seed-{number}")), seed) {
            eprintln!("cannot write a seed to {}: {error}", folder.display());
            return;
        }
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let deep = (0..10).fold(Message::Empty, |inner, _| Message::Tree(vec![Message::Chain(Box::new(inner))]));
    let messages = [
        deep,
        Message::Text("\0\u{10ffff}\"\\".to_owned()),
        Message::Number(5e-324, f32::MAX, '\u{e000}'),
        Message::Wide(u128::MAX, i128::MIN, u64::MAX, i64::MIN),
        Message::Record { name: "n".to_owned(), tags: vec![String::new(); 3], flag: Some(true) },
        Message::Nothing(vec![(); 300]),
        Message::Table([("a".to_owned(), -1)].into()),
    ];
    let encoded = |format: Format| {
        let messages =
            messages.iter().filter_map(move |message| encode_message(message, format, &LIMITS).ok());
        messages.chain(hostile(format))
    };
    match target {
        "message" => (0_u8..)
            .zip(Format::ALL)
            .flat_map(|(number, format)| encoded(format).map(move |bytes| [&[number][..], &bytes].concat()))
            .collect(),
        "round_trip" => encoded(Format::Bincode).collect(),
        _ => {
            let format = target.strip_prefix("header_").and_then(|name| name.parse().ok());
            format.map_or_else(Vec::new, headers)
        }
    }
}

/// Lengths that lie, and nesting without end.
fn hostile(format: Format) -> Vec<Vec<u8>> {
    match format {
        Format::Bincode => vec![vec![8; 64], [&[5, 253][..], &(1_u64 << 60).to_le_bytes()].concat()],
        Format::MessagePack => {
            vec![
                b"\x81\xa4Tree\x91".repeat(30),
                b"\xdf\xff\xff\xff\xff".to_vec(),
                b"\xc9\xff\xff\xff\xff\x01".to_vec(),
            ]
        }
        _ => vec![
            br#"{"Tree":["#.repeat(40),
            b"[".repeat(200),
            br#"{"Number":[1e999,-0.0,"\ud800"]}"#.to_vec(),
        ],
    }
}

/// Headers with every field and with few, each with its message.
fn headers(format: Format) -> Vec<Vec<u8>> {
    let mut full = Header::new("receiver", "kind", Priority::High);
    full.key = Some(statim::Key::of("a"));
    full.batch_key = full.key;
    full.deadline = Some(full.sent_at);
    full.attempts = 3;
    full.idempotency_key = Some("i".to_owned());
    full.trace = statim::wire::TraceContext::new(1, 2, 3);
    full.reply_to = Some("r".to_owned());
    full.correlation = Some(full.id);
    let payload = encode_message(&Message::Empty, format, &LIMITS).unwrap_or_default();
    let parcels = [full, Header::new("", "", Priority::Critical)].into_iter().filter_map(|header| {
        Parcel { header, format, payload: payload.clone().into() }.to_bytes(&LIMITS).ok()
    });
    let mut seeds = Vec::new();
    for parcel in parcels {
        // Once as it is, and once as what is behind the preamble.
        seeds.push([&parcel[8..10], &parcel[20..]].concat());
        seeds.push(parcel);
    }
    seeds
}
