//! Numbers that the canonical form may hold as text.

use serde::{Deserialize, Deserializer, de};

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Number(f64),
    Text(String),
}

/// Reads a float from a number or from its text.
pub fn float<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    match Form::deserialize(d)? {
        Form::Number(n) => Ok(n),
        Form::Text(t) => t.trim().parse().map_err(de::Error::custom),
    }
}
