//! A walk over a value before it is written as canonical JSON, in search of numbers that have no exact
//! form there.
//!
//! It is a serialiser of its own because `serde_json` and the canonicaliser turn a NaN or an infinity
//! within a struct into `null` without a word.

use std::fmt;

use serde::{Serialize, Serializer, ser};

/// The largest integer that every JSON reader keeps exact (RFC 7493 §2.2, RFC 8785 §3.2.2.3).
const MAX_INTEGER: u128 = 1 << 53;

/// The first fault of a value.
#[derive(Debug)]
pub(crate) enum Refusal {
    Float,
    Integer(i128),
    Other(String),
}

/// Walks over a value.
pub(crate) fn check<T: Serialize + ?Sized>(value: &T) -> Result<(), Refusal> {
    value.serialize(Guard)
}

#[derive(Clone, Copy)]
struct Guard;

impl Guard {
    fn integer(value: i128) -> Result<(), Refusal> {
        if value.unsigned_abs() <= MAX_INTEGER { Ok(()) } else { Err(Refusal::Integer(value)) }
    }
}

/// Methods that accept a scalar, whatever its value.
macro_rules! accept {
    ($($method:ident($value:ty)),* $(,)?) => {
        $(fn $method(self, _: $value) -> Result<(), Refusal> {
            Ok(())
        })*
    };
}

/// Methods that look at an integer's value.
macro_rules! measure {
    ($($method:ident($value:ty)),* $(,)?) => {
        $(fn $method(self, value: $value) -> Result<(), Refusal> {
            Self::integer(value.into())
        })*
    };
}

/// Methods that begin an array or an object.
macro_rules! enter {
    ($($method:ident($($argument:ty),*)),* $(,)?) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Self, Refusal> {
            Ok(self)
        })*
    };
}

impl Serializer for Guard {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_unit_struct(&'static str),
    );

    measure!(serialize_i64(i64), serialize_u64(u64), serialize_i128(i128));

    enter!(
        serialize_seq(Option<usize>),
        serialize_tuple(usize),
        serialize_tuple_struct(&'static str, usize),
        serialize_tuple_variant(&'static str, u32, &'static str, usize),
        serialize_map(Option<usize>),
        serialize_struct(&'static str, usize),
        serialize_struct_variant(&'static str, u32, &'static str, usize),
    );

    fn serialize_u128(self, value: u128) -> Result<(), Refusal> {
        Self::integer(i128::try_from(value).unwrap_or(i128::MAX))
    }

    fn serialize_f32(self, _: f32) -> Result<(), Refusal> {
        Err(Refusal::Float)
    }

    fn serialize_f64(self, _: f64) -> Result<(), Refusal> {
        Err(Refusal::Float)
    }

    fn serialize_none(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        value.serialize(self)
    }
}

/// The traits for arrays and objects: look at each item.
macro_rules! items {
    ($($compound:ident::$method:ident($($name:ty)?)),* $(,)?) => {
        $(impl ser::$compound for Guard {
            type Ok = ();
            type Error = Refusal;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $(_: $name,)?
                value: &T,
            ) -> Result<(), Refusal> {
                value.serialize(*self)
            }

            fn end(self) -> Result<(), Refusal> {
                Ok(())
            }
        })*
    };
}

items!(
    SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeTupleVariant::serialize_field(),
    SerializeStruct::serialize_field(&'static str),
    SerializeStructVariant::serialize_field(&'static str),
);

impl ser::SerializeMap for Guard {
    type Ok = ();
    type Error = Refusal;

    /// A number as a key becomes a text, but the canonicaliser would round it before.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        key.serialize(*self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        value.serialize(*self)
    }

    fn end(self) -> Result<(), Refusal> {
        Ok(())
    }
}

impl ser::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float => f.write_str("a floating-point number"),
            Self::Integer(value) => write!(f, "the integer `{value}`"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Refusal {}
