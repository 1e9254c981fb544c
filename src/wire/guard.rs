//! A deserializer around each format's own that keeps to the limits.
//!
//! The formats' readers bound different things, or nothing: bincode follows any nesting down the stack and counts to any
//! length when the elements take no bytes. Every value passes here instead, whatever its format, and is counted.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::fault::{Cause, Fault, Refused};
use super::limits::Limits;

/// What is left of the limits while one value is decoded.
pub(super) struct Guard {
    depth: Cell<usize>,
    values: Cell<usize>,
    most_values: usize,
    /// Of the input: more elements than this cannot be in it, unless they take no bytes.
    bytes: usize,
    /// Why a visitor refused; the format's error type cannot carry it.
    cause: Cell<Option<Cause>>,
}

impl Guard {
    pub(super) fn new(limits: &Limits, bytes: usize) -> Self {
        Self {
            depth: Cell::new(limits.depth()),
            values: Cell::new(limits.max_values),
            most_values: limits.max_values,
            bytes,
            cause: Cell::new(None),
        }
    }

    /// Values begun so far: where in the input a fault is.
    pub(super) fn begun(&self) -> usize {
        self.most_values - self.values.get()
    }

    pub(super) fn cause(&self) -> Option<Cause> {
        self.cause.get()
    }

    pub(super) fn around<T>(&self, inner: T) -> Guarded<'_, T> {
        Guarded { inner, guard: self }
    }

    fn count<E: Error>(&self) -> Result<(), E> {
        match self.values.get().checked_sub(1) {
            Some(left) => {
                self.values.set(left);
                Ok(())
            }
            None => Err(self.settle(Refused::Own(Cause::TooManyValues))),
        }
    }

    /// One level down, and up again.
    fn nested<T, E: Error>(&self, inside: impl FnOnce() -> Result<T, Refused<E>>) -> Result<T, E> {
        let Some(left) = self.depth.get().checked_sub(1) else {
            return Err(self.settle(Refused::Own(Cause::TooDeep)));
        };
        self.depth.set(left);
        let outcome = inside();
        self.depth.set(left + 1);
        outcome.map_err(|refused| self.settle(refused))
    }

    /// The error in the format's own type, with our cause kept aside.
    #[cold]
    fn settle<E: Error>(&self, refused: Refused<E>) -> E {
        match refused {
            Refused::Own(cause) => {
                self.cause.set(Some(cause));
                E::custom("refused")
            }
            Refused::Inner(error) => error,
        }
    }

    /// What may be allocated on the strength of a length that the input claims.
    fn believed(&self, hint: Option<usize>) -> Option<usize> {
        hint.map(|claimed| claimed.min(self.bytes).min(self.values.get()))
    }
}

/// A deserializer, visitor, seed or access that counts what passes through it.
pub(super) struct Guarded<'g, T> {
    inner: T,
    guard: &'g Guard,
}

