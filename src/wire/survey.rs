//! A look at a message before it is written.
//!
//! What is written must be readable: a message that its own receiver refuses is lost the moment it is stored. So a
//! message is held to the same limits before it is encoded, counted at least as high as [`guard`](super::guard) counts
//! it, and to what each format cannot say: JSON writes NaN as `null`, and bincode does not notice a field left out.

use std::fmt::{self, Display};

use serde::Serialize;
use serde::ser;

use super::format::Format;
use super::limits::Limits;

/// Why a message may not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Objection {
    TooDeep,
    TooManyValues,
    NotFinite,
    FieldLeftOut,
    UnknownLength,
    /// The message's own `Serialize` refused.
    Refused,
}

pub(super) fn survey<M: Serialize + ?Sized>(
    message: &M,
    format: Format,
    limits: &Limits,
) -> Result<(), Objection> {
    let mut survey = Survey { format, depth: limits.depth(), values: limits.max_values };
    survey.value(message)
}

struct Survey {
    format: Format,
    /// Levels left.
    depth: usize,
    /// Values left.
    values: usize,
}

impl Survey {
    #[inline]
    fn count(&mut self, values: usize) -> Result<(), Objection> {
        self.values = self.values.checked_sub(values).ok_or(Objection::TooManyValues)?;
        Ok(())
    }

    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Objection> {
        self.count(1)?;
        value.serialize(self)
    }

    fn descend(&mut self, levels: usize) -> Result<(), Objection> {
        self.depth = self.depth.checked_sub(levels).ok_or(Objection::TooDeep)?;
        Ok(())
    }

    fn nested<T: Serialize + ?Sized>(&mut self, levels: usize, value: &T) -> Result<(), Objection> {
        self.descend(levels)?;
        self.value(value)?;
        self.depth += levels;
        Ok(())
    }

    fn inside(&mut self, levels: usize) -> Result<Inside<'_>, Objection> {
        self.descend(levels)?;
        Ok(Inside { survey: self, levels })
    }

    fn finite(&self, finite: bool) -> Result<(), Objection> {
        if finite || self.format != Format::Json { Ok(()) } else { Err(Objection::NotFinite) }
    }

    fn length(&self, length: Option<usize>) -> Result<(), Objection> {
        if length.is_some() || self.format != Format::Bincode {
            Ok(())
        } else {
            Err(Objection::UnknownLength)
        }
    }
}

macro_rules! unremarkable {
    ($($method:ident: $type:ty;)*) => {$(
        #[inline]
        fn $method(self, _: $type) -> Result<(), Objection> {
            Ok(())
        }
    )*};
}

impl<'a> ser::Serializer for &'a mut Survey {
    type Ok = ();
    type Error = Objection;
    type SerializeSeq = Inside<'a>;
    type SerializeTuple = Inside<'a>;
    type SerializeTupleStruct = Inside<'a>;
    type SerializeTupleVariant = Inside<'a>;
    type SerializeMap = Inside<'a>;
    type SerializeStruct = Inside<'a>;
    type SerializeStructVariant = Inside<'a>;

    unremarkable! {
        serialize_bool: bool;
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_i128: i128;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_u64: u64;
        serialize_u128: u128;
        serialize_char: char;
        serialize_str: &str;
        serialize_unit_struct: &'static str;
    }

    fn serialize_f32(self, value: f32) -> Result<(), Objection> {
        self.finite(value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Objection> {
        self.finite(value.is_finite())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Objection> {
        // JSON has no bytes and writes each as a number of a sequence.
        if self.format.is_text() {
            self.count(value.len())?;
            self.descend(1)?;
            self.depth += 1;
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Objection> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Objection> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Objection> {
        self.nested(1, value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Objection> {
        self.nested(1, value)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Objection> {
        self.nested(1, &())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Objection> {
        self.count(1)?;
        self.nested(1, value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Inside<'a>, Objection> {
        self.length(length)?;
        self.inside(1)
    }

    fn serialize_tuple(self, _: usize) -> Result<Inside<'a>, Objection> {
        self.inside(1)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Inside<'a>, Objection> {
        self.inside(1)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Inside<'a>, Objection> {
        self.count(1)?;
        self.inside(2)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Inside<'a>, Objection> {
        self.length(length)?;
        self.inside(1)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Inside<'a>, Objection> {
        self.inside(1)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Inside<'a>, Objection> {
        self.count(1)?;
        self.inside(2)
    }

    fn collect_str<T: Display + ?Sized>(self, _: &T) -> Result<(), Objection> {
        Ok(())
    }

    fn is_human_readable(&self) -> bool {
        self.format.is_text()
    }
}

/// The values of a sequence, map or struct.
struct Inside<'a> {
    survey: &'a mut Survey,
    levels: usize,
}

impl Inside<'_> {
    fn leave(self) {
        self.survey.depth += self.levels;
    }
}

macro_rules! elements {
    ($($part:ident :: $method:ident;)*) => {$(
        impl ser::$part for Inside<'_> {
            type Ok = ();
            type Error = Objection;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Objection> {
                self.survey.value(value)
            }

            fn end(self) -> Result<(), Objection> {
                self.leave();
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

macro_rules! fields {
    ($($part:ident)*) => {$(
        impl ser::$part for Inside<'_> {
            type Ok = ();
            type Error = Objection;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), Objection> {
                self.survey.count(1)?;
                self.survey.value(value)
            }

            fn skip_field(&mut self, _: &'static str) -> Result<(), Objection> {
                if self.survey.format == Format::Bincode { Err(Objection::FieldLeftOut) } else { Ok(()) }
            }

            fn end(self) -> Result<(), Objection> {
                self.leave();
                Ok(())
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Inside<'_> {
    type Ok = ();
    type Error = Objection;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Objection> {
        self.survey.value(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Objection> {
        self.survey.value(value)
    }

    fn end(self) -> Result<(), Objection> {
        self.leave();
        Ok(())
    }
}

impl ser::Error for Objection {
    fn custom<T: Display>(_: T) -> Self {
        Self::Refused
    }
}

impl Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Objection {}
