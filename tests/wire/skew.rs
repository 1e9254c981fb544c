//! Old and new versions that meet.

use serde::{Deserialize, Serialize};
use statim::wire::{Format, Limits, Parcel, ParcelError, decode_message, encode_message};

use crate::mutations::seal;
use crate::samples::{Ward, full, least};

/// A parcel of another version, with this header and the payload of `parcel`.
fn of_version(parcel: &Parcel<'_>, version: [u8; 2], header: &[u8]) -> Vec<u8> {
    let mut bytes = parcel.to_bytes(&Limits::DEFAULT).unwrap();
    bytes.truncate(20);
    bytes[4..6].copy_from_slice(&version);
    bytes[8..12].copy_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(&parcel.payload);
    seal(&mut bytes);
    bytes
}

fn header_of(parcel: &Parcel<'_>) -> Vec<u8> {
    let bytes = parcel.to_bytes(&Limits::DEFAULT).unwrap();
    let length = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    bytes[20..20 + length].to_vec()
}

/// What a later version might add to the header.
fn extended(parcel: &Parcel<'_>) -> Vec<u8> {
    let old = header_of(parcel);
    match parcel.format {
        Format::Bincode => {
            let mut fields: Vec<(u8, Vec<u8>)> =
                decode_message(&old, Format::Bincode, &Limits::DEFAULT).unwrap();
            fields.push((14, b"eu-west".to_vec()));
            fields.insert(0, (200, vec![]));
            fields.push((255, vec![0xff; 300]));
            encode_message(&fields, Format::Bincode, &Limits::DEFAULT).unwrap()
        }
        Format::MessagePack => {
            // A map of up to 15 entries begins with 0x80 and their number, one of more with 0xde and two bytes.
            let (count, entries) = if old[0] == 0xde {
                (usize::from(old[2]), &old[3..])
            } else {
                (usize::from(old[0] & 0xf), &old[1..])
            };
            let mut new = vec![0xde, 0, count as u8 + 2];
            new.extend_from_slice(b"\xa6region\xa7eu-west\xa5route\x82\x01\x93\x01\x02\xc0\xa1a\xc4\x02ab");
            new.extend_from_slice(entries);
            new
        }
        _ => {
            let mut new = br#"{"region":"eu-west","route":{"a":[1,{"b":null}]},"#.to_vec();
            new.extend_from_slice(&old[1..]);
            new
        }
    }
}

#[test]
fn an_old_reader_skips_the_fields_of_a_newer_minor_version() {
    for format in Format::ALL {
        for parcel in [full(format), least(format)] {
            let bytes = of_version(&parcel, [1, 7], &extended(&parcel));
            assert_eq!(Parcel::from_bytes(&bytes, &Limits::DEFAULT).as_ref(), Ok(&parcel), "{format}");
        }
    }
}

#[test]
fn a_newer_major_version_is_refused_before_anything_else_is_believed() {
    for format in Format::ALL {
        let parcel = full(format);
        for major in [0, 2, 255] {
            let mut bytes = of_version(&parcel, [major, 3], b"whatever a header is then");
            bytes[16] ^= 1;
            bytes[7] = 1;
            let error = Parcel::from_bytes(&bytes, &Limits::DEFAULT).unwrap_err();
            assert_eq!(error, ParcelError::OtherVersion { major, minor: 3 });
            let text = format!(
                "the parcel is of version {major}.3 and this program reads version 1; update the older side"
            );
            assert_eq!(error.to_string(), text);
        }
    }
}

#[test]
fn a_format_or_flag_of_a_newer_version_is_refused_by_name() {
    let mut bytes = full(Format::Json).to_bytes(&Limits::DEFAULT).unwrap();
    bytes[5] = 9;
    bytes[6] = b'c';
    seal(&mut bytes);
    assert_eq!(Parcel::from_bytes(&bytes, &Limits::DEFAULT), Err(ParcelError::UnknownFormat { minor: 9 }));
    bytes[6] = b'j';
    bytes[7] = 4;
    seal(&mut bytes);
    assert_eq!(Parcel::from_bytes(&bytes, &Limits::DEFAULT), Err(ParcelError::UnknownFlags { minor: 9 }));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Old {
    patient: String,
    bed: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct New {
    patient: String,
    #[serde(default)]
    ward: Option<String>,
    bed: u32,
}

#[test]
fn message_types_that_grow_read_each_other_where_fields_have_names() {
    let limits = Limits::default();
    let old = || Old { patient: "p".to_owned(), bed: 3 };
    let new = || New { patient: "p".to_owned(), ward: Some("w".to_owned()), bed: 3 };
    for format in [Format::MessagePack, Format::Json] {
        let bytes = encode_message(&new(), format, &limits).unwrap();
        assert_eq!(decode_message(&bytes, format, &limits), Ok(old()));
        let bytes = encode_message(&old(), format, &limits).unwrap();
        assert_eq!(decode_message(&bytes, format, &limits), Ok(New { ward: None, ..new() }));
    }
    let bytes = encode_message(&new(), Format::Bincode, &limits).unwrap();
    assert!(decode_message::<Old>(&bytes, Format::Bincode, &limits).is_err(), "bincode has no names");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Grown {
    Empty,
    Revoke(crate::samples::Revocation),
}

#[test]
fn a_variant_may_be_appended_in_every_format() {
    for format in Format::ALL {
        let bytes = encode_message(&Grown::Empty, format, &Limits::DEFAULT).unwrap();
        assert_eq!(decode_message::<Ward>(&bytes, format, &Limits::DEFAULT), Ok(Ward::Empty), "{format}");
        let bytes = encode_message(&Ward::Nested(Box::new(Ward::Empty)), format, &Limits::DEFAULT).unwrap();
        let error = decode_message::<Grown>(&bytes, format, &Limits::DEFAULT).unwrap_err();
        assert!(error.to_string().contains("variant is none of its type's"), "{error}");
    }
}
