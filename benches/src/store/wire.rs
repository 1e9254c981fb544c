//! The wire's formats against each other, and each against its crate used bare: what a message costs in bytes, and in
//! nanoseconds to write and to read.
//!
//! Bare, a format's crate keeps to no limits and tells of no number that JSON cannot say; the difference is what that costs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use statim::wire::{Format, Header, Limits, Parcel, decode_message, encode_message};
use statim::{Key, Priority};

use crate::{Case, Fault};

/// Consent messages in a full round.
const CONSENTS: u64 = 200_000;
/// Batches in a full round; each is a hundred times a consent message.
const BATCHES: u64 = 2_000;
/// Records in a batch.
const RECORDS: u32 = 100;

/// One round of a case.
type Run = fn(u64) -> Result<Duration, Fault>;

/// Room for the batch in JSON.
const LIMITS: Limits = Limits::DEFAULT;

/// How long a message is in a format.
#[derive(Debug, Clone, Serialize)]
pub struct Size {
    /// Which message.
    pub message: &'static str,
    /// In which format.
    pub format: Format,
    /// The message alone.
    pub bytes: usize,
    /// With all that travels with it.
    pub parcel_bytes: usize,
}

/// How long each message is in each format.
///
/// # Errors
/// A message cannot be encoded.
pub fn sizes() -> Result<Vec<Size>, Fault> {
    let mut sizes = Vec::new();
    for format in Format::ALL {
        sizes.push(size::<Consent>(format)?);
        sizes.push(size::<Batch>(format)?);
    }
    sizes.sort_by_key(|size| std::cmp::Reverse(size.message));
    Ok(sizes)
}

fn size<M: Sample>(format: Format) -> Result<Size, Fault> {
    let fault = |error: statim::wire::EncodeError| Fault::Start(error.to_string());
    let payload = encode_message(&M::sample(), format, &LIMITS).map_err(fault)?;
    let parcel = Parcel { header: header(), format, payload: payload.as_slice().into() };
    let parcel_bytes = parcel.to_bytes(&LIMITS).map_err(fault)?.len();
    Ok(Size { message: M::NAME, format, bytes: payload.len(), parcel_bytes })
}

/// The header of a durable message in a trace.
fn header() -> Header {
    let mut header = Header::new("consent", "ConsentMessage", Priority::Critical);
    header.key = Some(Key::of("patient-000017"));
    header.idempotency_key = Some("0190a7c4-5b1e-7abc-8def-0123456789ab".to_owned());
    header.trace = statim::wire::TraceContext::new(0x0af7_6519_16cd_43dd, 0xb7ad_6b71, 1);
    header
}

/// Every format, writing and reading each message; and parcels, in every format.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    message::<Consent>(&mut cases, CONSENTS, ["wire_consent_encode", "wire_consent_decode"]);
    message::<Batch>(&mut cases, BATCHES, ["wire_batch_encode", "wire_batch_decode"]);
    let parcels: [(&str, Run); 3] = [
        ("Statim, bincode", parcel::<StatimBincode>),
        ("Statim, MessagePack", parcel::<StatimMessagePack>),
        ("Statim, JSON", parcel::<StatimJson>),
    ];
    for (system, run) in parcels {
        let about = "a consent message into a parcel's bytes and out of them again";
        cases.push(case("wire_parcel", about, system, "statim", CONSENTS, run));
    }
    cases
}

