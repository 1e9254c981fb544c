//! Limits hold whatever the bytes claim.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statim::wire::{DecodeError, EncodeError, Fault, Format, Limits, decode_message, encode_message};

/// As deep as anyone likes: two levels each, an option and a struct.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chain {
    next: Option<Box<Chain>>,
}

fn chain(links: usize) -> Chain {
    (0..links).fold(Chain { next: None }, |chain, _| Chain { next: Some(Box::new(chain)) })
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Node(Vec<Tree>),
}

/// A depth that no stack survives, in each format.
fn abyss(format: Format) -> Vec<u8> {
    match format {
        Format::Bincode => [1, 1].repeat(500_000),
        Format::MessagePack => b"\x81\xa4Node\x91".repeat(100_000),
        _ => b"{\"Node\":[".repeat(100_000),
    }
}

#[test]
fn nesting_is_bounded_in_every_format() {
    for format in Format::ALL {
        let limits = Limits { max_depth: 10, ..Limits::default() };
        // A struct and an option for each link, and the struct at the end.
        let bytes = encode_message(&chain(4), format, &limits).unwrap();
        assert_eq!(decode_message(&bytes, format, &limits), Ok(chain(4)));
        assert_eq!(encode_message(&chain(5), format, &limits), Err(EncodeError::TooDeep { limit: 10 }));
        let deep = encode_message(&chain(5), format, &Limits::default()).unwrap();
        let error = decode_message::<Chain>(&deep, format, &limits).unwrap_err();
        assert!(matches!(error, DecodeError::TooDeep { limit: 10, .. }), "{error}");
        for max_depth in [10, Limits::DEEPEST, usize::MAX] {
            let limits = Limits { max_depth, ..Limits::default() };
            let error = decode_message::<Tree>(&abyss(format), format, &limits).unwrap_err();
            let limit = max_depth.min(Limits::DEEPEST);
            assert!(
                matches!(error, DecodeError::TooDeep { limit: it, .. } if it == limit),
                "{format}: {error}"
            );
            let ignored = decode_message::<serde::de::IgnoredAny>(&abyss(format), format, &limits);
            assert!(ignored.is_err(), "{format}");
        }
    }
}

/// What the deepest setting promises: it fits the stack of a thread of 2 MiB, which is that of an arbiter and of this test.
#[test]
fn the_deepest_message_fits_the_stack() {
    let tree = |levels| (0..levels).fold(Tree::Leaf, |tree, _| Tree::Node(vec![tree]));
    let limits = Limits { max_depth: usize::MAX, ..Limits::default() };
    for format in Format::ALL {
        let deepest = tree(Limits::DEEPEST / 2 - 1);
        let bytes = encode_message(&deepest, format, &limits).unwrap();
        assert_eq!(decode_message(&bytes, format, &limits), Ok(deepest));
        let deeper = encode_message(&tree(Limits::DEEPEST / 2), format, &limits);
        assert_eq!(deeper, Err(EncodeError::TooDeep { limit: Limits::DEEPEST }));
    }
}

#[test]
fn the_length_is_checked_before_the_bytes_are() {
    let limits = Limits { max_bytes: 9, ..Limits::default() };
    for format in Format::ALL {
        let error = decode_message::<String>(&[b'['; 10], format, &limits).unwrap_err();
        assert_eq!(error, DecodeError::TooLarge { bytes: 10, limit: 9 });
        assert_eq!(
            encode_message(&"x".repeat(10), format, &limits),
            Err(EncodeError::TooLarge { format, limit: 9 })
        );
        assert!(encode_message(&"x".repeat(7), format, &limits).is_ok());
    }
    let boundless = Limits { max_bytes: usize::MAX, ..limits };
    assert!(encode_message(&"x".repeat(7), Format::Json, &boundless).is_ok());
}

#[test]
fn elements_without_bytes_are_counted_too() {
    let claimed = [&[253][..], &(1_u64 << 60).to_le_bytes()].concat();
    let error = decode_message::<Vec<()>>(&claimed, Format::Bincode, &Limits::DEFAULT).unwrap_err();
    assert_eq!(error, DecodeError::TooManyValues { format: Format::Bincode, limit: 1 << 22 });
    let nested = [&[4, 253][..], &(1_u64 << 60).to_le_bytes()].concat();
    assert!(decode_message::<Vec<Vec<()>>>(&nested, Format::Bincode, &Limits::DEFAULT).is_err());
}

#[test]
fn values_are_counted_alike_on_both_sides() {
    let message = BTreeMap::from([("a".to_owned(), vec![Some(1), None]), ("b".to_owned(), vec![])]);
    for format in Format::ALL {
        // The message, two keys, two lists, two elements; and one for what the option holds.
        let enough = Limits { max_values: 8, ..Limits::default() };
        let bytes = encode_message(&message, format, &enough).unwrap();
        assert_eq!(decode_message(&bytes, format, &enough), Ok(message.clone()));
        let short = Limits { max_values: 6, ..Limits::default() };
        assert_eq!(encode_message(&message, format, &short), Err(EncodeError::TooManyValues { limit: 6 }));
        let error = decode_message::<BTreeMap<String, Vec<Option<i32>>>>(&bytes, format, &short).unwrap_err();
        assert_eq!(error, DecodeError::TooManyValues { format, limit: 6 });
    }
}

#[test]
fn a_claimed_length_is_not_believed() {
    let huge = (1_u64 << 60).to_le_bytes();
    let bincode = [&[253][..], &huge, b"abc"].concat();
    let truncated =
        |error: DecodeError| matches!(error, DecodeError::Malformed { fault: Fault::Truncated, .. });
    assert!(truncated(decode_message::<String>(&bincode, Format::Bincode, &Limits::DEFAULT).unwrap_err()));
    assert!(truncated(decode_message::<Vec<u64>>(&bincode, Format::Bincode, &Limits::DEFAULT).unwrap_err()));
    assert!(truncated(
        decode_message::<BTreeMap<u8, String>>(&bincode, Format::Bincode, &Limits::DEFAULT).unwrap_err()
    ));
    for marker in [0xc6, 0xdb, 0xdd, 0xdf, 0xc9] {
        let bytes = [marker, 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
        for error in [
            decode_message::<String>(&bytes, Format::MessagePack, &Limits::DEFAULT).err(),
            decode_message::<Vec<u64>>(&bytes, Format::MessagePack, &Limits::DEFAULT).err(),
            decode_message::<serde::de::IgnoredAny>(&bytes, Format::MessagePack, &Limits::DEFAULT).err(),
            decode_message::<serde_json::Value>(&bytes, Format::MessagePack, &Limits::DEFAULT).err(),
        ] {
            assert!(error.is_some(), "{marker:x}");
        }
    }
}

/// The most values that a byte can stand for: a struct of one small field, in a sequence.
#[test]
fn a_message_of_the_default_size_does_not_meet_the_limit_of_values() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Small {
        byte: u8,
    }
    let many: Vec<Small> = (0..Limits::DEFAULT.max_bytes - 5).map(|_| Small { byte: 1 }).collect();
    let bytes = encode_message(&many, Format::Bincode, &Limits::DEFAULT).unwrap();
    assert_eq!(bytes.len(), Limits::DEFAULT.max_bytes);
    assert_eq!(
        decode_message::<Vec<Small>>(&bytes, Format::Bincode, &Limits::DEFAULT).unwrap().len(),
        many.len()
    );
}
