//! A JSON object that holds only what says something.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Collects the fields of a request. Empty texts and lists, zeros and `false` stand for "not
/// set" in Compose's model and in the engine's alike, and are left out.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// As it is, unless it is null or an empty object.
    pub fn value(&mut self, key: &str, value: Value) {
        let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
        if !empty {
            self.0.insert(key.into(), value);
        }
    }

    /// As it is, also an empty list.
    pub fn exactly(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.into(), value.into());
    }

    pub fn text(&mut self, key: &str, text: Option<&String>) {
        if let Some(text) = text.filter(|t| !t.is_empty()) {
            self.0.insert(key.into(), text.as_str().into());
        }
    }

    pub fn number(&mut self, key: &str, number: i64) {
        if number != 0 {
            self.0.insert(key.into(), number.into());
        }
    }

    pub fn flag(&mut self, key: &str, flag: bool) {
        if flag {
            self.0.insert(key.into(), true.into());
        }
    }

    pub fn texts<T: AsRef<str>>(&mut self, key: &str, texts: &[T]) {
        if !texts.is_empty() {
            let list: Vec<Value> = texts.iter().map(|t| t.as_ref().into()).collect();
            self.0.insert(key.into(), list.into());
        }
    }

    pub fn list(&mut self, key: &str, values: Vec<Value>) {
        if !values.is_empty() {
            self.0.insert(key.into(), values.into());
        }
    }

    pub fn map(&mut self, key: &str, map: &BTreeMap<String, String>) {
        if !map.is_empty() {
            self.0.insert(key.into(), words(map));
        }
    }

    pub fn finish(self) -> Value {
        Value::Object(self.0)
    }
}

/// A map of texts.
pub fn words(map: &BTreeMap<String, String>) -> Value {
    let map = map.iter().map(|(k, v)| (k.clone(), v.as_str().into()));
    Value::Object(map.collect())
}
