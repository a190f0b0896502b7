//! Values (mappings, lists, texts) without the secrets in them.

use super::{Known, is_secret_name, replaced, secrets, stand_in, words};
use serde_json::Value;

/// Attributes whose values say what belongs together. They hold no secret, and what reads a record
/// needs them as they are.
const NAMES: [&str; 8] = [
    "image",
    "container_name",
    "network_mode",
    "pid",
    "ipc",
    "Image",
    "NetworkMode",
    "PidMode",
];

/// What is masked, beyond what every value tells by itself.
#[derive(Debug, Clone, Default)]
pub struct Masking {
    pub known: Known,
    /// `--show-secrets`: nothing is.
    pub is_off: bool,
}

impl Masking {
    /// A value below a key (the name of a variable, a label, an attribute).
    pub fn named(&self, name: &str, value: &Value) -> Value {
        match value {
            _ if self.is_off || NAMES.contains(&name) => value.clone(),
            Value::String(text) if is_secret_name(name) => stand_in(text).into(),
            Value::Number(number) if is_secret_name(name) => stand_in(&number.to_string()).into(),
            _ => self.value(value),
        }
    }

    /// A value of which no name says anything.
    pub fn value(&self, value: &Value) -> Value {
        if self.is_off {
            return value.clone();
        }
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => {
                let texts = items.iter().map(|item| item.as_str().unwrap_or_default());
                let masked = items.iter().zip(self.items(texts));
                let masked = masked.map(|(item, masked)| match item {
                    Value::String(_) => masked.into(),
                    other => self.value(other),
                });
                masked.collect()
            }
            Value::Object(map) => {
                let entries = map.iter();
                let entries = entries.map(|(key, value)| (key.clone(), self.named(key, value)));
                Value::Object(entries.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A text.
    pub fn text(&self, text: &str) -> String {
        if self.is_off {
            return text.to_owned();
        }
        let mut found = secrets(text, true);
        found.extend(self.known.find(text));
        replaced(text, found, stand_in).into_owned()
    }

    /// An item of a list by itself: `NAME=value` is one setting, with all that its value holds.
    pub fn item(&self, text: &str) -> String {
        self.items([text].into_iter()).concat()
    }

    /// The items of a list, in which an option and its value may be items of their own.
    pub fn items<'t>(&self, items: impl Iterator<Item = &'t str>) -> Vec<String> {
        let mut scanner = words::Scanner::new(true);
        let masked = items.map(|text| {
            let mut found = secrets(text, true);
            scanner.scan_item(text, &mut found);
            found.extend(self.known.find(text));
            match self.is_off {
                true => text.to_owned(),
                false => replaced(text, found, stand_in).into_owned(),
            }
        });
        masked.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_of_values_are_masked_by_name_place_and_content() {
        let masking = Masking {
            known: Known::of(["a declared one".to_owned()]),
            is_off: false,
        };
        let s = stand_in;
        let table = [
            (
                json!({"A_PWD": "x", "LEVEL": "info"}),
                json!({"A_PWD": s("x"), "LEVEL": "info"}),
            ),
            (
                json!({"PIN_TOKEN": 17, "N": 17}),
                json!({"PIN_TOKEN": s("17"), "N": 17}),
            ),
            // A service or network of such a name is none.
            (
                json!({"networks": {"auth": {"aliases": ["x"]}}}),
                json!({"networks": {"auth": {"aliases": ["x"]}}}),
            ),
            (
                json!({"secrets": [{"source": "db"}]}),
                json!({"secrets": [{"source": "db"}]}),
            ),
            (
                json!(["redis-server", "--requirepass", "a b"]),
                json!(["redis-server", "--requirepass", s("a b")]),
            ),
            (
                json!(["--requirepass=a b", "--port", "1"]),
                json!([format!("--requirepass={}", s("a b")), "--port", "1"]),
            ),
            (
                json!(["CMD", "redis-cli", "-a", "x y", "ping"]),
                json!(["CMD", "redis-cli", "-a", s("x y"), "ping"]),
            ),
            (
                json!(["CMD", "mysqladmin", "-px", "ping"]),
                json!(["CMD", "mysqladmin", format!("-p{}", s("x")), "ping"]),
            ),
            (
                json!(["curl", "-u", "me:x", "http://a"]),
                json!(["curl", "-u", format!("me:{}", s("x")), "http://a"]),
            ),
            (json!(["mkdir", "-p", "x"]), json!(["mkdir", "-p", "x"])),
            (
                json!(["PASS=a b", "B=1"]),
                json!([format!("PASS={}", s("a b")), "B=1"]),
            ),
            (
                json!({"x": "it is a declared one."}),
                json!({"x": format!("it is {}.", s("a declared one"))}),
            ),
            (
                json!({"image": "auth:1", "x": null}),
                json!({"image": "auth:1", "x": null}),
            ),
            (json!({"API_KEY": ""}), json!({"API_KEY": ""})),
        ];
        for (value, expected) in table {
            let masked = masking.value(&value);
            assert_eq!(masked, expected);
            // A record was masked when it was made, and is masked again when it is read.
            assert_eq!(masking.value(&masked), masked);
        }
        let off = Masking {
            is_off: true,
            ..masking
        };
        assert_eq!(off.value(&json!({"A_PWD": "x"})), json!({"A_PWD": "x"}));
    }
}
