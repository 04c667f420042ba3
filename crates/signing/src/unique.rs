//! Reading JSON while refusing a member that stands twice in one object, which `serde_json` keeps to
//! itself (RFC 8259 §4 leaves the behaviour open).

use std::{cell::RefCell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// Why bytes are not JSON with unique members.
pub(crate) enum Fault {
    /// The member that stands twice.
    Duplicate(String),
    Json(serde_json::Error),
}

/// Reads values, and remembers the first member that it met twice.
#[derive(Clone, Copy)]
pub(crate) struct Unique<'a>(&'a RefCell<Option<String>>);

impl Unique<'_> {
    pub(crate) fn read(bytes: &[u8]) -> Result<Value, Fault> {
        let repeated = RefCell::new(None);
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let read =
            Unique(&repeated).deserialize(&mut json).and_then(|value| json.end().map(|()| value));
        match (read, repeated.into_inner()) {
            (_, Some(member)) => Err(Fault::Duplicate(member)),
            (read, None) => read.map_err(Fault::Json),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                self.0.replace(Some(name));
                return Err(de::Error::custom("a member stands twice"));
            }
            let value = members.next_value_seed(self)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Value::deserialize(de::value::F64Deserializer::new(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
}
