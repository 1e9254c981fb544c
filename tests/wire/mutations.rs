//! Bytes that were damaged at random: an error, or the same meaning.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use statim::wire::{Format, Limits, Parcel, decode_message, encode_message};

use crate::samples::{Ward, full, header, ward};

/// Of each kind, in all formats together.
const CASES: usize = 100_000;

/// Puts the checksum right, as an attacker would.
pub(crate) fn seal(bytes: &mut [u8]) {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..16]);
    hasher.update(&bytes[20..]);
    let checksum = hasher.finalize();
    bytes[16..20].copy_from_slice(&checksum.to_le_bytes());
}

/// Flips, cuts, extends, repeats or overwrites.
fn damage(bytes: &mut Vec<u8>, random: &mut StdRng) {
    for _ in 0..random.random_range(1..4) {
        let length = bytes.len();
        if length == 0 {
            bytes.push(random.random());
            continue;
        }
        let at = random.random_range(0..length);
        match random.random_range(0..7) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = random.random(),
            2 => bytes.truncate(at),
            3 => bytes.extend((0..random.random_range(1..20)).map(|_| random.random::<u8>())),
            4 => bytes.insert(at, random.random()),
            5 => {
                let end = (at + random.random_range(1..20)).min(length);
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            // What lengths look like in one of the formats.
            _ => {
                let lengths: [&[u8]; 6] = [
                    &[253, 0, 0, 0, 0, 0, 0, 0, 16],
                    &[252, 255, 255, 255, 255],
                    &[0xdd, 255, 255, 255, 255],
                    &[0xdb, 127, 255, 255, 255],
                    &[0xdf, 0, 1, 0, 0],
                    b"[[[[",
                ];
                let length = lengths[random.random_range(0..lengths.len())];
                let end = (at + length.len()).min(bytes.len());
                bytes.splice(at..end, length.iter().copied());
            }
        }
    }
}

/// Messages and headers to damage, always the same.
fn drawn<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn a_damaged_parcel_is_refused_or_means_the_same() {
    let limits = Limits::default();
    let mut random = StdRng::seed_from_u64(1);
    let parcels: Vec<(Parcel<'_>, Vec<u8>)> = Format::ALL
        .into_iter()
        .flat_map(|format| {
            let full = full(format);
            drawn(header(), 20).into_iter().map(move |header| Parcel { header, ..full.clone() })
        })
        .map(|parcel| (parcel.clone(), parcel.to_bytes(&limits).unwrap()))
        .collect();
    let mut refused = 0;
    for case in 0..CASES {
        let (parcel, bytes) = &parcels[case % parcels.len()];
        let mut damaged = bytes.clone();
        damage(&mut damaged, &mut random);
        match Parcel::from_bytes(&damaged, &limits) {
            Ok(read) => assert_eq!(&read, parcel),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > CASES * 9 / 10, "{refused}");
}

#[test]
fn a_header_forged_with_a_right_checksum_does_no_harm() {
    let limits = Limits::default();
    let mut random = StdRng::seed_from_u64(2);
    let parcels = Format::ALL.map(|format| full(format).to_bytes(&limits).unwrap());
    let (mut read, mut refused) = (0, 0);
    for case in 0..CASES {
        let bytes = &parcels[case % parcels.len()];
        let length = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
        let mut header = bytes[20..20 + length].to_vec();
        damage(&mut header, &mut random);
        let mut forged = bytes[..20].to_vec();
        forged[8..12].copy_from_slice(&(header.len() as u32).to_le_bytes());
        forged.extend(header);
        forged.extend_from_slice(&bytes[20 + length..]);
        seal(&mut forged);
        match Parcel::from_bytes(&forged, &limits) {
            Ok(parcel) => {
                read += 1;
                let again = parcel.to_bytes(&limits).unwrap();
                assert_eq!(Parcel::from_bytes(&again, &limits), Ok(parcel));
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > CASES / 100 && refused > CASES / 10, "{read} read, {refused} refused");
}

#[test]
fn a_damaged_message_is_refused_or_is_a_message() {
    let limits = Limits { max_depth: 40, ..Limits::default() };
    let mut random = StdRng::seed_from_u64(3);
    let messages: Vec<(Format, Vec<u8>)> = drawn(ward(), 300)
        .iter()
        .flat_map(|message| Format::ALL.map(|format| (format, encode_message(message, format, &limits))))
        .filter_map(|(format, bytes)| Some((format, bytes.ok()?)))
        .collect();
    let (mut read, mut refused) = ([0; 3], [0; 3]);
    for case in 0..CASES {
        let (format, bytes) = &messages[case % messages.len()];
        let at = Format::ALL.iter().position(|it| it == format).unwrap();
        let mut damaged = bytes.clone();
        damage(&mut damaged, &mut random);
        match decode_message::<Ward>(&damaged, *format, &limits) {
            Ok(_) => read[at] += 1,
            Err(_) => refused[at] += 1,
        }
    }
    assert!(read.into_iter().chain(refused).all(|count| count > CASES / 200), "{read:?} {refused:?}");
}
