//! What errors say, and what they never say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use statim::wire::{DecodeError, EncodeError, Fault, Format, Limits, Place, decode_message, encode_message};

const SECRET: &str = "Jane Roe 1959-03-02";

fn encoded<M: Serialize + ?Sized>(message: &M, format: Format) -> Vec<u8> {
    encode_message(message, format, &Limits::DEFAULT).unwrap()
}

fn fault<M: serde::de::DeserializeOwned>(bytes: &[u8], format: Format) -> Fault {
    match decode_message::<M>(bytes, format, &Limits::DEFAULT) {
        Err(DecodeError::Malformed { fault, .. }) => fault,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("read"),
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
enum One {
    Only(u8),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "read, never looked at")]
enum Untagged {
    Number(u8),
    Flag(bool),
}

/// Refuses with a text that quotes what it was given, as many types do.
#[derive(Debug)]
struct Quoting;

impl<'de> Deserialize<'de> for Quoting {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("no such patient: {text}")))
    }
}

impl Serialize for Quoting {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!("cannot write {SECRET}")))
    }
}

#[test]
fn no_error_quotes_what_it_found() {
    let secret = SECRET.to_owned();
    let by_name = BTreeMap::from([(secret.clone(), secret.clone())]);
    let mut errors: Vec<String> = Vec::new();
    for format in Format::ALL {
        let mut note = |error: Option<DecodeError>| {
            // Some bytes are another value of the same shape in bincode.
            errors.extend(error.iter().flat_map(|error| [error.to_string(), format!("{error:?}")]));
        };
        let limits = Limits::DEFAULT;
        for bytes in [encoded(&secret, format), encoded(&by_name, format), encoded(&vec![&secret; 3], format)]
        {
            note(decode_message::<One>(&bytes, format, &limits).err());
            note(decode_message::<Vec<f64>>(&bytes, format, &limits).err());
            note(decode_message::<Untagged>(&bytes, format, &limits).err());
            note(decode_message::<(bool, bool)>(&bytes, format, &limits).err());
            note(decode_message::<Quoting>(&bytes, format, &limits).err());
            note(decode_message::<Vec<Strict>>(&bytes, format, &limits).err());
            note(decode_message::<char>(&bytes[..bytes.len() - 1], format, &limits).err());
        }
        let error = encode_message(&Quoting, format, &limits).unwrap_err();
        assert_eq!(error, EncodeError::Refused { format });
        errors.extend([error.to_string(), format!("{error:?}")]);
    }
    assert!(errors.len() > 100, "{}", errors.len());
    for error in errors {
        assert!(!error.contains("Jane") && !error.contains("1959"), "{error}");
    }
}

#[test]
fn an_error_names_the_class_of_fault() {
    use Format::{Bincode, Json, MessagePack};
    for format in Format::ALL {
        let text = encoded("a text", format);
        assert_eq!(fault::<String>(&text[..text.len() - 1], format), Fault::Truncated, "{format}");
        assert_eq!(fault::<String>(b"", format), Fault::Truncated, "{format}");
        assert_eq!(fault::<String>(&[&text[..], b"1"].concat(), format), Fault::Trailing, "{format}");
        assert_eq!(
            fault::<Option<Quoting>>(&encoded(&Some("x"), format), format),
            Fault::WrongValue,
            "{format}"
        );
        let two = encoded(&vec![1_u8, 2], format);
        assert_eq!(fault::<One>(&two, format) == Fault::UnknownVariant, format == Bincode, "{format}");
    }
    for format in [MessagePack, Json] {
        let empty = encoded(&BTreeMap::<String, u8>::new(), format);
        assert_eq!(fault::<Strict>(&empty, format), Fault::MissingField("name"));
        let other = encoded(&BTreeMap::from([("other", "x")]), format);
        assert_eq!(fault::<Strict>(&other, format), Fault::UnknownField);
        let text = encoded("a text", format);
        // Who notices differs: the reader of JSON itself, or the type, which is told what was found.
        let found = if format == Json { "another value" } else { "a text" };
        assert_eq!(fault::<Vec<u8>>(&text, format), Fault::WrongType { found });
        assert_eq!(
            fault::<One>(&encoded(&BTreeMap::from([("No", 1)]), format), format),
            Fault::UnknownVariant
        );
        assert_eq!(fault::<(u8, u8)>(&encoded(&(1,), format), format), Fault::WrongLength);
        assert_eq!(fault::<u8>(&encoded(&-1, format), format), Fault::WrongValue);
    }
    assert_eq!(fault::<Strict>(br#"{"name":"a","name":"b"}"#, Json), Fault::DuplicateField("name"));
    assert_eq!(fault::<String>(b"\"\xff\"", Json), Fault::Syntax);
    assert_eq!(fault::<String>(b"\xa1\xff", MessagePack), Fault::Text);
    assert_eq!(fault::<String>(b"\x01\xff", Bincode), Fault::Text);
    assert_eq!(fault::<bool>(b"\x02", Bincode), Fault::WrongValue);
    assert_eq!(fault::<One>(b"\x01\x00", Bincode), Fault::UnknownVariant);
    assert_eq!(fault::<Untagged>(b"\x01", Bincode), Fault::NotSelfDescribing);
}

#[test]
fn an_error_says_where() {
    let place =
        |bytes: &[u8], format| match decode_message::<Vec<(u8, bool)>>(bytes, format, &Limits::DEFAULT) {
            Err(DecodeError::Malformed { place, .. }) => place,
            other => panic!("{other:?}"),
        };
    assert_eq!(place(b"[[1,true],\n[2,7]]", Format::Json), Place::Line { line: 2, column: 4 });
    // The message, then a pair and its two values, then another pair and the values to the faulty one.
    let bytes = encoded(&vec![(1_u8, 1_u8), (2, 7)], Format::Bincode);
    assert_eq!(place(&bytes, Format::Bincode), Place::Value(7));
    let bytes = encoded(&vec![(1_u8, 1_u8), (2, 7)], Format::MessagePack);
    assert_eq!(place(&bytes, Format::MessagePack), Place::Value(4));
}

#[derive(Serialize)]
struct LeavesOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<u8>,
}

#[derive(Serialize)]
struct Flattened {
    #[serde(flatten)]
    more: BTreeMap<String, u8>,
}

#[test]
fn what_a_format_cannot_read_back_is_not_written() {
    let limits = Limits::default();
    let leaves_out = LeavesOut { note: None };
    assert_eq!(encode_message(&leaves_out, Format::Bincode, &limits), Err(EncodeError::FieldLeftOut));
    assert!(encode_message(&LeavesOut { note: Some(1) }, Format::Bincode, &limits).is_ok());
    assert_eq!(encoded(&leaves_out, Format::Json), b"{}");
    assert_eq!(encoded(&leaves_out, Format::MessagePack), [0x80]);
    let flattened = Flattened { more: BTreeMap::from([("a".to_owned(), 1)]) };
    assert_eq!(encode_message(&flattened, Format::Bincode, &limits), Err(EncodeError::UnknownLength));
    assert_eq!(encoded(&flattened, Format::Json), br#"{"a":1}"#);
    let keyed = BTreeMap::from([((1, 2), 3)]);
    let error = EncodeError::Unsupported { format: Format::Json };
    assert_eq!(encode_message(&keyed, Format::Json, &limits), Err(error));
    assert!(encode_message(&keyed, Format::MessagePack, &limits).is_ok());
}
