//! Go's templates as far as `--format` needs them: fields, `.Label "key"`, variables, pipes, Docker's
//! and Go's own functions, `if`, `with`, `range`. Messages are Go's, with the place in the template.

use crate::output::json::go_json;
use crate::value::visible::visible_line;
use std::collections::BTreeMap;

mod functions;
mod lex;
mod parse;
mod printf;
mod run;
mod tree;
mod value;

pub use value::Value;

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    text: String,
    nodes: Vec<tree::Node>,
}

/// What a template is filled from: fields (in the order that JSON shall have), and the labels
/// that `.Label` asks.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// What Go calls the type, for messages.
    pub kind: &'static str,
    pub fields: Vec<(&'static str, Value)>,
    pub labels: BTreeMap<String, String>,
}

impl Row {
    /// The same with nothing in it that could break out of a table's line.
    #[must_use]
    pub fn on_one_line(&self) -> Row {
        fn shown(value: &Value) -> Value {
            match value {
                Value::Text(text) => visible_line(text).into_owned().into(),
                Value::List(items) => Value::List(items.iter().map(shown).collect()),
                Value::Record(kind, fields) => {
                    let fields = fields.iter().map(|(name, value)| (*name, shown(value)));
                    Value::Record(kind, fields.collect())
                }
                other => other.clone(),
            }
        }
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| (*name, shown(value)));
        let labels = self.labels.iter();
        Row {
            kind: self.kind,
            fields: fields.collect(),
            labels: labels
                .map(|(key, value)| (key.clone(), visible_line(value).into_owned()))
                .collect(),
        }
    }
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template parsing error: {0}")]
pub struct TemplateError(String);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Where it is none, or calls a function that there is not.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let nodes = parse::template(text).map_err(TemplateError)?;
        Ok(Template {
            text: text.to_owned(),
            nodes,
        })
    }

    /// Fills the template from a row.
    ///
    /// # Errors
    /// Where it asks for a field that there is not, or a function cannot do what it is asked for.
    pub fn fill(&self, row: &Row) -> Result<String, TemplateError> {
        let mut out = String::new();
        run::fill(&self.nodes, &self.text, Data::Row(row), &mut out).map_err(TemplateError)?;
        Ok(out)
    }

    /// Fills it with column heads instead: a label's is the last word of its key. Where a function
    /// cannot work on a head, the rest of the heads is left out, as Docker's programs do.
    pub fn heads(&self, heads: &[(&'static str, &'static str)]) -> String {
        let mut out = String::new();
        let _ = run::fill(&self.nodes, &self.text, Data::Heads(heads), &mut out);
        out
    }
}

/// What `.` is at first.
#[derive(Clone, Copy)]
enum Data<'a> {
    Row(&'a Row),
    Heads(&'a [(&'static str, &'static str)]),
}

impl Data<'_> {
    /// Whether a field that there is not is no fault.
    fn is_lenient(&self) -> bool {
        matches!(self, Data::Heads(_))
    }

    fn kind(&self) -> &'static str {
        match self {
            Data::Row(row) => row.kind,
            Data::Heads(_) => "formatter.SubHeaderContext",
        }
    }

    fn field(&self, name: &str) -> Option<Value> {
        match self {
            Data::Row(row) => {
                let field = row.fields.iter().find(|(field, _)| *field == name);
                field.map(|(_, value)| value.clone())
            }
            Data::Heads(heads) => {
                let head = heads.iter().find(|(field, _)| *field == name);
                head.map(|(_, head)| Value::from(*head))
            }
        }
    }

    fn label(&self, key: &str) -> String {
        match self {
            Data::Row(row) => row.labels.get(key).cloned().unwrap_or_default(),
            Data::Heads(_) => {
                let last = key.rsplit('.').next().unwrap_or_default();
                last.replace(['-', '_'], " ")
            }
        }
    }

    /// All of it.
    fn record(&self) -> Value {
        match self {
            Data::Row(row) => Value::Record(row.kind, row.fields.clone()),
            Data::Heads(heads) => {
                let fields = heads.iter().map(|(name, head)| (*name, Value::from(*head)));
                Value::Record("formatter.SubHeaderContext", fields.collect())
            }
        }
    }

    /// A value as Go prints it.
    fn shown(&self, value: &Value) -> String {
        match value {
            Value::Root => self.record().to_string(),
            other => other.to_string(),
        }
    }

    /// A value as Docker's `json` writes it: of a whole row with `<`, `>` and `&` escaped.
    fn json(&self, value: &Value) -> String {
        match value {
            Value::Root => go_json(&self.record()),
            other => serde_json::to_string(other).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
