//! Bytes written once, which every later version must write and read alike.
//!
//! A change of these files is a change of the wire, which programs in the field and rows in databases notice. When it is
//! meant: delete the files concerned, run the test with `STATIM_WRITE_GOLDEN=1`, which writes those that are missing
//! and touches no other, raise the version in `src/wire/parcel.rs`, and keep the old files under their old names for
//! `old_bytes_are_read` to go on reading.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use statim::wire::{Format, Limits, Parcel, decode_message, encode_message};

use crate::samples::{self, Ward};

const VERSION: &str = "1.0";

fn path(name: &str, format: Format) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire/golden");
    folder.join(format!("{name}-{VERSION}.{format}.hex"))
}

/// Lines of 32 bytes, so that a difference can be read.
fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
    text
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// The bytes of the file, which are to be these.
fn kept(name: &str, format: Format, bytes: &[u8]) -> Vec<u8> {
    let path = path(name, format);
    if !path.exists() && std::env::var_os("STATIM_WRITE_GOLDEN").is_some() {
        fs::write(&path, to_hex(bytes)).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(to_hex(bytes), text, "the wire has changed: {}", path.display());
    from_hex(&text)
}

#[test]
fn the_bytes_of_a_message_do_not_change() {
    for format in Format::ALL {
        let bytes = encode_message(&samples::message(), format, &Limits::DEFAULT).unwrap();
        let old = kept("message", format, &bytes);
        let read: Ward = decode_message(&old, format, &Limits::DEFAULT).unwrap();
        assert_eq!(read, samples::message());
    }
}

#[test]
fn the_bytes_of_a_parcel_do_not_change() {
    for format in Format::ALL {
        for (name, parcel) in [("full", samples::full(format)), ("least", samples::least(format))] {
            let old = kept(name, format, &parcel.to_bytes(&Limits::DEFAULT).unwrap());
            assert_eq!(Parcel::from_bytes(&old, &Limits::DEFAULT).unwrap(), parcel);
        }
    }
}

/// Also those that this version no longer writes.
#[test]
fn old_bytes_are_read() {
    let folder = path("", Format::Json);
    let mut read = 0;
    for entry in fs::read_dir(folder.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("message-") {
            continue;
        }
        let bytes = from_hex(&fs::read_to_string(&path).unwrap());
        let parcel =
            Parcel::from_bytes(&bytes, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(parcel.header.receiver, "consent", "{name}");
        parcel.unpack::<Ward>(&Limits::DEFAULT).unwrap_or_else(|error| panic!("{name}: {error}"));
        read += 1;
    }
    assert!(read >= 6, "two parcels in three formats");
}
