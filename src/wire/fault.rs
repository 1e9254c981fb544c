//! What can be wrong with encoded bytes, said without quoting them.
//!
//! The readers' own errors quote what they found, and what they found is a patient's. So none of their text is passed
//! on: a fault is one of these classes, and the only names in it are those of the message type.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// The class of a fault in encoded bytes. Holds nothing of the bytes themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The input is over before the value is.
    #[error("the bytes end before the value does")]
    Truncated,
    /// The value is over before the input is.
    #[error("bytes follow the value")]
    Trailing,
    /// Not this format at all, or damaged.
    #[error("the bytes are not well-formed")]
    Syntax,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// Another type than the message's stands there; says which.
    #[error("{found} stands where the type has something else")]
    WrongType {
        /// What stands there, as a kind of value.
        found: &'static str,
    },
    /// The right type with a value that it does not allow.
    #[error("a value is not one that its type allows")]
    WrongValue,
    /// A field's value is not one that its type allows.
    #[error("the field {0} has a value that its type does not allow")]
    WrongField(&'static str),
    /// A sequence of another length than the type's.
    #[error("a sequence has another length than its type")]
    WrongLength,
    /// The enum has no such variant.
    #[error("an enum's variant is none of its type's")]
    UnknownVariant,
    /// The struct has no such field, and its type refuses unknown ones.
    #[error("a field is none of its type's, which takes no other")]
    UnknownField,
    /// A field that must be there is not.
    #[error("the field {0} is missing")]
    MissingField(&'static str),
    /// A field is there twice.
    #[error("the field {0} is there twice")]
    DuplicateField(&'static str),
    /// The type asks the format what comes next, which bincode cannot say: an untagged or internally tagged enum, a
    /// flattened struct, a value of any kind.
    #[error("the type needs a format that describes itself; use messagepack or json for it")]
    NotSelfDescribing,
}

/// Why decoding is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Fault(Fault),
    TooDeep,
    TooManyValues,
}

/// The error of a guarded deserializer: a cause of ours, or an error of the format's reader.
pub(super) enum Refused<E> {
    Own(Cause),
    Inner(E),
}

impl<E> Refused<E> {
    fn fault(fault: Fault) -> Self {
        Self::Own(Cause::Fault(fault))
    }
}

impl<E: de::Error> de::Error for Refused<E> {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::fault(Fault::WrongValue)
    }

    fn invalid_type(found: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::fault(Fault::WrongType { found: kind(&found) })
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::fault(Fault::WrongValue)
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::fault(Fault::WrongLength)
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::fault(Fault::UnknownVariant)
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::fault(Fault::UnknownField)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::fault(Fault::MissingField(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::fault(Fault::DuplicateField(field))
    }
}

/// The kind of a value without the value.
fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a floating-point number",
        Unexpected::Char(_) => "a character",
        Unexpected::Str(_) => "a text",
        Unexpected::Bytes(_) => "a string of bytes",
        Unexpected::Unit => "nothing",
        Unexpected::Option => "an optional value",
        Unexpected::NewtypeStruct => "a wrapped value",
        Unexpected::Seq => "a sequence",
        Unexpected::Map => "a map",
        Unexpected::Enum
        | Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant => "an enum's variant",
        _ => "another value",
    }
}

impl<E> fmt::Display for Refused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl<E> fmt::Debug for Refused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refused")
    }
}

impl<E> std::error::Error for Refused<E> {}