macro_rules! forward_deserialize {
    ($($method:ident ( $($argument:ident: $type:ty),* ) to $inner:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            self.inner.$inner($($argument,)* self.guard.around(visitor)).map_err(Refused::Inner)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Guarded<'_, D> {
    type Error = Refused<D::Error>;

    // Owned texts and bytes are asked for as borrowed ones, which are taken from the input after its length is known;
    // bincode would allocate what the length claims first.
    forward_deserialize! {
        deserialize_any() to deserialize_any;
        deserialize_bool() to deserialize_bool;
        deserialize_i8() to deserialize_i8;
        deserialize_i16() to deserialize_i16;
        deserialize_i32() to deserialize_i32;
        deserialize_i64() to deserialize_i64;
        deserialize_i128() to deserialize_i128;
        deserialize_u8() to deserialize_u8;
        deserialize_u16() to deserialize_u16;
        deserialize_u32() to deserialize_u32;
        deserialize_u64() to deserialize_u64;
        deserialize_u128() to deserialize_u128;
        deserialize_f32() to deserialize_f32;
        deserialize_f64() to deserialize_f64;
        deserialize_char() to deserialize_char;
        deserialize_str() to deserialize_str;
        deserialize_string() to deserialize_str;
        deserialize_bytes() to deserialize_bytes;
        deserialize_byte_buf() to deserialize_bytes;
        deserialize_option() to deserialize_option;
        deserialize_unit() to deserialize_unit;
        deserialize_unit_struct(name: &'static str) to deserialize_unit_struct;
        deserialize_newtype_struct(name: &'static str) to deserialize_newtype_struct;
        deserialize_seq() to deserialize_seq;
        deserialize_tuple(len: usize) to deserialize_tuple;
        deserialize_tuple_struct(name: &'static str, len: usize) to deserialize_tuple_struct;
        deserialize_map() to deserialize_map;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) to deserialize_struct;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) to deserialize_enum;
        deserialize_identifier() to deserialize_identifier;
        deserialize_ignored_any() to deserialize_ignored_any;
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! forward_visit {
    ($($method:ident: $type:ty;)*) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            let Self { inner, guard } = self;
            inner.$method(value).map_err(|refused: Refused<E>| guard.settle(refused))
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Guarded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    forward_visit! {
        visit_bool: bool;
        visit_i8: i8;
        visit_i16: i16;
        visit_i32: i32;
        visit_i64: i64;
        visit_i128: i128;
        visit_u8: u8;
        visit_u16: u16;
        visit_u32: u32;
        visit_u64: u64;
        visit_u128: u128;
        visit_f32: f32;
        visit_f64: f64;
        visit_char: char;
        visit_str: &str;
        visit_borrowed_str: &'de str;
        visit_string: String;
        visit_bytes: &[u8];
        visit_borrowed_bytes: &'de [u8];
        visit_byte_buf: Vec<u8>;
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        let Self { inner, guard } = self;
        inner.visit_none().map_err(|refused: Refused<E>| guard.settle(refused))
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        let Self { inner, guard } = self;
        inner.visit_unit().map_err(|refused: Refused<E>| guard.settle(refused))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let Self { inner, guard } = self;
        guard.nested(|| inner.visit_some(guard.around(deserializer)))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let Self { inner, guard } = self;
        guard.nested(|| inner.visit_newtype_struct(guard.around(deserializer)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Self { inner, guard } = self;
        guard.nested(|| inner.visit_seq(guard.around(access)))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Self { inner, guard } = self;
        guard.nested(|| inner.visit_map(guard.around(access)))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Self { inner, guard } = self;
        guard.nested(|| inner.visit_enum(guard.around(access)))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Guarded<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let Self { inner, guard } = self;
        guard.count()?;
        inner.deserialize(guard.around(deserializer)).map_err(|refused| guard.settle(refused))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Guarded<'_, A> {
    type Error = Refused<A::Error>;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Self::Error> {
        self.inner.next_element_seed(self.guard.around(seed)).map_err(Refused::Inner)
    }

    fn size_hint(&self) -> Option<usize> {
        self.guard.believed(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Guarded<'_, A> {
    type Error = Refused<A::Error>;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Self::Error> {
        self.inner.next_key_seed(self.guard.around(seed)).map_err(Refused::Inner)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Self::Error> {
        self.inner.next_value_seed(self.guard.around(seed)).map_err(Refused::Inner)
    }

    fn size_hint(&self) -> Option<usize> {
        self.guard.believed(self.inner.size_hint())
    }
}

impl<'de, 'g, A: EnumAccess<'de>> EnumAccess<'de> for Guarded<'g, A> {
    type Error = Refused<A::Error>;
    type Variant = Guarded<'g, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Self::Error> {
        let Self { inner, guard } = self;
        let (value, variant) = inner.variant_seed(guard.around(seed)).map_err(|error| {
            // By its number rather than its name, an unknown variant is merely a number that is too high.
            if guard.cause.get() == Some(Cause::Fault(Fault::WrongValue)) {
                guard.cause.set(Some(Cause::Fault(Fault::UnknownVariant)));
            }
            Refused::Inner(error)
        })?;
        Ok((value, guard.around(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Guarded<'_, A> {
    type Error = Refused<A::Error>;

    fn unit_variant(self) -> Result<(), Self::Error> {
        self.inner.unit_variant().map_err(Refused::Inner)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Self::Error> {
        self.inner.newtype_variant_seed(self.guard.around(seed)).map_err(Refused::Inner)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Self::Error> {
        self.inner.tuple_variant(len, self.guard.around(visitor)).map_err(Refused::Inner)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.inner.struct_variant(fields, self.guard.around(visitor)).map_err(Refused::Inner)
    }
}
