//! What goes in comes out.

use proptest::prelude::*;
use statim::wire::{EncodeError, Format, Limits, Parcel, decode_message, encode_message};

use crate::samples::{Ward, format, header, ward};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_message_comes_back_as_it_was_sent(message in ward(), format in format()) {
        let limits = Limits::default();
        match encode_message(&message, format, &limits) {
            Ok(bytes) => {
                let back: Ward = decode_message(&bytes, format, &limits).unwrap();
                prop_assert_eq!(back, message.written_in(format));
            }
            Err(error) => {
                prop_assert_eq!(error, EncodeError::NotFinite);
                prop_assert!(format == Format::Json && !message.is_finite());
            }
        }
    }

    #[test]
    fn a_parcel_comes_back_as_it_was_sent(header in header(), message in ward(), format in format()) {
        let limits = Limits::default();
        let Ok(payload) = encode_message(&message, format, &limits) else {
            return Ok(());
        };
        let parcel = Parcel { header, format, payload: payload.into() };
        let bytes = parcel.to_bytes(&limits).unwrap();
        let back = Parcel::from_bytes(&bytes, &limits).unwrap();
        prop_assert_eq!(&back, &parcel);
        prop_assert_eq!(back.unpack::<Ward>(&limits).unwrap(), message.written_in(format));
        prop_assert_eq!(back.to_bytes(&limits).unwrap(), bytes, "a router passes on what it got");
    }

    /// The tightest limits that a message may be written under are enough to read it.
    #[test]
    fn what_may_be_written_may_be_read(message in ward(), format in format(), depth in 0_usize..20, values in 0_usize..60) {
        let limits = Limits { max_depth: depth, max_values: values, ..Limits::default() };
        if let Ok(bytes) = encode_message(&message, format, &limits) {
            let tight = Limits { max_bytes: bytes.len(), ..limits };
            let back: Result<Ward, _> = decode_message(&bytes, format, &tight);
            prop_assert_eq!(back, Ok(message.written_in(format)));
        }
    }
}

#[test]
fn nan_keeps_its_bits_in_the_binary_formats_and_is_refused_by_json() {
    let odd = f64::from_bits(0xfff8_0000_dead_beef);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, odd] {
        for format in [Format::Bincode, Format::MessagePack] {
            let bytes = encode_message(&value, format, &Limits::DEFAULT).unwrap();
            let back: f64 = decode_message(&bytes, format, &Limits::DEFAULT).unwrap();
            assert_eq!(back.to_bits(), value.to_bits(), "{format}");
        }
        for refused in [
            encode_message(&value, Format::Json, &Limits::DEFAULT),
            encode_message(&Some(vec![(value, 1)]), Format::Json, &Limits::DEFAULT),
            encode_message(&(value as f32), Format::Json, &Limits::DEFAULT),
        ] {
            assert_eq!(refused, Err(EncodeError::NotFinite));
        }
    }
}

/// Where a reader peeks at what follows, nothing may be left over afterwards.
#[test]
fn small_things_at_the_top_come_back_too() {
    fn back<T>(value: &T)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        for format in Format::ALL {
            let bytes = encode_message(value, format, &Limits::DEFAULT).unwrap();
            assert_eq!(decode_message::<T>(&bytes, format, &Limits::DEFAULT).as_ref(), Ok(value), "{format}");
        }
    }
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Unit;
    back(&());
    back(&Unit);
    back(&None::<u8>);
    back(&Some(300_u16));
    back(&(Unit, None::<()>, Ward::Empty));
    back(&String::new());
    back(&Vec::<u8>::new());
    back(&u128::MAX);
    back(&i128::MIN);
    back(&f64::MIN_POSITIVE);
    back(&'\u{10ffff}');
    back(&Ward::Empty);
    back(&Some(Ward::Empty));
}
