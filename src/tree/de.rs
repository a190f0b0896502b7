//! Trees to typed values: `Service::deserialize(&node)` and the like.
//!
//! The canonical form is lenient where Docker Compose's own decoder is: a number may stand where
//! text is wanted and the other way round, and null is the empty value of anything but an option.

use super::float;
use super::{Map, Node, Span, Value};
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use std::fmt;

/// Why a tree does not fit a type, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    pub message: String,
    /// Path below the decoded node, e.g. `ports[0].target`.
    pub path: String,
    /// The value that does not fit.
    pub span: Option<Span>,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        DecodeError {
            message: message.to_string(),
            path: String::new(),
            span: None,
        }
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("must be {expected}, but is {found}"))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("must be {expected}, but is {found}"))
    }
}

impl DecodeError {
    /// Leads the error one step up: what it was found in.
    fn under(mut self, step: &str, node: &Node) -> Self {
        self.span.get_or_insert(node.span);
        let joint = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{step}{joint}{}", self.path);
        self
    }
}

type Result<T> = std::result::Result<T, DecodeError>;

impl Node {
    /// What a finding calls it.
    fn unexpected(&self) -> de::Unexpected<'_> {
        match &self.value {
            Value::Null => de::Unexpected::Other("nothing"),
            Value::Bool(b) => de::Unexpected::Bool(*b),
            Value::Int(i) => de::Unexpected::Signed(*i),
            Value::Float(f) => de::Unexpected::Float(*f),
            Value::Str(s) => de::Unexpected::Str(s),
            Value::Verbatim(s) => de::Unexpected::Str(s),
            Value::Seq(_) => de::Unexpected::Other("a list"),
            Value::Map(_) => de::Unexpected::Other("a mapping"),
        }
    }

    fn mismatch<'de, V: Visitor<'de>>(&self, visitor: &V) -> DecodeError {
        DecodeError {
            span: Some(self.span),
            ..de::Error::invalid_type(self.unexpected(), visitor)
        }
    }

    fn whole<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value> {
        match &self.value {
            Value::Int(i) => visitor.visit_i64(*i),
            Value::Null => visitor.visit_i64(0),
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e18 => visitor.visit_i64(*f as i64),
            Value::Str(s) => match s.trim().parse::<i64>() {
                Ok(i) => visitor.visit_i64(i),
                Err(_) => Err(self.mismatch(&visitor)),
            },
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn fraction<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value> {
        match &self.value {
            Value::Float(f) => visitor.visit_f64(*f),
            Value::Int(i) => visitor.visit_f64(*i as f64),
            Value::Null => visitor.visit_f64(0.0),
            Value::Str(s) => match s.trim().parse::<f64>() {
                Ok(f) => visitor.visit_f64(f),
                Err(_) => Err(self.mismatch(&visitor)),
            },
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn text<'de, V: Visitor<'de>>(&'de self, visitor: V) -> Result<V::Value> {
        match &self.value {
            Value::Str(s) => visitor.visit_borrowed_str(s),
            Value::Verbatim(s) => visitor.visit_borrowed_str(s),
            Value::Bool(b) => visitor.visit_str(if *b { "true" } else { "false" }),
            Value::Int(i) => visitor.visit_string(i.to_string()),
            Value::Float(f) => visitor.visit_string(float::plain(*f)),
            Value::Null => visitor.visit_borrowed_str(""),
            Value::Seq(_) | Value::Map(_) => Err(self.mismatch(&visitor)),
        }
    }
}

macro_rules! forward {
    ($($method:ident => $to:ident),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.$to(visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = DecodeError;

    forward! {
        deserialize_i8 => whole, deserialize_i16 => whole, deserialize_i32 => whole,
        deserialize_i64 => whole, deserialize_u8 => whole, deserialize_u16 => whole,
        deserialize_u32 => whole, deserialize_u64 => whole,
        deserialize_f32 => fraction, deserialize_f64 => fraction,
        deserialize_str => text, deserialize_string => text, deserialize_char => text,
        deserialize_identifier => text,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Int(i) => visitor.visit_i64(*i),
            Value::Float(f) => visitor.visit_f64(*f),
            Value::Str(s) => visitor.visit_borrowed_str(s),
            Value::Verbatim(s) => visitor.visit_borrowed_str(s),
            Value::Seq(items) => visitor.visit_seq(Items::new(items)),
            Value::Map(map) => visitor.visit_map(Entries::new(map)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match &self.value {
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Null => visitor.visit_bool(false),
            Value::Str(s) if s == "true" => visitor.visit_bool(true),
            Value::Str(s) if s == "false" => visitor.visit_bool(false),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match &self.value {
            Value::Seq(items) => visitor.visit_seq(Items::new(items)),
            Value::Null => visitor.visit_seq(Items::new(&[])),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match &self.value {
            Value::Map(map) => visitor.visit_map(Entries::new(map)),
            Value::Null => visitor.visit_map(Entries::empty()),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match &self.value {
            Value::Str(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        Err(self.mismatch(&visitor))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        Err(self.mismatch(&visitor))
    }
}

struct Items<'de> {
    rest: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> Items<'de> {
    fn new(items: &'de [Node]) -> Self {
        Items {
            rest: items.iter().enumerate(),
        }
    }
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some((index, node)) = self.rest.next() else {
            return Ok(None);
        };
        seed.deserialize(node)
            .map(Some)
            .map_err(|e| e.under(&format!("[{index}]"), node))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Entries<'de> {
    rest: Box<dyn Iterator<Item = (&'de str, &'de Node)> + 'de>,
    value: Option<(&'de str, &'de Node)>,
}

impl<'de> Entries<'de> {
    fn new(map: &'de Map) -> Self {
        Entries {
            rest: Box::new(map.iter()),
            value: None,
        }
    }

    fn empty() -> Self {
        Entries {
            rest: Box::new(std::iter::empty()),
            value: None,
        }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.value = self.rest.next();
        let Some((key, node)) = self.value else {
            return Ok(None);
        };
        seed.deserialize(StrDeserializer::new(key))
            .map(Some)
            .map_err(|e: DecodeError| e.under(key, node))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let Some((key, node)) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(node).map_err(|e| e.under(key, node))
    }
}

#[cfg(test)]
mod tests;