/// In the order of the tables: Statim's formats, then the same bare.
fn message<M: Sample>(cases: &mut Vec<Case>, operations: u64, workloads: [&'static str; 2]) {
    let abouts = ["a message to bytes, one thread", "bytes to a message, one thread"];
    let mut add = |system, package, runs: [fn(u64) -> Result<Duration, Fault>; 2]| {
        for (at, run) in runs.into_iter().enumerate() {
            cases.push(case(workloads[at], abouts[at], system, package, operations, run));
        }
    };
    add("Statim, bincode", "statim", [encode::<M, StatimBincode>, decode::<M, StatimBincode>]);
    add("Statim, MessagePack", "statim", [encode::<M, StatimMessagePack>, decode::<M, StatimMessagePack>]);
    add("Statim, JSON", "statim", [encode::<M, StatimJson>, decode::<M, StatimJson>]);
    add("bincode, bare", "bincode", [encode::<M, BareBincode>, decode::<M, BareBincode>]);
    add("rmp-serde, bare", "rmp-serde", [encode::<M, BareMessagePack>, decode::<M, BareMessagePack>]);
    add("serde_json, bare", "serde_json", [encode::<M, BareJson>, decode::<M, BareJson>]);
    cases.sort_by_key(|case| case.workload);
}

fn case(
    workload: &'static str,
    about: &'static str,
    system: &str,
    package: &'static str,
    operations: u64,
    run: fn(u64) -> Result<Duration, Fault>,
) -> Case {
    Case {
        workload,
        about,
        system: system.to_owned(),
        package,
        operations,
        rounds: usize::MAX,
        fitting: |count| count,
        run,
    }
}

fn encode<M: Sample, C: Codec>(count: u64) -> Result<Duration, Fault> {
    let message = M::sample();
    let began = Instant::now();
    for _ in 0..count {
        black_box(C::encode(black_box(&message))?);
    }
    Ok(began.elapsed())
}

fn decode<M: Sample, C: Codec>(count: u64) -> Result<Duration, Fault> {
    let bytes = C::encode(&M::sample())?;
    let read: M = C::decode(&bytes)?;
    if read != M::sample() {
        return Err(Fault::Gone("another message was read than was written".to_owned()));
    }
    let began = Instant::now();
    for _ in 0..count {
        black_box(C::decode::<M>(black_box(&bytes))?);
    }
    Ok(began.elapsed())
}

fn parcel<C: StatimCodec>(count: u64) -> Result<Duration, Fault> {
    let fault = |error: &dyn std::error::Error| Fault::Gone(error.to_string());
    let (header, message) = (header(), Consent::sample());
    let began = Instant::now();
    for _ in 0..count {
        let payload = C::encode(black_box(&message))?.into();
        let parcel = Parcel { header: header.clone(), format: C::FORMAT, payload };
        let bytes = parcel.to_bytes(&LIMITS).map_err(|error| fault(&error))?;
        let read = Parcel::from_bytes(black_box(&bytes), &LIMITS).map_err(|error| fault(&error))?;
        black_box(read.unpack::<Consent>(&LIMITS).map_err(|error| fault(&error))?);
    }
    Ok(began.elapsed())
}

/// A message to measure with.
trait Sample: Serialize + DeserializeOwned + PartialEq {
    const NAME: &'static str;
    fn sample() -> Self;
}

/// What a consent agent is told, with the names and texts that such messages have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Consent {
    Revoke {
        patient: String,
        provision: Option<u64>,
        purposes: Vec<Purpose>,
        recorded: Recorded,
        reason: Option<String>,
    },
    Withdraw {
        patient: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Purpose {
    Treatment,
    Research,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Recorded {
    by: String,
    organisation: String,
    at_micros: u64,
}

impl Sample for Consent {
    const NAME: &'static str = "consent";

    fn sample() -> Self {
        Self::Revoke {
            patient: "urn:oid:2.16.840.1.113883.19.5|patient-000017".to_owned(),
            provision: Some(4711),
            purposes: vec![Purpose::Treatment, Purpose::Research],
            recorded: Recorded {
                by: "practitioner-0042".to_owned(),
                organisation: "St. Elsewhere, Internal Medicine".to_owned(),
                at_micros: 1_763_740_800_000_000,
            },
            reason: Some("withdrawn by the patient in person".to_owned()),
        }
    }
}

/// Some studies of a registry, on their way from the reader to the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Batch {
    source: String,
    records: Vec<Study>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Study {
    id: String,
    title: String,
    phase: Option<u8>,
    enrolment: Option<u32>,
    conditions: Vec<String>,
    sites: Vec<Site>,
    score: f64,
    updated_micros: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Site {
    city: String,
    country: String,
    latitude: f64,
    longitude: f64,
}

impl Sample for Batch {
    const NAME: &'static str = "batch";

    fn sample() -> Self {
        let site = |number: u32| Site {
            city: format!("City {number}"),
            country: "Denmark".to_owned(),
            latitude: 55.676_098 + f64::from(number) / 7.0,
            longitude: 12.568_337 - f64::from(number) / 3.0,
        };
        let study = |number: u32| Study {
            id: format!("NCT{number:08}"),
            title: format!("A randomised trial of treatment {number} against usual care in adults"),
            phase: (!number.is_multiple_of(3)).then_some(3),
            enrolment: Some(number * 17),
            conditions: vec!["Type 2 Diabetes Mellitus".to_owned(), "Hypertension".to_owned()],
            sites: (0..4).map(|at| site(number + at)).collect(),
            score: f64::from(number) / 9.0,
            updated_micros: 1_763_740_800_000_000 + u64::from(number),
        };
        Self { source: "ClinicalTrials.gov".to_owned(), records: (0..RECORDS).map(study).collect() }
    }
}

trait Codec {
    fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, Fault>;
    fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, Fault>;
}

/// One of Statim's formats.
trait StatimCodec: Codec {
    const FORMAT: Format;
}

/// A fault that no message here should cause.
fn unexpected(error: &dyn std::fmt::Display) -> Fault {
    Fault::Gone(error.to_string())
}

macro_rules! statim_codecs {
    ($($name:ident: $format:ident;)*) => {$(
        struct $name;

        impl StatimCodec for $name {
            const FORMAT: Format = Format::$format;
        }

        impl Codec for $name {
            fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, Fault> {
                encode_message(message, Self::FORMAT, &LIMITS).map_err(|error| unexpected(&error))
            }

            fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, Fault> {
                decode_message(bytes, Self::FORMAT, &LIMITS).map_err(|error| unexpected(&error))
            }
        }
    )*};
}

statim_codecs! {
    StatimBincode: Bincode;
    StatimMessagePack: MessagePack;
    StatimJson: Json;
}

struct BareBincode;

impl Codec for BareBincode {
    fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, Fault> {
        bincode::serde::encode_to_vec(message, bincode::config::standard())
            .map_err(|error| unexpected(&error))
    }

    fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, Fault> {
        let read = bincode::serde::decode_from_slice(bytes, bincode::config::standard());
        read.map(|(message, _)| message).map_err(|error| unexpected(&error))
    }
}

struct BareMessagePack;

impl Codec for BareMessagePack {
    fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, Fault> {
        rmp_serde::to_vec_named(message).map_err(|error| unexpected(&error))
    }

    fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, Fault> {
        rmp_serde::from_slice(bytes).map_err(|error| unexpected(&error))
    }
}

struct BareJson;

impl Codec for BareJson {
    fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(message).map_err(|error| unexpected(&error))
    }

    fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, Fault> {
        serde_json::from_slice(bytes).map_err(|error| unexpected(&error))
    }
}
